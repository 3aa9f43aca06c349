import csv
import io
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cleaning import FixfirstError
from cleaning.intervals import mean_interval
from evaluation.contest import standings as board
from evaluation.contest.standings import as_cells, as_csv, leaderboard, markdown_table, places, text_table
from evaluation.contract.record import Curve, append_record
from evaluation.contract.registry import task
from evaluation.figures.canvas import render
from evaluation.figures.curves import curves_figure
from evaluation.figures.overview import overview_figure
from evaluation.figures.report import plot
from evaluation.files.progress import Reporter
from tests.evaluation.contract.test_record import record

pytestmark = pytest.mark.slow
METRICS = {"fraction_fixes": 0.2, "fixes_needed": 1, "area": 0.8}


def scored(method, dataset, score, *, seed=0, seconds=0.1, **changes):
    accuracy = tuple(np.linspace(0.5, 0.9, 11).round(4).tolist())
    curve = Curve(fixes=tuple(range(11)), accuracy=accuracy, dirty=0.5, clean=0.9)
    return record(
        method=method,
        dataset=dataset,
        seed=seed,
        seconds=seconds,
        curve=curve,
        metrics={"score": score, **METRICS},
        settings={"target": 0.95},
        **changes,
    )


@pytest.fixture
def records():
    return [
        scored("good", "a", 0.1),
        scored("good", "b", 0.2),
        scored("good", "c", 0.3),
        scored("bad", "a", 0.5),
        scored("bad", "b", 0.7),
        scored("bad", "c", 0.9),
        scored("partial", "a", 0.0, seconds=None),
        record(method="broken", dataset="a", status="failed", error="<b>no</b>", metrics={}, curve=None),
    ]


def test_methods_are_ordered_by_their_mean_over_data_sets(records):
    rows = leaderboard(records, task("cleaning"))
    assert [row.method for row in rows] == ["good", "bad", "partial"]
    assert rows[0].mean == pytest.approx(0.2)
    assert (rows[0].low, rows[0].high) == (0.0, pytest.approx(0.2 + 4.302653 * 0.1 / np.sqrt(3), abs=1e-6))
    assert (rows[0].n_datasets, rows[0].n_all) == (3, 3)
    assert places(rows) == ["1", "2", ""]
    assert not rows[2].complete


def test_seeds_are_averaged_within_a_data_set():
    rows = leaderboard([scored("m", "a", 0.0), scored("m", "a", 0.4, seed=1), scored("m", "b", 0.6)], task("cleaning"))
    assert rows[0].mean == pytest.approx(0.4)
    assert rows[0].n_seeds == 2
    alone = leaderboard([scored("m", "a", 0.0), scored("m", "a", 0.4, seed=1)], task("cleaning"))[0]
    assert alone.low is not None
    single = leaderboard([scored("m", "a", 0.1)], task("cleaning"))[0]
    assert (single.low, single.high) == (None, None)


def test_equal_means_share_a_place():
    rows = leaderboard([scored("m", "a", 0.1), scored("n", "a", 0.1), scored("o", "a", 0.2)], task("cleaning"))
    assert places(rows) == ["1", "1", "3"]


@settings(max_examples=20)
@given(st.permutations([0.1, 0.7, 0.3, 1 / 3, 0.9, 1e-9]))
def test_the_order_of_the_data_sets_does_not_part_equals(scores):
    ordered = [scored("m", f"d{n}", score) for n, score in enumerate(sorted(scores))]
    shuffled = [scored("n", f"d{n}", score) for n, score in enumerate(scores)]
    assert places(leaderboard([*ordered, *shuffled], task("cleaning"))) == ["1", "1"]


def test_the_interval_is_students():
    assert mean_interval([1.0]) is None
    low, high = mean_interval([1.0, 2.0, 3.0, 4.0])
    assert (low, high) == (pytest.approx(0.4457397), pytest.approx(4.5542603))


def test_methods_are_compared_with_the_best_and_with_random_on_the_same_data_sets(records):
    rows = leaderboard([*records, *(scored("random", d, 0.6) for d in "abc")], task("cleaning"))
    good, random, bad, partial = rows
    assert good.to_best is None
    assert random.to_random is None
    assert bad.to_best.mean == pytest.approx(0.5)
    low, high = mean_interval([0.4, 0.5, 0.6])
    assert bad.to_best.interval == (pytest.approx(low), pytest.approx(high))
    assert (partial.to_best.mean, partial.to_best.interval) == (pytest.approx(-0.1), None)
    assert "+0.500 (+0.252 to +0.748)" in text_table(*as_cells(rows))
    table = list(csv.DictReader(io.StringIO(as_csv([rows]))))
    assert float(table[2]["to_best_high95"]) == pytest.approx(high)
    assert [row.reversed for row in rows] == [False] * 4
    wrong = leaderboard(
        [
            *(scored("random", d, 0.2 + n / 9) for n, d in enumerate("abc")),
            *(scored("flipped", d, 0.5 + n / 8) for n, d in enumerate("abc")),
        ],
        task("cleaning"),
    )
    assert [(row.method, row.reversed) for row in wrong] == [("random", False), ("flipped", True)]


