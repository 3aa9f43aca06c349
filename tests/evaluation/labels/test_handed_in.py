import re
import shutil
from datetime import timedelta

import pytest

from cleaning.errors import count_of
from evaluation.cli import main
from evaluation.labels.decisions import Shown, reviewer
from evaluation.labels.opened import open_review
from tests.evaluation.labels.decided import START, decide, entry_of
from tests.evaluation.labels.own_data import FORMS, Rows, ranking, run


@pytest.fixture(scope="module")
def ranked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranked")
    assert main(["rank", str(FORMS["csv"](folder, Rows(n=60)))]) == 0
    return folder


@pytest.fixture
def review(ranked, tmp_path):
    shutil.copytree(ranked, tmp_path, dirs_exist_ok=True)
    return open_review(tmp_path / "t_review")


def take_in(capsys, review, path, *options):
    return run(capsys, "decisions", path, f"--review={review.folder}", *options)


def said(review):
    return [(one.row, one.verdict, one.label, one.by) for one in open_review(review.folder).log.entries]


def written(path, entries):
    path.write_text("".join(entry.model_dump_json() + "\n" for entry in entries))
    return path


def test_decisions_are_taken_in_once(review, tmp_path, capsys):
    entries = [entry_of(review, 3, "=dog", "guest"), entry_of(review, 5, "drop", "guest", 1)]
    file = written(tmp_path / "mine.jsonl", entries)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n").rstrip())
    decide(review.folder, {3: "=cat"})
    status, out, _ = run(capsys, "decisions", file, f"--review={review.folder}")
    assert status == 0
    assert "decisions.jsonl: 2 decisions added" in out
    assert "1 row on which reviewers disagree" in out
    assert "0 decisions added, 2 already there" in run(capsys, "decisions", file, f"--review={review.folder}")[1]
    assert open_review(review.folder).log.entries[1:] == entries
    again = run(capsys, "decisions", file, f"--review={review.folder}", "--as=somebody else")
    assert "0 decisions added, 2 already there" in again[1]
    assert [entry.by for entry in open_review(review.folder).log.entries] == ["ann", "guest", "guest"]


def test_what_a_page_says_of_the_given_label_is_not_believed(review, tmp_path, capsys):
    names = review.source.given
    shown = [{"given": "made up"}, {"given": None, "suggested": "dog"}, {}]
    entries = [
        entry_of(review, row, f"={names[row]}", second=row).model_copy(update={"shown": Shown(**said)})
        for row, said in enumerate(shown)
    ]
    assert take_in(capsys, review, written(tmp_path / "mine.jsonl", entries))[0] == 0
    found = open_review(review.folder)
    assert [entry.shown.given for entry in found.log.entries] == [names[0], names[1], None]
    assert (found.source.classes, found.source.given) == (review.source.classes, names)


def test_an_undo_that_takes_nothing_back_is_said_and_left_out(review, tmp_path, capsys):
    first = entry_of(review, 3, "=dog", "guest")
    undo = {"verdict": "undo", "label": None}
    entries = [
        first,
        first.model_copy(update={**undo, "at": START + timedelta(seconds=1)}),
        first.model_copy(update={**undo, "at": START + timedelta(seconds=2)}),
        first.model_copy(update={**undo, "at": START + timedelta(seconds=1), "by": "eve"}),
    ]
    file = written(tmp_path / "mine.jsonl", entries)
    for added in ("2 decisions added\n", "0 decisions added, 2 already there\n"):
        status, out, err = take_in(capsys, review, file)
        assert status == 0
        assert out.endswith(added)
        what = "an undo takes back what the same person has said about the row, and guest has not"
        assert err == f"warning: {file}, line 3: {what} (2 lines of this kind left out)\n"
    assert [entry.verdict for entry in open_review(review.folder).log.entries] == ["label", "undo"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": "nobody"}, "there is no row 'nobody' in "),
        ({"hash": "0123"}, "row '5' of .* has changed since it was looked at"),
        ({"verdict": "label", "label": "mouse"}, "no row has the label 'mouse'. Fix: pass --new-labels"),
    ],
)
def test_one_decision_that_does_not_fit_keeps_all_out(review, tmp_path, capsys, change, problem):
    entries = [entry_of(review, 3, "=dog"), entry_of(review, 5, "drop").model_copy(update=change)]
    file = written(tmp_path / "mine.jsonl", entries)
    status, _, err = run(capsys, "decisions", file, f"--review={review.folder}")
    assert status == 1
    assert re.search(f"mine.jsonl, line 2: {problem}", err)
    assert review.log.path.read_bytes() == b""
    if "label" in change:
        assert run(capsys, "decisions", file, f"--review={review.folder}", "--new-labels")[0] == 0


