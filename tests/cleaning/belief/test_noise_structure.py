"""How much of a fitted noise matrix is used for the belief about single rows."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics import average_precision_score

from cleaning import Split, label_posterior
from cleaning.belief.noise_structure import as_far_as_shown, tempered
from cleaning.belief.shortlist import Shortlist
from cleaning.belief.stacking import given_votes

STRENGTH = 20.0


def noise_of(kind: str, classes: int, rate: float) -> np.ndarray:
    if kind == "symmetric":
        return (1 - rate) * np.eye(classes) + rate / (classes - 1) * (1 - np.eye(classes))
    return (1 - rate) * np.eye(classes) + rate * np.roll(np.eye(classes), 1, axis=1)


def heard(
    kind: str, *, classes: int = 5, rows: int = 3000, rate: float = 0.2
) -> tuple[Shortlist, np.ndarray, csr_array]:
    """Rows whose class is sure for three of four of them, and what each is called."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, classes, rows)
    logits = 3.0 * rng.normal(size=(rows, classes)) * (rng.random((rows, 1)) < 0.25)
    logits[np.arange(rows), truth] += 4.0
    called = (noise_of(kind, classes, rate)[truth].cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1)
    short = Shortlist(np.ascontiguousarray(logits.T[None]), classes)
    return short, np.array([1.0, *np.zeros(classes)]), csr_array(np.eye(classes)[called])


def fitted(short: Shortlist, ballot: csr_array) -> np.ndarray:
    """The noise matrix after some steps of EM, with little shrinkage."""
    noise, before = noise_of("symmetric", short.n_classes, 0.2), _before(short)
    for _ in range(20):
        counts = given_votes(before, noise, ballot).T @ ballot + 1e-3
        noise = counts / counts.sum(axis=1, keepdims=True)
    return noise


def _before(short: Shortlist) -> np.ndarray:
    odds = np.exp(short.scores[0].T)
    return odds / odds.sum(axis=1, keepdims=True)


def right(short: Shortlist, ballot: csr_array, noise: np.ndarray) -> float:
    return float((given_votes(_before(short), noise, ballot) * ballot.toarray()).sum())


def test_symmetric_noise_is_made_symmetric_and_one_kind_of_error_stays() -> None:
    short, parameters, ballot = heard("symmetric")
    plain = as_far_as_shown(short, parameters, ballot, fitted(short, ballot), STRENGTH)
    wrong = plain[~np.eye(5, dtype=bool)].reshape(5, 4)
    np.testing.assert_allclose(wrong, np.broadcast_to(wrong.mean(axis=1, keepdims=True), wrong.shape), rtol=1e-9)
    short, parameters, ballot = heard("next")
    noise = fitted(short, ballot)
    np.testing.assert_array_equal(as_far_as_shown(short, parameters, ballot, noise, STRENGTH), noise)


def test_as_many_labels_are_expected_to_be_wrong() -> None:
    short, parameters, ballot = heard("symmetric")
    noise = fitted(short, ballot)
    found = as_far_as_shown(short, parameters, ballot, noise, STRENGTH)
    assert not np.allclose(found, noise)
    assert 3000 - right(short, ballot, found) == pytest.approx(3000 - right(short, ballot, noise), rel=0.01)
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_the_matrix_of_two_classes_stays() -> None:
    short, parameters, ballot = heard("symmetric", classes=2)
    noise = np.array([[0.9, 0.1], [0.3, 0.7]])
    assert as_far_as_shown(short, parameters, ballot, noise, STRENGTH) is noise


def test_each_annotator_keeps_the_number_of_errors() -> None:
    share, both = np.full(4, 0.25), np.hstack([noise_of("next", 4, 0.1), noise_of("next", 4, 0.4)])
    found = tempered(both, share, 0.0).reshape(4, 2, 4)
    np.testing.assert_allclose(np.einsum("cac->ca", found), np.tile([0.9, 0.6], (4, 1)))
    np.testing.assert_allclose(tempered(both, share, 1.0), both, atol=1e-9)


def test_rows_of_overlapping_classes_are_ordered_better_where_all_errors_are_alike() -> None:
    """Two pairs of classes overlap: a matrix fitted to that finds confusions where there are none."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 6, 900)
    centres = 4.0 * rng.normal(size=(6, 8))
    centres[1], centres[3] = centres[0] + 0.6, centres[2] + 0.6
    wrong = rng.random(900) < 0.08
    given = np.where(wrong, (truth + rng.integers(1, 6, 900)) % 6, truth)
    found = label_posterior(Split.from_arrays(centres[truth] + rng.normal(size=(900, 8)), given))
    stack, rows = found.basis.stack, np.argsort(found.basis.order)
    said = found.basis.evidence.said
    before = stack.before_label(found.basis.scores[:, : said.shape[0]])
    whole = 1 - given_votes(before, stack.noise, said)[found.basis.group[rows], given]
    assert average_precision_score(wrong, found.suspicion) > average_precision_score(wrong, whole) + 0.005
