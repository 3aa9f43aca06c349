"""Learners that are updated, against the same learners fitted anew."""

import numpy as np
import pytest

from cleaning.belief.base_learners import Evidence, dense_scores, kernels, plain_view
from cleaning.belief.kept_learners import FewRows, ManyRows, Placed, _Process, _Ridge, _Votes
from cleaning.belief.primal_learners import _ridge, primal_scores
from tests.support import blobs

K, N, TRUSTED = 3, 150, 20


def evidence_of(rows, labels, noisy, before=()):
    before = np.asarray(before, dtype=np.int64)
    return Evidence(rows, np.eye(K)[labels], noisy, np.eye(K)[before])


@pytest.fixture(scope="module")
def data():
    """Features, labels as given, right labels; the last rows are trusted."""
    clean = blobs(N, 0, classes=K, gap=2.0)
    given = clean.labels.copy()
    given[: N - TRUSTED : 4] = (given[: N - TRUSTED : 4] + 1) % K
    wide = clean.features @ np.random.default_rng(0).normal(size=(clean.features.shape[1], 12))
    return wide.astype(np.float32), given, clean.labels


@pytest.fixture(scope="module")
def base(data):
    features, given, _ = data
    return evidence_of(features, given, N - TRUSTED)


def after(data, checked, left_out=()):
    """The evidence after some rows were checked and others left out, and where its rows were."""
    features, given, right = data
    still = np.setdiff1d(np.arange(N - TRUSTED), [*checked, *left_out])
    place = np.concatenate([still, np.arange(N - TRUSTED, N), checked])
    labels = np.concatenate([given[still], right[N - TRUSTED :], right[checked]])
    return evidence_of(features[place], labels, len(still), given[checked]), place


CHECKED = np.arange(3, 63, 5)


@pytest.mark.parametrize("checked", [CHECKED[:0], CHECKED, np.arange(0, 120)], ids=["none", "few", "many"])
def test_few_rows_are_judged_as_if_fitted_anew(data, base, checked):
    evidence, place = after(data, checked)
    found = FewRows.of(base).scores(Placed(evidence, place, N))
    assert found == pytest.approx(dense_scores(evidence), abs=2e-3)


def test_many_rows_are_judged_as_at_first_while_nothing_is_checked(base):
    found = ManyRows.of(base, np.random.default_rng(1)).scores(Placed(base, np.arange(N), N))
    assert found == pytest.approx(primal_scores(base, np.random.default_rng(1)), abs=2e-3)


@pytest.mark.parametrize("checked", [CHECKED[:4], np.arange(0, 120)], ids=["low rank", "whole"])
def test_a_ridge_is_updated_as_if_fitted_anew(data, base, checked):
    evidence, place = after(data, checked)
    rows, penalty, placed = plain_view(base.features), 3.0 * np.eye(12), Placed(evidence, place, N)
    found = _Ridge.of(rows, penalty, 1 / base.noise_weights()).scores(placed, placed.targets[0])
    again = _ridge(rows[place].__getitem__, penalty, placed.targets[0], 1 / evidence.noise_weights())
    assert found == pytest.approx(again, abs=1e-3)


def test_rows_left_out_teach_a_process_nothing(data, base):
    evidence, place = after(data, CHECKED, left_out=[0, 1, 7])
    kernel = kernels(plain_view(base.features))[0]
    placed, noise = Placed(evidence, place, N), evidence.noise_weights()
    found = _Process.of(kernel, base.noise_weights()).scores(placed, placed.targets[0], noise)
    inverted = np.linalg.inv(kernel[np.ix_(place, place)] + np.diag(noise))
    expected = placed.targets[0] - (inverted @ placed.targets[0]) / np.diag(inverted)[:, None]
    assert found == pytest.approx(expected, abs=1e-3)


def test_a_checked_copy_speaks_for_the_one_that_is_still_open(data, base):
    """Two observations of one row, against a kernel that has the row twice."""
    features, given, right = data
    place = np.concatenate([np.arange(N), [5, 9]])
    labels = np.concatenate([given[: N - TRUSTED], right[N - TRUSTED :], right[[5, 9]]])
    evidence = evidence_of(features[place], labels, N - TRUSTED, given[[5, 9]])
    kernel = kernels(plain_view(base.features))[0]
    placed, noise = Placed(evidence, place, N), evidence.noise_weights()
    found = _Process.of(kernel, base.noise_weights()).scores(placed, placed.targets[0], noise)
    inverted = np.linalg.inv(kernel[np.ix_(place, place)].astype(float) + np.diag(noise))
    expected = placed.targets[0] - (inverted @ placed.targets[0]) / np.diag(inverted)[:, None]
    assert found == pytest.approx(expected, abs=2e-3)


def test_checked_rows_vote_although_they_were_not_drawn(data, base, monkeypatch):
    monkeypatch.setattr("cleaning.belief.primal_learners.REFERENCE", 60)
    votes = _Votes.of(plain_view(base.features), base, np.random.default_rng(0))
    checked = np.setdiff1d(np.arange(N - TRUSTED), votes.reference)[:30]
    evidence, place = after(data, checked)
    found = votes.scores(Placed(evidence, place, N))
    before = votes.scores(Placed(base, np.arange(N), N))
    each, true = np.arange(N), data[2][place]
    assert found[each, true].mean() > before[place][each, true].mean()