def test_what_is_not_a_file_of_decisions_is_refused(review, tmp_path, capsys):
    (tmp_path / "empty.jsonl").write_text("\n")
    assert (
        "there are no decisions in it"
        in run(capsys, "decisions", tmp_path / "empty.jsonl", f"--review={review.folder}")[2]
    )
    (tmp_path / "bad.jsonl").write_text("{}\n")
    assert "bad.jsonl, line 1, " in run(capsys, "decisions", tmp_path / "bad.jsonl", f"--review={review.folder}")[2]
    assert "cannot read the file" in run(capsys, "decisions", tmp_path / "none.jsonl", f"--review={review.folder}")[2]
    assert "there is no such folder" in run(capsys, "decisions", tmp_path / "bad.jsonl", "--review=nowhere")[2]


@pytest.mark.parametrize("spelled", ["id,label", "row,note,label", "id;note;label"])
def test_a_table_of_labels_is_taken_in_once(spelled, review, tmp_path, capsys):
    """As spreadsheets write it: with a mark at the start, other line ends, further columns and lines of empty cells."""
    given = [review.source.classes[code] for code in review.source.labels[:4]]
    other = next(name for name in review.source.classes if name != given[0])
    cells = [(0, other), (1, given[1]), (2, "drop"), (3, "")]
    width = len(re.split("[,;]", spelled))
    lines = [spelled, *(",".join([str(row), *[""] * (width - 2), name]) for row, name in cells), "," * (width - 1)]
    text = "\r\n".join(lines) if ";" not in spelled else "\r\n".join(lines).replace(",", ";")
    (tmp_path / "mine.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert "decisions.jsonl: 3 decisions added\n" in take_in(capsys, review, tmp_path / "mine.csv")[1]
    by = reviewer(None)
    expected = [(0, "label", other, by), (1, "keep", None, by), (2, "drop", None, by)]
    assert said(review) == expected
    assert "0 decisions added, 3 already there" in take_in(capsys, review, tmp_path / "mine.csv")[1]
    assert "3 decisions added\n" in take_in(capsys, review, tmp_path / "mine.csv", "--as=guest")[1]
    status, _, err = run(capsys, "apply", review.folder, f"--output={tmp_path / 'clean.csv'}")
    assert (status, err) == (0, "")


def test_a_label_that_is_typed_anew_counts(review, tmp_path, capsys):
    for label, added in (("cat", 1), ("dog", 1), ("cat", 1), ("cat", 0)):
        (tmp_path / "mine.tsv").write_text(f"id\tlabel\n0\t{label}\n")
        assert f": {count_of(added, 'decision')} added" in take_in(capsys, review, tmp_path / "mine.tsv", "--as=ann")[1]
    assert len(said(review)) == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,label\n0,dog\n\nnobody,dog\n", "line 4: no row has the id 'nobody'"),
        ("row,label\n1,dog\n60,dog\n", "line 3: no row has the number '60'. Fix: write whole numbers, from 0."),
        ("row,label\n3.0,dog\n", "line 2: no row has the number '3.0'. Fix: write whole numbers, from 0."),
        ("id,label\n1,dgo\n", "line 2: no row has the label 'dgo'. Fix: pass --new-labels if it is meant (did you"),
        ("id,label\n1,dog\n2,cat\n1,cat\n", "line 4: row '1' is on line 2 too"),
        ("id,label\n1,dog\n2,cat,bird\n", "line 3: 3 cells where the header has 2"),
        ("id,label\n1," + "x" * 2000 + "\n", "line 2: this is not a decision"),
        ("id,label\n1,\n", "there are no decisions in it. Fix: write the right labels into a column label"),
        (
            "name,label\n1,dog\n",
            "line 1: there is no column id or row (columns: name, label). Fix: begin the file with",
        ),
        ("id,class\n1,dog\n", "line 1: there is no column label or decision (columns: id, class)"),
        ("id,id,label\n1,1,dog\n", "line 1: two columns are called 'id'"),
        ("", "line 1: there is no column id or row (columns: none)"),
    ],
)
def test_what_does_not_fit_in_a_table_of_labels_is_named(text, problem, review, tmp_path, capsys):
    (tmp_path / "mine.csv").write_text(text)
    status, _, err = take_in(capsys, review, tmp_path / "mine.csv")
    assert status == 1
    assert f"mine.csv, {problem}" in err or f"mine.csv: {problem}" in err
    assert said(review) == []


