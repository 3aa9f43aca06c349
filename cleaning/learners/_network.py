"""Training several copies of the challenge's two-layer linear network side by side, one label vector each."""

import numpy as np
from scipy.special import expit

from cleaning.learners._adamw import Float32, Step, Update, steps
from cleaning.learners._torch_init import HIDDEN, InitialWeights

EPOCHS = 20
BATCH = 64
# Rows this long start at cache lines.
_PADDING = 16


def with_bias(features: Float32) -> Float32:
    """(n, d) features with a column of ones, then columns of zeros up to a multiple of 16: the bias as a weight."""
    n, width = features.shape
    wide = np.zeros((n, -(-(width + 1) // _PADDING) * _PADDING), np.float32)
    wide[:, :width] = features
    wide[:, width] = 1.0
    return wide


class Copies:
    """`count` networks with the same initial weights, trained in step on the same rows under different labels.

    No activation lies between the layers, so a network is one linear function: its direction, Aᵀ = output weight ·
    hidden weight, and the output bias. That is also why the gradient of the hidden weight is the outer product of the
    output weight and Xᵀ·error, and why a step costs O(128 · d) and never a product of matrices.
    """

    def __init__(self, initial: InitialWeights, width: int, count: int, update: Update) -> None:
        d = initial.hidden_weight.shape[1]
        self._bias = d
        self._update = update
        # One allocation: numpy asks for huge pages above 4 MiB.
        self._hidden = np.zeros((3, count, HIDDEN, width), np.float32)
        self._output = np.zeros((3, count, HIDDEN + 1), np.float32)
        self._gradient = np.empty((count, HIDDEN + 1), np.float32)
        self._direction = np.empty((count, width), np.float32)
        self._initial = initial

    def train(self, wide: Float32, labels: Float32) -> tuple[Float32, Float32]:
        """Trains from the initial weights; wide (n, width) from with_bias, labels (live, n) of 0 and 1, live ≤ count.

        Returns the functions learned: directions (live, width), the hidden bias among them, and output biases (live,).
        """
        live = len(labels)
        self._start(live)
        targets = np.zeros((len(self._direction), len(wide)), np.float32)
        targets[:live] = labels
        starts = range(0, len(wide), BATCH)
        batches = [(wide[s : s + BATCH], targets[:, s : s + BATCH]) for s in starts]
        scale = 1.0
        for number, step in enumerate(steps(EPOCHS * len(batches))):
            self._step(*batches[number % len(batches)], step, live)
            scale = step.next_weight
            if step.rescale is not None:
                self._rescale(step.rescale)
                scale = 1.0
        return self._direction[:live] * np.float32(scale * scale), self._output[0, :live, -1] * np.float32(scale)

    def _start(self, live: int) -> None:
        initial, d = self._initial, self._bias
        self._hidden[:, :live] = 0.0
        self._hidden[0, :live, :, :d] = initial.hidden_weight
        self._hidden[0, :live, :, d] = initial.hidden_bias
        self._output[:] = 0.0
        self._output[0, :, :-1] = initial.output_weight
        self._output[0, :, -1] = initial.output_bias
        self._gradient[:] = 0.0
        self._direction[:] = 0.0
        self._read_directions(live)

    def _step(self, x: Float32, y: Float32, step: Step, live: int) -> None:
        row = self._error(x, y, step.weight) @ x
        row_squared = row * row
        columns = self._output[0, :, :-1] * np.float32(step.first * step.weight)
        squared = columns * columns
        squared *= np.float32(step.second / step.first**2)
        self._move_output(row, step, live)
        rate, epsilon = np.float32(step.rate), np.float32(step.epsilon)
        hidden, first, second = self._hidden
        for k in range(live):
            self._update(
                hidden[k], first[k], second[k], columns[k], squared[k], row[k], row_squared[k], rate, epsilon
            )
        self._read_directions(live)

    def _error(self, x: Float32, y: Float32, scale: float) -> Float32:
        """d loss / d logit, (count, batch), of the mean binary cross-entropy."""
        logits = self._direction @ x.T
        logits *= np.float32(scale * scale)
        logits += self._output[0, :, -1:] * np.float32(scale)
        error: Float32 = expit(logits, out=logits)
        error -= y
        error *= np.float32(1 / len(x))
        return error

    def _move_output(self, row: Float32, step: Step, live: int) -> None:
        gradient = self._gradient
        for k in range(live):
            np.dot(self._hidden[0, k], row[k], out=gradient[k, :-1])
        gradient[:, :-1] *= np.float32(step.weight)
        gradient[:, -1] = row[:, self._bias]
        output, first, second = self._output
        first += gradient * np.float32(step.first)
        gradient *= gradient
        gradient *= np.float32(step.second)
        second += gradient
        change = np.sqrt(second)
        change += np.float32(step.epsilon)
        np.divide(first, change, out=change)
        change *= np.float32(step.rate)
        output += change

    def _read_directions(self, live: int) -> None:
        for k in range(live):
            np.dot(self._output[0, k, :-1], self._hidden[0, k], out=self._direction[k])

    def _rescale(self, scales: tuple[float, float, float]) -> None:
        for arrays in (self._hidden, self._output):
            for array, scale in zip(arrays, scales, strict=True):
                array *= np.float32(scale)
        self._direction *= np.float32(scales[0] ** 2)
