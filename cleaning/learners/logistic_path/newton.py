"""Newton's step for several states, by conjugate gradients in float32.

The system Hδ = g is linear, so its solution in float32 has a relative error, however small g is. With g computed in
float64, this takes a state past the point where the rounding of the margins stops `window`.
"""

import numpy as np

from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.learners.logistic_path.axes import Axes, centred
from cleaning.learners.logistic_path.likelihood import dot
from cleaning.learners.logistic_path.metric import Metric

_MOST_ITERATIONS = 40


def newton_step(
    axes: Axes,
    metric: Metric,
    probability: FloatMatrix,
    states: IntVector,
    gradient: FloatMatrix,
    accuracy: FloatVector,
) -> FloatMatrix:
    """H⁻¹g (size + 1, outputs, states) of some states, in principal axes.

    probability (outputs, all states, n): rounded to float32. states (s,): the places of these states among all.
    gradient (size + 1, outputs, s). accuracy (s,): the share of the Newton decrement that may be left.
    """
    gradient = gradient - gradient.mean(axis=1, keepdims=True)
    scale = np.maximum(np.abs(gradient).max(axis=(0, 1)), np.finfo(np.float64).tiny)
    left = (gradient / scale).astype(np.float32)
    found, live = np.zeros_like(left), np.arange(len(scale))
    moved = probability[:, states[:, None], metric.moving].swapaxes(1, 2)
    solution, step = np.zeros_like(left), metric.solve(left, moved)
    direction, squared = centred(step), dot(left, step)
    enough = np.square(accuracy) * squared
    pieces = [(rows, probability[:, :, rows].take(states, axis=1)) for rows in axes.pieces(left[0].size)]
    for _ in range(_MOST_ITERATIONS):
        going = squared > enough
        if not going.all():
            found[:, :, live[~going]] = solution[:, :, ~going]
            live, squared, enough = live[going], squared[going], enough[going]
            solution, left, direction = (np.ascontiguousarray(a[:, :, going]) for a in (solution, left, direction))
            moved = moved[:, :, going]
            pieces = [(rows, chance.compress(going, axis=1)) for rows, chance in pieces]
        if not len(live):
            break
        product = _hessian_times(axes, pieces, direction)
        bend = dot(direction, product)
        length = np.divide(squared, bend, out=np.zeros_like(bend), where=bend > 0).astype(np.float32)
        solution += length * direction
        left -= length * product
        step, before = centred(metric.solve(left, moved)), squared
        squared = dot(left, step)
        direction = step + (squared / before).astype(np.float32) * direction
    found[:, :, live] = solution
    return np.asarray(found * scale)


def _hessian_times(axes: Axes, pieces: list[tuple[slice, FloatMatrix]], direction: FloatMatrix) -> FloatMatrix:
    """The product of every state's Hessian with its direction."""
    product = np.zeros_like(direction)
    for rows, chance in pieces:
        along = axes.margins(rows, direction, out=np.empty_like(chance))
        along -= np.einsum("ksn,ksn->sn", chance, along)
        along *= chance
        axes.add_residual(product, rows, along)
    product[:-1] += np.float32(axes.penalty) * direction[:-1]
    return centred(product)