def test_a_spreadsheet_is_to_be_saved_as_csv(review, tmp_path, capsys):
    (tmp_path / "mine.xlsx").write_bytes(b"PK")
    assert "this is a spreadsheet. Fix: save it as csv" in take_in(capsys, review, tmp_path / "mine.xlsx")[2]


def test_decisions_that_were_typed_into_the_ranking_are_taken_in_from_there(review, tmp_path, capsys):
    """Those that the ranking has of earlier rounds are not said once more; what was taken back since is asked about."""
    decide(review.folder, {7: "=dog", 8: "drop"})
    assert run(capsys, "rank", tmp_path / "t.csv")[0] == 0
    decide(review.folder, {8: "undo"}, second=9)
    table = ranking(review.folder)
    for row, cell in {3: "dog", 4: "keep", 5: "label: bird", 6: "unsure", 9: "drop"}.items():
        table.loc[table["row"] == str(row), "decision"] = cell
    table.to_csv(review.folder / "ranking.csv", index=False)
    status, _, err = run(capsys, "rank", tmp_path / "t.csv")
    assert status == 1
    assert "5 decisions were typed into this file" in err
    fix = re.search(r"take them in with `fixfirst (.*)`, or empty these cells", err)[1]
    status, _, err = run(capsys, *fix.split(), "--as=bob")
    line = table["row"].tolist().index("8") + 2
    assert f"line {line}: what this says about row '8' was replaced or taken back since" in err
    assert len(said(review)) == 3
    table.loc[table["row"] == "8", "decision"] = ""
    table.to_csv(review.folder / "ranking.csv", index=False)
    assert run(capsys, *fix.split(), "--as=bob")[0] == 0
    given = review.source.classes[review.source.labels[3]]
    first = (3, "keep", None, "bob") if given == "dog" else (3, "label", "dog", "bob")
    found = {one for one in said(review) if one[3] == "bob"}
    assert found > {first, (4, "keep", None, "bob"), (6, "unsure", None, "bob")}
    assert len(found) == 5
    assert run(capsys, "rank", tmp_path / "t.csv")[0] == 0
    assert "label: dog" in ranking(review.folder).loc[lambda found: found["row"] == "7", "decision"].tolist()


def cell_of(review, row, text):
    """Types into the ranking."""
    table = ranking(review.folder)
    table.loc[table["row"] == str(row), "decision"] = text
    table.to_csv(review.folder / "ranking.csv", index=False)


