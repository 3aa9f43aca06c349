"""What is wrong with the organiser's files is booked on nobody; what is wrong with a submission is, once."""

import io
import json
from pathlib import Path

import numpy as np
import pytest

from cleaning import Split
from evaluation.cli import main
from evaluation.contest.log import SubmissionLog
from evaluation.contract.record import latest, read_records
from evaluation.datasets.layout import read_parquet, write_parquet
from evaluation.files.progress import Reporter
from evaluation.harness.example import write_example


def other_width(path: Path) -> None:
    split = read_parquet(path)
    write_parquet(path, Split(np.hstack([split.features, split.features]), split.labels, split.ids))


def cut_to_header(path: Path) -> None:
    path.write_text(path.read_text().splitlines()[0] + "\n")


def not_a_number(path: Path) -> None:
    path.write_text(path.read_text().replace(",1", ",x"))


def garbage(path: Path) -> None:
    path.write_bytes(b"\x00\xff not what it should be")


def empty_object(path: Path) -> None:
    path.write_text("{}")


def first_label_gone(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))


def no_list(path: Path) -> None:
    path.write_text(json.dumps("cat"))


BROKEN = [
    ("cleaning", "embeddings/*_val*.parquet", other_width),
    ("cleaning", "embeddings/*_test*.parquet", other_width),
    ("cleaning", "embeddings/*_train*.parquet", garbage),
    ("cleaning", "data/*_train.csv", cut_to_header),
    ("cleaning", "data/*_train.csv", garbage),
    ("cleaning", "data/*_train.csv", not_a_number),
    ("image_retrieval", "data/example/truth.json", garbage),
    ("image_retrieval", "data/example/truth.json", empty_object),
    ("logo", "data/example/test_labels.csv", garbage),
    ("logo", "data/example/test_labels.csv", cut_to_header),
    ("logo", "data/example/labels.txt", first_label_gone),
    ("zero_shot", "data/example/truth.json", garbage),
    ("zero_shot", "data/example/truth.json", empty_object),
    ("zero_shot", "data/example/animals/classes.json", no_list),
    ("camera_trap", "data/example/test_labels.csv", cut_to_header),
    ("camera_trap", "data/example/test_labels.csv", garbage),
]
SPLIT = ["image_retrieval", "logo", "zero_shot", "camera_trap"]


@pytest.fixture
def contest(tmp_path):
    def made(task: str) -> Path:
        write_example(task, tmp_path / "contest", Reporter(io.StringIO(), io.StringIO()))
        return tmp_path / "contest"

    return made


def outcome(place: Path, capsys) -> tuple[list[str | None], list[str], str]:
    """The faults of the newest records, the verdicts in the log, and what was said."""
    assert main(["evaluate", f"--workspace={place}"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" not in err
    records = latest(read_records(place / "results" / "results.jsonl"))
    entries = SubmissionLog(place / "results" / "submissions.jsonl").read().entries
    return [record.fault for record in records], [entry.verdict for entry in entries], err


@pytest.mark.parametrize(("task", "pattern", "harm"), BROKEN, ids=lambda part: getattr(part, "__name__", str(part)))
def test_bad_data_are_booked_on_nobody(contest, capsys, task, pattern, harm):
    place = contest(task)
    (path,) = place.glob(pattern)
    harm(path)
    faults, verdicts, err = outcome(place, capsys)
    assert faults == ["data"]
    assert verdicts == []
    assert path.name in err or "validation" in err or "test" in err


@pytest.mark.parametrize("task", SPLIT)
def test_a_bad_list_of_public_ids_is_booked_on_nobody(contest, capsys, task):
    place = contest(task)
    parameters = place / "parameters.yaml"
    text = parameters.read_text()
    split = text[text.index("    split:") :] if "    split:" in text else ""
    parameters.write_text(text.replace(split, "") + "    split: {file: public.txt}\n")
    (place / "data" / "example" / "public.txt").write_text("nobody knows this\n")
    faults, verdicts, err = outcome(place, capsys)
    assert (faults, verdicts) == (["data"], [])
    assert "public.txt: some ids are not in the ground truth" in err


@pytest.mark.parametrize("task", ["cleaning", *SPLIT])
def test_a_bad_submission_is_booked_on_its_team(contest, capsys, task):
    place = contest(task)
    (good,) = (place / "submissions").glob("example_good.*")
    (broken,) = (place / "broken").iterdir()
    good.write_bytes(broken.read_bytes())
    faults, verdicts, _ = outcome(place, capsys)
    assert (faults, verdicts) == (["submission"], ["failed"])


def test_a_mended_truth_scores_what_was_there(contest, capsys):
    place = contest("logo")
    truth = place / "data" / "example" / "test_labels.csv"
    right = truth.read_bytes()
    garbage(truth)
    assert outcome(place, capsys)[1] == []
    truth.write_bytes(right)
    assert main(["evaluate", f"--workspace={place}"]) == 0
    entries = SubmissionLog(place / "results" / "submissions.jsonl").read().entries
    assert [(entry.verdict, entry.number) for entry in entries] == [("ok", 1)]


def test_a_learner_that_cannot_learn_from_the_data_is_booked_on_nobody(contest, capsys):
    """The challenge's network knows two classes; a training label of a third is not the ranking's fault."""
    place = contest("cleaning")
    parameters = place / "parameters.yaml"
    parameters.write_text(parameters.read_text() + "learner: dataperf\n")
    (path,) = (place / "embeddings").glob("*_train*.parquet")
    (table,) = (place / "data").glob("*_train.csv")
    split = read_parquet(path)
    labels = split.labels.copy()
    labels[0] = 2
    write_parquet(path, Split(split.features, labels, split.ids))
    lines = table.read_text().splitlines()
    cells = lines[1].split(",")
    lines[1] = ",".join([*cells[:4], "2", cells[5]])
    table.write_text("\n".join(lines) + "\n")
    faults, verdicts, err = outcome(place, capsys)
    assert (faults, verdicts) == (["data"], [])
    assert "example_good.txt" not in err
