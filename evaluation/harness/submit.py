"""What `fixfirst submit` does: a file or an algorithm becomes numbered submissions of a team, scored at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cleaning.errors import FixfirstError, InvalidInput, printable, sentence
from evaluation.contest.accepted import staged
from evaluation.contest.admission import admit, checked_team
from evaluation.contract.loading import load_parameters
from evaluation.contract.registry import chosen_task
from evaluation.files.names import is_hidden
from evaluation.files.progress import Reporter
from evaluation.files.whole import plain_errors
from evaluation.harness.evaluate import Books
from evaluation.harness.judging.code import IMAGE, is_code
from evaluation.harness.judging.sets import judge
from evaluation.harness.settle import settle
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.submissions.addressed import addressed, named
from evaluation.submissions.time_files import is_called_like_one


def submit(entry: str, team: str, folders: Folders, reporter: Reporter, *, task: str | None = None) -> bool:
    """Takes a file or an algorithm for a team, says what became of it and when the next may come.

    task: the task that it answers; default: of a file, as its name says. Returns whether it has a score, an algorithm
    on every data id. Raises FixfirstError if the file is not accepted.
    """
    parameters = load_parameters(folders.parameters_file)
    return _submit(entry, team, folders, parameters, Books.opened(folders), reporter, task)


def submit_inbox(inbox: Path, folders: Folders, reporter: Reporter, *, task: str | None = None) -> bool:
    """Takes everything in a folder, the oldest first: TEAM/ENTRY, or DATAID_TEAM with the suffix of a file of answers.

    All stays where it is. What was accepted before is not taken again, and an algorithm that failed is not run again,
    so that the same command continues after a kill and takes later what has to wait. Returns whether everything is
    accepted and has a score.
    """
    parameters, complete = load_parameters(folders.parameters_file), True
    books = Books.opened(folders)
    for path in _waiting(inbox):
        try:
            _refuse_link(path, inbox)
            team = path.parent.name if path.parent != inbox else _team_in_name(path, parameters)
            with _naming_folder(path.parent if path.parent != inbox else path):
                complete &= _submit(str(path), team, folders, parameters, books, reporter, task, once=True)
        except Exception as error:
            if os.environ.get("FIXFIRST_DEBUG"):
                raise
            own = sentence(error) if isinstance(error, FixfirstError) else printable(f"{path}: {sentence(error)}")
            reporter.warn(f"not accepted: {own}")
            complete = False
    return complete


@contextmanager
def _naming_folder(path: Path) -> Iterator[None]:
    """Names what the team is called after in an inbox, where an error names the flag that says it elsewhere."""
    try:
        yield
    except InvalidInput as error:
        if not str(error.place).startswith("--team"):
            raise
        fix = error.fix if error.fix.startswith("use") else f"{error.fix}, and rename it"
        raise InvalidInput(path, f"as the name of a team: {error.problem}", fix) from None


def _submit(
    entry: str,
    team: str,
    folders: Folders,
    parameters: Parameters,
    books: Books,
    reporter: Reporter,
    task: str | None,
    *,
    once: bool = False,
) -> bool:
    team = checked_team(team)
    path = Path(entry)
    if not entry.startswith(IMAGE) and not os.path.lexists(path):
        raise InvalidInput(path, "there is no such file", "check the path")
    if path.is_symlink():
        raise InvalidInput(path, "this is a link", "give what it points to")
    if is_code(entry):
        chosen = chosen_task(task, parameters)
        return judge(entry, folders, parameters, chosen, reporter, team=team, books=books, once=once)
    found, data_id = addressed(path, task, parameters)
    with staged(path, data_id, team, folders) as copy:
        admitted = admit(copy, found, folders, parameters, books.log, once=once)
    return settle(entry, admitted, found, folders, parameters, books, reporter) is not None


def _waiting(inbox: Path) -> list[Path]:
    """What is in an inbox and in the folders of its teams, the oldest first; neither hidden nor time files."""
    with plain_errors(inbox, "read the folder"):
        if not inbox.is_dir():
            raise InvalidInput(inbox, "this is not a folder", "name the folder with the files that were handed in")
        top = [path for path in inbox.iterdir() if not is_hidden(path.name)]
        teams = [path for path in top if path.is_dir() and not path.is_symlink()]
        inside = [path for team in teams for path in team.iterdir() if not is_hidden(path.name)]
        found = [path for path in (*top, *inside) if path not in teams and not is_called_like_one(path)]
        return sorted(found, key=lambda path: (path.lstat().st_mtime, path))


def _refuse_link(path: Path, inbox: Path) -> None:
    """Rejects links: they would take in a file that its sender may not be able to read."""
    if Path(os.path.realpath(path)) != Path(os.path.realpath(inbox)) / path.relative_to(inbox):
        raise InvalidInput(path, "this is a link", "put the file itself there")


def _team_in_name(path: Path, parameters: Parameters) -> str:
    if is_code(str(path)):
        raise InvalidInput(path, "the name does not say whose it is", "put it into a folder named after its team")
    found = named(path, parameters)
    if found is None:
        problem = "the name does not start with a known data id and an underscore"
        raise InvalidInput(
            path, problem, f"name it DATAID_TEAM{path.suffix}, or put it into a folder named after its team"
        )
    return path.stem[len(found[1]) + 1 :]
