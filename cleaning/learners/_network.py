"""Trains several copies of the challenge's two-layer linear network side by side, each on its own label vector."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from cleaning.learners._adamw import Float32, Step, Update, steps
from cleaning.learners._torch_init import HIDDEN, initial_weights

# The challenge's evaluator fixes these.
_EPOCHS = 20
_BATCH = 64
# Rows of a multiple of 16 float32 numbers (64 bytes) start at cache lines.
_PADDING = 16


def with_bias(features: Float32) -> Float32:
    """The (n, d) features, a column of ones that makes the bias a weight, and zeros up to a multiple of 16 columns."""
    n, width = features.shape
    wide = np.zeros((n, -(-(width + 1) // _PADDING) * _PADDING), np.float32)
    wide[:, :width] = features
    wide[:, width] = 1.0
    return wide


@dataclass(frozen=True, eq=False)
class _Copy:
    """Views of one copy into the arrays shared by all: the hidden layer (128, width) and the arrays of one step."""

    hidden: Float32
    first: Float32
    second: Float32
    column: Float32
    column_squared: Float32
    row: Float32
    row_squared: Float32
    output: Float32
    output_gradient: Float32
    direction: Float32


class Copies:
    """`count` networks for embeddings of width `features`, trained in lockstep on the same rows with different labels.

    There is no activation between the layers, so a network is one linear function: a direction, output weight · hidden
    weight, and the output bias. For the same reason the gradient of the hidden weight is the outer product of the
    output weight and Xᵀ·error, so a step costs O(128 · d) and needs no matrix product.
    """

    def __init__(self, features: int, count: int) -> None:
        self._initial = initial_weights(features)
        self._bias = features
        self._update = Update()
        width = with_bias(np.empty((0, features), np.float32)).shape[1]
        # One allocation for all copies, because NumPy requests huge pages above 4 MiB.
        self._hidden = np.empty((3, count, HIDDEN, width), np.float32)
        self._output = np.empty((3, count, HIDDEN + 1), np.float32)
        self._gradient = np.empty((count, HIDDEN + 1), np.float32)
        self._column, self._column_squared = np.empty((2, count, HIDDEN), np.float32)
        self._row, self._row_squared, self._direction = np.empty((3, count, width), np.float32)
        self._copies = [
            _Copy(
                self._hidden[0, k],
                self._hidden[1, k],
                self._hidden[2, k],
                self._column[k],
                self._column_squared[k],
                self._row[k],
                self._row_squared[k],
                self._output[0, k, :-1],
                self._gradient[k, :-1],
                self._direction[k],
            )
            for k in range(count)
        ]

    def train(self, wide: Float32, labels: Float32) -> tuple[Float32, Float32]:
        """Trains from the initial weights on wide (n, width) from `with_bias` and 0/1 labels (live, n), live ≤ count.

        Returns the learned functions: directions (live, width), which include the hidden bias, and output biases
        (live,).
        """
        live = self._copies[: len(labels)]
        self._start(live)
        # Idle copies stay in the products with the features, because the rounding may depend on the shape.
        targets = np.zeros((len(self._copies), len(wide)), np.float32)
        targets[: len(live)] = labels
        batches = [
            (wide[start : start + _BATCH], targets[:, start : start + _BATCH]) for start in range(0, len(wide), _BATCH)
        ]
        scale = 1.0
        for number, step in enumerate(steps(_EPOCHS * len(batches))):
            self._step(*batches[number % len(batches)], step, live)
            scale = step.next_weight
            if step.rescale is not None:
                self._rescale(step.rescale)
                scale = 1.0
        return self._direction[: len(live)] * np.float32(scale**2), self._output[0, : len(live), -1] * np.float32(scale)

    def _start(self, live: list[_Copy]) -> None:
        initial, d = self._initial, self._bias
        self._hidden[:] = 0.0
        self._hidden[0, :, :, :d] = initial.hidden_weight
        self._hidden[0, :, :, d] = initial.hidden_bias
        self._output[:] = 0.0
        self._output[0, :, :-1] = initial.output_weight
        self._output[0, :, -1] = initial.output_bias
        self._gradient[:] = 0.0
        self._direction[:] = 0.0
        _read_directions(live)

    def _step(self, x: Float32, y: Float32, step: Step, live: list[_Copy]) -> None:
        np.matmul(self._error(x, y, step.weight), x, out=self._row)
        np.multiply(self._row, self._row, out=self._row_squared)
        np.multiply(self._output[0, :, :-1], step.first * step.weight, out=self._column)
        np.multiply(self._column, self._column, out=self._column_squared)
        self._column_squared *= step.second / step.first**2
        self._move_output(step, live)
        rate, epsilon = np.float32(step.rate), np.float32(step.epsilon)
        for c in live:
            self._update(c.hidden, c.first, c.second, c.column, c.column_squared, c.row, c.row_squared, rate, epsilon)
        _read_directions(live)

    def _error(self, x: Float32, y: Float32, scale: float) -> Float32:
        """The gradient of the mean binary cross-entropy with respect to the logits, (count, batch)."""
        logits = self._direction @ x.T
        logits *= scale**2
        logits += self._output[0, :, -1:] * scale
        error: Float32 = expit(logits, out=logits)
        error -= y
        error *= 1 / len(x)
        return error

    def _move_output(self, step: Step, live: list[_Copy]) -> None:
        for c in live:
            np.dot(c.hidden, c.row, out=c.output_gradient)
        gradient = self._gradient
        gradient[:, :-1] *= step.weight
        gradient[:, -1] = self._row[:, self._bias]
        output, first, second = self._output
        first += gradient * step.first
        gradient *= gradient
        gradient *= step.second
        second += gradient
        change = np.sqrt(second)
        change += step.epsilon
        np.divide(first, change, out=change)
        change *= step.rate
        output += change

    def _rescale(self, scales: tuple[float, float, float]) -> None:
        for arrays in (self._hidden, self._output):
            for array, scale in zip(arrays, scales, strict=True):
                array *= scale
        self._direction *= scales[0] ** 2


def _read_directions(copies: list[_Copy]) -> None:
    for c in copies:
        np.dot(c.output, c.hidden, out=c.direction)
