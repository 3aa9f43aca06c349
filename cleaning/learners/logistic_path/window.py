"""A window of consecutive states that are iterated together in float32, each from where the state before it is.

The iteration is that of `descent`: nonlinear conjugate gradients in a given metric, with Newton's step length. There is
no line search, because a state that gets nowhere is finished by `descent`.
"""

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.learners.logistic_path.axes import Axes, centred
from cleaning.learners.logistic_path.likelihood import dot
from cleaning.learners.logistic_path.metric import Metric

# No margin moves by more than this in one step.
_LARGEST_MOVE = 4.0
# Smaller margins need no shift before exp().
_LARGEST_MARGIN = 80.0
# The conjugate direction is dropped if the previous direction would cancel more than this share of the new descent.
_LARGEST_CANCELLATION = 0.5
# A decrement that has not fallen to this share has not improved.
_IMPROVED = 0.7
_WIDE = ("weights", "_gradient", "_before", "_direction", "_pulls", "_step")
_NARROW = ("ids", "age", "idle", "decrement", "_best", "_last")


class Window:
    """The states in work.

    ids, age: their numbers, and their iterations so far. decrement: their Newton decrements. idle: for how many
    iterations these have not improved. weights (size + 1, outputs, states): in principal axes, float32. They start at
    zero weights with state 0, which has the targets (n, outputs).
    """

    ids: IntVector
    age: IntVector
    idle: IntVector
    decrement: FloatVector
    weights: FloatMatrix

    def __init__(self, axes: Axes, targets: FloatMatrix, width: int) -> None:
        outputs = targets.shape[1]
        shape = (axes.matrix.shape[1], outputs, 1)
        self._axes, self._targets, self._pulls = axes, _by_output(targets), np.zeros(shape)
        self.weights, self._step = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._direction, self._before = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._parts = [Part(rows, outputs) for rows in axes.pieces(outputs * width)]
        residual = np.float32(1 / outputs) - self._targets
        self._gradient = (axes.matrix.T @ residual.T).reshape(shape)
        self.ids, self.age, self.idle = (np.zeros(1, dtype=np.int64) for _ in range(3))
        self.decrement, self._best, self._last = (np.full(1, np.inf) for _ in range(3))

    def __len__(self) -> int:
        return len(self.ids)

    def newest(self) -> FloatMatrix:
        """The probabilities (n, outputs) of the newest state."""
        newest = int(self.ids.argmax())
        return np.vstack([part.chance[:, newest].T for part in self._parts])

    def _chance(self, rows: IntVector) -> FloatMatrix:
        """The probabilities (outputs, rows, states) of some rows, in ascending order."""
        near = [rows[(rows >= part.rows.start) & (rows < part.rows.stop)] - part.rows.start for part in self._parts]
        picked = [part.chance[:, :, own] for part, own in zip(self._parts, near, strict=True)]
        return np.concatenate(picked, axis=2).swapaxes(1, 2)

    def measure(self, metric: Metric) -> None:
        """Computes the next step of every state, and its decrement."""
        with np.errstate(all="ignore"):
            self._step = centred(metric.solve(self._gradient, self._chance(metric.moving)))
            self.decrement = np.sqrt(np.maximum(dot(self._gradient, self._step), 0.0))
        better = self.decrement < _IMPROVED * self._best
        self._best = np.where(better, self.decrement, self._best)
        self.idle = np.where(better, 0, self.idle + 1)

    def advance(self) -> None:
        """Moves every state by one iteration."""
        squared = self.decrement**2
        with np.errstate(all="ignore"):  # a state out of bounds has no finite decrement
            beta = (squared - dot(self._before, self._step)) / self._last
            carried = beta * dot(self._gradient, self._direction)
            beta = np.where((beta > 0) & (carried < _LARGEST_CANCELLATION * squared), beta, 0.0)
            self._direction *= beta.astype(np.float32)
            self._direction -= self._step
            self._before, self._last = self._gradient, squared
            length = self._length()
            self.weights = self.weights + length * self._direction
            self._gradient = self._move(length)
        self.age += 1

    def _length(self) -> FloatMatrix:
        """Newton's step lengths along the directions, which it also computes in margins."""
        direction, states = self._direction, len(self)
        far = not self._axes.longest * _longest(direction) < 1.0
        bend, widest = np.zeros(states), np.zeros(states, np.float32)
        for part in self._parts:
            along = self._axes.margins(part.rows, direction, out=part.along)
            weighted = part.chance * along
            mean = weighted.sum(axis=0)
            bend += np.einsum("ksn,ksn->s", weighted, along)
            bend -= np.einsum("sn,sn->s", mean, mean)
            if far:
                np.maximum(widest, np.abs(along, out=weighted).max(axis=(0, 2)), out=widest)
        bend += self._axes.penalty * dot(direction[:-1], direction[:-1])
        length = np.nan_to_num(-dot(self._gradient, direction) / bend, nan=0.0, posinf=0.0, neginf=0.0)
        return np.asarray(np.minimum(length, _LARGEST_MOVE / widest), dtype=np.float32)

    def _move(self, length: FloatMatrix) -> FloatMatrix:
        """Moves the margins and probabilities. Returns the new gradient."""
        shifted = not self._axes.longest * _longest(self.weights) < _LARGEST_MARGIN
        gradient = np.zeros(self.weights.shape)
        for part in self._parts:
            along, margins, chance = part.along, part.margins, part.chance
            along *= length[:, None]
            margins += along
            if shifted:
                np.subtract(margins, margins.max(axis=0), out=chance)
                np.exp(chance, out=chance)
            else:
                np.exp(margins, out=chance)
            chance /= chance.sum(axis=0)
            residual = np.subtract(chance, self._targets[:, None, part.rows], out=along)
            self._axes.add_residual(gradient, part.rows, residual)
        centred(gradient)
        gradient[:-1] += self._axes.penalty * self.weights[:-1]
        gradient -= self._pulls
        return gradient.astype(np.float32)

    def rebase(self, targets: FloatMatrix, pull: FloatMatrix) -> None:
        """Computes residuals from other targets, near those of the states; pull: [X 1]ᵀ times the difference."""
        self._targets, self._pulls = _by_output(targets), self._pulls - pull[:, :, None]

    def renew(self, done: NDArray[np.bool_], fresh: IntVector, pulls: FloatMatrix, metric: Metric) -> None:
        """Drops the states that are done, and starts the states `fresh` where the newest state is.

        pulls (size + 1, outputs, len(fresh)): [X 1]ᵀ times their targets, less the common ones (see `rebase`).
        """
        newest = int(self.ids.argmax())
        weights = self.weights[:, :, newest].copy()
        slope = self._gradient[:, :, newest] + self._pulls[:, :, newest]
        slots = self._make_room(np.flatnonzero(done), newest, len(fresh))
        for column, slot in enumerate(slots):
            self.weights[:, :, slot] = weights
            self._pulls[:, :, slot] = pulls[:, :, column]
            self._gradient[:, :, slot] = slope - pulls[:, :, column]
            self._direction[:, :, slot] = self._before[:, :, slot] = 0.0
        self.ids[slots], self.age[slots], self.idle[slots], self._last[slots] = fresh, 0, 0, np.inf
        if len(fresh):
            chance = self._chance(metric.moving)[:, :, slots]
            step = centred(metric.solve(np.ascontiguousarray(self._gradient[:, :, slots]), chance))
            squared = np.maximum(dot(self._gradient[:, :, slots], step), 0.0)
            self._step[:, :, slots] = step
            self.decrement[slots] = self._best[slots] = np.sqrt(squared)

    def _make_room(self, free: IntVector, newest: int, count: int) -> IntVector:
        """The slots of `count` new states: free ones first. Free slots left over are removed.

        The margins of the new states are those of the newest one.
        """
        over, more = free[count:], max(0, count - len(free))
        kept = free[:count] - np.searchsorted(over, free[:count])
        place = np.concatenate([np.delete(np.arange(len(self)), over), np.full(more, newest)])
        slots = np.concatenate([kept, np.arange(len(place) - more, len(place))])
        if len(over) or more:
            for name in _WIDE:
                setattr(self, name, np.ascontiguousarray(getattr(self, name)[:, :, place]))
            for name in _NARROW:
                setattr(self, name, getattr(self, name)[place])
        for part in self._parts:
            part.renew(place, newest, kept, resized=bool(len(over) or more))
        return slots


