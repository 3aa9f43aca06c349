"""The network of the DataPerf challenge's evaluator, without torch; gives the same rounded accuracies."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from cleaning.data import FloatMatrix, FloatVector, IntVector, Single, Split, refuse_other_width
from cleaning.errors import InvalidInput, Unsuitable, first_three
from cleaning.learners._network import BATCH, Network, with_bias
from cleaning.parallel.engine import thread_pools
from cleaning.progress import Progress
from cleaning.simulation.label_path import LabelPath

# Batches × columns × states per block: a third of a second.
_BLOCK_WORK = 2**17
_THRESHOLDS = np.arange(0.1, 1, 0.05).astype(np.float32)


@dataclass(frozen=True)
class Learner:
    """Linear(d → 128), Linear(128 → 1), no activation in between; labels 0 and 1, any width d, float32 throughout.

    The initial weights are those of torch for seed 42. Training uses AdamW (rate 0.01, weight decay 0.9) on the binary
    cross-entropy, for 20 epochs in batches of 64 rows, in row order. The decision threshold is the one of 0.1,
    0.15 … 0.95 with the best accuracy on the current training labels. Accuracies are rounded to 2 decimals. There are
    no options, because the challenge fixes everything.
    Source: the dataperf-vision-debugging evaluator.
    """

    def describe(self) -> dict[str, object]:
        """The name."""
        return {"name": "dataperf"}

    def block_size(self, path: LabelPath) -> int:
        """States per block: 12 for the 300 × 2048 of the challenge, so that a single curve can use several cores."""
        batches = -(-len(path.labels) // BATCH)
        return max(1, _BLOCK_WORK // max(1, batches * int(path.features.shape[1])))

    def accuracies(self, path: LabelPath, test: Split, progress: Progress) -> FloatVector:
        """Test accuracy in every state, rounded to 2 decimals. One network is trained per state.

        Runs on one BLAS thread, so that the numbers do not depend on the number of cores. Raises Unsuitable for labels
        other than 0 and 1 and for features so large that float32 overflows, and InvalidInput for test rows of another
        width.
        """
        _check(path, test)
        with thread_pools().limit(limits=1, user_api="blas"):
            return _accuracies(path, test, progress)


def predictor(features: FloatMatrix, labels: IntVector) -> Callable[[FloatMatrix], IntVector]:
    """Trains one such network; the function returned gives the class, 0 or 1, of each row of a matrix."""
    own = _float32(features)
    with thread_pools().limit(limits=1, user_api="blas"):
        function = Network(own.shape[1]).train(with_bias(own), labels.astype(np.float32))
        threshold = _threshold(_probabilities(*function, own), labels)

    def predict(rows: FloatMatrix) -> IntVector:
        return np.asarray(_probabilities(*function, _float32(rows)) > threshold, dtype=np.int64)

    return predict


def _accuracies(path: LabelPath, test: Split, progress: Progress) -> FloatVector:
    train_features, test_features = _float32(path.features), _float32(test.features)
    wide, network = with_bias(train_features), Network(train_features.shape[1])
    accuracy = np.empty(len(path))
    for state in range(len(path)):
        labels = path.labels_at(state)
        with np.errstate(over="ignore", invalid="ignore"):
            function = network.train(wide, labels.astype(np.float32))
            on_train, on_test = (_probabilities(*function, part) for part in (train_features, test_features))
        accuracy[state] = _rounded_accuracy(on_test, test.labels, _threshold(on_train, labels))
        progress(state + 1, len(path))
    return accuracy


def _check(path: LabelPath, test: Split) -> None:
    refuse_other_width("test", test.features, path.features.shape[1])
    if not len(path.labels) or not len(test):
        raise InvalidInput("dataperf learner", "there are no training or no test rows", "give at least one sample")
    for part, labels in (("training", path.labels), ("true training", path.values), ("test", test.labels)):
        other = np.unique(labels[(labels != 0) & (labels != 1)])
        if len(other):
            raise Unsuitable(
                f"the dataperf learner supports two classes, 0 and 1, but the {part} labels contain others "
                f"({first_three(other.tolist())}). Fix: use the logistic learner."
            )


def _float32(features: FloatMatrix) -> Single:
    with np.errstate(over="ignore"):
        return np.require(features, np.float32, ["C", "A"])


def _probabilities(direction: Single, bias: np.float32, features: Single) -> Single:
    """(n,) probabilities of class 1."""
    d = features.shape[1]
    logits = np.dot(features, direction[:d])
    logits += direction[d] + bias
    if not np.isfinite(logits).all():
        raise Unsuitable(
            "the features are too large for the dataperf learner: its float32 weights overflow. "
            "Fix: scale the features."
        )
    return np.asarray(expit(logits, out=logits), np.float32)


def _threshold(probabilities: Single, labels: IntVector) -> np.float32:
    """The first threshold with the highest rounded accuracy; 0 if all of them round to 0."""
    accuracy = _rounded_accuracy(probabilities, labels, _THRESHOLDS[:, None])
    best = int(np.argmax(accuracy))
    return np.float32(_THRESHOLDS[best] if accuracy[best] > 0 else 0.0)


def _rounded_accuracy(probabilities: Single, labels: IntVector, threshold: Single | np.float32) -> FloatVector:
    """Accuracy to 2 decimals for one threshold, or for each one in a column of thresholds."""
    return np.asarray(np.round(np.mean((probabilities > threshold) == labels, axis=-1), 2))
