"""Admission: what a team hands in is checked, counted against the rate limits, kept and logged."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from cleaning.errors import BadData, FixfirstError, InvalidInput, Place, printable
from evaluation.contest.accepted import HandedIn, Staged, keep
from evaluation.contest.log import Entry, Slot, SubmissionLog, clock
from evaluation.contest.rate import next_allowed, refusal, shown
from evaluation.contract.registry import bounds, rules_of
from evaluation.contract.task import Task
from evaluation.files.names import composed, is_hidden, not_hidden
from evaluation.files.whole import sha256_file, sync_folder
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.settings.rules import Rate
from evaluation.submissions.addressed import named
from evaluation.submissions.rankings import seed_folders

_SKEW = timedelta(minutes=1)
"""The most by which the clocks of two machines that write to the same log may differ."""


class Declined(InvalidInput):
    """What was handed in is not accepted now, whatever its answer is; the fix says what to do."""


@dataclass(frozen=True)
class Admitted:
    """An accepted submission.

    entry: the log's entry that accepted it. found: what the task found in the file. again: whether it had been accepted
    before. allowed: when the team's next submission to the data id is allowed, never before now; None if none is.
    """

    entry: Entry
    found: str
    again: bool
    allowed: datetime | None


def admit(
    staged: Staged, task: Task, folders: Folders, parameters: Parameters, log: SubmissionLog, *, once: bool = False
) -> Admitted:
    """Checks a team's answer, applies the rate limits, keeps it under its number and logs the verdict.

    The file that was accepted last does not create a new submission when it is handed in again, nor does the algorithm
    that was accepted last with the same answer; with `once`, nor does any earlier one. An invalid file is logged but
    does not count. When this returns, file and log are on the disk. Raises Declined if a rate limit is exceeded (with
    the time of the next allowed submission); FixfirstError for an invalid file, for a team that is taken for another
    one, and for a clock that is behind the log; BadData if not the file is at fault but the data it is checked against.
    """
    slot = _slot(staged, task, parameters)
    _refuse_confusion(staged, task, folders, parameters, log.read())
    sha256 = sha256_file(staged.answer)
    try:
        found = task.validate(staged.answer, folders, parameters)
    except BadData:
        raise
    except FixfirstError as error:
        blamed = staged.blamed(error)
        with log.locked():
            _append(log, slot, staged, sha256, "failed", str(blamed), clock())
        raise blamed from None
    rate = rules_of(task, parameters).rate or Rate()
    with log.locked():
        _refuse_confusion(staged, task, folders, parameters, log)
        known = [(entry, entry.sha256 == sha256) for entry in _accepted(log, slot, staged, once=once)]
        same = next((entry for entry, equal in known if equal), None)
        now = clock() if same else _checked_clock(log)
        made = _made(log, slot)
        allowed = next_allowed(made, now, rate)
        if same is not None:
            return Admitted(same, found, True, allowed)
        if allowed is None or allowed > now:
            raise _refused(log, slot, staged, sha256, refusal(made, allowed, rate, staged.team), now, allowed)
        number = keep(staged, log.free_number(slot), folders)
        entry = _append(log, slot, staged, sha256, "accepted", None, now, number)
        sync_folder(log.path.parent)
    return Admitted(entry, found, False, next_allowed([*made, now], now, rate))


def may_run(
    handed: HandedIn, task: Task, folders: Folders, parameters: Parameters, log: SubmissionLog, *, once: bool = False
) -> Admitted | None:
    """Whether an algorithm may be run for a team: None if so, else the submission that this algorithm already is.

    What was accepted last is not run again: with the same answer it would be a free look at the data. With `once`, nor
    is what was accepted earlier or failed. Raises as `admit` does, and logs a refusal.
    """
    slot, rate = _slot(handed, task, parameters), rules_of(task, parameters).rate or Rate()
    _refuse_confusion(handed, task, folders, parameters, log.read())
    same = next(iter(_accepted(log, slot, handed, once=once)), None)
    now = clock() if same else _checked_clock(log)
    made = _made(log, slot)
    allowed = next_allowed(made, now, rate)
    if same is not None:
        return Admitted(same, "", True, allowed)
    sha256 = str(handed.code_sha256)
    failed = [one for one in log.slots.get(slot, ()) if _is_failed_run(one) and one.code_sha256 == sha256]
    if once and failed:
        problem = f"it was run on {handed.data_id} before ({failed[-1].reason})"
        raise Declined(handed.origin, problem, "hand in something better, or run it again by naming it to `submit`")
    if allowed is None or allowed > now:
        with log.locked():
            raise _refused(log, slot, handed, sha256, refusal(made, allowed, rate, handed.team), now, allowed)
    return None


def note_failure(
    handed: HandedIn, task: Task, reason: str, parameters: Parameters, log: SubmissionLog
) -> datetime | None:
    """Logs that an algorithm gave no answer that counts. This costs a try: how it failed may tell about the data.

    Returns when the team's next submission to the data id is allowed; None if none is.
    """
    slot, rate = _slot(handed, task, parameters), rules_of(task, parameters).rate or Rate()
    with log.locked():
        now = log.now()
        _append(log, slot, handed, str(handed.code_sha256), "failed", reason, now)
        return next_allowed(_made(log, slot), now, rate)


def checked_team(team: str) -> str:
    """The team's name in composed form. Raises InvalidInput for one that could be a path or cannot be read."""
    odd = team != team.strip() or not team.isprintable() or set(team) & set("/\\") or team[:1] == "." or is_hidden(team)
    if not team or len(team) > 100 or odd:
        raise InvalidInput(
            f"--team={team!r}", "this is not a valid team name", "use up to 100 letters, digits and spaces"
        )
    return composed(team)


