"""What follows when a submission is accepted: its score, and when the next may come."""

from datetime import datetime

from cleaning.errors import printable
from evaluation.contest.admission import Admitted
from evaluation.contest.boards import public_score
from evaluation.contest.rate import shown
from evaluation.contract.registry import rules_of
from evaluation.contract.task import Case, Rejected, Task
from evaluation.files.lock import only_writer
from evaluation.files.progress import Reporter
from evaluation.harness.accepted import accepted_case
from evaluation.harness.evaluate import Books, publish, score_cases
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters


def settle(
    subject: str,
    admitted: Admitted,
    task: Task,
    folders: Folders,
    parameters: Parameters,
    books: Books,
    reporter: Reporter,
) -> float | None:
    """Says what a submission was accepted as, scores it, and says when the next may come; returns its public score."""
    entry = admitted.entry
    what = f"submission {entry.number} of {entry.team} to {entry.dataset}"
    state = f"already accepted as {what} at {shown(entry.received)}" if admitted.again else f"accepted as {what}"
    reporter.say(printable(f"{subject}: {state}{admitted.found and f' ({admitted.found})'}"))
    scored = _score(admitted, task, folders, parameters, books, reporter)
    say_next(entry.team, entry.dataset, admitted.allowed, task, parameters, reporter)
    return scored


def say_next(
    team: str, data_id: str, allowed: datetime | None, task: Task, parameters: Parameters, reporter: Reporter
) -> None:
    """Says when a team's next submission to a data id may come, if a rule says anything about it."""
    rate = rules_of(task, parameters).rate
    if rate is not None and rate.limits:
        may = f"{team} has no submissions to {data_id} left"
        if allowed is not None:
            may = f"{team} may submit to {data_id} again from {shown(allowed)}"
        reporter.say(printable(f"  next: {may}"))


def _score(
    admitted: Admitted, task: Task, folders: Folders, parameters: Parameters, books: Books, reporter: Reporter
) -> float | None:
    """Scores what has no score yet of the team's accepted submissions to the data id, and says the public score."""
    entry = admitted.entry
    with only_writer(folders.results_folder, reporter.warn):
        books.read()
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
        return None
    part = " on the public part" if "public" in newest.scores else ""
    score = public_score(newest, task)
    reporter.say(f"  score{part}: {task.main.name} {score:.6f} ({task.main.direction})")
    return score
