"""The columns of a row beside those of the rows near it, those first that tell most, with numbers that can be read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cleaning.data import FloatVector

_MOST_COLUMNS, _MOST_TELLING = 40, 12
_IN_SNIPPET, LONGEST_SNIPPET = 4, 200
# Numbers are rounded to this share of how far they are spread, and those that are all the same to so many digits.
_SHARE, _DIGITS = 0.05, 4
_MOST_DECIMALS = 9


@dataclass(frozen=True)
class Column:
    """A column of a row, with what is typical for the rows near it of the suggested and of the given class.

    typical values: None if there is nothing to compare with. decimals: of its numbers; None for other values.
    """

    name: str
    value: str
    suggested: str | None
    given: str | None
    decimals: int | None


def columns_of(
    own: Mapping[str, str], suggested: Sequence[Mapping[str, str]], given: Sequence[Mapping[str, str]]
) -> list[Column]:
    """The columns of a row, beside those of rows near it.

    With rows of both classes, those first that best tell the suggested class from the given one. With rows of the
    suggested class alone, those first that are least like theirs. Without any, in the order of the file.
    """
    if not suggested:
        columns = list(own.items())[:_MOST_COLUMNS]
        return [Column(name, _rounded(value, digits), None, None, digits) for name, value, digits in _alone(columns)]
    found = []
    for name, value in own.items():
        texts = [value, *(one.get(name, "") for one in (*suggested, *given))]
        like, unlike = texts[1 : 1 + len(suggested)], texts[1 + len(suggested) :]
        decimals = _decimals(texts)
        column = Column(
            name=name,
            value=_rounded(value, decimals),
            suggested=_typical(like, decimals),
            given=_typical(unlike, decimals) if unlike else None,
            decimals=decimals,
        )
        found.append((_telling(value, like, unlike), column))
    return [column for _, column in sorted(found, key=lambda pair: -pair[0])[:_MOST_TELLING]]


def snippet(own: Mapping[str, str], telling: Sequence[Column]) -> str:
    """A few columns of a row in one line: those that tell most about another row, or the first ones."""
    chosen = [(one.name, own[one.name], one.decimals) for one in telling if one.name in own]
    some = chosen[:_IN_SNIPPET] or _alone(list(own.items())[:_IN_SNIPPET])
    return "; ".join(f"{name} {_rounded(value, decimals)}" for name, value, decimals in some)[:LONGEST_SNIPPET]


def _alone(columns: Sequence[tuple[str, str]]) -> list[tuple[str, str, int | None]]:
    return [(name, value, _decimals([value])) for name, value in columns]


def _numbers(texts: Sequence[str]) -> FloatVector | None:
    """The texts as numbers, NaN for empty ones; None if they are not numbers."""
    try:
        found = np.array([float(text) if text else np.nan for text in texts], dtype=np.float64)
    except ValueError:
        return None
    there = found[~np.isnan(found)]
    return found if len(there) and np.isfinite(there).all() else None


def _spread(numbers: FloatVector) -> float:
    """Their standard deviation, without overflow for large ones."""
    largest = float(np.nanmax(np.abs(numbers))) or 1.0
    return float(np.nanstd(numbers / largest)) * largest


def _decimals(texts: Sequence[str]) -> int | None:
    """To how many decimals numbers are shown, so that their differences can be seen; None for other texts."""
    numbers = _numbers(texts)
    if numbers is None:
        return None
    step = _SHARE * _spread(numbers) or float(np.nanmax(np.abs(numbers))) * 10.0 ** (1 - _DIGITS) or 1.0
    wanted = max(-int(np.floor(np.log10(step))), 0)
    if any("e" in text.lower() for text in texts):
        return wanted
    return min(wanted, max(len(text.partition(".")[2].rstrip("0")) for text in texts))


def _rounded(text: str, decimals: int | None) -> str:
    """A value as it is shown. Whole numbers stay as they are written: they may be codes."""
    if decimals is None or not text or text.lstrip("+-").isdecimal():
        return text
    number = float(text)
    if decimals > _MOST_DECIMALS or abs(number) >= 10.0**15:
        return f"{number:.{_DIGITS}g}"
    return f"{round(number, decimals) + 0.0:.{decimals}f}"


def _typical(texts: Sequence[str], decimals: int | None) -> str:
    numbers = None if decimals is None else _numbers(texts)
    if numbers is None:
        return Counter(texts).most_common(1)[0][0]
    return _rounded(str(2 * float(np.nanmedian(numbers / 2))), decimals)


def _telling(value: str, suggested: Sequence[str], given: Sequence[str]) -> float:
    """How much more a value is like those of the suggested class than like those of the given one.

    In standard deviations; values of two different classes are about two apart, as are words that only one of them has.
    Without any of the given class: how much it is unlike those of the suggested one.
    """
    numbers = [_numbers([value]), _numbers(suggested), _numbers(given) if given else np.zeros(0)]
    if any(one is None for one in numbers):
        like = suggested.count(value) / len(suggested)
        return 2 * (like - given.count(value) / len(given) if given else 1 - like)
    own, like_it, unlike = [one for one in numbers if one is not None]
    spread = _spread(np.concatenate([own, like_it, unlike]))
    if not spread:
        return 0.0
    here = float(own[0]) / spread
    off = abs(here - float(np.nanmedian(like_it / spread)))
    other = abs(here - float(np.nanmedian(unlike / spread))) if given else 2 * off
    return other - off
