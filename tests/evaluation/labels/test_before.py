"""Corrected data in place of the source: what was learned from the decisions stays the same."""

import re

import pandas as pd
import pytest

from evaluation.labels.opened import open_review
from evaluation.labels.page.desk import Desk, Wish
from tests.evaluation.labels.decided import decide
from tests.evaluation.labels.own_data import NAMES, Rows, csv_of, ranking, run


@pytest.fixture(scope="module")
def rows():
    return Rows()


@pytest.fixture
def decided(rows, tmp_path, capsys):
    """A source with fifteen decisions, and what `rank` then says and writes."""
    source, folder = csv_of(tmp_path / "t.csv", rows), tmp_path / "t_review"
    assert run(capsys, "rank", source)[0] == 0
    looked = ranking(folder)["row"].astype(int).tolist()[:15]
    decide(folder, {row: f"={rows.truth[row]}" for row in looked})
    return source, folder, looked, run(capsys, "rank", source)[1], ranking(folder)


def corrected(capsys, folder, source):
    output = source.with_name("clean.csv")
    assert run(capsys, "apply", folder, f"--output={output}")[0] == 0
    output.replace(source)


@pytest.mark.parametrize("shown", [True, False])
def test_the_numbers_are_those_before_the_correction(shown, rows, decided, capsys):
    """Whether the label before is known from the log or, where that does not say, from the corrected table."""
    source, folder, _, said, table = decided
    if not shown:
        log = (folder / "decisions.jsonl").read_text()
        (folder / "decisions.jsonl").write_text(re.sub('"given":"[a-z]+"', '"given":null', log))
    corrected(capsys, folder, source)
    if shown:
        pd.read_csv(source).drop(columns="label_before_review").to_csv(source, index=False)
    status, out, err = run(capsys, "rank", source)
    assert (status, err, out) == (0, "", said)
    pd.testing.assert_frame_equal(ranking(folder), table)


def test_a_correction_in_place_can_be_changed_kept_and_taken_back(rows, decided, capsys):
    source, folder, looked, _, _ = decided
    fixed = [row for row in looked if rows.truth[row] != rows.names[row]][:3]
    corrected(capsys, folder, source)
    assert run(capsys, "rank", source)[0] == 0
    desk = Desk(open_review(folder), "ann", 1000)
    third = next(name for name in NAMES if name not in (rows.truth[fixed[1]], rows.names[fixed[1]]))
    desk.decide([Wish(fixed[0], "keep")], 0)
    desk.decide([Wish(fixed[1], "label", third)], 0)
    for entry in [one for one in desk.review.log.entries if one.row == fixed[2]]:
        desk.review.log.append(lambda entry=entry: [entry.model_copy(update={"verdict": "undo", "label": None})])
    corrected(capsys, folder, source)
    labels = pd.read_csv(source)["label"]
    assert labels[fixed].tolist() == [rows.names[fixed[0]], third, rows.names[fixed[2]]]
    others = [row for row in looked if row not in fixed]
    assert labels[others].tolist() == rows.truth[others].tolist()


def test_a_class_that_was_emptied_is_still_what_the_rows_were_given(tmp_path, capsys):
    rows = Rows(60)
    frame = rows.frame()
    odd = frame.index[:3]
    frame.loc[odd, "label"] = "odd"
    source, folder = tmp_path / "t.csv", tmp_path / "t_review"
    frame.to_csv(source, index=False)
    assert run(capsys, "rank", source)[0] == 0
    decide(folder, {row: f"={rows.truth[row]}" for row in odd})
    corrected(capsys, folder, source)
    status, out, err = run(capsys, "rank", source)
    assert (status, err) == (0, "")
    assert "3 names" in out
    assert "looked at: 3, of which 3 were wrong" in out
    assert ranking(folder).set_index("row").loc[list(map(str, odd)), "given_label"].tolist() == ["odd"] * 3
    assert Desk(open_review(folder), "ann", 1000).classes == [*NAMES, "odd"]
