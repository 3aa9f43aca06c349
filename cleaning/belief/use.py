"""The order of fixes by expected use: how much each fix should help a learner that is trained afterwards."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cleaning.belief.base_learners import SINGLE_ROWS
from cleaning.belief.posterior import Posterior, for_order
from cleaning.data import FloatMatrix, FloatVector, IntVector, Split
from cleaning.ranking import Ranking

# Up to so many turns order this share of the rows by use. Rows whose label is wrong with at most this probability are
# not ordered by use.
_MOST_TURNS, _SHARE_ORDERED, _SURELY_RIGHT = 105, 0.7, 0.02
# During a review only the head of the order matters: the first turn orders 2 of 1,000 rows, each next one a third more.
_FIRST_SHARE, _GROWTH = 0.002, 4 / 3
# Multiple of the calibrated temperature that is used for two classes.
_SOFTNESS = 1.5
_CALIBRATION_STEPS = 8
# With so many rows per class, suspicion counts as much as the estimated gain, and more with over 2 · 2^_SOME_BITS
# classes. Chosen with 3 to 40 rows per class and up to 200 classes; the study's cases of two classes have 200 rows per
# class and are hardly affected.
_SCARCE, _SOME_BITS = 15, float(np.log2(5))
# Where the surrogate cannot learn this share of what the beliefs know, suspicion counts as much as the estimated gain.
# On the study's sets it misses less. Where it misses everything, as with circles around each other, its gains mean
# nothing. With very noisy labels, beliefs miss as much as it does.
_MISFIT, _MISFIT_POWER = 0.1, 4
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
        return _by_suspicion(posterior, train), np.full(len(train), np.nan)
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


def _by_suspicion(posterior: Posterior, train: Split) -> IntVector:
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
    rows per class, and with more than ten classes (log₂ K / 5)⁴ times as much. The same is added (misfit · signal
    / .1)⁴ times, where the classifier cannot learn what the beliefs know; signal is 1 without noise and 0 for random
    labels. Rows whose label is almost surely right come last, the least sure first. growing: each turn
    takes more rows than the one before, so that there are few.
    """
    order = train.order_by_id()
    wrong = np.maximum(1 - beliefs.fixed[order, train.labels[order]], 0)
    first = np.argsort(wrong <= _SURELY_RIGHT, kind="stable")
    order, wrong, many = order[first], wrong[first], int(np.count_nonzero(wrong > _SURELY_RIGHT))
    checked = None if validation is None else validation.features
    cleaning = _Cleaning.of(train.features, train.labels, order, checked, beliefs)
    fixed, suspicion, open_rows = beliefs.fixed[order[:many]], wrong[:many], np.ones(many, dtype=np.bool_)
    sure = suspicion ** (cleaning.bits - 1)
    ranked: list[IntVector] = []
    gains = np.zeros(len(order))
    doubt = _doubt(len(cleaning.believed), fixed.shape[1])
    doubt += (cleaning.misfit(beliefs.fixed[order]) * _signal(wrong, fixed.shape[1]) / _MISFIT) ** _MISFIT_POWER
    per_turn = (_FIRST_SHARE if growing else _SHARE_ORDERED / _MOST_TURNS) * len(order)
    while open_rows.any() and len(ranked) < _MOST_TURNS:
        change = cleaning.gains(fixed)
        gain = change * sure
        scale = np.sqrt((gain[open_rows] ** 2).mean()) + 1e-300
        # fixes that seem to do harm come behind the useful ones, by suspicion
        value = np.maximum(gain, 1e-3 * scale * suspicion) + doubt * scale * suspicion
        value[~open_rows] = -np.inf
        chosen = np.argsort(-value, kind="stable")[: min(int(np.ceil(per_turn)), int(open_rows.sum()))]
        per_turn *= _GROWTH if growing else 1.0
        ranked.append(chosen)
        gains[order[chosen]] = change[chosen]
        open_rows[chosen] = False
        cleaning.fix(chosen, fixed[chosen])
    done = np.concatenate(ranked) if ranked else np.empty(0, dtype=np.int64)
    rest = np.setdiff1d(np.arange(len(order)), done)
    rest = rest[np.argsort(-wrong[rest], kind="stable")]
    return np.asarray(order[np.concatenate([done, rest])], dtype=np.int64), gains


