import io
import re
import signal
import subprocess
import sys
import time

import pytest

from cleaning import simulate
from cleaning.discovery import discover_folder
from evaluation.cli import main
from evaluation.contract import registry
from evaluation.contract.record import read_records
from evaluation.files.progress import Reporter
from evaluation.harness.produce import create_baselines
from evaluation.settings.folders import Folders
from tests.support import ROOT, write_parameters

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_pictures")]


def run(capsys, *arguments):
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        status = stop.code
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out, err


def test_what_the_terminal_cannot_show_is_replaced(monkeypatch, capsys):
    shown = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", shown)
    assert run(capsys, "--help")[0] == 0
    shown.seek(0)
    assert shown.read().startswith("usage: fixfirst COMMAND ?\n")


def test_the_four_tasks_one_by_one_with_the_flags_mlcube_passes(capsys, folders):
    flags = {name: f"--{name}={getattr(folders, name)}" for name in Folders.names()}
    steps = [
        ("download", "parameters_file", "embedding_folder", "groundtruth_folder", "manifest_file"),
        ("create_baselines", "parameters_file", "embedding_folder", "ranker_folder", "submission_folder"),
        (
            "evaluate",
            "parameters_file",
            "embedding_folder",
            "groundtruth_folder",
            "submission_folder",
            "results_folder",
        ),
        ("plot", "results_folder"),
    ]
    for task, *names in steps:
        status, _, err = run(capsys, task, *(flags[name] for name in names))
        assert (status, err) == (0, "")
    assert (folders.results_folder / "leaderboard.csv").exists()


@pytest.mark.usefixtures("one_process")
def test_run_does_all_four_and_prints_the_leaderboard(capsys, workspace):
    status, out, _ = run(capsys, "run", f"--workspace={workspace}")
    assert status == 0
    assert "score (lower is better)" in out
    *_, found, look, following = out.splitlines()
    assert re.match(r"Found: in the order of \w+, fixing \d+\.\d% of the labels brings a model to 95% of", found)
    assert "in random order" in found or "order of random" in found
    assert "mean over 2 data ids" in found
    assert look == f"Look:  {workspace / 'results' / 'report.html'}"
    assert re.match(r"Next:  \S+ rank ", following)
    status, out, _ = run(capsys, "evaluate", f"--workspace={workspace}")
    assert "4 already known, 0 to score" in out


@pytest.mark.usefixtures("one_process")
def test_run_goes_on_after_a_failure_and_says_so_in_its_status(capfd, workspace):
    (workspace / "rankers").mkdir()
    (workspace / "rankers" / "bad.py").write_text("def rank(train, validation, *, rng):\n    raise ValueError('no')\n")
    write_parameters(workspace, rankers=["bad", "random"])
    status, out, err = run(capfd, "run", f"--workspace={workspace}")
    assert status == 1
    assert "bad.py, line 2: the ranker crashed (ValueError: no)" in err
    assert "report.html" in out


def test_rounds_are_made_between_rankings_and_scores_if_parameters_ask_for_them(capsys, workspace, monkeypatch):
    called = []
    for name in ("download.run", "rounds.run", "evaluate.score", "plot.run"):
        monkeypatch.setattr(f"evaluation.commands.{name}", lambda _, name=name: called.append(name) or 0)
    monkeypatch.setattr("evaluation.commands.run.run_apart", lambda name, _: called.append(name) or 0)
    monkeypatch.setattr("evaluation.harness.closing.closing_lines", lambda _: [])
    assert run(capsys, "run", f"--workspace={workspace}")[0] == 0
    assert called == ["download.run", "create_baselines", "evaluate.score", "plot.run"]
    write_parameters(workspace, rounds=3)
    called.clear()
    assert run(capsys, "run", f"--workspace={workspace}")[0] == 0
    assert called == ["download.run", "create_baselines", "rounds.run", "evaluate.score", "plot.run"]


CHEAT = """
import evaluation.tasks.cleaning.task as task
from cleaning import CleaningCurve
import numpy as np

def always_right(dataset, truth, ranking, learner, progress, plan):
    n = len(dataset.train)
    return CleaningCurve(fixes=np.arange(n + 1), accuracy=np.ones(n + 1), dirty=1.0, clean=1.0)

def rank(train, validation, *, rng):
    task.simulate = always_right
    return np.arange(len(train), dtype=float)
"""


