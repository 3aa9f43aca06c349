"""Columns beside the labels that look like labels themselves: old ones, predictions, the votes of somebody else.

Judged by one of these, wrong labels look right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cleaning.belief.caveats import Caveat
from cleaning.data import IntMatrix, IntVector
from cleaning.errors import bounded, listed
from cleaning.labels.classes import Labels
from cleaning.labels.columns import LABEL_NAMES, Column

# Fewer rows tell nothing. Columns with more different values are no categories, which so many first rows often show.
_FEWEST = 20
_MOST_LEVELS, _FIRST = 200, 5_000
# The share of a column's values that are names of the labels.
_SHARED = 0.95
# Names that features have as well as labels.
_ANSWERS = {"yes", "no", "y", "n", "true", "false"}
# Cohen's kappa from which a column with the names of the labels is another label, where no feature has such names, and
# where one may; from the last one it is doubtful. Annotators who hardly agree are above the first.
_AGREE, _AGREE_ON_ANSWERS, _AGREE_SOMEWHAT = 0.2, 0.8, 0.4
# That of the class that each value points to: with one value per class; and with more values, of which features that
# tell the class well are a case.
_TELLS, _TELLS_WITH_MORE = 0.8, 0.99


@dataclass(frozen=True)
class OtherLabels:
    """Names of columns. sure: they have the names of the labels and agree with them, or are called like labels and tell
    them. doubtful: they agree with the labels, but may also be features, or the user says that they are.
    """

    sure: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()


def other_labels(columns: Sequence[Column], labels: Labels, *, named: bool) -> OtherLabels:
    """Which of these columns look like another label of the same rows.

    named: the user named them to judge the rows by, so none is sure.
    """
    rows = np.flatnonzero(labels.codes >= 0)
    sure, doubtful = [], []
    for column in columns:
        found = _levels(column, rows)
        if found is None:
            continue
        names, codes = found
        here = rows[codes >= 0]
        if len(here) < _FEWEST:
            continue
        table = np.zeros((len(names), len(labels.names)), dtype=np.int64)
        np.add.at(table, (codes[codes >= 0], labels.codes[here]), 1)
        verdict = _verdict(column.name, names, table, labels.names)
        if verdict == "sure" and not named:
            sure.append(column.name)
        elif verdict is not None:
            doubtful.append(column.name)
    return OtherLabels(tuple(sure), tuple(doubtful))


def caveat_of(doubtful: Sequence[str], fix: str) -> tuple[Caveat, ...]:
    """That these columns agree with the labels; none where there are no such columns."""
    if not doubtful:
        return ()
    they = "it agrees" if len(doubtful) == 1 else "they agree"
    sentence = f"{_looking(doubtful)}: {they} with the given labels, so that wrong ones look right"
    return (Caveat("another label", sentence, fix, hides_count=False),)


def left_out_caveat(sure: Sequence[str], fix: str) -> Caveat:
    """That the rows are not judged by these columns."""
    sentence = f"{_looking(sure)}, so the rows are not judged by {'it' if len(sure) == 1 else 'them'}"
    return Caveat("another label", sentence, fix, hides_count=False)


def _looking(names: Sequence[str]) -> str:
    return f"{listed_names(names)} {'looks like another label' if len(names) == 1 else 'look like other labels'}"


def listed_names(names: Sequence[str]) -> str:
    """Names of columns, as they are written in sentences."""
    return listed([f"`{bounded(name)}`" for name in names])


def _levels(column: Column, rows: IntVector) -> tuple[list[str], IntVector] | None:
    """The different values of a column, and which of them these rows have (-1: none); None if it is no category.

    All rows are looked at, since which are drawn would depend on their order.
    """
    if column.kind == "number":
        values = column.values[rows]
        known = np.isfinite(values)
        given = values[known]
        if not _are_whole(given) or len(np.unique(given[:_FIRST])) > _MOST_LEVELS:
            return None
        different, inverse = np.unique(given, return_inverse=True)
        names = [f"{value:.0f}" for value in different.tolist()]
    elif column.kind == "text":
        texts = [column.values[row] for row in rows.tolist()]
        known = np.array([text is not None for text in texts], dtype=bool)
        named = [text for text in texts if text is not None]
        if len(set(named[:_FIRST])) > _MOST_LEVELS:
            return None
        place = {name: number for number, name in enumerate(dict.fromkeys(named))}
        inverse = np.array([place[name] for name in named], dtype=np.int64)
        names = list(place)
    else:
        return None
    if not 1 < len(names) <= _MOST_LEVELS:
        return None
    codes = np.full(len(rows), -1)
    codes[known] = inverse
    return names, codes


def _are_whole(values: NDArray[np.float64]) -> bool:
    return bool((values[:50] % 1 == 0).all() and (values % 1 == 0).all())


def _verdict(
    column: str, levels: Sequence[str], table: IntMatrix, names: Sequence[str]
) -> Literal["sure", "doubtful"] | None:
    """What a column of these levels, the rows of the table, is in view of the labels."""
    plain = {level.casefold() for level in levels if level in names}
    numbers = all(level.lstrip("+-").isdecimal() for level in plain)
    kappa, tells = _agreement(levels, table, names), _tells(table)
    if kappa >= (_AGREE_ON_ANSWERS if numbers or plain <= _ANSWERS else _AGREE):
        return "sure"
    if tells:
        return "sure" if column.casefold() in LABEL_NAMES else "doubtful"
    # of features that are 0 and 1, many agree with labels that are
    return "doubtful" if kappa >= _AGREE_SOMEWHAT and not (numbers and len(plain) == 2) else None


def _agreement(levels: Sequence[str], table: IntMatrix, names: Sequence[str]) -> float:
    """Cohen's kappa of the levels with the labels; 0 unless they have the same names."""
    number = {name: code for code, name in enumerate(names)}
    shared = [place for place, level in enumerate(levels) if level in number]
    if len(shared) < 2 or table[shared].sum() < _SHARED * table.sum():
        return 0.0
    table, classes = table[shared], np.array([number[levels[place]] for place in shared])
    same = int(table[np.arange(len(classes)), classes].sum())
    return _kappa(table, classes, same)


def _tells(table: IntMatrix) -> bool:
    """Whether the levels, the rows of the table, nearly tell the labels: each from the other rows of its level."""
    table = table[table.any(axis=1)]
    best = table.argmax(axis=1)
    most = table.max(axis=1)
    second = np.sort(table, axis=1)[:, -2] if table.shape[1] > 1 else np.zeros_like(most)
    right = int(most[most - 1 > second].sum())
    one_each = len(np.unique(best)) == len(best) > 1
    return _kappa(table, best, right) >= (_TELLS if one_each else _TELLS_WITH_MORE)


def _kappa(table: IntMatrix, classes: IntVector, right: int) -> float:
    """Cohen's kappa of the class that each level stands for with the labels. right: how many rows agree."""
    total = table.sum()
    said = np.bincount(classes, weights=table.sum(axis=1), minlength=table.shape[1]) / total
    chance = float(said @ (table.sum(axis=0) / total))
    return 0.0 if chance >= 1 else float((right / total - chance) / (1 - chance))