@pytest.mark.usefixtures("no_pictures")
def test_rounds_are_ranked_and_compared_among_themselves(records, folders):
    again = [
        scored(f"{method} in rounds of 20", d, score, rounds=20)
        for method, score in (("good", 0.01), ("bad", 0.3))
        for d in "ab"
    ]
    chance = [scored("random", d, 0.6) for d in "abc"]
    alone, rows = (leaderboard(found, task("cleaning")) for found in ([*records, *chance], [*again, *records, *chance]))
    assert rows[: len(alone)] == alone
    assert [row.method for row in rows[len(alone) :]] == ["good in rounds of 20", "bad in rounds of 20"]
    assert places(rows) == [*places(alone), "1", "2"]
    best, other = rows[len(alone) :]
    assert (best.to_best, best.to_random, other.to_random, other.complete) == (None, None, None, True)
    assert other.to_best.mean == pytest.approx(0.29)
    table = list(csv.DictReader(io.StringIO(as_csv([rows]))))
    assert [line["rounds"] for line in table] == ["", "", "", "", "20", "20"]
    for one in [*again, *records, *chance]:
        append_record(folders.results_file, one)
    plot(folders, Reporter(io.StringIO(), io.StringIO()))
    tables = (folders.results_folder / "leaderboard.md").read_text().split("## cleaning, in rounds of 20 fixes\n")
    assert [text.count("in rounds of 20") for text in tables] == [0, 2]
    page = (folders.results_folder / "report.html").read_text()
    assert page.count('<table class="board"') == 2
    assert page.index("<h4>cleaning, in rounds of 20 fixes</h4>") < page.index(f'id="m0-{len(alone)}"')


def test_the_curve_of_rounds_has_the_colour_of_their_ranker(records):
    found = [*records, scored("good in rounds of 20", "a", 0.01, rounds=20)]
    axes = curves_figure("a", found, leaderboard(found, task("cleaning"))).axes[0]
    lines = {line.get_label().partition("  ")[0]: line for line in axes.lines}
    rounds, plain = lines["good in rounds of 20"], lines["good"]
    assert rounds.get_color() == plain.get_color()
    assert rounds.get_linestyle() != plain.get_linestyle()
    assert axes.get_title(loc="left").startswith("partial reaches")


def test_tables_hold_full_precision_or_six_decimals(records):
    rows = leaderboard(records, task("cleaning"))
    table = list(csv.DictReader(io.StringIO(as_csv([rows]))))
    assert [line["method"] for line in table] == ["good", "bad", "partial"]
    assert float(table[0]["mean"]) == rows[0].mean
    assert list(table[0]) == [*board.COLUMNS, "fraction_fixes", "fixes_needed", "area"]
    assert "| 1 | good | 0.200000 |" in markdown_table(*as_cells(rows))
    assert "1 of 3" in text_table(*as_cells(rows))
    assert "score (lower is better)" in text_table(*as_cells(rows))


@pytest.mark.usefixtures("no_pictures")
def test_ranks_start_at_one_in_each_task_and_the_page_with_cleaning(folders, records):
    others = [
        record(task="camera_trap", method=method, dataset="clips", metrics={"log_loss": loss}, details={}, curve=None)
        for method, loss in (("prior", 0.2), ("stack", 0.1))
    ]
    for one in [*others, *records]:
        append_record(folders.results_file, one)
    plot(folders, Reporter(io.StringIO(), io.StringIO()))
    with (folders.results_folder / "leaderboard.csv").open(newline="") as file:
        found = [(line["task"], line["rank"], line["method"]) for line in csv.DictReader(file)]
    assert found == [
        ("cleaning", "1", "good"),
        ("cleaning", "2", "bad"),
        ("cleaning", "", "partial"),
        ("camera_trap", "1", "stack"),
        ("camera_trap", "2", "prior"),
    ]
    page = (folders.results_folder / "report.html").read_text()
    anchors = ("task-cleaning", "task-camera_trap", "failed")
    places = [page.index(f'<section id="{name}"') for name in anchors]
    assert places == sorted(places)
    links = [page.index(f'<a href="#{name}">') for name in anchors]
    assert links == sorted(links)
    assert links[-1] < places[0]