def cheats_score(workspace):
    (record,) = read_records(workspace / "results" / "results.jsonl")
    assert (record.method, record.status) == ("cheat", "ok")
    return record.metrics["score"]


@pytest.mark.usefixtures("no_cleanlab")
def test_a_ranker_that_replaces_the_simulation_is_scored_by_the_true_one(capfd, workspace, monkeypatch):
    (workspace / "rankers").mkdir()
    (workspace / "rankers" / "cheat.py").write_text(CHEAT)
    write_parameters(workspace, rankers=["cheat"], datasets={"made": {"ids": ["blobs"]}})
    assert run(capfd, "run", f"--workspace={workspace}")[0] == 0
    honest = cheats_score(workspace)
    assert honest > 0
    (workspace / "results" / "results.jsonl").unlink()
    # the cheat works where the ranker and the scoring share a process
    monkeypatch.setattr("evaluation.tasks.cleaning.task.simulate", simulate)
    folders = Folders.in_workspace(workspace)
    (workspace / "submissions" / "blobs_cheat.txt").unlink()
    assert create_baselines(folders, Reporter(io.StringIO(), io.StringIO())) == 0
    assert run(capfd, "evaluate", f"--workspace={workspace}")[0] == 0
    assert cheats_score(workspace) == 0.0


@pytest.mark.usefixtures("no_cleanlab")
def test_a_ranker_that_ends_its_process_or_does_not_exist_stops_the_run(capfd, workspace):
    (workspace / "rankers").mkdir()
    (workspace / "rankers" / "gone.py").write_text("import os\ndef rank(train, validation, *, rng):\n    os._exit(7)\n")
    write_parameters(workspace, rankers=["gone"])
    status, _, err = run(capfd, "run", f"--workspace={workspace}")
    assert status == 1
    assert err == (
        "error: create_baselines: its process ended with exit status 7. "
        "Fix: see what it said last; a ranker or predictor may have ended it.\n"
    )
    write_parameters(workspace, rankers=["gnoe"])
    status, _, err = run(capfd, "run", f"--workspace={workspace}")
    assert status == 1
    assert "did you mean gone?" in err
    assert err.startswith("error: ")
    assert not (workspace / "results").exists()


def test_ls_lists_everything_with_one_line_each(capsys, workspace):
    (workspace / "rankers").mkdir()
    (workspace / "rankers" / "mine.py").write_text('"""My own."""\ndef rank(train, validation, *, rng): ...\n')
    status, out, _ = run(capsys, "ls", f"--workspace={workspace}")
    assert status == 0
    for line in (
        "  made: cleaning, 2 ids, added by hand",
        "  mine: My own.",
        "  random: Random order: the baseline that every ranker has to beat.",
        "  cleaning.score: share of labels fixed to reach the target (lower is better)",
    ):
        assert line in out.splitlines()
    assert "  logistic: " in out
    assert run(capsys, "ls", f"--workspace={workspace / 'none'}")[0] == 0


def test_ls_long_says_what_a_ranker_needs(capsys, workspace, monkeypatch):
    monkeypatch.setattr(registry, "rankers", lambda folder: discover_folder(folder, "ranker", "rank"))
    (workspace / "rankers").mkdir()
    for name, body in {
        "first_column": "return train.features[:, 0] * len(validation or [1])",
        "far": "return -np.linalg.norm(train.features - train.features.mean(axis=0), axis=1)",
        "near": "if validation is None: raise Unsuitable('none')\n    "
        "return -abs(train.features @ validation.features.mean(axis=0))",
        "bad": "return 1 / 0",
        "again": "return train.labels",
    }.items():
        more = ", checked=None" if name == "again" else ""
        head = (
            f"import numpy as np\nfrom cleaning import Unsuitable\n\n\ndef rank(train, validation, *, rng{more}):\n    "
        )
        (workspace / "rankers" / f"{name}.py").write_text(head + body + "\n")
    status, out, _ = run(capsys, "ls", "--long", f"--workspace={workspace}")
    lines = out.splitlines()
    told = {
        name: lines[place + 1].strip()
        for place, line in enumerate(lines)
        if (name := line.strip().split(":")[0]) in ("first_column", "far", "near", "bad", "again")
    }
    assert status == 0
    assert told["first_column"].startswith("uses no validation rows; ")
    assert told["first_column"].endswith(" s for 300 rows; the scale of the columns does not matter")
    assert told["far"].endswith("depends on the scale of the columns")
    assert told["near"].startswith("needs validation rows; ")
    assert told["again"].endswith("does not matter; takes part in rounds")
    assert told["bad"] == "could not be tried (ZeroDivisionError: division by zero)"
    assert "no description" not in out


