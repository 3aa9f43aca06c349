"""What is written for Dynabench's form: one file per data id, 300 lines each, all eight, nothing else."""

import numpy as np
import pytest

from cleaning import Ranking
from evaluation.cli import main
from evaluation.submissions.rankings import write_submission
from evaluation.submissions.upload import IDS
from tests.support import write_parameters


@pytest.fixture
def challenge(tmp_path):
    """Rankings of `mine` for all of the challenge, and for another data id."""
    write_parameters(tmp_path, datasets={"d": {"ids": list(IDS)}, "o": {"ids": ["other", "other-b"]}})
    for seed, data_id in enumerate([*IDS, "other"]):
        rank(tmp_path, data_id, seed=seed)
    return tmp_path


def rank(place, data_id, method="mine", rows=300, seed=0):
    order = np.random.default_rng(seed).permutation(rows)
    write_submission(place / "submissions" / f"{data_id}_{method}.txt", Ranking(order), 1.5)


def bundle(place, capsys, *arguments):
    status = main(["bundle", *arguments, f"--workspace={place}"])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out, err


def test_the_eight_files_and_a_description(challenge, capsys):
    status, out, err = bundle(challenge, capsys, "mine")
    assert (status, err) == (0, "")
    assert "8 rankings of mine, and description.md" in out
    assert "left out, because they are not of the challenge: 1 in all: other" in out
    assert "Submit Train Files" in out
    assert "20 uploads" in out
    upload = challenge / "upload"
    assert sorted(path.name for path in upload.iterdir()) == sorted([*(f"{i}.txt" for i in IDS), "description.md"])
    for data_id in IDS:
        content = (upload / f"{data_id}.txt").read_bytes()
        assert content == (challenge / "submissions" / f"{data_id}_mine.txt").read_bytes()
        assert content.count(b"\n") == 300
    assert len(IDS) == len({*IDS}) == 8


def test_a_description_that_was_completed_stays(challenge, capsys):
    bundle(challenge, capsys, "mine")
    path = challenge / "upload" / "description.md"
    assert path.read_text().startswith("# mine\n")
    path.write_text("# mine\n\nBy us.\n")
    bundle(challenge, capsys, "mine")
    assert path.read_text() == "# mine\n\nBy us.\n"
    rank(challenge, "04rky", "random")
    bundle(challenge, capsys, "random", "--partial")
    assert path.read_text().startswith("# random\n\nRandom order")


def test_what_is_missing_is_said_and_methods_are_never_mixed(challenge, capsys):
    bundle(challenge, capsys, "mine")
    for data_id in ("01g317", "09j2d-flipped"):
        (challenge / "submissions" / f"{data_id}_mine.txt").unlink()
    before = {path.name: path.read_bytes() for path in (challenge / "upload").iterdir()}
    status, _, err = bundle(challenge, capsys, "mine")
    assert status == 1
    assert "'mine' for the challenge are not complete (missing, 2 in all: 01g317, 09j2d-flipped)" in err
    assert "Fix: rank 01g317, 09j2d-flipped first, or write what there is with --partial" in err
    assert {path.name: path.read_bytes() for path in (challenge / "upload").iterdir()} == before
    status, out, err = bundle(challenge, capsys, "mine", "--partial")
    assert (status, "6 rankings" in out) == (0, True)
    assert "warning: 2 of the 8 files are missing (2 in all: 01g317, 09j2d-flipped)" in err
    assert not (challenge / "upload" / "01g317.txt").exists()


def test_bad_rankings_links_and_unknown_methods_are_refused(challenge, capsys):
    rank(challenge, "04rky", rows=299)
    status, _, err = bundle(challenge, capsys, "mine")
    assert (status, "04rky_mine.txt: 299 lines where 300 are expected" in err) == (1, True)
    status, _, err = bundle(challenge, capsys, "mien", "--partial")
    assert (status, "all eight are missing). Fix: did you mean mine?" in err) == (1, True)
    path = challenge / "submissions" / "04rky_mine.txt"
    path.rename(challenge / "elsewhere.txt")
    path.symlink_to(challenge / "elsewhere.txt")
    status, _, err = bundle(challenge, capsys, "mine")
    assert (status, "this is a link to outside" in err) == (1, True)
    assert not (challenge / "upload").exists()
    path.unlink()
    rank(challenge, "04rky")
    status, _, err = bundle(challenge, capsys, "mine", f"--output={challenge / 'submissions'}")
    assert (status, "the command reads this folder" in err) == (1, True)
    (challenge / "file").write_text("")
    status, _, err = bundle(challenge, capsys, "mine", f"--output={challenge / 'file'}")
    assert (status, "cannot create the folder" in err) == (1, True)


def test_the_submissions_of_a_workspace_are_valid_with_their_time_files(ranked, workspace, capsys):
    names = [str(path) for path in sorted((workspace / "submissions").iterdir()) if not path.name.startswith(".")]
    (workspace / "submissions" / "seed-1").mkdir()
    status = main(["validate", *names, str(workspace / "submissions" / "seed-1"), f"--workspace={workspace}"])
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    assert out.count(": valid (") == 4
    assert "passed over: 5 time files and folders of fixfirst's own" in out
