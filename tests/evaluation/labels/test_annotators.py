"""Several columns of labels: what is ranked, said, decided and written."""

import csv
import io
import json
import zipfile
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.errors import InvalidInput, Place
from cleaning.labels.crowd import Crowd
from cleaning.labels.votes import encode_votes
from evaluation.labels.annotators import said_of_annotators
from evaluation.labels.forms import tables
from evaluation.labels.forms.annotators import votes_of, with_annotators
from evaluation.labels.forms.found import Options
from evaluation.labels.opened import open_review
from evaluation.labels.page.desk import Desk
from evaluation.labels.page.views import Query, Views
from tests.evaluation.labels.decided import decide
from tests.evaluation.labels.own_data import NAMES, Rows, ranking, run

ROWS = Rows(n=60)
PEOPLE = ["ann", "<b>bob</b>, jr.", "=e\u202eve"]
OPTION = '--label-column=ann,"<b>bob</b>, jr.",=e\u202eve'


def _codes():
    """Votes of three annotators; nobody has voted on row 5, and everybody on row 7."""
    rng = np.random.default_rng(1)
    truth = np.array([NAMES.index(name) for name in ROWS.truth])
    votes = np.stack([np.where(rng.random(60) < rate, (truth + 1) % 3, truth) for rate in (0.05, 0.2, 0.4)], axis=1)
    votes[rng.random(votes.shape) < 0.2] = -1
    votes[5], votes[7] = -1, [0, 0, 1]
    return votes


CODES = _codes()
TEXTS = np.array([*NAMES, ""], dtype=object)[CODES]
NUMBERS = {
    name: pd.array([None if code < 0 else code for code in CODES[:, one].tolist()], "Int64")
    for one, name in enumerate(PEOPLE)
}


def table(votes):
    return ROWS.frame(id=[f"row-{row:02d}" for row in range(60)]).drop(columns="label").assign(**votes)


FORMS = {
    "t.csv": lambda path: table(dict(zip(PEOPLE, TEXTS.T, strict=True))).to_csv(path, index=False),
    "t.parquet": lambda path: table(NUMBERS).to_parquet(path, index=False),
    "t.feather": lambda path: table(NUMBERS).to_feather(path),
    "t.npz": lambda path: np.savez(
        path, X=ROWS.X, y=CODES, ids=np.array([f"row-{row:02d}" for row in range(60)]), annotators=np.array(PEOPLE)
    ),
}


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """The same votes in every form, ranked: the review folders by the name of the source."""
    from evaluation.cli import main

    folders = {}
    for name, write in FORMS.items():
        path = tmp_path_factory.mktemp("votes") / name
        write(path)
        assert main(["rank", str(path), *([OPTION, "--scaling=none"] if name != "t.npz" else [])]) == 0
        folders[name] = path.parent / "t_review"
    return folders


@pytest.fixture
def copies(reviews, tmp_path):
    """A review of its own for a test that decides."""
    import shutil

    def copy(name):
        return shutil.copytree(reviews[name].parent, tmp_path / name.replace(".", "_")) / "t_review"

    return copy


def test_every_form_gives_the_same_ranking_and_the_same_annotators(reviews):
    first, people = ranking(reviews["t.csv"]), pd.read_csv(reviews["t.csv"] / "annotators.csv")
    for folder in reviews.values():
        found = ranking(folder)
        assert found.drop(columns=["given_label", "suggested_label"]).equals(
            first.drop(columns=["given_label", "suggested_label"])
        )
        pd.testing.assert_frame_equal(pd.read_csv(folder / "annotators.csv"), people)
    assert people["annotator"].tolist() == ["ann", "<b>bob</b>, jr.", "=e\\u202eve"]
    assert people["votes"].tolist() == (CODES >= 0).sum(axis=0).tolist()
    assert people["quality"].is_monotonic_decreasing
    by_row = first.set_index("row")
    assert by_row.loc["7", ["given_label", "votes_for", "votes_against", "ask_next"]].tolist() == ["bird", "2", "1", ""]
    assert by_row.loc["5", ["given_label", "votes_for", "votes_against", "suspicion"]].tolist() == ["", "0", "0", ""]
    bare = np.flatnonzero((CODES < 0).all(axis=1))
    assert set(first["row"].tail(len(bare))) == set(map(str, bare))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=2, max_size=5, unique=True))
def test_any_names_can_be_listed(names):
    listed = io.StringIO()
    csv.writer(listed, quoting=csv.QUOTE_ALL, lineterminator="").writerow(names)
    columns = SimpleNamespace(kinds=dict.fromkeys([*names, "other"], "text"), place=lambda name: Place(column=name))
    option = listed.getvalue()
    found = with_annotators(columns, Options(label_column=option))
    assert option in names or found == Options(annotators=tuple(names))
    with suppress(InvalidInput):  # without quotes it may name other columns; then it is refused in a sentence
        with_annotators(columns, Options(label_column=",".join(names)))