class Part:
    """The states in some rows. Arrays are (outputs, states, rows), so that sums over outputs are sums of long vectors.

    margins, chance: of the states. along: the direction, in margins.
    """

    def __init__(self, rows: slice, outputs: int) -> None:
        shape = (outputs, 1, rows.stop - rows.start)
        self.rows = rows
        self.margins, self.along = np.zeros(shape, np.float32), np.empty(shape, np.float32)
        self.chance = np.full(shape, 1 / outputs, np.float32)

    def renew(self, place: IntVector, newest: int, slots: IntVector, *, resized: bool) -> None:
        """Takes the states from their old places, and puts the newest one also into some of the new slots."""
        margins, chance = self.margins[:, newest].copy(), self.chance[:, newest].copy()
        if resized:
            self.margins, self.chance = self.margins.take(place, axis=1), self.chance.take(place, axis=1)
            self.along = np.empty_like(self.margins)
        self.margins[:, slots], self.chance[:, slots] = margins[:, None], chance[:, None]


def _by_output(targets: FloatMatrix) -> FloatMatrix:
    return np.ascontiguousarray(targets.T, dtype=np.float32)


def _longest(weights: FloatMatrix) -> float:
    """The largest length of the weights of one output in one state."""
    return float(np.sqrt(np.square(weights).sum(axis=0).max()))
