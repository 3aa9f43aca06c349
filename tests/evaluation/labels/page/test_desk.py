"""What is on the desk, without HTTP."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cleaning import Count
from cleaning.errors import InvalidInput
from cleaning.labels.advice import advice
from evaluation.files.progress import Reporter
from evaluation.labels.forms.found import Options
from evaluation.labels.opened import open_review
from evaluation.labels.page import desk as module
from evaluation.labels.page.desk import Desk, Wish
from evaluation.labels.page.pictures import Scaled, scaled
from evaluation.labels.page.views import Query, Views
from evaluation.labels.review_folder import read_description
from evaluation.labels.source import Request, open_source
from tests.evaluation.labels.decided import decide
from tests.evaluation.labels.own_data import FORMS, Rows
from tests.evaluation.labels.page.served import photos, ranked


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    rows = Rows(n=80)
    frame = rows.frame(id=[f"Row-{row:02d}" for row in range(80)], note=["red", "blue"] * 40)
    frame.loc[[3, 4], "label"] = ""
    frame.to_csv(folder / "t.csv", index=False)
    return ranked(folder / "t.csv", "--features=e*")


@pytest.fixture
def review(originals, tmp_path):
    shutil.copytree(originals.parent, tmp_path / "data")
    return tmp_path / "data" / "t_review"


@pytest.fixture
def views(review):
    return Views(Desk(open_review(review), "ann", 1000))


def rows_of(views, **query):
    found = views.rows(Query(count=1000, **query))
    assert found["total"] == len(found["rows"])
    return {row["row"] for row in found["rows"]}


def test_rows_are_found_by_kind_class_state_reviewer_and_id(views, review):
    desk = views.desk
    first = views.rows(Query(count=1))["rows"][0]
    pair = rows_of(views, given=first["given"], suggested=first["suggested"])
    assert first["row"] in pair
    assert all(views.brief(row, desk.round)["given"] == first["given"] for row in pair)
    assert rows_of(views, given="", suggested=views.brief(3, desk.round)["suggested"]) >= {3}
    assert rows_of(views, find="ROW-1") == set(range(10, 20))
    assert rows_of(views, find="nothing") == set()
    desk.decide([Wish(5, "drop"), Wish(6, "label", "a new class")], 0)
    decide(review, {5: "keep", 9: "keep"}, "bob", second=10**9)
    desk.follow()
    assert rows_of(views, state="disagreement") == {5}
    assert rows_of(views, state="fixed") == {6}
    assert rows_of(views, state="kept") == {9}
    assert rows_of(views, by="bob") == {5, 9}
    assert rows_of(views, label="a new class") == {6}
    assert rows_of(views, state="open") == set(range(80)) - {5, 6, 9}
    assert rows_of(views, suggested="unknown") == set()
    assert desk.classes[-1] == "a new class"


def test_every_look_counts_and_a_found_label_is_no_longer_left(views):
    desk = views.desk
    before = views.state()
    order = [row for row in desk.round.order.tolist() if desk.given[row] >= 0][:3]
    desk.decide([Wish(order[0], "drop")], 0)
    desk.decide([Wish(order[1], "keep")], 0)
    desk.decide([Wish(order[2], "unsure")], 0)
    after = views.state()
    assert (after["looked"], after["found"]) == (3, 1)
    assert after["curve"] == [[0, 0], [1, 1], [2, 1], [3, 1]]
    assert after["left"][0] == pytest.approx(before["left"][0] - 1)
    assert after["can_undo"]
    assert 0 <= after["next"]["found"].low <= after["next"]["found"].high <= after["next"]["looks"] == 20
    assert sum(pair["open"] for pair in after["pairs"]) < sum(pair["open"] for pair in before["pairs"])
    assert after["version"] != before["version"]
    for _ in range(3):
        desk.undo()
    assert views.state()["left"] == before["left"]
    for high, wide in ((114.0, False), (116.0, True)):
        desk.rounds[-1] = replace(desk.round, left=Count(38.0, 38.0, high))
        assert views.state()["wide"] is wide
    assert (views.state()["can_undo"], views.state()["can_redo"]) == (False, True)


def test_what_is_expected_is_about_the_open_rows_at_the_head_of_the_order(review):
    """Also after a second ranking, which has the decided rows at the end, and if looks go past the order."""
    first = Views(Desk(open_review(review), "ann", 1000)).desk
    looked = [row for row in first.round.order.tolist() if first.given[row] >= 0][:9]
    first.decide([*(Wish(row, "drop") for row in looked[:5]), *(Wish(row, "keep") for row in looked[5:])], 0)
    ranked(review.parent / "t.csv", "--features=e*")
    views = Views(Desk(open_review(review), "ann", 1000))
    desk, state = views.desk, views.state()
    head = [row for row in desk.round.order.tolist() if row not in looked]
    assert desk.round.order.tolist()[-9:] == [row for row in desk.round.order.tolist() if row in looked]
    assert state["next"]["found"] == desk.round.forecast(np.array(head[:20]))
    assert state["forecast"][0][1] == 5 + state["next"]["found"].expected
    counted = read_description(review).count
    assert (desk.round.found, state["left"]) == (5, Count(counted.expected, counted.low, counted.high))
    desk.decide([Wish(head[0], "keep"), Wish(head[7], "drop")], 0)
    state = views.state()
    assert state["next"]["found"] == desk.round.forecast(np.array([*head[1:7], *head[8:22]]))
    found = views.state()["left"].high
    desk.undo()
    assert views.state()["left"].high == found + 1


def test_many_looks_make_a_curve_of_few_points(views):
    views.desk.decide([Wish(row, "drop") for row in range(80) if row not in (3, 4)], 0)
    views.desk.decide([Wish(row, "label", "x") for row in (3, 4)], 0)
    state = views.state()
    assert state["curve"][-1] == [80, 78]
    assert (state["found"], rows_of(views, state="fixed")) == (78, {3, 4})
    assert state["next"] is None


def test_after_a_batch_the_order_is_new_and_old_orders_stay_for_a_while(review):
    desk = Desk(open_review(review), "ann", 5)
    views = Views(desk)
    old = [row["row"] for row in views.rows(Query(count=80))["rows"]]
    desk.decide([*(Wish(row, "keep") for row in old[:5]), Wish(old[5], "drop")], 0)
    desk.wait()
    state = views.state()
    assert (state["round"], state["computing"], state["round_failed"]) == (1, False, None)
    assert state["renewed_after"] == 6
    new = [row["row"] for row in views.rows(Query(count=80))["rows"]]
    assert set(new[-6:]) == set(old[:6])
    assert sorted(new) == sorted(old)
    assert [row["row"] for row in views.rows(Query(count=80, round=0))["rows"]] == old
    assert desk.decide([Wish(old[9], "unsure")], 0)[0].shown.round == 0
    assert desk.decide([Wish(old[10], "unsure")], 1)[0].shown.round == 1
    unknown = desk.decide([Wish(old[11], "unsure")], 7)[0].shown
    assert (unknown.given, unknown.place) == (views.row(old[11])["given"], None)


def test_a_round_that_fails_is_said_and_the_review_goes_on(review, monkeypatch):
    tried = []

    def fails(*_):
        tried.append(1)
        raise MemoryError

    monkeypatch.setattr(module, "next_round", fails)
    desk = Desk(open_review(review), "ann", 1)
    desk.decide([Wish(0, "drop")], 0)
    desk.wait()
    state = Views(desk).state()
    assert state["round"] == 0
    assert "could not be computed anew: there is not enough memory" in state["round_failed"]
    for _ in range(3):
        desk.follow()
        desk.wait()
    assert len(tried) == 1
    assert desk.decide([Wish(1, "drop")], 0)
    desk.wait()
    assert len(tried) == 2


def test_earlier_decisions_are_taken_in_at_the_start(review):
    decide(review, dict.fromkeys(range(10, 30), "keep"))
    desk = Desk(open_review(review), "ann", 10)
    desk.wait()
    assert desk.round.number == 1
    assert np.count_nonzero(desk.state) == 20


def test_the_page_says_what_the_ranking_has_said_and_renews_it_after_a_further_batch(review, capsys):
    """Between two rounds, the advice is about the rows that are still open, and the wrong labels left among them."""
    order = [row for row in Desk(open_review(review), "ann", 1000).round.order.tolist() if row > 20]
    decide(review, dict.fromkeys(order[:20], "drop"))
    capsys.readouterr()
    ranked(review.parent / "t.csv", "--features=e*")
    said = capsys.readouterr().out
    views = Views(Desk(open_review(review), "ann", 10))
    state = views.state()
    assert (state["round"], state["computing"], state["looked"]) == (0, False, 20)
    assert f"{state['advice']}\n" in said
    assert f"{state['left'].low:.0f} to {state['left'].high:.0f} " in said
    views.desk.decide([Wish(row, "drop") for row in order[20:29]], 0)
    between, closed = views.state(), views.desk.state != 0
    assert between["left"].high == max(state["left"].high - 9, 0)
    ahead = [row for row in views.desk.round.order.tolist() if not closed[row]]
    assert between["advice"] == advice(np.nan_to_num(views.desk.round.suspicion[ahead]), between["left"], 20)
    views.desk.decide([Wish(order[29], "drop")], 0)
    views.desk.wait()
    assert views.state()["round"] == 1


def test_looks_since_a_round_have_not_tested_its_beliefs(review):
    desk = Desk(open_review(review), "ann", 1000)
    believed = replace(desk.round, suspicion=np.where(np.isnan(desk.round.suspicion), np.nan, 0.001))
    closed, labelled = np.zeros(len(desk.given), dtype=bool), np.flatnonzero(desk.given >= 0)
    begins = {0: "Look at the first 20 rows:", 13: "Look at 7 more rows:", 25: "Look at the first 20 rows:"}
    for looks, said in begins.items():
        closed[labelled[:looks]] = True
        assert believed.advice(closed, Count(1, 0, 30)).startswith(said)
    later = replace(believed, suspicion=np.where(closed, 0.0, believed.suspicion), ahead=np.flatnonzero(~closed))
    assert later.advice(closed, Count(1, 0, 30)).startswith("Little is left to find")


def test_there_is_nothing_to_keep_without_a_label_and_no_row_beyond_the_last(views):
    with pytest.raises(InvalidInput, match="there is no label to keep"):
        views.desk.decide([Wish(3, "keep")], 0)
    with pytest.raises(InvalidInput, match="there is no such row"):
        views.desk.decide([Wish(80, "drop")], 0)
    assert views.desk.undo() == views.desk.redo() == []


def test_moments_of_actions_differ_even_if_the_clock_stands_still(views, monkeypatch):
    moment = module.now()
    monkeypatch.setattr(module, "now", lambda: moment)
    found = [views.desk.decide([Wish(row, "unsure")], 0)[0].at for row in range(3)]
    assert len(set(found)) == 3
    assert views.desk.undo()[0].row == 2


def test_columns_that_tell_the_classes_apart_come_first(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    frame = pd.DataFrame({"noise": rng.normal(size=80), "signal": 9.0 * y + rng.normal(size=80)})
    frame["colour"] = np.where(y, "red", "blue")
    frame["label"] = np.where(y, "b", "a")
    frame.loc[0, "label"] = "b"
    frame.to_csv(tmp_path / "t.csv", index=False)
    views = Views(Desk(open_review(ranked(tmp_path / "t.csv")), "ann", 1000))
    shown = views.row(0)
    assert (shown["given"], shown["suggested"]) == ("b", "a")
    assert [column["name"] for column in shown["columns"]][2] == "noise"
    colour = next(column for column in shown["columns"] if column["name"] == "colour")
    assert (colour["value"], colour["suggested"], colour["given"]) == ("blue", "blue", "red")
    assert shown["snippet"].startswith("colour blue; signal ")
    snippets = [one["snippet"] for group in shown["near"] for one in group["rows"]]
    kind = views.rows(Query(given="b", suggested="a"))["rows"]
    assert all(re.fullmatch(r"colour (red|blue); signal -?\d+\.\d\d?; noise -?\d\.\d\d?", one) for one in snippets)
    assert [one["snippet"] for one in kind if one["row"] == 0] == [shown["snippet"]]
    assert views.brief(0, views.desk.round)["snippet"].startswith("noise ")
    assert [(group["label"], group["kind"]) for group in shown["near"]] == [("a", "like"), ("b", "like")]


def test_a_source_that_is_opened_again_shows_its_cells_as_they_are_now(tmp_path):
    for note in ("red", "blue"):
        frame = pd.DataFrame({"a": range(6), "label": list("xyxyxy"), "note": note})
        frame.to_csv(tmp_path / "t.csv", index=False)
        source, _ = open_source(Request(tmp_path / "t.csv", Options()), Reporter())
        assert source.columns(3) == {"a": "3", "label": "y", "note": note}
        frame.assign(note="later").to_csv(tmp_path / "t.csv", index=False)
        assert source.columns(4)["note"] == note


def test_near_duplicates_are_shown_together(review):
    path = review / "ranking.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[frame["id"].isin(["Row-10", "Row-11"]), "near_duplicate_of"] = "Row-12"
    frame.loc[frame["id"] == "Row-20", "outlier"] = "yes"
    frame.to_csv(path, index=False)
    views = Views(Desk(open_review(review), "ann", 1000))
    assert [views.row(row)["outlier"] for row in (12, 20)] == [False, True]
    assert [copy["id"] for copy in views.row(12)["copies"]] == ["Row-10", "Row-11"]
    assert [copy["id"] for copy in views.row(10)["copies"]] == ["Row-11", "Row-12"]
    assert views.row(20)["copies"] == []


def test_decisions_about_rows_that_are_gone_do_not_count(tmp_path):
    photos(tmp_path / "photos", count=30)
    folder = ranked(tmp_path / "photos")
    review = decide(folder, {0: "drop", 1: "drop"})
    (tmp_path / "photos" / review.source.ids[0]).write_bytes((tmp_path / "photos" / review.source.ids[5]).read_bytes())
    desk = Desk(open_review(folder), "ann", 1000)
    assert desk.verdicts.rows == [1]
    assert "1 decision does not count, because the row is gone" in Views(desk).state()["caveats"][-1]


@pytest.mark.parametrize("form", ["npz", "npy", "parquet, lists", "hugging face"])
def test_rows_without_anything_to_look_at_are_shown_by_their_neighbours(form, tmp_path):
    views = Views(Desk(open_review(ranked(FORMS[form](tmp_path, Rows(n=60)))), "ann", 1000))
    shown = views.row(int(views.desk.round.order[0]))
    assert shown["picture"] is None
    assert shown["text"] is None
    assert [len(group["rows"]) for group in shown["near"]] == [3, 3]


def test_scaled_pictures_are_kept_up_to_a_limit(monkeypatch, tmp_path):
    photos(tmp_path, count=3, size=300)
    contents = [path.read_bytes() for path in sorted(tmp_path.rglob("*.png"))]
    assert scaled(contents[0], "a", 200)[1] == "image/png"
    assert scaled(contents[0], "a", 900)[1] == "image/jpeg"
    monkeypatch.setattr("evaluation.labels.page.pictures._MOST_BYTES", 1)
    kept, reads = Scaled(), []
    for name in "abba":
        kept.get(name, "small", lambda name=name: reads.append(name) or contents[0])
    assert reads == ["a", "b", "a"]
    assert kept.get("none", "small", lambda: None) is None


@pytest.mark.slow
def test_fifty_thousand_rows_are_listed_and_decided(tmp_path):
    from tests.evaluation.labels.page.served import large

    views = Views(Desk(open_review(large(tmp_path)), "ann", 10**6))
    for start in range(0, 50_000, 5_000):
        assert len(views.rows(Query(start=start, count=100))["rows"]) == 100
        views.desk.decide([Wish(start, "keep")], 0)
        views.state()
        views.row(start)
    assert views.state()["looked"] == 10
