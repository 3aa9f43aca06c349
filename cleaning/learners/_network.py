"""The challenge's two-layer linear network and its training."""

import numpy as np
from scipy.special import expit

from cleaning.data import Single
from cleaning.learners._adamw import Step, Update, steps
from cleaning.learners._torch_init import HIDDEN, initial_weights

# The challenge's evaluator fixes these.
_EPOCHS = 20
BATCH = 64
# Rows of a multiple of 16 float32 numbers (64 bytes) start at cache lines.
_PADDING = 16


def with_bias(features: Single) -> Single:
    """The (n, d) features, a column of ones that makes the bias a weight, and zeros up to a multiple of 16 columns."""
    n, width = features.shape
    wide = np.zeros((n, -(-(width + 1) // _PADDING) * _PADDING), np.float32)
    wide[:, :width] = features
    wide[:, width] = 1.0
    return wide


class Network:
    """The network for embeddings of width `features`; the arrays of one training are used again by the next.

    There is no activation between the layers, so the network is one linear function: a direction, output weight ·
    hidden weight, and the output bias. For the same reason the gradient of the hidden weight is the outer product of
    the output weight and Xᵀ·error, so a step costs O(128 · d). Every product is one of a matrix and a vector: for a
    batch of 64 rows those of several networks at once take BLAS longer.
    """

    def __init__(self, features: int) -> None:
        self._initial = initial_weights(features)
        self._bias = features
        self._update = Update()
        width = with_bias(np.empty((0, features), np.float32)).shape[1]
        # Weight, first and second moment. One allocation, because NumPy requests huge pages above 4 MiB.
        self._hidden = np.empty((3, HIDDEN, width), np.float32)
        self._output = np.empty((3, HIDDEN + 1), np.float32)
        self._gradient = np.empty(HIDDEN + 1, np.float32)
        self._direction = np.empty(width, np.float32)

    def train(self, wide: Single, labels: Single) -> tuple[Single, np.float32]:
        """Trains from the initial weights on wide (n, width) from `with_bias` and 0/1 labels (n,).

        Returns the learned function: a direction (width,), which includes the hidden bias, and the output bias.
        """
        self._start()
        batches = [(wide[start : start + BATCH], labels[start : start + BATCH]) for start in range(0, len(wide), BATCH)]
        scale = 1.0
        for number, step in enumerate(steps(_EPOCHS * len(batches))):
            self._step(*batches[number % len(batches)], step)
            scale = step.next_weight
            if step.rescale is not None:
                self._rescale(step.rescale)
                scale = 1.0
        return self._direction * np.float32(scale**2), self._output[0, -1] * np.float32(scale)

    def _start(self) -> None:
        initial, d = self._initial, self._bias
        self._hidden[:] = 0.0
        self._hidden[0, :, :d] = initial.hidden_weight
        self._hidden[0, :, d] = initial.hidden_bias
        self._output[:] = 0.0
        self._output[0, :-1] = initial.output_weight
        self._output[0, -1:] = initial.output_bias
        np.dot(self._output[0, :-1], self._hidden[0], out=self._direction)

    def _step(self, x: Single, y: Single, step: Step) -> None:
        row = np.dot(self._error(x, y, step.weight), x)
        column = self._output[0, :-1] * (step.first * step.weight)
        column_squared = column * column
        column_squared *= step.second / step.first**2
        self._move_output(row, step)
        rate, epsilon = np.float32(step.rate), np.float32(step.epsilon)
        weight, first, second = self._hidden
        self._update(weight, first, second, column, column_squared, row, row * row, rate, epsilon)
        np.dot(self._output[0, :-1], self._hidden[0], out=self._direction)

    def _error(self, x: Single, y: Single, scale: float) -> Single:
        """The gradient of the mean binary cross-entropy with respect to the logits of a batch."""
        logits: Single = np.dot(x, self._direction)
        logits *= scale**2
        logits += self._output[0, -1] * scale
        error = np.asarray(expit(logits, out=logits), np.float32)
        error -= y
        error *= 1 / len(x)
        return error

    def _move_output(self, row: Single, step: Step) -> None:
        gradient = self._gradient
        np.dot(self._hidden[0], row, out=gradient[:-1])
        gradient[:-1] *= step.weight
        gradient[-1] = row[self._bias]
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
