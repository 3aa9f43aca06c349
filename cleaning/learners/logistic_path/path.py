"""The optima of L2 logistic regression along a path of label changes, each to the same tight tolerance.

From one state to the next a single label changes, which moves the optimum by about H⁻¹xᵢ. So a whole span of states is
solved at once, starting from the last known optimum, by conjugate gradients in the metric of a Hessian factorised there
(see `descent`). Each iteration takes two matrix products for all states of the span together. Spans grow while that
stays cheap, and shrink to one state where single labels matter (separable data, weak penalty). In that case it is
Newton's method with a factor that is replaced when it is no longer efficient.
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
TIE = 2 * MARGIN_TOLERANCE
"""Classes whose margins differ by no more than this are tied; the lowest of them is predicted."""

# The share of MARGIN_TOLERANCE to aim for. The bound on the error of a margin is only an estimate; on badly scaled
# columns it was too low by a factor of 4.
_AIM = 0.05
# With float32 products, rounding keeps the error above about a tenth of the tolerance.
_AIM_IN_FLOAT32 = 0.4

# The largest spans: states for two classes, and states times outputs for more classes or for float32 features. In
# float32, the rounding error grows with the distance from the reference; with more classes, memory has to stay small
# compared with the data.
_WIDEST_SPAN = 128
_WIDEST_OF_CLASSES = 256
_WIDEST_IN_FLOAT32 = 64
# Iterations for a single state if the factor is inexact or expensive. In float32, a state that has not converged by
# then restarts from a closer reference.
_MOST_ITERATIONS = 150
_MOST_IN_FLOAT32 = 60
# The fewest iterations before a single state is given up, and the first guess of how many a state takes.
_PATIENCE = 7
# Restarts in a row without a solved state, after which the data count as unsuitable.
_MOST_RESTARTS = 200
# The factor made for the zero model is a poor metric. If the matrix has this many entries, it serves for one span only.
_REPLACE_FIRST_FACTOR_FROM = 1 << 19
# The diagonal blocks are larger than the Hessian, so a decrement in their metric is too small, but hardly ever by more
# than this factor.
_CAUTION = 0.2


@dataclass(frozen=True, eq=False)
class Changes:
    """A path of single label changes: change j adds differences[j] to the targets of rows[j].

    targets (n, outputs): the 0/1 targets before any change, one column for two classes (1 is the second class), one
    column per class for more. stops, ascending: the first stops[k] changes have been made in state k.
    """

    targets: FloatMatrix
    rows: IntVector
    differences: FloatMatrix
    stops: IntVector


def optima(features: FloatMatrix, changes: Changes, strength: float, *, unit: bool = False) -> Iterator[FloatMatrix]:
    """Yields weights and intercepts (d + 1, outputs, states) of consecutive states, in groups of spans.

    Minimises Σ log-loss + ‖w‖² / (2 · strength) on features (n, d); unit: with each row scaled to length 1. The spans,
    and therefore every bit of the result, depend on the arguments alone. Raises Unsuitable if it finds no optimum.
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
    """The position on the path: the next state, and the labels and coefficients of the reference point."""

    def __init__(self, geometry: Geometry, changes: Changes) -> None:
        self.geometry, self.state = geometry, 0
        self._changes, self._targets, self._applied = changes, changes.targets.copy(), 0
        self._coefficients = np.zeros((geometry.matrix.shape[1] + 1, self._targets.shape[1]))
        self._metric: Preconditioner | None = None
        self._pace = _Pace(geometry, self._targets.shape[1])

    def span(self) -> list[FloatMatrix]:
        """Solves the next states. Returns [] if it only came closer to the first of them."""
        states = min(self._pace.width, len(self._changes.stops) - self.state)
        margins, reference, gradient = self._reference()
        if self._metric is None:
            self._metric = Preconditioner(self.geometry, reference, provisional=self._is_first())
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
        self._apply(self._changes.stops[self.state + max(done, 1) - 1])
        self.state += done
        return [found] if done else []

    def _is_first(self) -> bool:
        """Whether the factor is made for the zero model of a problem so large that it should be replaced soon."""
        return self.state == 0 and self.geometry.matrix.size >= _REPLACE_FIRST_FACTOR_FROM

    def _apply(self, stop: int) -> None:
        """Applies the label changes up to a stop."""
        for change in range(self._applied, stop):
            self._targets[self._changes.rows[change]] += self._changes.differences[change]
        self._applied = stop

    def _moves(self, first: int, states: int) -> FloatMatrix:
        """How each state's labels change the gradient at the reference point, (size + 1, outputs, states)."""
        stops = self._changes.stops[first : first + states]
        pending = np.arange(self._applied, stops[-1])
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
    """Decides how many states to solve at once, and when to replace the Hessian factor.

    A factor is replaced when its last span cost more per state than the mean since it was made, including the cost of
    making it. This rule minimises the mean cost of something that wears out. Costs are in iterations of one state.
    """

    def __init__(self, geometry: Geometry, outputs: int) -> None:
        exact = geometry.work == np.float64
        self._longest = _MOST_ITERATIONS if exact else _MOST_IN_FLOAT32
        widest = _WIDEST_SPAN if outputs == 1 else _WIDEST_OF_CLASSES // outputs
        if geometry.matrix.dtype == np.float32:
            widest = _WIDEST_IN_FLOAT32 // outputs
        self._widest = max(1, widest)
        self._patience_alone = self._patience_together = 0
        self.width = 1
        self._cost, self._states, self._restarts = 0.0, 0, 0
        self._spans_to_wait, self._next_wait, self._usual_cost = 0, 2, float(_PATIENCE)

    def refreshed(self, metric: Preconditioner) -> None:
        """Starts to count the costs of a new factor."""
        self._cost, self._states = metric.making, 0
        worth = int(np.clip(metric.making, _PATIENCE, self._longest))
        self._patience_alone, self._patience_together = (worth, worth) if metric.exact else (self._longest, 0)

    def patience(self) -> int:
        """The number of iterations after which a span is given up."""
        return self._patience_alone if self.width == 1 else max(self._patience_together, int(2 * self._usual_cost) + 4)

    def judge(self, states: int, done: int, work: int) -> bool:
        """Records a span in which `done` of `states` converged. Returns whether to replace the factor."""
        each = work / states
        self._cost, self._states, self._spans_to_wait = (
            self._cost + work,
            self._states + states,
            self._spans_to_wait - 1,
        )
        self._restarts = 0 if done else self._restarts + 1
        if self._restarts > _MOST_RESTARTS:
            raise Unsuitable(
                "logistic regression does not converge on these data: they are nearly separable and the penalty is too "
                "weak. Fix: lower C, or scale the features."
            )
        if done < states:
            self.width, self._next_wait = 1 if done == 0 else max(1, self.width // 2), min(64, 2 * self._next_wait)
            self._spans_to_wait = self._next_wait
            return True
        if states == 1:
            self._usual_cost = 0.5 * (self._usual_cost + each)
        if self._spans_to_wait <= 0 and each <= 1.5 * self._usual_cost + 2:
            self.width = min(2 * self.width, self._widest)
        return each > self._cost / self._states
