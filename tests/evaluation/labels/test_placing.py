"""Decisions about rows that have moved."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evaluation.labels.opened import open_review
from evaluation.labels.page.desk import Desk
from tests.evaluation.labels.decided import decide
from tests.evaluation.labels.own_data import Rows, csv_of, ranking, run
from tests.support import with_plain_encoder


@pytest.fixture(scope="module")
def rows():
    return Rows()


def decisions_of(folder):
    told = ranking(folder)
    return dict(zip(told["id"], told["decision"], strict=True))


def test_without_ids_rows_that_move_are_found_by_their_content(rows, tmp_path, capsys):
    """A row is dropped, the order is changed, and so on: every time the ranking is read again, and nothing is typed."""
    source, folder = csv_of(tmp_path / "t.csv", rows), tmp_path / "t_review"
    assert run(capsys, "rank", source)[0] == 0
    decide(folder, {5: "drop", 40: "keep", 90: "=dog"})
    assert run(capsys, "apply", folder, f"--output={tmp_path / 'f.csv'}")[0] == 0
    (tmp_path / "f.csv").replace(source)
    for keep, drop in ("39", "89"), ("79", "29"):
        status, out, err = run(capsys, "rank", source)
        assert (status, err) == (0, "")
        assert "looked at: 2, of which" in out
        told = decisions_of(folder)
        assert (told[keep], told[drop]) == ("keep", "label: dog")
        pd.read_csv(source)[::-1].to_csv(source, index=False)
    desk = Desk(open_review_again(capsys, source, folder), "ann", 1000)
    desk.undo()
    assert desk.verdicts.rows == [39]


def open_review_again(capsys, source, folder):
    assert run(capsys, "rank", source)[0] == 0
    return open_review(folder)


def test_what_could_be_several_rows_is_said_and_ids_are_not_searched_by_content(rows, tmp_path, capsys):
    frame = rows.frame()
    frame.loc[50] = frame.loc[10]
    source, folder = tmp_path / "t.csv", tmp_path / "t_review"
    frame.to_csv(source, index=False)
    assert run(capsys, "rank", source)[0] == 0
    decide(folder, {10: "keep", 20: "keep"})
    frame[1:].to_csv(source, index=False)
    status, out, err = run(capsys, "rank", source)
    assert status == 0
    assert "looked at: 1, of which" in out
    assert "1 decision does not count, because the row has moved and is not the only one with its content" in err
    mine = tmp_path / "log.jsonl"
    mine.write_bytes((folder / "decisions.jsonl").read_bytes())
    _, _, err = run(capsys, "decisions", mine, f"--review={folder}")
    assert "line 1: row '10' of " in err
    assert "is no longer in its place, and several rows have its content" in err
    named, folder = tmp_path / "n.csv", tmp_path / "n_review"
    frame.assign(id=[f"r{row}" for row in range(len(frame))]).to_csv(named, index=False)
    assert run(capsys, "rank", named)[0] == 0
    decide(folder, {20: "keep"})
    frame.assign(id=[f"q{row}" for row in range(len(frame))]).to_csv(named, index=False)
    assert "the row is gone or has changed since (row 'r20')" in run(capsys, "rank", named)[2]


def test_pictures_that_went_to_the_folder_of_their_class_keep_their_decisions(tmp_path, monkeypatch, capsys):
    with_plain_encoder(monkeypatch)
    rng, photos = np.random.default_rng(0), tmp_path / "photos"
    for name, level in ("cat", 60), ("dog", 190):
        (photos / name).mkdir(parents=True)
        for row in range(8):
            pixels = np.clip(rng.normal(level, 30, (8, 8, 3)), 0, 255).astype("uint8")
            Image.fromarray(pixels).save(photos / name / f"{row:02d}.png")
    folder, clean = tmp_path / "photos_review", tmp_path / "clean"
    assert run(capsys, "rank", photos)[0] == 0
    decide(folder, {0: "=dog", 1: "drop", 2: "keep"})
    said = [line for line in run(capsys, "rank", photos)[1].splitlines() if line.startswith("looked at")]
    assert said == ["looked at: 3, of which 2 were wrong (at the end of the list)"]
    assert run(capsys, "apply", folder, f"--output={clean}")[0] == 0
    photos.rename(tmp_path / "before")
    clean.rename(photos)
    status, out, err = run(capsys, "rank", photos)
    assert status == 0
    assert "not count" not in err
    assert "looked at: 2, of which 1 was wrong" in out
    moved = ranking(folder).set_index("decision").loc["label: dog"]
    assert moved["id"].startswith("dog/")
    assert moved["given_label"] == "cat"


@pytest.mark.parametrize("numbered", [True, False])
def test_the_order_of_the_columns_does_not_count(numbered, rows, tmp_path, capsys):
    frame = rows.frame().rename(columns={} if numbered else {f"e{place}": "acbd"[place] for place in range(4)})
    source, folder = tmp_path / "t.csv", tmp_path / "t_review"
    frame.assign(kind=None if numbered else rows.truth).to_csv(source, index=False)
    assert run(capsys, "rank", source)[0] == 0
    decide(folder, {5: "keep", 6: "keep"})
    frame.assign(kind=None if numbered else rows.truth)[[*frame.columns[::-1], "kind"]].to_csv(source, index=False)
    assert "looked at: 2, of which" in run(capsys, "rank", source)[1]


def test_columns_that_are_new_or_gone_are_named_with_the_way_back(rows, tmp_path, capsys):
    frame = rows.frame()
    source, folder = csv_of(tmp_path / "t.csv", rows), tmp_path / "t_review"
    assert run(capsys, "rank", source)[0] == 0
    decide(folder, {5: "keep", 6: "keep"})
    frame.assign(site=1, day=2).to_csv(source, index=False)
    why = "2 decisions do not count, because the rows are judged by other columns now (for example row '5')"
    fix = "Fix: leave out the new columns site, day, with --features=e0,e1,e2,e3"
    for _ in range(2):
        assert f"{why}. {fix}\n" in run(capsys, "rank", source)[2]
    _, _, err = run(capsys, "apply", folder, f"--output={tmp_path / 'o.csv'}")
    assert f"{why}. {fix}; then run `fixfirst rank` again" in err
    review = decide(folder, {7: "keep"}, second=10)
    assert f"{why}. {fix}\n" in run(capsys, "rank", source)[2]
    review.log.append(lambda: [review.log.entries[-1].model_copy(update={"verdict": "undo"})])
    status, out, err = run(capsys, "rank", source, "--features=e0,e1,e2,e3")
    assert (status, err) == (0, "")
    assert "looked at: 2, of which" in out
    frame.drop(columns=["e1", "e2"]).to_csv(source, index=False)
    assert "Fix: put the columns e1, e2 back, by which the rows were judged\n" in run(capsys, "rank", source)[2]
    frame.assign(**{"a,b": 1.5}).to_csv(source, index=False)
    assert run(capsys, "rank", source)[2].endswith("Fix: leave out the new column a,b, with --features=e0,e1,e2,e3\n")


def test_the_warning_goes_once_the_row_is_decided_again_or_the_decision_is_taken_back(rows, tmp_path, capsys):
    frame = rows.frame(id=[f"r{row}" for row in range(120)])
    source, folder = tmp_path / "t.csv", tmp_path / "t_review"
    frame.to_csv(source, index=False)
    assert run(capsys, "rank", source)[0] == 0
    review = decide(folder, {5: "keep", 6: "keep", 7: "keep", 8: "keep"})
    last = review.log.entries[-1]
    frame.loc[5:8, "e0"] += 1
    frame.to_csv(source, index=False)
    assert "4 decisions do not count" in run(capsys, "rank", source)[2]
    decide(folder, {6: "drop"})
    assert "3 decisions do not count" in run(capsys, "rank", source)[2]
    review.log.append(lambda: [last.model_copy(update={"verdict": "undo"})])
    assert "2 decisions do not count" in run(capsys, "rank", source)[2]


def test_a_class_with_another_name_is_said_until_the_decisions_have_it_too(rows, tmp_path, capsys):
    frame = rows.frame()
    source, folder = csv_of(tmp_path / "t.csv", rows), tmp_path / "t_review"
    assert run(capsys, "rank", source)[0] == 0
    dogs = [row for row in range(120) if rows.names[row] == "dog"]
    decide(folder, {dogs[0]: "=cat", dogs[1]: "=cat", dogs[2]: "=mouse"})
    frame.replace({"label": {"cat": "kitty"}}).to_csv(source, index=False)
    fix = f"if the class was renamed, rename it in {folder / 'decisions.jsonl'} too; if not, decide again"
    for _ in range(2):
        warned = run(capsys, "rank", source)[2]
        assert warned == f"warning: 2 decisions say 'cat', which no row has any more. Fix: {fix}\n"
    _, _, err = run(capsys, "apply", folder, f"--output={tmp_path / 'o.csv'}")
    assert f"no row has the label 'cat'. Fix: {fix}" in err
    log = folder / "decisions.jsonl"
    log.write_text(log.read_text().replace('"label":"cat"', '"label":"kitty"'))
    assert run(capsys, "rank", source)[2] == ""
    assert run(capsys, "apply", folder, f"--output={tmp_path / 'o.csv'}", "--new-labels")[0] == 0
    assert pd.read_csv(tmp_path / "o.csv")["label"][dogs[:3]].tolist() == ["kitty", "kitty", "mouse"]