def test_plot_writes_pictures_tables_and_a_page_from_records_alone(folders, records):
    for one in records:
        append_record(folders.results_file, one)
    reporter = Reporter(io.StringIO(), io.StringIO())
    plot(folders, reporter)
    names = {p.name for p in folders.results_folder.iterdir()}
    expected = {f"{d}_evaluation.{k}" for d in "abc" for k in ("png", "svg")}
    assert expected | {"overview.png", "overview.svg", "leaderboard.csv", "leaderboard.md", "report.html"} <= names
    with Image.open(folders.results_folder / "a_evaluation.png") as picture:
        assert picture.size[0] >= 1200
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 50
    page = (folders.results_folder / "report.html").read_text()
    assert "&lt;b&gt;no&lt;/b&gt;" in page
    assert "Content-Security-Policy" in page
    assert re.findall('https?://[^"\\s]+', page) == ["http://www.w3.org/2000/svg"]
    assert str(folders.results_folder / "report.html") in reporter.out.getvalue()


def test_the_same_records_draw_the_same_bytes(folders, records):
    pictures = []
    for _ in range(2):
        figure = overview_figure(leaderboard(records, task("cleaning")))
        pictures.append((render(figure, "svg"), render(figure, "png")))
    assert pictures[0] == pictures[1]


def test_the_picture_of_a_data_id_says_what_is_saved_and_names_every_curve():
    many = [scored(f"method_{n}", d, n / 20) for n in range(9) for d in "ab"] + [scored("method_0", "a", 0.2, seed=1)]
    many = [one.model_copy(update={"metrics": {**one.metrics, "fixes_needed": 2}}) for one in many]
    many.append(scored("random", "a", 0.9).model_copy(update={"metrics": {**METRICS, "score": 0.9, "fixes_needed": 8}}))
    figure = curves_figure("a", many, leaderboard(many, task("cleaning")))
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == (
        "method_1 reaches 95% of the clean accuracy after 2 of 10 fixes, random order after 8: 6 fixes saved (75%)."
    )
    labels = [text.get_text().split("\n") for text in axes.get_legend().get_texts()]
    assert [first for first, _ in labels] == [
        "method_1  0.050",
        "method_0  0.100",
        "method_2  0.100",
        "method_3  0.150",
        "method_4  0.200",
        "random  0.900",
    ]
    assert dict(labels)["method_3  0.150"] == "0.150 (0.150 to 0.150)"
    assert dict(labels)["random  0.900"] == "0.900"
    texts = [text.get_text() for text in axes.texts]
    assert texts[:2] == ["before any fix: 0.500", "95% of clean: 0.855"]
    assert sorted(texts[2:]) == [f"method_{n}" for n in range(5, 9)]
    colours = {line.get_color() for line in axes.lines if not line.get_label().startswith("_")}
    assert len(colours) == 6
    ElementTree.fromstring(render(figure, "svg"))


def test_the_overview_shows_intervals_on_a_log_axis_with_directions(records):
    axes = overview_figure(leaderboard(records, task("cleaning"))).axes[0]
    assert axes.get_xscale() == "log"
    assert "lower is better" in axes.get_ylabel()


def test_the_names_of_the_overview_are_at_their_points_and_cover_nothing():
    rng = np.random.default_rng(4)
    many = [scored(f"method_{n:02d}", d, 0.2 + 0.02 * rng.random()) for n in range(14) for d in "ab"]
    many = [one.model_copy(update={"seconds": 0.1 * (1 + int(one.method[-2:]) % 3)}) for one in many]
    figure = overview_figure(leaderboard(many, task("cleaning")))
    figure.draw_without_rendering()
    axes = figure.axes[0]
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert len(points) == 14
    names = [text.get_window_extent() for text in axes.texts]
    assert len(names) > 8
    window = axes.get_window_extent()
    for number, name in enumerate(names):
        assert window.x0 <= name.x0
        assert name.x1 <= window.x1
        assert not any(name.overlaps(other) for other in names[:number])
        centres = [axes.transData.transform(line.get_xydata()[0]) for line in points]
        assert not any(name.contains(*centre) for centre in centres)
    unknown = [one.model_copy(update={"seconds": None}) for one in many]
    hollow = overview_figure(leaderboard(unknown, task("cleaning"))).axes[0].lines
    assert {line.get_markerfacecolor() for line in hollow if line.get_marker() == "o"} == {"white"}


def test_without_results_the_fix_is_told(folders):
    with pytest.raises(FixfirstError, match="run `fixfirst evaluate` and correct"):
        plot(folders, Reporter(io.StringIO(), io.StringIO()))
