"""What the user's own model predicts for very many rows: probabilities in a file that is read by blocks."""

from dataclasses import dataclass, replace

import numpy as np

from cleaning.belief.blocks.block import Block
from cleaning.belief.blocks.learners import rows_at_once
from cleaning.belief.blocks.stored import Single, Stored, naming_rows
from cleaning.belief.blocks.work import Total
from cleaning.belief.model_learner import ROUNDING, log_probabilities
from cleaning.belief.told import refuse_no_distributions
from cleaning.data import FloatMatrix, IntVector, checked_features
from cleaning.progress import Progress


@dataclass(frozen=True, eq=False)
class Predicted:
    """Out-of-sample probabilities of all rows, (n, C), and of the trusted rows, (m, C), if they are known.

    classes (K,): the column of each class that rows have; None: all C.
    """

    stored: Stored
    trusted: FloatMatrix | None = None
    classes: IntVector | None = None

    def of(self, classes: IntVector) -> "Predicted":
        """The same for these classes."""
        return replace(self, classes=classes)

    def voice(self, start: int, stop: int) -> Single:
        """The scores (b, K) of these rows."""
        return voice_of(self.stored.block(start, stop)[:, self.classes])

    def take(self, rows: IntVector) -> Single:
        """The scores of a few rows, in this order."""
        return voice_of(self.stored.take(rows)[:, self.classes])


def voice_of(probabilities: FloatMatrix) -> Single:
    """The log-probabilities (b, K), shifted so that every row sums to 0."""
    logs = log_probabilities(probabilities)
    return np.asarray(logs - logs.mean(axis=1, keepdims=True), dtype=np.float32)


def looked_through(predicted: Predicted, block: Block, _: Progress) -> Total:
    """sums: how many labels are not the most probable ones, and in how many rows one class is more probable than
    another. Raises InvalidInput for a row that is not a distribution.
    """
    against, telling = 0, 0
    stored, n_classes = predicted.stored, predicted.stored.shape[1]
    for part in block.parts(rows_at_once(n_classes)):
        start, codes = block.start + part.start, block.codes[part]
        rows = stored.block(start, block.start + part.stop)
        with naming_rows(stored.place, start):
            refuse_no_distributions(checked_features(rows, "probabilities"), "")
        voice = voice_of(rows[:, predicted.classes])
        against += int(np.count_nonzero(voice.argmax(axis=1)[codes >= 0] != codes[codes >= 0]))
        telling += int(np.count_nonzero(np.ptp(voice, axis=1) > ROUNDING))
    return Total((np.array(float(against)), np.array(float(telling))), ())
