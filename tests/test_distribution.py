"""The version stands in one place, and a program of somebody else is type-checked against the built wheel."""

import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import cleaning
from evaluation.cli import main
from tests.support import ROOT

pytestmark = pytest.mark.slow
# where a version of ours may be written: after the image's name or the word version, as a heading of the changelog
PLACES = re.compile(
    r"""(?:fixfirst/fixfirst:|(?<![\w-])version\b["']?\s*[:=]\s*["']?|^\#\#\ |__version__\ =\ ")(\d+\.\d+(?:\.\w+)+)""",
    re.MULTILINE | re.VERBOSE,
)
LISTED = {
    "CHANGELOG.md",
    "CITATION.cff",
    "cleaning/__init__.py",
    "mlcube.yaml",
    "mlcube/README.md",
    "mlcube/host_runner/pyproject.toml",
}

PROGRAM = """import numpy as np
import fixfirst
found: fixfirst.Posterior = fixfirst.label_posterior(fixfirst.Split.from_arrays(np.eye(4), [0, 1, 0, 1]))
"""


def tracked() -> list[Path]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this is not a clone: {error}")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_the_version_is_the_same_wherever_it_is_written():
    found = {}
    for path in tracked():
        if path.suffix in (".py", ".toml", ".yaml", ".yml", ".md", ".cff") or path.name in ("Dockerfile", "Makefile"):
            for text in PLACES.findall(path.read_text()):
                found.setdefault(path.relative_to(ROOT).as_posix(), set()).add(text)
    assert set(found) == LISTED
    assert {text for texts in found.values() for text in texts} == {cleaning.__version__}


def test_the_package_and_the_command_have_that_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"fixfirst {cleaning.__version__}\n"
    assert version("fixfirst") == cleaning.__version__


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return next(place.glob("*.whl"))


@pytest.fixture
def python(wheel, tmp_path) -> Path:
    """A Python in which the wheel is unpacked, with the packages of the tests behind it."""
    place = tmp_path / "env"
    venv.create(place, symlinks=True)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(place)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place / "bin" / "python"


def test_every_package_of_the_wheel_is_typed(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    packages = {name.partition("/")[0] for name in names if name.count("/") == 1 and name.endswith("/__init__.py")}
    assert packages == {"cleaning", "baselines", "evaluation", "fixfirst"}
    assert {f"{package}/py.typed" for package in packages} <= set(names)


@pytest.fixture
def checked(tmp_path) -> Path:
    """What `nox -s types` has found out about numpy and others, if it has run: this takes mypy seconds."""
    place, known = tmp_path / "checked", ROOT / ".mypy_cache"
    return shutil.copytree(known, place) if known.is_dir() else place


def test_a_program_of_somebody_else_is_type_checked(python, checked, tmp_path):
    place = tmp_path / "program"
    place.mkdir()
    (place / "right.py").write_text(PROGRAM)
    (place / "wrong.py").write_text(PROGRAM.replace("found: fixfirst.Posterior", "found: int"))
    options = [f"--config-file={ROOT / 'pyproject.toml'}", f"--cache-dir={checked}", f"--python-executable={python}"]
    command = [sys.executable, "-m", "mypy", *options, "right.py", "wrong.py"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    errors = [line for line in done.stdout.splitlines() if line.startswith(("right.py", "wrong.py"))]
    assert [line.partition(":")[0] for line in errors] == ["wrong.py"], done.stdout + done.stderr
    assert 'expression has type "Posterior", variable has type "int"' in errors[0]
