"""A command starts soon, because it imports no large package that it does not use."""

import json
import os
import subprocess
import sys

import pytest

from tests.support import ROOT

LARGE = {"numpy", "scipy", "pandas", "pyarrow", "pydantic", "sklearn", "cleanlab", "matplotlib"}
COMMANDS = """
import json, sys
from evaluation.cli import main
for arguments in json.loads(sys.argv[1]):
    assert main(arguments) == 0
"""


def imported(program, *arguments):
    """Which large packages a program has imported when it ends."""
    tell = f"import json, sys\nprint(json.dumps(sorted({LARGE} & sys.modules.keys())))"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{tell}", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'cleaning'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_version_and_help_import_nothing_large(flag):
    program = "import sys, evaluation.cli\ntry: evaluation.cli.main(sys.argv[1:])\nexcept SystemExit: pass"
    assert imported(program, flag) == set()


def test_the_package_imports_what_is_asked_for():
    assert imported("import fixfirst\nassert 'rank' in dir(fixfirst)") == set()
    assert imported("import fixfirst\nfixfirst.Split") == {"numpy"}


def test_the_commands_of_the_benchmark_need_neither_pandas_nor_scikit_learn(ranked):
    """All but the one that calls the rankers."""
    place = f"--workspace={ranked.submission_folder.parent}"
    commands = [[name, place] for name in ("ls", "download", "evaluate", "leaderboard")]
    assert imported(COMMANDS, json.dumps(commands)) <= {"numpy", "scipy", "pyarrow", "pydantic"}


def test_own_labels_need_no_scikit_learn(tmp_path):
    rows = "".join(f"{'cat' if row % 2 else 'dog'},{row % 2 + row / 90},{row / 30}\n" for row in range(30))
    (tmp_path / "rows.csv").write_text("label,a,b\n" + rows)
    commands = [["rank", str(tmp_path / "rows.csv")]]
    assert imported(COMMANDS, json.dumps(commands)) <= LARGE - {"sklearn", "cleanlab", "matplotlib"}
