"""The order of fixes by expected use: how much each fix should help a learner that is trained afterwards."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from cleaning.belief.posterior import Posterior, for_order
from cleaning.data import FloatMatrix, FloatVector, IntVector, Split
from cleaning.ranking import Ranking

# Up to so many turns order this share of the rows by use. Rows whose label is wrong with at most this probability are
# not ordered by use.
_MOST_TURNS, _SHARE_ORDERED, _SURELY_RIGHT = 105, 0.7, 0.02
# During a review only the head of the order matters: the first turn orders 2 of 1,000 rows, each next one a third more.
_FIRST_SHARE, _GROWTH = 0.002, 4 / 3
# float32 features stay float32 if there are more rows than this.
_LARGE = 5000
# Multiple of the calibrated temperature that is used for two classes.
_SOFTNESS = 1.5
_CALIBRATION_STEPS = 8
# With so many rows per class, suspicion counts as much as the estimated gain, and more with over 2 · 2^_SOME_BITS
# classes. Chosen with 3 to 40 rows per class and up to 200 classes; the study's cases of two classes have 200 rows per
# class and are hardly affected.
_SCARCE, _SOME_BITS = 15, float(np.log2(5))
# From here on the gain makes no difference, and is not computed: with 200 classes of 10 rows or 1,000 of 30.
_ALL_DOUBT = 1000.0
# Weight of a validation row's label; the rest is the weight of the belief about it.
_TRUST = 0.5


@dataclass(frozen=True, eq=False)
class Beliefs:
    """Beliefs about the true labels.

    fixed (n, K): what a fix is expected to put in place of a label. held (n, K): the belief that ignores the row's own
    label. checked (m, K): the belief about the validation rows, if there are any.
    """

    fixed: FloatMatrix
    held: FloatMatrix
    checked: FloatMatrix


def inspection_order(posterior: Posterior, train: Split, validation: Split | None = None) -> Ranking:
    """Order the training rows by how much inspecting their labels should help a model that is trained afterwards.

    A row comes early if its label is probably wrong and correcting it would change predictions for the better; see
    `order_by_use` for the computation.

    Parameters
    ----------
    posterior : Posterior
        What `label_posterior` believes about exactly these rows.
    train : Split
        The n training rows with their noisy labels.
    validation : Split, optional
        The rows with trusted labels that the posterior was computed with.

    Returns
    -------
    Ranking
        All n row numbers, in the order of inspection.
    """
    return Ranking(order_of(posterior, train, validation))


def order_of(posterior: Posterior, train: Split, validation: Split | None) -> IntVector:
    """The row numbers that `inspection_order` wraps, (n,)."""
    return ordered(posterior, train, validation)[0]


def ordered(posterior: Posterior, train: Split, validation: Split | None) -> tuple[IntVector, FloatVector]:
    """The row numbers in the order of inspection, (n,), and the expected gain of each row, (n,); see `order_by_use`.

    Validation rows that confirm nothing are not used. The beliefs are those with gold correction, unless rows are few.
    Without features, or with very few rows for many classes, the order is by suspicion, and the gain is not known: NaN.
    """
    kept = posterior.basis.kept
    doubt = _doubt(len(train) + len(kept), len(posterior.basis.classes))
    if posterior.basis.told.alone or doubt > _ALL_DOUBT:
        return by_suspicion(posterior, train), np.full(len(train), np.nan)
    posterior = for_order(posterior, gold=doubt < 1)
    validation = None if validation is None or not len(kept) else validation.take(kept)
    checked = posterior.validation[kept]
    if validation is not None:
        # half label, half belief: hard examples among few trusted rows should not determine the order alone
        checked = _TRUST * np.eye(checked.shape[1])[validation.labels] + (1 - _TRUST) * checked
    # classes that no row has cost time and would inflate the number of classes
    labels = train.labels if validation is None else np.concatenate([train.labels, validation.labels])
    classes = np.unique(labels)
    beliefs = Beliefs(posterior.probabilities[:, classes], posterior.before_label[:, classes], checked[:, classes])
    compact = Split(train.features, np.searchsorted(classes, train.labels), train.ids)
    return order_by_use(compact, validation, beliefs, growing=posterior.basis.after is not None)


def by_suspicion(posterior: Posterior, train: Split) -> IntVector:
    """Row numbers (n,), the most suspicious first; equals in the order of their ids."""
    order = train.order_by_id()
    return np.asarray(order[np.argsort(-posterior.suspicion[order], kind="stable")], dtype=np.int64)


def order_by_use(
    train: Split, validation: Split | None, beliefs: Beliefs, *, growing: bool = False
) -> tuple[IntVector, FloatVector]:
    """Row numbers (n,), the most useful expected fix first, and each row's gain (n,). Independent of the rows' order.

    The gain is the expected number of further right predictions, among training and validation rows, at the turn in
    which the row was chosen; 0 for a row that was not ordered by use.

    A ridge classifier on the raw features stands in for the learner. Its penalty is the mean eigenvalue of their Gram
    matrix / log₂ K, and its leave-one-out predictions are linear in the labels. In every turn, each row is scored by
    the expected gain in soft accuracy, Σ softmax(f / temperature)·belief over training (leave-one-out) and validation
    rows, if its label were replaced by the belief about it. The best few rows get their believed labels, and the
    predictions are updated. The temperature is 1.5 / √log₂ K times the one that calibrates the predictions of the turn,
    so that it adapts to hard data, where most rows lie near the boundary. With more than two classes, the gain of a
    doubtful fix is reduced by the factor suspicion^(log₂ K - 1). Where rows are few, the estimated gain is uncertain,
    so its root mean square, times the suspicion, times (15 / rows per class)³ is added to it: the fifth power below 15
    rows per class, and with more than ten classes (log₂ K / 5)⁴ times as much. Rows whose label is almost surely right
    come last, the least sure first. growing: each turn takes more rows than the one before, so that there are few.
    """
    order = train.order_by_id()
    labels = train.labels[order]
    fixed, held = beliefs.fixed[order], beliefs.held[order]
    wrong = np.maximum(1 - fixed[np.arange(len(order)), labels], 0)
    bits = float(np.log2(max(held.shape[1], 2)))
    checked = None if validation is None else validation.features
    surrogate = _Surrogate.of(train.features, order, checked, 1 / bits)
    believed = np.vstack([held, beliefs.checked])
    current = np.eye(held.shape[1])[labels]
    open_rows = wrong > _SURELY_RIGHT
    ranked: list[IntVector] = []
    gains = np.zeros(len(order))
    doubt = _doubt(len(believed), held.shape[1])
    per_turn = (_FIRST_SHARE if growing else _SHARE_ORDERED / _MOST_TURNS) * len(order)
    temperature = None
    while open_rows.any() and len(ranked) < _MOST_TURNS:
        predictions = surrogate.predictions(current)
        predictions -= predictions.mean(axis=1, keepdims=True)
        temperature = _calibrated(predictions, believed, temperature)
        pull = surrogate.pull(_slope(predictions, believed, _SOFTNESS / np.sqrt(bits) * temperature))
        change = (pull * (fixed - current)).sum(axis=1)
        gain = change * wrong ** (bits - 1)
        scale = np.sqrt((gain[open_rows] ** 2).mean()) + 1e-300
        # fixes that seem to do harm come behind the useful ones, by suspicion
        value = np.where(open_rows, np.maximum(gain, 1e-3 * scale * wrong) + doubt * scale * wrong, -np.inf)
        chosen = np.argsort(-value, kind="stable")[: min(int(np.ceil(per_turn)), int(open_rows.sum()))]
        per_turn *= _GROWTH if growing else 1.0
        ranked.append(chosen)
        gains[order[chosen]] = change[chosen]
        open_rows[chosen] = False
        current[chosen] = fixed[chosen]
    done = np.concatenate(ranked) if ranked else np.empty(0, dtype=np.int64)
    rest = np.setdiff1d(np.arange(len(order)), done)
    rest = rest[np.argsort(-wrong[rest], kind="stable")]
    return np.asarray(order[np.concatenate([done, rest])], dtype=np.int64), gains


def _doubt(rows: int, n_classes: int) -> float:
    """How much suspicion counts beside the estimated gain; 1: as much as its root mean square."""
    scarcity = _SCARCE * n_classes / max(rows, 1)
    return float(max(np.log2(max(n_classes, 2)) - _SOME_BITS, 1.0) ** 4 * scarcity**3 * max(scarcity, 1.0) ** 2)


def _calibrated(predictions: FloatMatrix, believed: FloatMatrix, start: float | None) -> float:
    """The temperature that maximises Σ believed·log softmax(f / temperature) (Guo et al. 2017), by Newton steps.

    predictions (m, K): centred class scores. The temperature is limited to a factor of 10 around their deviation, which
    is also the starting point when `start` is None.
    """
    deviation = float(np.sqrt((predictions**2).mean())) + 1e-12
    low, high = 0.1 / deviation, 10 / deviation
    sharpness = low * 10 if start is None else min(max(1 / start, low), high)
    reached = float((believed * predictions).sum())
    for _ in range(_CALIBRATION_STEPS):
        share = softmax(predictions * sharpness, axis=1)
        mean = (share * predictions).sum(axis=1)
        curvature = float((share * predictions**2).sum() - (mean**2).sum())
        before = sharpness
        step = (reached - float(mean.sum())) / max(curvature, 1e-12 * deviation**2)
        sharpness = min(max(before + step, before / 3, low), before * 3, high)
        if abs(sharpness - before) < 1e-2 * before:
            break
    return 1 / sharpness


def _slope(predictions: FloatMatrix, believed: FloatMatrix, temperature: float) -> FloatMatrix:
    """The gradient of Σ softmax(f / temperature)·belief with respect to f, (m, K), at a fixed temperature."""
    share = softmax(predictions / temperature, axis=1)
    return np.asarray(share * (believed - (share * believed).sum(axis=1, keepdims=True)) / temperature)


@dataclass(frozen=True, eq=False)
class _Surrogate:
    """A ridge classifier with an unpenalised intercept, in the basis of the eigenvectors of its Gram matrix.

    rows (n, r) and checked (m, r): centred features in those coordinates; shrink (r,) = 1 / (eigenvalue +
    penalty · the mean eigenvalue); leverage (n,): the diagonal of the hat matrix, intercept included.
    """

    rows: FloatMatrix
    checked: FloatMatrix
    shrink: FloatVector
    leverage: FloatVector

    @classmethod
    def of(cls, features: FloatMatrix, order: IntVector, checked: FloatMatrix | None, penalty: float) -> "_Surrogate":
        """The classifier of the rows in an order."""
        kind: np.dtype[Any] = np.dtype(np.float64)
        if len(features) > _LARGE and features.dtype == np.float32:
            kind = np.dtype(np.float32)
        centred = features[order].astype(kind, copy=False)
        mean = centred.mean(axis=0, dtype=np.float64).astype(kind)
        centred -= mean
        others = np.empty((0, features.shape[1]), kind) if checked is None else checked.astype(kind) - mean
        if len(centred) <= centred.shape[1]:
            values, basis = np.linalg.eigh(centred @ centred.T)
            values = np.maximum(values, 0)
            root = np.sqrt(values)
            rows, across = basis * root, others @ centred.T @ basis
            others = across / np.where(root > 1e-6 * root.max(initial=1e-12), root, np.inf)
        else:
            values, basis = np.linalg.eigh((centred.T @ centred).astype(np.float64))
            values, basis = np.maximum(values, 0), basis.astype(kind)
            centred, others = centred @ basis, others @ basis
            rows = centred
        shrink = 1 / (values + penalty * max(float(values.sum()), 1e-12) / len(rows))
        # the rows are centred, so the intercept is the mean label and adds 1 / n to the hat matrix
        leverage = np.einsum("ij,j,ij->i", rows, shrink.astype(kind), rows).astype(np.float64) + 1 / len(rows)
        return cls(rows, others, shrink, np.clip(leverage, 0.0, 1 - 1e-6))

    def predictions(self, targets: FloatMatrix) -> FloatMatrix:
        """Leave-one-out class scores of the rows, then the scores of the checked rows, (n + m, K)."""
        mean = targets.mean(axis=0)
        weights = self._weights(self.rows.T @ targets.astype(self.rows.dtype))
        leverage = self.leverage[:, None]
        own = (self.rows @ weights + mean - leverage * targets) / (1 - leverage)
        return np.vstack([own, self.checked @ weights + mean])

    def pull(self, slope: FloatMatrix) -> FloatMatrix:
        """The transpose of `predictions`: the gradient of the objective with respect to each row's label, (n, K)."""
        n, kind = len(self.rows), self.rows.dtype
        own, checked = slope[:n] / (1 - self.leverage[:, None]), slope[n:]
        weights = self._weights(self.rows.T @ own.astype(kind) + self.checked.T @ checked.astype(kind))
        mean = (own.sum(axis=0) + checked.sum(axis=0)) / n
        return np.asarray(self.rows @ weights + mean - self.leverage[:, None] * own, dtype=np.float64)

    def _weights(self, gathered: FloatMatrix) -> FloatMatrix:
        return np.asarray(gathered * self.shrink[:, None], dtype=self.rows.dtype)
