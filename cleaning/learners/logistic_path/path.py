"""The optima of L2 logistic regression along a path of label changes, each to the same tight tolerance.

From one state to the next a single label moves, and with it the optimum, by about H⁻¹xᵢ. So a whole span of states is
solved at once from the last optimum known, by conjugate gradients in the metric of a Hessian factorised there (see
_descent): each iteration is two matrix products for all states of the span together. Spans grow while that stays
cheap and shrink to one state where single labels matter (separable data, weak penalty); there it is Newton's method
with a factor that is refreshed when it stops paying.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cleaning.data import FloatMatrix, IntVector
from cleaning.errors import Unsuitable
from cleaning.learners.logistic_path.descent import Descent
from cleaning.learners.logistic_path.geometry import Geometry, chunks, geometry_of
from cleaning.learners.logistic_path.likelihood import probabilities
from cleaning.learners.logistic_path.preconditioner import Preconditioner

MARGIN_TOLERANCE = 1e-6
"""No margin (log-odds) of a solution is further than this from its value at the optimum."""

# The bound on a margin behind a solution is an estimate; on badly scaled columns it was too low by a factor of 4.
_AIM = 0.05
# Rounding keeps products in float32 from coming nearer than about a tenth of the tolerance to the optimum.
_AIM_IN_FLOAT32 = 0.4

_WIDEST_SPAN = 128
_WIDEST_OF_CLASSES = 256  # states times outputs
_WIDEST_IN_FLOAT32 = 64  # further from the reference its rounding shows; of classes: memory stays small beside the data
# Of a single state, where a factor is inexact or dear; in float32 what has not arrived by then starts again nearer.
_MOST_ITERATIONS = 150
_MOST_IN_FLOAT32 = 60
_PATIENCE = 7
_MOST_RESTARTS = 200
_MINDS_THE_FIRST = 1 << 19
# The blocks of a Hessian are larger than it: a decrement in their metric is too small, but hardly ever by this much.
_CAUTION = 0.2


@dataclass(frozen=True, eq=False)
class Changes:
    """Label changes one by one: targets (n, outputs) of the first state, then rows[j] gains difference[j].

    targets are 0/1: one column for two classes (is it the second?), one column a class for more.
    state k of the path has the first stops[k] changes made; stops ascend.
    """

    targets: FloatMatrix
    rows: IntVector
    differences: FloatMatrix
    stops: IntVector


def optima(features: FloatMatrix, changes: Changes, strength: float, *, unit: bool = False) -> Iterator[FloatMatrix]:
    """Weights and intercepts (d + 1, outputs, states) of consecutive states, a span at a time.

    Minimises Σ log-loss + ‖w‖² / (2 · strength) on features (n, d); unit: on their rows taken to length 1. The spans,
    and so every bit of the result, follow from the arguments alone. Raises Unsuitable where it finds no optimum.
    """
    walk = _Walk(geometry_of(features, strength, changes.targets.shape[1], unit), changes)
    while walk.state < len(changes.stops):
        found: list[FloatMatrix] = []
        while walk.state < len(changes.stops) and sum(span[0].size for span in found) < _WIDEST_SPAN:
            found += walk.span()
        together = np.concatenate(found, axis=2)
        flat = walk.geometry.weights(together.reshape(len(together), -1))
        yield flat.reshape(len(flat), *together.shape[1:])


class _Walk:
    """Where the walk is: the next state, the labels and the coefficients of the reference point."""

    def __init__(self, geometry: Geometry, changes: Changes) -> None:
        self.geometry, self.state = geometry, 0
        self._changes, self._targets, self._made = changes, changes.targets.copy(), 0
        self._coefficients = np.zeros((geometry.matrix.shape[1] + 1, self._targets.shape[1]))
        self._metric: Preconditioner | None = None
        self._pace = _Pace(geometry, self._targets.shape[1])

    def span(self) -> list[FloatMatrix]:
        """Solves the next states; [] where all it could do was to come closer to the first of them."""
        states = min(self._pace.width, len(self._changes.stops) - self.state)
        margins, reference, gradient = self._reference()
        if self._metric is None:
            self._metric = Preconditioner(self.geometry, reference, passing=self._is_first())
            self._pace.refreshed(self._metric)
        start = gradient + self._moves(self.state, states)
        aim = _AIM if self.geometry.work == np.float64 else _AIM_IN_FLOAT32
        tolerance = aim * MARGIN_TOLERANCE / max(self._metric.reach, 1e-3) * (1.0 if self._metric.exact else _CAUTION)
        descent = Descent(self.geometry, self._metric, margins, reference, start, tolerance)
        with np.errstate(over="ignore"):
            arrived = descent.run(self._pace.patience())
        done = states if arrived else int(descent.live.min())
        if self._pace.judge(states, done, descent.work) or self._is_first():
            self._metric = None
        found = self._coefficients[:, :, None] + descent.result[:, :, : max(done, 1)]
        self._coefficients = found[:, :, -1]
        self._make(self._changes.stops[self.state + max(done, 1) - 1])
        self.state += done
        return [found] if done else []

    def _is_first(self) -> bool:
        """Whether the factor is still that of a model that knows nothing, and the problem large enough to mind."""
        return self.state == 0 and self.geometry.matrix.size >= _MINDS_THE_FIRST

    def _make(self, stop: int) -> None:
        """Changes the labels up to a stop."""
        for change in range(self._made, stop):
            self._targets[self._changes.rows[change]] += self._changes.differences[change]
        self._made = stop

    def _moves(self, first: int, states: int) -> FloatMatrix:
        """How the labels of each state change the gradient at the reference point, (size + 1, outputs, states)."""
        stops = self._changes.stops[first : first + states]
        pending = np.arange(self._made, stops[-1])
        moves = np.zeros((*self._coefficients.shape, states))
        if len(pending):
            rows = self.geometry.of_rows(self._changes.rows[pending])
            since = np.searchsorted(stops, pending + 1)
            each = -rows[:, None, :] * self._changes.differences[pending].T
            for column in range(len(pending)):
                moves[:, :, since[column]] += each[:, :, column]
            np.cumsum(moves, axis=2, out=moves)
        return moves

    def _reference(self) -> tuple[FloatMatrix, FloatMatrix, FloatMatrix]:
        """Margins, probabilities and the gradient (size + 1, outputs, 1) at the reference point, in float64."""
        geometry, weights = self.geometry, self._coefficients
        margins = np.empty(self._targets.shape)
        gradient = np.zeros((*weights.shape, 1))
        gradient[:-1, :, 0] = geometry.penalty * weights[:-1]
        reference = np.empty(self._targets.shape)
        for rows in chunks(len(margins), weights.shape[0]):
            margins[rows] = geometry.margins(rows, weights[:-1])
            margins[rows] += weights[-1]
            with np.errstate(over="ignore"):
                reference[rows] = probabilities(margins[rows][:, :, None].copy())[:, :, 0]
            geometry.add_residual(gradient, rows, (reference[rows] - self._targets[rows])[:, :, None])
        return margins, reference, gradient


class _Pace:
    """How many states to take at once, and when the Hessian factor has had its day.

    A factor is replaced when its last span was dearer, a state, than all since its making together with the making:
    the rule that minimises the mean cost of a thing that wears out. Costs are iterations of one state.
    """

    def __init__(self, geometry: Geometry, outputs: int) -> None:
        exact = geometry.work == np.float64
        self._longest = _MOST_ITERATIONS if exact else _MOST_IN_FLOAT32
        widest = _WIDEST_SPAN if outputs == 1 else _WIDEST_OF_CLASSES // outputs
        if geometry.matrix.dtype == np.float32:
            widest = _WIDEST_IN_FLOAT32 // outputs
        self._widest = max(1, widest)
        self._alone = self._together = 0
        self.width = 1
        self._cost, self._states, self._restarts = 0.0, 0, 0
        self._wait, self._pause, self._usual = 0, 2, float(_PATIENCE)

    def refreshed(self, metric: Preconditioner) -> None:
        """A factor was made."""
        self._cost, self._states = metric.making, 0
        worth = int(np.clip(metric.making, _PATIENCE, self._longest))
        self._alone, self._together = (worth, worth) if metric.exact else (self._longest, 0)

    def patience(self) -> int:
        """Iterations before a span is given up."""
        return self._alone if self.width == 1 else max(self._together, int(2 * self._usual) + 4)

    def judge(self, states: int, done: int, work: int) -> bool:
        """Learns from a span of which `done` of `states` arrived; whether the factor should be replaced."""
        each = work / states
        self._cost, self._states, self._wait = self._cost + work, self._states + states, self._wait - 1
        self._restarts = 0 if done else self._restarts + 1
        if self._restarts > _MOST_RESTARTS:
            raise Unsuitable(
                "logistic regression does not converge on this data: nearly separable and hardly penalised. Fix: lower "
                "C, or scale the features."
            )
        if done < states:
            self.width, self._pause = 1 if done == 0 else max(1, self.width // 2), min(64, 2 * self._pause)
            self._wait = self._pause
            return True
        if states == 1:
            self._usual = 0.5 * (self._usual + each)
        if self._wait <= 0 and each <= 1.5 * self._usual + 2:
            self.width = min(2 * self.width, self._widest)
        return each > self._cost / self._states