def _slot(handed: HandedIn, task: Task, parameters: Parameters) -> Slot:
    return task.name, handed.data_id, handed.team, parameters.seeds[0]


def _made(log: SubmissionLog, slot: Slot) -> list[datetime]:
    """When the submissions that count towards the limits arrived."""
    return [entry.received.astimezone(UTC) for entry in _counted(log, slot)]


def _refuse_confusion(
    handed: HandedIn, task: Task, folders: Folders, parameters: Parameters, log: SubmissionLog
) -> None:
    """Rejects a team that could be taken for another one, or whose file for an answer to another data id."""
    team = handed.team
    if team in bounds():
        raise InvalidInput("--team", f"{team!r} is the name of a bound", "choose another team name")
    name = Path(f"{handed.data_id}_{team}{task.suffixes[0]}")
    found = named(name, parameters)
    if found is not None and found[1] != handed.data_id:
        problem = f"{name.name} would be an answer to the data id {found[1]}, not {handed.data_id}"
        raise InvalidInput("--team", problem, "choose another team name")
    known = {entry.team for entry in log.entries if entry.number is not None and entry.team != team}
    other = next((one for one in sorted(known) if _folded(one) == _folded(team)), None)
    if other is not None:
        problem = f"{team!r} looks like {other!r}, a team that has submitted"
        raise InvalidInput("--team", problem, "write the name the same way, or choose another team name")
    places = seed_folders(folders.submission_folder, parameters.seeds[0])
    for path in (path for place, _ in places for path in not_hidden(place.glob("*"), place)):
        if path.suffix in task.suffixes and composed(path.stem) == f"{handed.data_id}_{team}":
            raise InvalidInput(
                path, f"this file is already an answer of {team!r}", "choose another team name, or move it"
            )


def _folded(team: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", team).casefold())


def _counted(log: SubmissionLog, slot: Slot) -> list[Entry]:
    """One entry per submission that counts towards the limits.

    Those accepted, those scored without asking for admission, and every run of an algorithm that failed.
    """
    own = log.slots.get(slot, ())
    numbered: dict[int | None, Entry] = {}
    for entry in own:
        if entry.verdict in ("accepted", "ok"):
            numbered.setdefault(entry.number, entry)
    return [*numbered.values(), *filter(_is_failed_run, own)]


def _is_failed_run(entry: Entry) -> bool:
    return entry.verdict == "failed" and entry.number is None and entry.code_sha256 is not None


def _accepted(log: SubmissionLog, slot: Slot, handed: HandedIn, *, once: bool) -> list[Entry]:
    """The entries that accepted this very algorithm, or files: the slot's newest entry, or with `once` any."""
    accepted = log.accepted(slot)
    return [entry for entry in (accepted if once else accepted[-1:]) if entry.code_sha256 == handed.code_sha256]


def _checked_clock(log: SubmissionLog) -> datetime:
    """The current time, or the log's newest time if that is slightly later.

    Raises InvalidInput if it is much later: setting the clock back must not allow another submission.
    """
    now = clock()
    line, newest = max(
        ((number, entry.written) for number, entry in enumerate(log.entries, start=1)),
        key=lambda pair: pair[1],
        default=(0, now),
    )
    if newest > now + _SKEW:
        raise InvalidInput(
            Place(log.path, line=line),
            f"its time ({shown(newest)}) is later than this machine's clock ({shown(now)})",
            "set the correct time; no submission is accepted before the time of that line",
        )
    return max(now, newest)


def _refused(
    log: SubmissionLog,
    slot: Slot,
    handed: HandedIn,
    sha256: str,
    reason: str,
    now: datetime,
    allowed: datetime | None,
) -> Declined:
    """Logs that the rate limits refuse something, and returns the error to raise."""
    _append(log, slot, handed, sha256, "refused", reason, now)
    return Declined(handed.origin, reason, "submit it then" if allowed else "rely on your earlier submissions")


def _append(
    log: SubmissionLog,
    slot: Slot,
    handed: HandedIn,
    sha256: str,
    verdict: Literal["accepted", "refused", "failed"],
    reason: str | None,
    now: datetime,
    number: int | None = None,
) -> Entry:
    """Logs a verdict, unless it is a refusal, or the failure of a file, that the log has with the same reason."""
    counts = verdict == "accepted" or (verdict == "failed" and handed.code_sha256 is not None)
    for known in () if counts else log.slots.get(slot, ()):
        if (known.sha256, known.verdict, known.reason) == (sha256, verdict, reason):
            return known
    entry = Entry(
        task=slot[0],
        dataset=slot[1],
        team=slot[2],
        seed=slot[3],
        number=number,
        received=now,
        written=now,
        file=printable(handed.origin.name),
        sha256=sha256,
        verdict=verdict,
        code_sha256=handed.code_sha256,
        reason=reason,
    )
    log.append(entry)
    return entry
