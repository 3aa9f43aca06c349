"""What `fixfirst submit` does: a file becomes a numbered submission of a team, and is scored at once."""

import os
from pathlib import Path

from cleaning.errors import FixfirstError, InvalidInput, printable, sentence
from evaluation.contest.accepted import staged
from evaluation.contest.admission import Admitted, admit, checked_team, shown
from evaluation.contest.boards import public_score
from evaluation.contract.loading import load_parameters
from evaluation.contract.task import Case, Rejected, Task
from evaluation.files.lock import only_writer
from evaluation.files.names import is_hidden
from evaluation.files.progress import Reporter
from evaluation.files.whole import plain_errors
from evaluation.harness.accepted import accepted_case
from evaluation.harness.evaluate import Books, publish, score_cases
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.submissions.addressed import addressed, named

_CODE = (".py", ".sh", ".zip", ".tar", ".gz", ".tgz", ".xz", ".bz2")


def submit(path: Path, team: str, folders: Folders, reporter: Reporter, *, task: str | None = None) -> bool:
    """Takes a file for a team, says what became of it and when the next may come; returns whether it has a score.

    task: the task that the file answers; default: as its name says. Raises FixfirstError if the file is not accepted.
    """
    return _submit(path, team, folders, load_parameters(folders.parameters_file), reporter, task)


def submit_inbox(inbox: Path, folders: Folders, reporter: Reporter, *, task: str | None = None) -> bool:
    """Takes every file of a folder, the oldest first: TEAM/FILE, or DATAID_TEAM with its suffix.

    The files stay where they are. One that was accepted before is not taken again, so that the same command continues
    after a kill and takes later what has to wait. Returns whether every file is accepted and has a score.
    """
    parameters, complete = load_parameters(folders.parameters_file), True
    for path in _waiting(inbox):
        try:
            _refuse_link(path, inbox)
            team = path.parent.name if path.parent != inbox else _team_in_name(path, parameters)
            complete &= _submit(path, team, folders, parameters, reporter, task, once=True)
        except Exception as error:
            if os.environ.get("FIXFIRST_DEBUG"):
                raise
            own = sentence(error) if isinstance(error, FixfirstError) else printable(f"{path}: {sentence(error)}")
            reporter.warn(f"not accepted: {own}")
            complete = False
    return complete


def _submit(
    path: Path,
    team: str,
    folders: Folders,
    parameters: Parameters,
    reporter: Reporter,
    task: str | None,
    *,
    once: bool = False,
) -> bool:
    team = checked_team(team)
    _refuse_code(path)
    found, data_id = addressed(path, task, parameters)
    with staged(path, data_id, team, folders) as copy:
        admitted = admit(copy, found, folders, parameters, once=once)
    entry = admitted.entry
    what = f"submission {entry.number} of {team} to {data_id}"
    state = f"already accepted as {what} at {shown(entry.received)}" if admitted.again else f"accepted as {what}"
    reporter.say(printable(f"{path}: {state} ({admitted.found})"))
    scored = _score(admitted, found, folders, parameters, reporter)
    reporter.say(f"  next: {_next(admitted)}")
    return scored


def _score(admitted: Admitted, task: Task, folders: Folders, parameters: Parameters, reporter: Reporter) -> bool:
    """Scores what has no score yet of the team's accepted submissions to the data id, and says the public score."""
    entry = admitted.entry
    with only_writer(folders.results_folder, reporter.warn):
        books = Books.opened(folders)
        own = [accepted_case(one, task, folders, parameters) for one in books.log.accepted(entry.slot)]
        for item in own:
            if isinstance(item, Rejected):
                reporter.warn(f"failed: {item.error}")
        cases = [item for item in own if isinstance(item, Case)]
        score_cases(task, cases, folders, parameters, books, reporter)
        publish(task, folders, parameters, books)
    newest = books.log.newest(entry.slot, entry.number or 0)
    if newest is None or newest.verdict != "ok":
        reporter.warn(f"submission {entry.number} has no score yet; `fixfirst evaluate` tries again, nothing is lost")
        return False
    part = " on the public part" if "public" in newest.scores else ""
    direction = task.main.direction
    reporter.say(f"  score{part}: {task.main.name} {public_score(newest, task):.6f} ({direction})")
    return True


def _next(admitted: Admitted) -> str:
    team, allowed = admitted.entry.team, admitted.allowed
    if allowed is None:
        return f"{team} has no submissions to {admitted.entry.dataset} left"
    return f"{team} may submit to {admitted.entry.dataset} again from {shown(allowed)}"


def _refuse_code(path: Path) -> None:
    """Rejects what is not a file of answers. The one place where entries that have to be run first would go."""
    with plain_errors(path, "look at the file"):
        if not os.path.lexists(path):
            raise InvalidInput(path, "there is no such file", "check the path")
        if path.is_dir() or path.suffix.lower() in _CODE:
            what = "a folder" if path.is_dir() else "code or an archive"
            raise InvalidInput(
                path, f"this is {what}, and `submit` takes answers only", "run it, and submit its answer"
            )


def _waiting(inbox: Path) -> list[Path]:
    """The files of an inbox and of the folders in it, the oldest first; neither hidden files nor time files."""
    with plain_errors(inbox, "read the folder"):
        if not inbox.is_dir():
            raise InvalidInput(inbox, "this is not a folder", "name the folder with the files that were handed in")
        top = [path for path in inbox.iterdir() if not is_hidden(path.name)]
        teams = [path for path in top if path.is_dir() and not path.is_symlink()]
        inside = [path for team in teams for path in team.iterdir() if not is_hidden(path.name)]
        found = [path for path in (*top, *inside) if path not in teams and not _is_time(path)]
        return sorted(found, key=lambda path: (path.lstat().st_mtime, path))


def _is_time(path: Path) -> bool:
    return path.suffix == ".seconds" or (path.name.startswith("time_") and path.suffix == ".txt")


def _refuse_link(path: Path, inbox: Path) -> None:
    """Rejects links: they would take in a file that its sender may not be able to read."""
    if Path(os.path.realpath(path)) != Path(os.path.realpath(inbox)) / path.relative_to(inbox):
        raise InvalidInput(path, "this is a link", "put the file itself there")


def _team_in_name(path: Path, parameters: Parameters) -> str:
    found = named(path, parameters)
    if found is None:
        problem = "the name does not start with a known data id and an underscore"
        raise InvalidInput(
            path, problem, f"name it DATAID_TEAM{path.suffix}, or put it into a folder named after its team"
        )
    return path.stem[len(found[1]) + 1 :]