def test_evaluate_ends_with_the_scores_and_the_next_command(capsys, workspace):
    reverse = "def rank(train, validation, *, rng):\n    from baselines.rankers.knn_shapley import rank\n    "
    (workspace / "rankers").mkdir()
    (workspace / "rankers" / "upside_down.py").write_text(f"{reverse}return -rank(train, validation, rng=rng)\n")
    write_parameters(
        workspace,
        rankers=["random", "knn_shapley", "upside_down"],
        seeds=list(range(12)),
        datasets={"made": {"ids": ["blobs"]}},
    )
    run(capsys, "create_baselines", f"--workspace={workspace}")
    status, out, err = run(capsys, "evaluate", f"--workspace={workspace}")
    lines = out.splitlines()
    assert status == 0
    assert re.match(r"1  knn_shapley +0\.\d+", lines[-5])
    assert re.search(r"upside_down .*\+0\.\d+ \(\+0\.\d+ to \+\d\.\d+\)", out)
    assert re.match(rf"Next: .+ plot --workspace={workspace}   # the curves", lines[-1])
    assert "warning: upside_down is worse than random order (+0." in err
    assert "Fix: return low scores for suspicious labels" in err


def test_validate_accepts_and_refuses_without_scoring(capsys, workspace):
    run(capsys, "create_baselines", f"--workspace={workspace}")
    good = workspace / "submissions" / "blobs_random.txt"
    bad = workspace / "blobs_my method (v2).txt"
    bad.write_text("1\n1\n")
    status, out, err = run(capsys, "validate", good, bad, workspace / "none.txt", f"--workspace={workspace}")
    assert status == 1
    assert f"{good}: valid (data id blobs, method random, 30 rows, " in out
    assert "blobs_my method (v2).txt, line 2: row 1 already appears on line 1" in err
    assert "none.txt: there is no such file" in err
    folder = workspace / "submissions"
    status, _, err = run(capsys, "validate", folder, f"--workspace={workspace}")
    assert (status, err) == (1, f"warning: not valid: {folder}: this is a folder. Fix: give the files in it instead.\n")
    assert not (workspace / "results").exists()
    assert run(capsys, "validate", good, "--task=cleanin", f"--workspace={workspace}")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "error: no command was given\nsee fixfirst --help\n"),
        (["evaluat"], 2, "error: there is no command 'evaluat'; did you mean evaluate?\nsee fixfirst --help\n"),
        (["rank", "--trustd=x"], 2, "error: unknown argument '--trustd=x'; did you mean --trusted?\nsee fixfirst rank"),
        (["rank"], 2, "error: the following arguments are required: SOURCE\nsee fixfirst rank --help\n"),
        (["rank", "x", "y"], 2, "error: unknown argument 'y'\nsee fixfirst rank --help\n"),
        (["rank", "x", "--seed=one"], 2, "error: --seed: invalid int value: 'one'\nsee fixfirst rank --help\n"),
        (
            ["evaluate", "--embedding-folder=x"],
            2,
            "unknown argument '--embedding-folder=x'; did you mean --embedding_folder?",
        ),
        (["evaluate", "--work=x"], 2, "unknown argument '--work=x'; did you mean --workspace?"),
        (["rank", "x.parquet", "--workspace=x"], 2, "unknown argument '--workspace=x'"),
        (["evaluate", "--workspace=none"], 1, "error: none/parameters.yaml: there is no such file"),
        (["plot", "--workspace=none"], 1, "there are no scores yet"),
    ],
)
def test_wrong_usage_is_one_sentence(capsys, tmp_path, monkeypatch, arguments, status, message):
    monkeypatch.chdir(tmp_path)
    found, out, err = run(capsys, *arguments)
    assert (found, out) == (status, "")
    assert message in err
    assert err.count("\n") == status


