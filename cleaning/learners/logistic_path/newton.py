"""Newton's step for several states, by conjugate gradients in float32.

The system Hδ = g is linear, so its solution in float32 has a relative error, however small g is. With g computed in
float64, this takes a state past the point where the rounding of the margins stops `window`.
"""

import numpy as np

from cleaning.data import FloatMatrix, FloatVector
from cleaning.learners.logistic_path.axes import Axes
from cleaning.learners.logistic_path.leading import Leading
from cleaning.learners.logistic_path.likelihood import dot

_MOST_ITERATIONS = 40


def newton_step(
    axes: Axes, metric: Leading, probability: FloatMatrix, gradient: FloatMatrix, accuracy: FloatVector
) -> FloatMatrix:
    """H⁻¹g (size + 1, outputs, states) at the probabilities (n, outputs, states), in principal axes.

    accuracy (states,): the share of the Newton decrement that may be left.
    """
    scale = np.maximum(np.abs(gradient).max(axis=(0, 1)), np.finfo(np.float64).tiny)
    left = (gradient / scale).astype(np.float32)
    found, live = np.zeros_like(left), np.arange(len(scale))
    solution, step = np.zeros_like(left), metric.solve(left)
    direction, squared = step, dot(left, step)
    enough = np.square(accuracy) * squared
    for _ in range(_MOST_ITERATIONS):
        going = squared > enough
        if not going.all():
            found[:, :, live[~going]] = solution[:, :, ~going]
            live, squared, enough = live[going], squared[going], enough[going]
            arrays = (solution, left, direction, probability)
            solution, left, direction, probability = (np.ascontiguousarray(array[:, :, going]) for array in arrays)
        if not len(live):
            break
        product = _hessian_times(axes, probability, direction)
        bend = dot(direction, product)
        length = np.divide(squared, bend, out=np.zeros_like(bend), where=bend > 0).astype(np.float32)
        solution += length * direction
        left -= length * product
        step, before = metric.solve(left), squared
        squared = dot(left, step)
        direction = step + (squared / before).astype(np.float32) * direction
    found[:, :, live] = solution
    return np.asarray(found * scale)


def _hessian_times(axes: Axes, probability: FloatMatrix, direction: FloatMatrix) -> FloatMatrix:
    """The product of every state's Hessian with its direction."""
    product = np.float32(axes.penalty) * direction
    product[-1] = 0.0
    flat = direction.reshape(len(direction), -1)
    for rows in axes.pieces(flat.shape[1]):
        chance = probability[rows]
        along = (axes.matrix[rows] @ flat).reshape(chance.shape)
        along -= np.einsum("nks,nks->ns", chance, along)[:, None, :]
        along *= chance
        product += (axes.matrix[rows].T @ along.reshape(len(along), -1)).reshape(product.shape)
    return product
