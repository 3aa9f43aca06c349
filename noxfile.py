"""The checks. `make test`, which the GitHub workflow calls, runs the default sessions; this is the only list of checks.

Sessions run in the environment that nox itself is installed in (`make test` creates it), so they need no network.
"""

import os
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "imports", "dependencies", "wheel", "tests"]

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# The tests start hundreds of processes, each of which would compile our modules anew where this is set.
_TESTS = {**_ONE_THREAD, "PYTHONDONTWRITEBYTECODE": ""}
# A process runs whole files: what the tests of a file share is made once. tests/conftest.py puts slow files first.
_ON_ALL_CORES = ("-n", "auto", "--dist=loadfile", "--no-loadscope-reorder")


@nox.session
def lint(session: nox.Session) -> None:
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")


@nox.session
def types(session: nox.Session) -> None:
    session.run("mypy", f"--num-workers={os.cpu_count()}")


@nox.session
def imports(session: nox.Session) -> None:
    session.run("lint-imports")


@nox.session
def dependencies(session: nox.Session) -> None:
    """Every imported package is declared in pyproject.toml, and every declared package is imported."""
    session.run("deptry", ".")


@nox.session
def wheel(session: nox.Session) -> None:
    dist = session.create_tmp()
    session.run("hatchling", "build", "-t", "wheel", "-d", dist)
    session.run("check-wheel-contents", dist)


@nox.session
def tests(session: nox.Session) -> None:
    """The whole test suite; `nox -s tests -- -k name` runs a part in one process."""
    session.run("pytest", *(session.posargs or _ON_ALL_CORES), env=_TESTS)


@nox.session
def coverage(session: nox.Session) -> None:
    """The whole test suite with branch coverage and its limit; takes a third longer than `tests`."""
    session.run("pytest", *_ON_ALL_CORES, "--cov", "--cov-report=term", env=_TESTS)


@nox.session
def lowest(session: nox.Session) -> None:
    """The test suite alone, in an environment with the oldest versions allowed (`make test-lowest` creates it)."""
    # old releases warn about newer versions of other packages, which is not our fault
    quiet = ["-W", "ignore::DeprecationWarning"]
    session.run("pytest", *_ON_ALL_CORES, *quiet, *session.posargs, env=_TESTS)


@nox.session
def fuzz(session: nox.Session) -> None:
    """100,000 mutated inputs for the readers of files. Takes minutes; `nox -s fuzz -- --inputs=N --reader=NAME`."""
    session.run("python", "-m", "tests.fuzz", *session.posargs, env=_ONE_THREAD)


@nox.session
def crash(session: nox.Session) -> None:
    """Every command killed, run twice at once and without room to write. Takes minutes; full disks need root."""
    session.run("python", "-m", "tests.crash", *session.posargs, env=_ONE_THREAD)


@nox.session
def proofs(session: nox.Session) -> None:
    """Proven accuracies against optima in thousands of cases (`-- 20000` says how many); all the challenge's points."""
    cases, *options = session.posargs or ["3000"]
    files = [f"tests/cleaning/learners/test_{name}.py" for name in ("certified", "dataperf_learner", "logistic_path")]
    session.run("pytest", *files, *options, env={"FIXFIRST_PROOFS": cases, "OMP_NUM_THREADS": "1"})


@nox.session
def containers(session: nox.Session) -> None:
    """The cube in Docker and Podman. Installs both, as root on Debian; elsewhere the tests are skipped."""
    session.run(
        "pytest", "tests/containers", "-p", "no:randomly", "-rs", *session.posargs, env={"FIXFIRST_CONTAINERS": "1"}
    )


@nox.session
def sandbox(session: nox.Session) -> None:
    """The closed division in every engine of this machine that holds: bubblewrap, Docker, Podman. Takes minutes."""
    session.run(
        "pytest",
        "tests/evaluation/sandbox",
        "tests/evaluation/harness/judging",
        "-rs",
        *session.posargs,
        env={"FIXFIRST_CONTAINERS": "1", "OMP_NUM_THREADS": "1"},
    )


@nox.session
def study(session: nox.Session) -> None:
    """Every ranker on every study set, with tables and figure. Takes hours; `nox -s study -- --quick` takes minutes."""
    session.run("python", "-m", "tests.study", *session.posargs, env=_ONE_THREAD)


@nox.session
def peers(session: nox.Session) -> None:
    """cleanlab, pyDVL, DataScope and OpenDataVal on the study's sets. Needs a network; takes half an hour."""
    session.run("python", "-m", "tests.study.peers", *session.posargs, env={"OMP_NUM_THREADS": "1"})


@nox.session
def screenshots(session: nox.Session) -> None:
    """Pictures of the review page, to look at and for the README. Needs chromium."""
    session.run(
        "python", "-m", "tests.tools.review_screenshots", *(session.posargs or ["tests/screenshots", "look", "grid"])
    )


@nox.session
def report_screenshots(session: nox.Session) -> None:
    """Pictures of the report page of workspace/, to look at; `-- PAGE FOLDER` for another. Needs chromium."""
    places = session.posargs or ["workspace/results/report.html", "dist/report"]
    session.run("python", "-m", "tests.tools.report_screenshots", *places)


@nox.session
def reference(session: nox.Session) -> None:
    """The reference of `import fixfirst`, as pages in dist/reference, from the docstrings."""
    options = ["--docformat=numpy", "--no-show-source", "--template-directory=tests/tools/reference"]
    session.run("pdoc", *options, "--output-directory=dist/reference", "fixfirst")


@nox.session(venv_backend="venv")
def label_studio(session: nox.Session) -> None:
    """The check of Label Studio's current SDK on what `export` writes for it. Needs a network."""
    session.install("label-studio-sdk")
    folder = session.create_tmp()
    session.run(sys.executable, "-m", "tests.tools.label_studio", "write", folder, external=True)
    session.run("python", "tests/tools/label_studio.py", "check", folder)


@nox.session
def bench(session: nox.Session) -> None:
    """`nox -s bench -- NAME [options]` runs tests/benchmarks/NAME.py; without a name it lists the benchmarks."""
    found = {path.stem for path in Path("tests/benchmarks").glob("[!_]*.py")}
    if not session.posargs:
        session.log(f"benchmarks: {', '.join(sorted(found))}")
        return
    name, *options = session.posargs
    if name not in found:
        session.error(f"there is no benchmark {name!r}; known: {', '.join(sorted(found))}")
    session.run("python", "-m", f"tests.benchmarks.{name}", *options, env=_ONE_THREAD)