def _doubt(rows: int, n_classes: int) -> float:
    """How much suspicion counts beside the estimated gain; 1: as much as its root mean square."""
    scarcity = _SCARCE * n_classes / max(rows, 1)
    return float(max(np.log2(max(n_classes, 2)) - _SOME_BITS, 1.0) ** 4 * scarcity**3 * max(scarcity, 1.0) ** 2)


def _signal(wrong: FloatVector, n_classes: int) -> float:
    """1 if no label is wrong, 0 if labels are drawn at random. wrong (n,): the suspicion."""
    return max(1 - float(wrong.mean()) * n_classes / max(n_classes - 1, 1), 0.0)


def _calibrated(predictions: FloatMatrix, believed: FloatMatrix, start: float | None) -> float:
    """The temperature that maximises Σ believed·log softmax(f / temperature) (Guo et al. 2017), by Newton steps.

    predictions (m, K): centred class scores. The temperature is limited to a factor of 10 around their deviation, which
    is also the starting point when `start` is None.
    """
    squares = predictions**2
    deviation = float(np.sqrt(squares.mean(dtype=np.float64))) + 1e-12
    low, high = 0.1 / deviation, 10 / deviation
    sharpness = low * 10 if start is None else min(max(1 / start, low), high)
    reached = float(_by_row(believed, predictions).sum(dtype=np.float64))
    for _ in range(_CALIBRATION_STEPS):
        share = _softmax(predictions * sharpness)
        mean = _by_row(share, predictions).astype(np.float64)
        curvature = float(_by_row(share, squares).sum(dtype=np.float64) - (mean**2).sum())
        before = sharpness
        step = (reached - float(mean.sum())) / max(curvature, 1e-12 * deviation**2)
        sharpness = min(max(before + step, before / 3, low), before * 3, high)
        if abs(sharpness - before) < 1e-2 * before:
            break
    return 1 / sharpness


def _slope(predictions: FloatMatrix, believed: FloatMatrix, temperature: float) -> FloatMatrix:
    """The gradient of Σ softmax(f / temperature)·belief with respect to f, (m, K), at a fixed temperature."""
    share = _softmax(predictions * (1 / temperature))
    right = _by_row(share, believed)[:, None]
    share *= 1 / temperature
    share *= believed - right
    return share


def _softmax(logits: FloatMatrix) -> FloatMatrix:
    """That of each row, written over the logits."""
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def _by_row(one: FloatMatrix, other: FloatMatrix) -> FloatVector:
    """The sum of the products in each row."""
    return np.asarray(np.einsum("ij,ij->i", one, other))


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
        if len(features) >= SINGLE_ROWS and features.dtype == np.float32:
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
        return cls(rows, others, shrink.astype(kind), np.clip(leverage, 0.0, 1 - 1e-6).astype(kind))

    def fitted(self, targets: FloatMatrix) -> FloatMatrix:
        """What the classifier says of the rows and of the checked rows, (n + m, K), without the intercept."""
        weights = self.rows.T @ targets * self.shrink[:, None]
        return np.vstack([self.rows @ weights, self.checked @ weights])

    def changed(self, places: IntVector, change: FloatMatrix) -> FloatMatrix:
        """How much `fitted` changes if the targets of the rows `places` (c,) change, (c, K)."""
        moved = self.rows[places] * self.shrink
        rank, n_classes = len(self.shrink), change.shape[1]
        if len(places) * (rank + n_classes) < rank * n_classes:
            return np.vstack([self.rows @ moved.T @ change, self.checked @ moved.T @ change])
        weights = moved.T @ change
        return np.vstack([self.rows @ weights, self.checked @ weights])

    def left_out(self, fitted: FloatMatrix, targets: FloatMatrix) -> FloatMatrix:
        """Leave-one-out class scores of the rows, then the scores of the checked rows, (n + m, K)."""
        found, leverage = np.asarray(fitted + targets.mean(axis=0)), self.leverage[:, None]
        own = found[: len(self.rows)]
        own -= leverage * targets
        own /= 1 - leverage
        return found

    def pull(self, slope: FloatMatrix, many: int) -> FloatMatrix:
        """The transpose of the first rows' part in `left_out`: the gradient of the objective with respect to the labels
        of the first `many` rows, (many, K), by its gradient with respect to the scores (n + m, K).
        """
        n = len(self.rows)
        own, checked = slope[:n] / (1 - self.leverage[:, None]), slope[n:]
        weights = (self.rows.T @ own + self.checked.T @ checked) * self.shrink[:, None]
        mean = (own.sum(axis=0) + checked.sum(axis=0)) / n
        return np.asarray(self.rows[:many] @ weights + mean - self.leverage[:many, None] * own[:many])


