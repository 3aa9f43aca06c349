"""How often a team may submit: when its next submission is allowed, and why one is refused."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from cleaning.errors import count_of
from evaluation.settings.rules import Rate


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


def refusal(made: Sequence[datetime], allowed: datetime | None, rate: Rate, team: str) -> str:
    """Why a team may not submit now, and when it may again. allowed: what `next_allowed` says of those made."""
    if allowed is None:
        return f"{team} has used all {rate.total} allowed submissions"
    rules = [f"{rate.per_day} a day{', accumulating' if rate.accumulate else ''}"] if rate.per_day else []
    rules += [f"{rate.minutes_apart:g} minutes apart"] if rate.minutes_apart else []
    rules += [f"starting on {rate.since}"] if rate.since else []
    count = count_of(len(made), "submission")
    return f"{team} has made {count} ({'; '.join(rules)}): the next is allowed at {shown(allowed)}"


def shown(moment: datetime) -> str:
    """A time in UTC, rounded up to the second, so that what is allowed then is allowed."""
    whole = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=moment.microsecond > 0)
    return f"{whole:%Y-%m-%d %H:%M:%S} UTC"
