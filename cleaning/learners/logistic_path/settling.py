"""States that have left the window, until the predictions at their optimum are known.

A state is looked at in float64: the certificate bounds how far each test row is from its margins at the optimum. If
that leaves a row open, Newton's step brings the state closer, and it is looked at again. A row within the tolerance of
a tie counts for the lowest of the tied classes.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.learners.logistic_path.axes import Axes
from cleaning.learners.logistic_path.certificate import Certificate, Point, point_at
from cleaning.learners.logistic_path.geometry import Columns
from cleaning.learners.logistic_path.leads import Leads, Look
from cleaning.learners.logistic_path.metric import Metric
from cleaning.learners.logistic_path.newton import newton_step
from cleaning.learners.logistic_path.path import MARGIN_TOLERANCE, TIE

_MOST_STEPS = 8
# What a Newton step may leave of the decrement. Closer than that, the curvature has changed on the way.
_LEAST_LEFT, _MOST_LEFT = 1e-4, 0.1
# A state aims for this share of the distance that would settle it.
_AIM = 0.4
# Where the certificate does not hold yet, a state aims for this share of the ‖g‖₋ below which it does.
_AIM_FROM_AFAR = 0.05


@dataclass(frozen=True, eq=False)
class Leaving:
    """A state that leaves the window.

    weights (size + 1, outputs): in principal axes. pull, of the same shape: [X 1]ᵀ times its targets, in the columns of
    the geometry. look: None if it has not come near its optimum. decrement: the last one in the window.
    """

    number: int
    weights: FloatMatrix
    pull: FloatMatrix
    look: Look | None
    decrement: float


class Settling:
    """Counts the test rows predicted right at the optimum of each state, in `right`, by number of state.

    metric and certificate are to be replaced as the states move on. left: the numbers of the states that are too far
    from their optimum for this.
    """

    def __init__(self, geometry: Columns, axes: Axes, test: Leads, metric: Metric, certificate: Certificate) -> None:
        self._geometry, self._axes, self._test = geometry, axes, test
        self.metric, self.certificate = metric, certificate
        self.right: dict[int, int] = {}
        self.left: list[int] = []

    def settle(self, states: list[Leaving]) -> FloatVector:
        """Settles some states. Returns a bound on ‖g‖₋ of each, after the first step if one was made."""
        slope, places = np.empty(len(states)), np.arange(len(states))
        for number in range(_MOST_STEPS):
            if not states:
                return slope
            point = self._point(states)
            now = self.certificate.slope(point)
            if number < 2:
                slope[places] = now
            aim = self._try(states, point, now)
            self.left += [states[place].number for place in np.flatnonzero(np.isnan(aim))]
            left = np.flatnonzero(aim > 0)
            states, places = [states[place] for place in left], places[left]
            accuracy = np.clip(aim[left] / now[left], _LEAST_LEFT, _MOST_LEFT)
            states = self._closer(states, point, left, accuracy, now[left] >= self.certificate.valid_below)
        self.left += [state.number for state in states]
        return slope

    def _point(self, states: list[Leaving]) -> Point:
        weights = self._axes.back(np.stack([state.weights for state in states], axis=2))
        return point_at(self._geometry, weights, np.stack([state.pull for state in states], axis=2))

    def _try(self, states: list[Leaving], point: Point, slope: FloatVector) -> FloatVector:
        """Counts the states that are settled. Returns 0 for them, and for the others the distance to aim for.

        It is NaN if the certificate holds nowhere.
        """
        distance = self.certificate.distance(slope)
        aim = np.full(len(states), _AIM_FROM_AFAR * self.certificate.valid_below or np.nan)
        for place in np.flatnonzero(np.isfinite(distance)):
            aim[place] = self._judge(states[place], point.weights[:, :, place], float(distance[place]))
        return aim

    def _judge(self, state: Leaving, weights: FloatMatrix, distance: float) -> float:
        test, reach = self._test, self.certificate.reach
        room = float(reach.max(initial=0.0)) * distance + TIE
        watched = state.look is not None and test.holds(state.look, state.weights, room)
        rows = state.look.watched if state.look is not None and watched else np.arange(len(test.rows))
        right = state.look.right if state.look is not None and watched else 0
        lead = test.leads(weights, rows)
        bound = reach[rows] * distance
        right += int(np.count_nonzero(lead > bound + TIE))
        open_ones = np.abs(lead) <= bound + TIE
        tied = rows[open_ones]
        if bound[open_ones].max(initial=0.0) > MARGIN_TOLERANCE:
            needed = (np.abs(lead[open_ones]) - TIE) / reach[tied]
            return float(np.maximum(_AIM * needed, 0.5 * MARGIN_TOLERANCE / reach[tied]).min())
        self.right[state.number] = right + test.right(weights, tied)
        return 0.0

    def _closer(
        self,
        states: list[Leaving],
        point: Point,
        left: IntVector,
        accuracy: FloatVector,
        far: NDArray[np.bool_],
    ) -> list[Leaving]:
        """The states after a Newton step of some accuracy.

        left: their places in the point. A step from `far` is damped.
        """
        if not states:
            return states
        gradient = self._axes.into(point.gradient[:, :, left])
        step = newton_step(self._axes, self.metric, point.probability, left, gradient, accuracy)
        for place in np.flatnonzero(far):
            step[:, :, place] *= self._damping(step[:, :, place])
        return [replace(state, weights=state.weights - step[:, :, place]) for place, state in enumerate(states)]

    def _damping(self, step: FloatMatrix) -> float:
        """The share of a Newton step that the third derivative of the loss allows; see `certificate`."""
        most, flat = 0.0, step.astype(np.float32)
        for rows in self._axes.pieces(step.shape[1]):
            most = max(most, float(np.ptp(self._axes.matrix[rows] @ flat, axis=1).max()))
        return float(np.log1p(most) / most) if most > 0 else 1.0