@dataclass(eq=False)
class _Cleaning:
    """The simulated cleaning.

    labels (n, K): after some fixes; fitted (n + m, K): what the classifier says by them; believed (n + m, K): the
    beliefs that ignore the rows' own labels. temperature: that of the latest turn.
    """

    surrogate: _Surrogate
    believed: FloatMatrix
    labels: FloatMatrix
    fitted: FloatMatrix
    temperature: float | None = None

    @classmethod
    def of(
        cls, features: FloatMatrix, labels: IntVector, order: IntVector, checked: FloatMatrix | None, beliefs: Beliefs
    ) -> "_Cleaning":
        """Before any fix, with the rows in an order."""
        believed = np.vstack([beliefs.held[order], beliefs.checked])
        surrogate = _Surrogate.of(features, order, checked, 1 / _bits(believed))
        kind = surrogate.rows.dtype
        named = np.eye(believed.shape[1], dtype=kind)[labels[order]]
        return cls(surrogate, believed.astype(kind, copy=False), named, surrogate.fitted(named))

    @property
    def bits(self) -> float:
        """How many bits a label has."""
        return _bits(self.believed)

    def misfit(self, fixed: FloatMatrix) -> float:
        """The share of what the beliefs know that the classifier cannot learn from the labels (n, K) after all fixes.

        What they know is how much more often their most probable class is right than the most frequent one.
        """
        found = self.surrogate.left_out(self.surrogate.fitted(fixed), fixed).argmax(axis=1)
        right = float(np.take_along_axis(self.believed, found[:, None], axis=1).mean(dtype=np.float64))
        best = float(self.believed.max(axis=1).mean(dtype=np.float64))
        known = best - float(self.believed.mean(axis=0, dtype=np.float64).max())
        return min(max(best - right, 0.0) / max(known, 1e-9), 1.0)

    def gains(self, fixed: FloatMatrix) -> FloatVector:
        """The expected gain of the fix of each of the first rows, by the labels (many, K) that it puts there."""
        predictions, many = self.surrogate.left_out(self.fitted, self.labels), len(fixed)
        predictions -= predictions.mean(axis=1, keepdims=True)
        self.temperature = _calibrated(predictions, self.believed, self.temperature)
        slope = _slope(predictions, self.believed, _SOFTNESS / self.bits**0.5 * self.temperature)
        pull = self.surrogate.pull(slope, many)
        return np.asarray(_by_row(pull, fixed - self.labels[:many]), dtype=np.float64)

    def fix(self, places: IntVector, labels: FloatMatrix) -> None:
        """Puts other labels (c, K) in the places (c,)."""
        change = (labels - self.labels[places]).astype(self.labels.dtype)
        self.fitted += self.surrogate.changed(places, change)
        self.labels[places] = labels


def _bits(believed: FloatMatrix) -> float:
    return float(np.log2(max(believed.shape[1], 2)))
