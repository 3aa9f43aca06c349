"""Classes that training and trusted rows name differently, such as 0 to 9 in one file and 1 to 10 in the other."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from cleaning.data import FloatMatrix, IntVector, Split
from cleaning.vectors.folds import class_probabilities
from cleaning.vectors.lengths import centred_alike

# Of the rows of all classes that moved together, at least _MOVED_SHARE must have the other label. Of those with either
# the own or the other label, more than _BOUND must have the other one, at the level _LEVEL.
_MOVED_SHARE, _LEVEL, _BOUND = 0.4, 1e-3, 0.65
# Inverse penalty of the logistic regression on rows of about length 1.
_STRENGTH = 10.0


@dataclass(frozen=True)
class Moved:
    """A class of the trusted rows, and the label that its training rows carry instead."""

    trusted: int
    given: int


def moved_classes(train: Split, trusted: Split) -> list[Moved]:
    """The classes whose training rows carry another label than the trusted rows do.

    A logistic regression on the trusted rows predicts the training rows. The one-to-one assignment of predicted classes
    to given labels that explains most rows consists of cycles (3 is called 8, and 8 is called 3) and of chains from a
    class without training labels to a label without trusted rows (0 to 9 are called 1 to 10). A cycle or chain is
    reported if nearly all of its rows moved.
    """
    classes = np.unique(np.concatenate([train.labels, trusted.labels]))
    given, true = (np.searchsorted(classes, part.labels) for part in (train, trusted))
    if len(np.unique(true)) < 2:
        return []
    known, rows = centred_alike(*(part.features.astype(np.float64) for part in (trusted, train)))
    predicted = class_probabilities(known, true, rows, len(classes), _STRENGTH).argmax(axis=1)
    table = np.zeros((len(classes), len(classes)))
    np.add.at(table, (predicted, given), 1)
    present, named = np.bincount(true, minlength=len(classes)), np.bincount(given, minlength=len(classes))
    goes = _assignment(table, np.flatnonzero(present), np.flatnonzero(named))
    found = []
    for component in _components(goes):
        closed = goes[component[-1]] == component[0]
        # with a single link, these may just be two classes that the other file lacks
        chain = len(component) > 1 and named[component[0]] == 0 and present[goes[component[-1]]] == 0
        if (closed or chain) and _is_moved(table, component, goes):
            found += [Moved(int(classes[one]), int(classes[goes[one]])) for one in component]
    return found


def _assignment(table: FloatMatrix, rows: IntVector, columns: IntVector) -> dict[int, int]:
    """The best one-to-one assignment of classes to labels, without classes that keep most of their own rows."""
    from scipy.optimize import linear_sum_assignment  # a command that needs none of it starts sooner

    chosen = linear_sum_assignment(-table[np.ix_(rows, columns)])
    pairs = [(int(rows[row]), int(columns[column])) for row, column in zip(*chosen, strict=True)]
    return {one: other for one, other in pairs if one != other and table[one, other] > table[one, one]}


def _components(goes: dict[int, int]) -> list[list[int]]:
    """The chains of a mapping, each from its start, then its cycles."""
    left, found = set(goes), []
    for start in [*(one for one in goes if one not in goes.values()), *goes]:
        component, one = [], start
        while one in left:
            left.discard(one)
            component.append(one)
            one = goes[one]
        if component:
            found.append(component)
    return found


def _is_moved(table: FloatMatrix, component: list[int], goes: dict[int, int]) -> bool:
    moved = sum(table[one, goes[one]] for one in component)
    own = sum(table[one, one] for one in component)
    every = sum(table[one].sum() for one in component)
    return bool(moved >= _MOVED_SHARE * every and betaincinv(moved + 0.5, own + 0.5, _LEVEL) > _BOUND)
