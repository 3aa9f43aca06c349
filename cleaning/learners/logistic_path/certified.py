"""Accuracies along a path of label changes for three or more classes, with proof.

A state need not be solved to the last digit: it is done as soon as it is proven (see `certificate`) that its test rows
are predicted as at its optimum. States move through a window (see `window`), where they are iterated in float32 in one
metric (see `leading` and `blocks`), which is made anew every few states. When a state seems to be close enough, it
leaves the window and is settled in float64 (see `settling`).
"""

from collections.abc import Iterator
from math import ceil

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, IntVector
from cleaning.learners.logistic_path.axes import Axes
from cleaning.learners.logistic_path.blocks import Blocks
from cleaning.learners.logistic_path.certificate import Certificate
from cleaning.learners.logistic_path.geometry import Columns, chunks
from cleaning.learners.logistic_path.leading import Leading, coupled
from cleaning.learners.logistic_path.leads import Leads, Look
from cleaning.learners.logistic_path.metric import Metric
from cleaning.learners.logistic_path.path import Changes
from cleaning.learners.logistic_path.settling import Leaving, Settling
from cleaning.learners.logistic_path.window import Window

# States in the window, and those after which the metric is made anew.
_WIDEST, _REFRESH = 32, 56
# This share of a full window may enter at once.
_ENTER = 1 / 8
# A wider window takes no more numbers than this for its margins, or than this share of the features.
_MARGINS, _SHARE = 1 << 22, 0.15
# Iterations after which the metric is made anew before the first state is done.
_REFRESH_FIRST = 6
# So many states are settled together.
_TOGETHER = 16
# A state is looked at when its margins are this close, by estimate, and leaves the window when the estimate is this
# share of what would settle it, or after so many iterations: more if it is too far from its optimum for a proof.
_NEAR = 0.02
_CLOSE_ENOUGH = 0.8
_MOST_ITERATIONS, _MOST_FROM_AFAR = 40, 120
# Decrements that float32 does not get below, before any are known.
_FLOOR = 2e-5
_FLOAT_TINY = float(np.finfo(np.float64).tiny)
# A path is given up if more states than this, and more than half of them, could not be settled.
_MOST_LEFT = 8
MOST_CLASSES = 128
"""With more classes, the metric would take too much memory: the square of their number for every column."""


