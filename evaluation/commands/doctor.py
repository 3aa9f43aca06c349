"""Check this machine and report what is missing."""

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.commands._shared import add_places, folders_of

if TYPE_CHECKING:
    from evaluation.settings.folders import Folders

_OURS = ("cleaning", "baselines", "evaluation")


@dataclass(frozen=True)
class Finding:
    """The result of one check. level: `ok`, `note` (works, with a limitation) or `problem` (will not work)."""

    level: str
    sentence: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the path to check."""
    add_places(parser, "parameters_file")


def run(options: argparse.Namespace) -> int:
    """Reports each finding in one sentence; the exit status is 1 if something will not work."""
    from evaluation.files.progress import Reporter

    folders, reporter, problems = folders_of(options), Reporter(), 0
    for finding in _findings(folders):
        reporter.say(f"{finding.level:8}{finding.sentence}")
        problems += finding.level == "problem"
    reporter.say("Everything needed is in place." if not problems else f"Problems to solve: {problems}.")
    return 1 if problems else 0


def _findings(folders: "Folders") -> Iterator[Finding]:
    from evaluation.settings.folders import in_image

    yield from _python()
    yield from _packages()
    yield from _foreign()
    yield from _paths(folders)
    yield from _parameters(folders)
    if in_image():
        yield Finding("ok", "This is the cube's own image: the container engine works.")
    else:
        yield from _engine()
        yield from _sandbox()
        yield from _mlcube()


def _python() -> Iterator[Finding]:
    yield Finding("ok", f"Python is {platform.python_version()}.")


def _packages() -> Iterator[Finding]:
    try:
        needed = [re.split(r"[^A-Za-z0-9._-]", text)[0] for text in _requirements() if "extra ==" not in text]
    except importlib.metadata.PackageNotFoundError:
        yield Finding("problem", "The package fixfirst is not installed; run `make demo` or `pip install .`.")
        return
    missing = [name for name in needed if not _is_installed(name)]
    if missing:
        yield Finding(
            "problem", f"Packages are missing: {', '.join(missing)}. Run `make demo` or `pip install .` again."
        )
    elif importlib.util.find_spec("pip") and not _answers([sys.executable, "-m", "pip", "check"]):
        yield Finding("note", "`pip check` found unmet version requirements.")
    else:
        yield Finding("ok", "All packages that fixfirst needs are installed.")


def _requirements() -> list[str]:
    return importlib.metadata.requires("fixfirst") or []


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _foreign() -> Iterator[Finding]:
    """Other packages with the same names as ours, which Python could import instead."""
    home = Path(__file__).resolve().parents[2]
    clean = True
    for name in _OURS:
        for place in sys.path:
            candidate = Path(place or ".").resolve() / name
            if candidate.parent != home and (
                (candidate / "__init__.py").exists() or candidate.with_suffix(".py").exists()
            ):
                clean = False
                yield Finding(
                    "problem", f"A foreign package named {name!r} is in {candidate.parent}; remove it from sys.path."
                )
    if clean:
        yield Finding("ok", "No foreign package shares a name with one of ours.")


def _paths(folders: "Folders") -> Iterator[Finding]:
    workspace = folders.parameters_file.parent.resolve()
    if " " in str(workspace):
        yield Finding(
            "note", f"The path {str(workspace)!r} contains a space: fixfirst works there, `mlcube run` does not."
        )
    nearest = next(path for path in (workspace, *workspace.parents) if path.exists())
    if os.access(nearest, os.W_OK):
        yield Finding("ok", f"{nearest} is writable; {shutil.disk_usage(nearest).free / 1e9:.1f} GB are free.")
    else:
        yield Finding("problem", f"{nearest} is not writable; choose another workspace.")


def _parameters(folders: "Folders") -> Iterator[Finding]:
    from cleaning.errors import FixfirstError, count_of
    from evaluation.contract.loading import load_parameters

    try:
        parameters = load_parameters(folders.parameters_file)
    except FixfirstError as error:
        yield Finding("problem", str(error))
    else:
        ids = count_of(sum(len(block.data_ids(name)) for name, block in parameters.enabled().items()), "data id")
        yield Finding("ok", f"{folders.parameters_file} is valid: {ids} enabled, tasks {', '.join(parameters.tasks)}.")


def _engine() -> Iterator[Finding]:
    engines = [name for name in ("docker", "podman") if shutil.which(name)]
    for name in engines:
        if _answers([name, "info"]):
            yield Finding("ok", f"The container engine {name} is running; `mlcube run` can use it.")
            return
    if engines:
        yield Finding("note", f"{engines[0]} is installed but not running; start it to use `mlcube run`.")
    else:
        yield Finding("note", "No container engine (docker or podman) was found; only `mlcube run` needs one.")


def _sandbox() -> Iterator[Finding]:
    """Which engines hold somebody else's program; `judge` and `rehearse` use the first."""
    from cleaning.errors import printable
    from evaluation.sandbox.selftest import checked, engines

    found = [checked(engine) for engine in engines()]
    for one in found:
        if one.reason is None:
            yield Finding("ok", f"The sandbox {one.engine.name} holds: a test program could not get out.")
        else:
            reason = one.reason if one.reason.endswith(("?", ".")) else f"{one.reason}."
            yield Finding("note", printable(f"The sandbox {one.engine.name} is not used: {reason}"))
    if all(one.reason is not None for one in found):
        yield Finding("note", "Without a sandbox, `judge` and `rehearse` run only your own code, with --trust.")


def _mlcube() -> Iterator[Finding]:
    if shutil.which("mlcube"):
        yield Finding("ok", "mlcube is on the path.")
    else:
        yield Finding("note", "mlcube is not on the path; only `mlcube run` needs it, in its own environment.")


def _answers(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
