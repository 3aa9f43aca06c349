"""Admission of submissions: `validate --as=TEAM` checks a file and the rate limits, and logs the verdict."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

from cleaning.errors import FixfirstError, InvalidInput, Place
from evaluation.contest.log import Entry, Slot, SubmissionLog, clock
from evaluation.contract.registry import rules_of
from evaluation.contract.task import Task
from evaluation.files.names import composed
from evaluation.files.whole import sha256_file
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.settings.rules import Rate
from evaluation.submissions.answers import data_id_of

_SKEW = timedelta(minutes=1)
"""The most by which the clocks of two machines that write to the same log may differ."""


def next_allowed(made: Sequence[datetime], now: datetime, rate: Rate) -> datetime | None:
    """The earliest time of the next submission, never before `now`; None if no more are allowed.

    made: the times, in UTC, of the submissions counted so far.
    """
    if not rate.enabled:
        return now
    if rate.total is not None and len(made) >= rate.total:
        return None
    times = [now]
    if made:
        times.append(max(made) + timedelta(minutes=rate.minutes_apart))
    if rate.since is not None:
        times.append(_midnight(rate.since))
    if rate.per_day is not None:
        times.append(_midnight(_open_day(made, max(times).date(), rate.per_day, rate)))
    return max(times)


def _open_day(made: Sequence[datetime], today: date, per_day: int, rate: Rate) -> date:
    """The first day, from `today` on, on which one more submission is allowed."""
    if rate.accumulate:
        start = rate.since or (min(made).date() if made else today)
        return max(today, start + timedelta(days=len(made) // per_day))
    full = sum(moment.date() >= today for moment in made) >= per_day
    return today + timedelta(days=1) if full else today


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def admit(path: Path, team: str, task: Task, folders: Folders, parameters: Parameters) -> str:
    """Validates a team's file, applies the rate limits, logs the verdict and returns a description of the submission.

    Submitting the same file again does not create a new submission. An invalid file is logged but does not count.
    Raises FixfirstError for an invalid file, for a rate limit that is exceeded (with the time of the next allowed
    submission), and for a clock that is behind the log.
    """
    team = _checked_team(team)
    log = SubmissionLog(folders.submission_log)
    data_id = data_id_of(path, task.name, parameters, task.suffixes)
    _check_name(path.with_name(f"{data_id}_{team}{path.suffix}"), data_id, parameters)
    slot: Slot = (task.name, data_id, team, parameters.seeds[0])
    before = sha256_file(path)
    try:
        found = task.validate(path, folders, parameters)
        if sha256_file(path) != before:
            raise InvalidInput(path, "the file changed while it was being read", "finish writing it, then submit it")
    except FixfirstError as error:
        with log.locked():
            _append(log, slot, path, before, "failed", str(error), clock())
        raise
    rate = rules_of(task, parameters).rate or Rate()
    with log.locked():
        same = _accepted(log, slot, before)
        if same is not None:
            return f"{found}; already accepted as submission {same.number} at {_shown(same.received)}"
        now = _checked_clock(log)
        made = [entry.received.astimezone(UTC) for entry in _counted(log, slot)]
        allowed = next_allowed(made, now, rate)
        if allowed is None or allowed > now:
            reason = _refusal(made, allowed, rate, team)
            _append(log, slot, path, before, "refused", reason, now)
            raise InvalidInput(path, reason, "submit it then" if allowed else "rely on your earlier submissions")
        entry = _append(log, slot, path, before, "accepted", None, now)
    return f"{found}; accepted as submission {entry.number} of {team}"


def _checked_team(team: str) -> str:
    if not team or len(team) > 100 or team != team.strip() or not team.isprintable() or set(team) & set("/\\"):
        raise InvalidInput(
            f"--as={team!r}", "this is not a valid team name", "use up to 100 letters, digits and spaces"
        )
    return composed(team)


def _check_name(path: Path, data_id: str, parameters: Parameters) -> None:
    """Rejects a team whose file, scored under this name, would be read as an answer to another data id."""
    found = data_id_of(path, None, parameters, [path.suffix])
    if found != data_id:
        raise InvalidInput(
            "--as", f"{path.name} would be an answer to the data id {found}, not {data_id}", "choose another team name"
        )


def _counted(log: SubmissionLog, slot: Slot) -> list[Entry]:
    """One entry per submission that counts towards the limits: accepted, or scored without asking for admission."""
    found: dict[int | None, Entry] = {}
    for entry in log.slots.get(slot, ()):
        if entry.verdict in ("accepted", "ok"):
            found.setdefault(entry.number, entry)
    return list(found.values())


def _accepted(log: SubmissionLog, slot: Slot, sha256: str) -> Entry | None:
    """The entry of the slot's newest counted submission if it is this very file, else None."""
    counted = _counted(log, slot)
    return counted[-1] if counted and counted[-1].sha256 == sha256 else None


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
            f"its time ({_shown(newest)}) is later than this machine's clock ({_shown(now)})",
            "set the correct time; no submission is accepted before the time of that line",
        )
    return max(now, newest)


def _append(
    log: SubmissionLog,
    slot: Slot,
    path: Path,
    sha256: str,
    verdict: Literal["accepted", "refused", "failed"],
    reason: str | None,
    now: datetime,
) -> Entry:
    """Logs a verdict, unless the slot's newest entry already records it for the same file."""
    own = log.slots.get(slot, [])
    if own and (own[-1].sha256, own[-1].verdict, own[-1].reason) == (sha256, verdict, reason):
        return own[-1]
    entry = Entry(
        task=slot[0],
        dataset=slot[1],
        team=slot[2],
        seed=slot[3],
        number=log.next_number(slot) if verdict == "accepted" else None,
        received=now,
        written=now,
        file=path.name,
        sha256=sha256,
        verdict=verdict,
        reason=reason,
    )
    log.append(entry)
    return entry


def _refusal(made: Sequence[datetime], allowed: datetime | None, rate: Rate, team: str) -> str:
    if allowed is None:
        return f"{team} has used all {rate.total} allowed submissions"
    rules = [f"{rate.per_day} a day{', accumulating' if rate.accumulate else ''}"] if rate.per_day else []
    rules += [f"{rate.minutes_apart:g} minutes apart"] if rate.minutes_apart else []
    rules += [f"starting on {rate.since}"] if rate.since else []
    whole = allowed.replace(microsecond=0) + timedelta(seconds=allowed.microsecond > 0)
    count = f"{len(made)} submission{'s' if len(made) != 1 else ''}"
    return f"{team} has made {count} ({'; '.join(rules)}): the next is allowed at {_shown(whole)}"


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