def test_a_single_annotator_is_the_plain_case(tmp_path, capsys):
    one = table({"ann": TEXTS[:, 0]})
    one.to_csv(tmp_path / "t.csv", index=False)
    assert run(capsys, "rank", tmp_path / "t.csv", "--label-column=ann,", "--review", tmp_path / "listed")[0] == 0
    assert run(capsys, "rank", tmp_path / "t.csv", "--label-column=ann", "--review", tmp_path / "plain")[0] == 0
    assert ranking(tmp_path / "listed").equals(ranking(tmp_path / "plain"))
    assert not (tmp_path / "listed" / "annotators.csv").exists()


def test_the_command_says_who_is_good_and_what_is_not_known(reviews, tmp_path, capsys):
    source = reviews["t.npz"].parent / "t.npz"
    status, out, _ = run(capsys, "rank", source, "--review", tmp_path / "again")
    assert status == 0
    assert "right votes, estimated: ann " in out
    assert "a missing vote of ann should tell most (" in out
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "n.npz", X=rng.normal(size=(60, 4)), y=rng.integers(0, 3, (60, 2)))
    status, out, _ = run(capsys, "rank", tmp_path / "n.npz", "--review", tmp_path / "again")
    assert status == 0
    assert "The data cannot tell how good the annotators are." in out
    assert pd.read_csv(tmp_path / "again" / "annotators.csv")["quality"].isna().all()
    np.savez(tmp_path / "n.npz", X=ROWS.X, y=ROWS.names)
    assert run(capsys, "rank", tmp_path / "n.npz", "--review", tmp_path / "again")[0] == 0
    assert not (tmp_path / "again" / "annotators.csv").exists()
    assert "votes_for" not in ranking(tmp_path / "again").columns


def test_many_annotators_are_said_in_one_line():
    names, voted = tuple(f"p{number}" for number in range(9)), np.full(9, 5)
    crowd = Crowd(names, voted, np.linspace(0.9, 0.1, 9), np.full(9, np.nan), np.full(6, -1))
    assert said_of_annotators(crowd) == ["right votes, estimated: p0 90%, p1 80%, p2 70%, p3 60%, p4 50%, …, p8 10%"]
    told = replace(crowd, told=np.linspace(0, 0.001, 9))
    assert said_of_annotators(told)[1] == "the missing votes should hardly tell anything more"
    told = replace(crowd, told=np.array([np.nan, 0.25, *[0.1] * 7]))
    assert said_of_annotators(told)[1] == "a missing vote of p1 should tell most (0.25 bits on average)"


def test_trusted_rows_have_one_label(tmp_path, capsys):
    table({"a": TEXTS[:, 0], "b": TEXTS[:, 1]}).to_csv(tmp_path / "t.csv", index=False)
    columns = {f"e{place}": ROWS.trusted_X[:, place] for place in range(4)}
    checked = pd.DataFrame({**columns, "a": "cat", "b": "dog", "label": ROWS.trusted_names})
    checked.to_csv(tmp_path / "checked.csv", index=False)
    asked = ["rank", tmp_path / "t.csv", "--label-column=a,b", "--trusted", tmp_path / "checked.csv"]
    status, out, _ = run(capsys, *asked)
    assert (status, out.splitlines()[1].startswith("trusted: 60 rows; labels from `label`, 3 names")) == (0, True)
    open_review(tmp_path / "t_review")
    np.savez(tmp_path / "checked.npz", X=ROWS.trusted_X, y=np.stack([ROWS.trusted_names] * 2, axis=1))
    np.savez(tmp_path / "n.npz", X=ROWS.X, y=CODES)
    status, _, err = run(capsys, "rank", tmp_path / "n.npz", "--trusted", tmp_path / "checked.npz")
    assert status == 1
    assert "checked.npz: the trusted labels would be the votes of several annotators, which may be wrong" in err


