import pytest

from evaluation.labels.opened import open_review
from tests.evaluation.labels.decided import decide, entry_of
from tests.evaluation.labels.own_data import FORMS, Rows, run


@pytest.fixture
def review(tmp_path, capsys):
    assert run(capsys, "rank", FORMS["csv"](tmp_path, Rows(n=60)))[0] == 0
    return open_review(tmp_path / "t_review")


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
    assert "1 rows on which reviewers disagree" in out
    assert "0 decisions added, 2 were already there" in run(capsys, "decisions", file, f"--review={review.folder}")[1]
    assert open_review(review.folder).log.entries[1:] == entries
    assert "2 decisions added" in run(capsys, "decisions", file, f"--review={review.folder}", "--as=somebody else")[1]
    assert [entry.by for entry in open_review(review.folder).log.entries] == [
        "ann",
        "guest",
        "guest",
        *["somebody else"] * 2,
    ]


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
    import re

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