class CertifiedPath:
    """All states of a path; `right` is filled by `run`: how many test rows are predicted right in each state.

    changes: with 3 to MOST_CLASSES outputs. test (m, size): rows in the columns of the geometry, classes (m,): from 0.
    """

    def __init__(self, geometry: Columns, changes: Changes, test: FloatMatrix, classes: IntVector) -> None:
        self._axes = Axes(geometry)
        self._geometry, self._changes = geometry, changes
        self._test = Leads(self._axes, test, classes)
        self._labels = _Labels(geometry, self._axes, changes)
        self._width = _width(geometry, changes.targets.shape[1])
        self._window = Window(self._axes, self._labels.targets, self._width)
        self._pulls = {0: self._labels.pull}
        self._looks: dict[int, Look] = {}
        self._leaving: list[Leaving] = []
        self._ratio, self._floor, self._started = 3.0, _FLOOR, False
        self._next, self._fresh = 1, 0
        metric, certificate = self._made()
        self._settling = Settling(geometry, self._axes, self._test, metric, certificate)

    def run(self) -> Iterator[int]:
        """Yields the number of states settled so far. Those not in `right` at the end have to be solved otherwise."""
        settling, window, ticks = self._settling, self._window, 0
        while len(window) and not self._given_up():
            window.measure(settling.metric)
            if not np.isfinite(window.decrement).all():  # margins out of the range of float32
                break
            done = self._leave()
            if done.any() and window.ids[0] == 0:
                self._started = True
            if len(self._leaving) >= min(_TOGETHER, self._width) or not self._started or done.all():
                self._settle()
                yield len(self.right)
            self._enter(done)
            if not len(window):
                break
            window.advance()
            ticks += 1
            if self._fresh >= _REFRESH or (not self._started and ticks % _REFRESH_FIRST == 0):
                self._refresh()
        self._settle()
        yield len(self.right)

    @property
    def right(self) -> dict[int, int]:
        """How many test rows are predicted right, by state."""
        return self._settling.right

    def _given_up(self) -> bool:
        return len(self._settling.left) > max(_MOST_LEFT, len(self.right))

    def _leave(self) -> NDArray[np.bool_]:
        """Moves states from the window to those to be settled. Returns which."""
        window, certificate = self._window, self._settling.certificate
        slope = self._ratio * window.decrement
        distance = certificate.distance(slope)
        near = distance * certificate.reach.max(initial=0.0) < _NEAR
        new = np.array([number not in self._looks for number in window.ids])
        places = np.flatnonzero(near & new & (window.age > 0))
        if len(places):
            looks = self._test.look(window.weights[:, :, places], certificate.reach)
            self._looks.update(zip(window.ids[places].tolist(), looks, strict=True))
        enough = np.array([self._looks[n].nearest if n in self._looks else 0.0 for n in window.ids.tolist()])
        known = ~new | near
        stuck = known & (window.idle > 1)
        if stuck.any():
            self._floor += 0.2 * (float(window.decrement[stuck].mean()) - self._floor)
        low = known & (window.decrement < 2 * self._floor)
        most = np.where(np.isfinite(distance), _MOST_ITERATIONS, _MOST_FROM_AFAR)
        done: NDArray[np.bool_] = (distance < _CLOSE_ENOUGH * enough) | stuck | low | (window.age >= most)
        for place in np.flatnonzero(done):
            number, weights = int(window.ids[place]), window.weights[:, :, place].astype(np.float64)
            look = self._looks.pop(number, None)
            self._leaving.append(Leaving(number, weights, self._pulls.pop(number), look, window.decrement[place]))
        return done

    def _settle(self) -> None:
        if not self._leaving:
            return
        slopes = self._settling.settle(self._leaving)
        for state, slope in zip(self._leaving, slopes.tolist(), strict=True):
            ratio = np.clip(slope / max(state.decrement, _FLOAT_TINY), 1.0, 2 * self._ratio)
            self._ratio += 0.05 * (float(ratio) - self._ratio)
        self._leaving = []

    def _enter(self, done: NDArray[np.bool_]) -> None:
        """Puts the next states into the window, in the place of those that are done."""
        window, labels = self._window, self._labels
        count = 0
        if self._started:
            room = self._width - len(window) + int(done.sum())
            count = max(0, min(room, ceil(_ENTER * self._width), len(self._changes.stops) - self._next))
        numbers = np.arange(self._next, self._next + count)
        pulls = np.empty((*labels.pull.shape, count))
        for place, number in enumerate(numbers.tolist()):
            labels.advance(number)
            self._pulls[number], pulls[:, :, place] = labels.pull, labels.since
        window.renew(done, numbers, pulls, self._settling.metric)
        self._next, self._fresh = self._next + count, self._fresh + count

    def _refresh(self) -> None:
        self._settle()
        self._settling.metric, self._settling.certificate = self._made()
        self._window.rebase(self._labels.targets, self._labels.rebase())
        self._looks, self._fresh = {}, 0

    def _made(self) -> tuple[Metric, Certificate]:
        """The metric and the certificate at the newest state."""
        window, stops = self._window, self._changes.stops
        chance = window.newest()
        last = min(int(window.ids.max()) + _REFRESH + self._width, len(stops) - 1)
        moving = self._changes.rows[stops[max(int(window.ids.min()) - 1, 0)] : stops[last]]
        certificate = Certificate(self._geometry, chance, moving, self._test.rows)
        if coupled(self._axes, chance.shape[1]):
            return Blocks(self._axes, chance, moving), certificate
        return Leading(self._axes, chance), certificate


def _width(geometry: Columns, outputs: int) -> int:
    """States in the window, so that its memory is small compared with the data if these are large."""
    each = geometry.length * outputs
    return int(np.clip(max(_MARGINS, _SHARE * geometry.matrix.size) // each, 4, _WIDEST))


class _Labels:
    """The labels of the newest state.

    targets (n, outputs). pull (size + 1, outputs): [X 1]ᵀ targets, in the columns of the geometry. since, of the same
    shape: the part of it from changes since `rebase`, in principal axes.
    """

    def __init__(self, geometry: Columns, axes: Axes, changes: Changes) -> None:
        self._geometry, self._axes, self._changes = geometry, axes, changes
        self.targets, self._applied = changes.targets.copy(), 0
        pull = np.zeros((geometry.matrix.shape[1] + 1, changes.targets.shape[1], 1))
        self.pull, self.since = pull[:, :, 0], np.zeros(pull.shape[:2])
        self.advance(0)
        for rows in chunks(geometry.length, len(pull)):
            geometry.add_residual(pull, rows, self.targets[rows][:, :, None])
        self.pull, self.since = pull[:, :, 0], np.zeros(pull.shape[:2])

    def advance(self, state: int) -> None:
        """Makes the label changes up to a state."""
        made = slice(self._applied, self._changes.stops[state])
        rows, differences = self._changes.rows[made], self._changes.differences[made]
        self.pull = self.pull + self._geometry.of_rows(rows) @ differences
        self.since = self.since + self._axes.matrix[rows].T.astype(np.float64) @ differences
        np.add.at(self.targets, rows, differences)
        self._applied = int(self._changes.stops[state])

    def rebase(self) -> FloatMatrix:
        """Returns `since`, and starts it from zero."""
        since, self.since = self.since, np.zeros_like(self.since)
        return since
