"""The M-step of a stack: weights of learners and offsets of classes of least cross-entropy to soft targets."""

import numpy as np
from scipy.special import gammaln, softmax

from cleaning.belief.shortlist import Shortlist
from cleaning.data import FloatMatrix, FloatVector

# How strongly weights and offsets are pulled to their prior means.
_WEIGHT_PULL, _OFFSET_PULL = 10.0, 2.0
# Pseudo-counts per class of the Dirichlet priors by which the class mix of the trusted rows is shrunk towards that of
# the other rows.
_MIX_PRIORS = 2.0 ** np.arange(2, 8)
_STEPS, _SAME = 30, 1e-8


def cross_entropy_fit(
    short: Shortlist, targets: FloatMatrix, parameters: FloatVector, centre: FloatVector, trusted: slice = slice(0)
) -> FloatVector:
    """Weights and offset (learners + K,) of least cross-entropy to soft targets (C, m), pulled gently to `centre`.

    trusted: the rows that may have another class mix than the others. parameters: where to begin. L-BFGS works on
    parameters in units of their curvature there, which takes half of the steps.
    """
    from scipy.optimize import minimize  # a command that needs none of it starts sooner

    learners = len(short.scores)
    pull = np.concatenate([np.full(learners, _WEIGHT_PULL), np.full(short.n_classes, _OFFSET_PULL)])
    many, mix = targets.sum(axis=0), _more_frequent(short, targets, trusted)

    def shares(point: FloatVector) -> tuple[FloatMatrix, FloatMatrix, FloatVector]:
        logits = short.logits(point)
        logits[:, trusted] += mix
        logits -= logits.max(axis=0)
        share = np.exp(logits)
        total = share.sum(axis=0)
        share *= many / total
        return logits, share, total

    def loss(scaled: FloatVector) -> tuple[float, FloatVector]:
        point = scaled * unit
        logits, share, total = shares(point)
        value = float((many * np.log(total)).sum() - np.vdot(targets, logits))
        share -= targets
        moved = point - centre
        gradient = np.concatenate([np.tensordot(short.scores, share, ([1, 2], [0, 1])), short.by_class(share)])
        return value + 0.5 * float((pull * moved**2).sum()), (gradient + pull * moved) * unit

    unit = (_curvature(short, shares(parameters)[1], many) + pull) ** -0.5
    bounds = [(0.0, None)] * learners + [(None, None)] * short.n_classes
    begin = parameters / unit
    found = minimize(
        loss, begin, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS, "ftol": _SAME}
    )
    return np.asarray(found.x * unit, dtype=np.float64)


def _curvature(short: Shortlist, share: FloatMatrix, many: FloatVector) -> FloatVector:
    """The diagonal of the Hessian of the cross-entropy, (learners + K,), for probabilities times `many`, (C, m)."""
    each = 1 / np.maximum(many, 1e-300)
    of_weights = []
    for scores in short.scores:
        weighted = scores * share
        of_weights.append(np.vdot(weighted, scores) - (weighted.sum(axis=0) ** 2 * each).sum())
    return np.concatenate([of_weights, short.by_class(share - share**2 * each)])


def _more_frequent(short: Shortlist, targets: FloatMatrix, trusted: slice) -> FloatMatrix:
    """The logarithm of how much more frequent each class is among the trusted rows than among the others, by row.

    targets (C, m): the beliefs about all rows. If each class was drawn in the same way but with another frequency
    (label shift), this is what the logits of trusted rows have in addition: (C, rows), or (K, 1) if every row has all
    classes. It is the mean over several Dirichlet priors around the frequencies of the other rows, and over no
    difference at all; each counts by its marginal likelihood. So rows that may have been drawn alike are taken to be.
    """
    clean = short.take(trusted)
    known = clean.by_class(targets[:, trusted])
    others = short.by_class(targets) - known + 0.5
    share, rows = others / others.sum(), known.sum()
    more = _MIX_PRIORS[:, None] * short.n_classes
    seen = gammaln(known + more * share) - gammaln(more * share)
    likely = np.append(seen.sum(axis=1) + (gammaln(more) - gammaln(more + rows))[:, 0], known @ np.log(share))
    ratio = np.log((known + more * share) / ((rows + more) * share))
    return clean.of_class(softmax(likely)[:-1] @ ratio)