def test_an_unwritable_place_is_one_sentence(capsys, workspace):
    (workspace / "submissions").write_text("in the way")
    status, _, err = run(capsys, "create_baselines", f"--workspace={workspace}")
    assert status == 1
    assert "submissions: cannot create the folder (File exists)" in err
    assert err.count("\n") == 1


def test_what_nobody_expected_is_one_sentence_too(capsys, workspace, monkeypatch):
    def explode(*_):
        raise explode.error

    monkeypatch.setattr("evaluation.commands.ls.run", explode)
    for error, message in [
        (RuntimeError("boom"), "fixfirst itself failed (RuntimeError: boom). Fix: run again with FIXFIRST_DEBUG=1"),
        (MemoryError(), "there is not enough memory"),
        (KeyboardInterrupt(), "interrupted; files already written are kept"),
    ]:
        explode.error = error
        status, _, err = run(capsys, "ls", f"--workspace={workspace}")
        assert message in err
        assert status == (130 if isinstance(error, KeyboardInterrupt) else 1)
    explode.error = RuntimeError("boom")
    monkeypatch.setenv("FIXFIRST_DEBUG", "1")
    with pytest.raises(RuntimeError):
        main(["ls"])


@pytest.mark.usefixtures("one_process", "no_cleanlab")
def test_ctrl_c_keeps_what_is_there_and_the_next_run_goes_on(capsys, workspace):
    """A real interrupt in the middle of a real evaluation."""
    write_parameters(workspace, rankers=["slow"])
    (workspace / "rankers").mkdir()
    (workspace / "rankers" / "slow.py").write_text(
        "import time\ndef rank(train, validation, *, rng):\n    print('ranking', flush=True)\n    time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-m", "evaluation.cli", "run", f"--workspace={workspace}"],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # a job in the background of a script inherits an ignored SIGINT
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while "ranking" not in child.stdout.readline():
        pass
    time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=300)
    assert child.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    write_parameters(workspace)
    assert run(capsys, "run", f"--workspace={workspace}")[0] == 0
    assert len(read_records(workspace / "results" / "results.jsonl")) == 4


def test_the_task_is_the_only_one_of_parameters_or_cleaning_among_several(capsys, tmp_path):
    assert run(capsys, "example", "logo", f"--output={tmp_path / 'logo'}")[0] == 0
    place = f"--workspace={tmp_path / 'logo'}"
    good = tmp_path / "logo" / "submissions" / "example_good.csv"
    assert run(capsys, "validate", good, place)[0] == 0
    assert run(capsys, "evaluate", place)[0] == 0
    assert "logo, board all" in run(capsys, "leaderboard", place)[1]
    parameters = tmp_path / "logo" / "parameters.yaml"
    text = parameters.read_text()
    parameters.write_text(text.replace("- logo", "- logo\n- zero_shot"))
    assert run(capsys, "validate", good, place)[0] == 0  # the name says it
    status, _, err = run(capsys, "leaderboard", place)
    assert (status, err) == (
        1,
        "error: --task: parameters.yaml has several tasks. Fix: choose one of logo, zero_shot.\n",
    )
    assert run(capsys, "validate", good, "--task=logo", place)[0] == 0
    parameters.write_text(text.replace("- logo", "- logo\n- cleaning"))
    other = good.rename(tmp_path / "other_good.csv")
    assert "no data set of the task cleaning" in run(capsys, "validate", other, place)[2]


def test_a_command_takes_the_paths_it_reads_and_no_others(capsys):
    status, out, _ = run(capsys, "rank", "--help")
    assert status == 0
    assert "_folder" not in out
    assert "--workspace" not in out
    assert "--embedding_folder" not in run(capsys, "plot", "--help")[1]
    assert "--results_folder" in run(capsys, "plot", "--help")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["rank", ""],
        ["rank", "rows.csv", "--review="],
        ["rank", "rows.csv", "--trusted", ""],
        ["rank", "rows.csv", "--encoder="],
        ["validate", "a.txt", ""],
        ["evaluate", "--results_folder="],
        ["judge", "", "--sets=x"],
    ],
)
def test_an_argument_that_is_empty_is_refused(arguments, capsys):
    """As with a variable of the shell that is not set: it must not be the current folder, or the default."""
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"error: \S+: it is empty; give a value, or leave it out\nsee fixfirst \w+ --help\n", err)