def test_a_typed_correction_of_a_decision_is_not_lost(review, tmp_path, capsys):
    given, other, third = sorted(
        review.source.classes, key=lambda one: one != review.source.classes[review.source.labels[5]]
    )
    decide(review.folder, {5: f"={other}"}, by="ann")
    assert run(capsys, "rank", tmp_path / "t.csv")[0] == 0
    cell_of(review, 5, "drop")
    for command in (("rank", tmp_path / "t.csv"), ("apply", review.folder, f"--output={tmp_path / 'clean.csv'}")):
        assert "ranking.csv, column decision, row '5': a decision was typed" in run(capsys, *command)[2]
    path = review.folder / "ranking.csv"
    assert "1 decision added\n" in take_in(capsys, review, path, "--as=ann")[1]
    assert "0 decisions added, 1 already there" in take_in(capsys, review, path, "--as=bob")[1]
    assert run(capsys, "rank", tmp_path / "t.csv")[0] == 0
    cell_of(review, 5, f"label: {other}")
    assert "about row '5' was replaced" in take_in(capsys, review, path, "--as=ann")[2]
    (tmp_path / "mine.csv").write_text(f"id,label\n5,{other}\n")
    assert "1 decision added\n" in take_in(capsys, review, tmp_path / "mine.csv", "--as=ann")[1]
    for said_so, word in ((third, "replaced by"), (given, "keep"), ("keep", "the same")):
        cell_of(review, 5, said_so)
        added = "0 decisions added" if word == "the same" else "1 decision added"
        assert added in take_in(capsys, review, path, "--as=ann")[1]
        assert run(capsys, "rank", tmp_path / "t.csv")[0] == 0
    decide(review.folder, {5: "=drop"}, second=9)
    for _ in range(2):
        assert run(capsys, "rank", tmp_path / "t.csv")[::2] == (0, "")


def test_an_overruled_decision_that_is_typed_again_is_not_lost(review, tmp_path, capsys):
    """What the ranking still says of it, and what was taken in from there since, is not typed again."""
    decide(review.folder, {5: "drop"})
    assert run(capsys, "rank", tmp_path / "t.csv")[0] == 0
    decide(review.folder, {5: "unsure"}, second=1)
    assert run(capsys, "rank", tmp_path / "t.csv")[::2] == (0, "")
    cell_of(review, 5, "drop")
    assert "row '5': a decision was typed" in run(capsys, "rank", tmp_path / "t.csv")[2]
    assert "about row '5' was replaced" in take_in(capsys, review, review.folder / "ranking.csv", "--as=ann")[2]
    cell_of(review, 5, "")
    cell_of(review, 6, "drop")
    assert "1 decision added" in take_in(capsys, review, review.folder / "ranking.csv", "--as=ann")[1]
    decide(review.folder, {6: "unsure"}, second=2)
    assert run(capsys, "rank", tmp_path / "t.csv")[::2] == (0, "")


@pytest.mark.parametrize("suffix", [".txt", ".csv"])
def test_a_log_that_was_renamed_on_the_way_is_a_log(suffix, review, tmp_path, capsys):
    file = written(tmp_path / f"decisions{suffix}", [entry_of(review, 3, "=dog", "guest")])
    file.write_bytes(b"\xef\xbb\xbf\n" + file.read_bytes())
    assert "1 decision added\n" in take_in(capsys, review, file)[1]


def test_ids_that_a_decision_could_not_tell_apart_are_refused(tmp_path, capsys):
    rows = Rows(n=60)
    ids = ["caf\u00e9", "cafe\u0301", *(f"r{row}" for row in range(2, 60))]
    rows.frame(id=ids).to_csv(tmp_path / "t.csv", index=False)
    status, _, err = run(capsys, "rank", tmp_path / "t.csv")
    assert status == 1
    assert "t.csv, line 3 (row 1), ids: the id '" in err
    assert "' is that of row 0 too, but for how it is typed. Fix: rename one of them" in err