@pytest.mark.parametrize("name", FORMS)
def test_apply_leaves_the_votes_alone_and_adds_the_labels(name, copies, capsys):
    folder = copies(name)
    review = open_review(folder)
    given = [None if code < 0 else review.source.classes[code] for code in review.source.labels]
    other = next(one for one in review.source.classes if one != given[3])
    decide(folder, {3: f"={other}", 5: f"={other}", 7: "drop", 8: "keep", 9: "unsure"})
    output = folder.parent / "clean" / name
    assert run(capsys, "apply", folder, "--output", output)[0] == 0
    content = output.read_bytes()
    assert run(capsys, "apply", folder, "--output", output)[0] == 0
    assert output.read_bytes() == content
    kept = [row for row in range(60) if row != 7]
    after = [{3: other, 5: other}.get(row, given[row]) for row in kept]
    before, found = read(folder.parent / name), read(output)
    for column, values in before.items():
        assert [values[row] for row in kept] == found.pop(column)
    assert found == {"label_after_review": after, "label_before_review": [given[row] for row in kept]}
    assert run(capsys, "rank", output, *([OPTION] if name != "t.npz" else []))[0] == 0
    again = json.loads((output.parent / "t_review" / "source.json").read_text())
    assert not [one for one in again["options"]["features"] or [] if one.startswith("label_")]


def read(path):
    """The columns of a table, or the arrays of an archive with one label per row; labels as text, None for none."""
    if path.suffix == ".npz":
        with np.load(path) as arrays, zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            known = {key: arrays[key].tolist() for key in arrays if key != "annotators"}
        labels = [key for key in known if key.startswith("label_")]
        return known | {key: [None if one < 0 else str(one) for one in known[key]] for key in labels}
    if path.suffix == ".csv":
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    else:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_feather(path)
    known = {name: [None if pd.isna(one) or one == "" else one for one in frame[name]] for name in frame.columns}
    labels = [key for key in known if key.startswith("label_")]
    return known | {
        key: [None if one is None else one if path.suffix == ".csv" else str(int(one)) for one in known[key]]
        for key in labels
    }


def test_what_was_decided_teaches_and_stays_at_the_end(copies, capsys):
    folder = copies("t.npz")
    first = int(ranking(folder)["row"][0])
    decide(folder, {first: f"={NAMES.index(ROWS.truth[first])}"})
    status, out, _ = run(capsys, "rank", folder.parent / "t.npz")
    assert status == 0
    assert "looked at: 1, of which " in out
    found = ranking(folder).set_index("row")
    assert found.loc[str(first), ["decision", "ask_next"]].tolist() == [f"label: {NAMES.index(ROWS.truth[first])}", ""]
    assert int(found.loc[str(first), "place"]) == 60


def test_the_page_shows_the_votes_and_finds_the_rows_of_an_annotator(reviews):
    views = Views(Desk(open_review(reviews["t.csv"]), "kim", 1000))
    assert views.annotators == ["ann", "<b>bob</b>, jr.", "=e\\u202eve"]
    shown = views.row(7)
    assert shown["votes"] == [
        {"by": name, "label": label} for name, label in zip(views.annotators, ["bird", "bird", "cat"], strict=True)
    ]
    assert [one["label"] for one in views.row(5)["votes"]] == [None] * 3
    assert not {column["name"] for column in shown["columns"]} & {*PEOPLE, *views.annotators}

    def rows(**query):
        return {row["row"] for row in views.rows(Query(count=100, **query))["rows"]}

    for one, name in enumerate(views.annotators):
        voted = set(np.flatnonzero(CODES[:, one] >= 0).tolist())
        assert rows(annotator=name) == voted
        assert rows(annotator=name, vote="against") == {
            row for row in voted if CODES[row, one] != views.desk.given[row]
        }
    assert rows(annotator="nobody") == set()
    assert len(rows(vote="against")) == 60


@pytest.mark.parametrize("form", ["csv", "parquet", "feather"])
@pytest.mark.parametrize(
    "cells",
    [
        [[1, 2, None, 3], [2, None, 3, 1]],
        [[1.0, 2.0, np.nan, 3.0], [2.0, 1.0, 1.0, np.nan]],
        [[True, False, None, True], [True, True, False, None]],
        [pd.Categorical(["x", "y", None, "x"], ["z", "x", "y"]), ["x", "y", "y", None]],
        [[1, 2, -1, 3], [2, -1, 3, 1]],
        [["1", "2", "1.0", "3"], ["2", "1", "1", "3"]],
    ],
)
def test_votes_that_are_read_in_parts_are_those_of_whole_columns(form, cells, monkeypatch, tmp_path):
    monkeypatch.setattr(tables, "_BATCH", 3)
    frame, path = pd.DataFrame(dict(zip("ab", cells, strict=True))), tmp_path / f"t.{form}"
    write = {"csv": frame.to_csv, "parquet": frame.to_parquet, "feather": frame.to_feather}[form]
    write(path, **({} if form == "feather" else {"index": False}))
    table = tables.open_table(path, form)
    found = votes_of(table, ["a", "b"], Options(), None)
    whole = encode_votes([table.values(name) for name in "ab"], "ab", [Place(column=name) for name in "ab"])
    assert found.codes.tolist() == whole.codes.tolist()
    assert (found.names, found.values, found.minus_one) == (whole.names, whole.values, whole.minus_one)
