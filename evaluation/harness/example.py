"""A workspace small enough to read, with one submission that is scored and one that is refused."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import cast

from cleaning.errors import FixfirstError, InvalidInput
from evaluation.contract import registry
from evaluation.contract.example import DATA_ID, Example
from evaluation.contract.loading import load_parameters
from evaluation.files.lock import temporary_folder
from evaluation.files.progress import Reporter
from evaluation.files.whole import plain_errors, write_text
from evaluation.settings.folders import Folders


def write_example(task: str, folder: Path, reporter: Reporter) -> None:
    """Writes a workspace with parameters.yaml, the truth, submissions/, broken/ and a README.txt, all or nothing.

    Raises InvalidInput for a task without an example, or a folder that is not empty.
    """
    write = cast("Callable[[Path, Path], Example]", registry.examples()[task].member)
    with plain_errors(folder, "look into the folder"):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InvalidInput(
                folder, "it already exists and is not an empty folder", "choose a new folder with --output=DIR"
            )
    with temporary_folder(folder) as staged:
        _fill(task, write, staged, folder)
        staged.chmod(0o755)
        staged.replace(folder)
    reporter.say((folder / "README.txt").read_text())


def _fill(task: str, write: Callable[[Path, Path], Example], staged: Path, folder: Path) -> None:
    import yaml

    folders = Folders.in_workspace(staged)
    made = write(folders.embedding_folder, folders.groundtruth_folder)
    block = {"task": task, "ids": [DATA_ID], **made.block}
    text = yaml.safe_dump({"tasks": [task], "datasets": {"tiny": block}}, sort_keys=False)
    write_text(folders.parameters_file, text)
    good = staged / "submissions" / f"{DATA_ID}_good{made.suffix}"
    broken = staged / "broken" / f"{DATA_ID}_broken{made.suffix}"
    write_text(good, made.good)
    write_text(broken, made.broken)
    truth = sorted(path for part in ("embeddings", "data") for path in (staged / part).rglob("*") if path.is_file())
    answers = [(path, _answer(task, path, folders)) for path in (good, broken)]
    lines = _lines(task, [path.relative_to(staged) for path in truth], folder)
    for path, answer in answers:
        command = shlex.join(["fixfirst", "validate", str(folder / path.relative_to(staged)), f"--task={task}"])
        lines += [f"  {command} {_at(folder)}", f"    {answer.replace(str(staged), str(folder))}"]
    board = f"leaderboard --task={task}" + (" --board=public" if "split" in made.block else "")
    lines += [f"  fixfirst {step} {_at(folder)}" for step in ("evaluate", board, "plot")]
    write_text(staged / "README.txt", "\n".join([*lines, ""]))


def _lines(task: str, truth: list[Path], folder: Path) -> list[str]:
    return [
        f"A tiny example of the task {task}. {registry.tasks()[task].summary}",
        "",
        f"The data id is `{DATA_ID}`. In {folder}:",
        *(f"  {path}" for path in truth),
        "  submissions/   a valid submission, named DATAID_TEAM",
        "  broken/        a submission with a mistake",
        "",
        "Run these commands, one after the other:",
        "",
    ]


def _answer(task: str, path: Path, folders: Folders) -> str:
    """What `fixfirst validate` reports about a file."""
    try:
        return f"valid ({registry.task(task).validate(path, folders, load_parameters(folders.parameters_file))})"
    except FixfirstError as error:
        return f"not valid: {error}"


def _at(folder: Path) -> str:
    return shlex.join([f"--workspace={folder}"])
