import numpy as np
import pytest
from sklearn.datasets import load_digits

from baselines.predictors.image_retrieval import centred_cosine, diffusion, query_expansion
from cleaning import InvalidInput, Unsuitable
from cleaning.problems import RetrievalProblem
from cleaning.vectors.search import unit_directions

METHODS = (centred_cosine, query_expansion, diffusion)
RNG = np.random.default_rng(0)


def mean_ap(ranks, query_labels, reference_labels):
    """AP over the given depth, over all relevant references; a query's own copy (same row) has been removed."""
    relevant = reference_labels[ranks] == query_labels[:, None]
    precision = np.cumsum(relevant, axis=1) / np.arange(1, ranks.shape[1] + 1)
    everything = (reference_labels == query_labels[:, None]).sum(axis=1)
    return float(np.mean((precision * relevant).sum(axis=1) / everything))


def digits_score(ranks, labels, depth=1000):
    """mAP@1000 with every digit both a query and a reference, its own copy left out of the list and the count."""
    rows = np.arange(len(labels))
    others = [ranks[row][ranks[row] != row][:depth] for row in rows]
    relevant = labels[np.array(others)] == labels[:, None]
    precision = np.cumsum(relevant, axis=1) / np.arange(1, depth + 1)
    return float(np.mean((precision * relevant).sum(axis=1) / (np.bincount(labels)[labels] - 1)))


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "options", "expected"),
    [
        (centred_cosine, {}, 0.668),
        (query_expansion, {}, 0.760),
        (diffusion, {"neighbours": 50, "mutual": False, "decay": 0.8, "entries": 1}, 0.817),
    ],
)
def test_scores_on_all_digits_equal_the_known_figures(digits, method, options, expected):
    features, labels = digits
    ranks = method.predict(RetrievalProblem(features, features, 1001), rng=RNG, **options)
    assert digits_score(ranks, labels) == pytest.approx(expected, abs=0.01)


def test_plain_cosine_on_all_digits_equals_the_known_figure(digits):
    features, labels = digits
    rows = unit_directions(features)
    ranks = np.argsort(-(rows @ rows.T), axis=1, kind="stable")[:, :1001]
    assert digits_score(ranks, labels) == pytest.approx(0.647, abs=0.01)


@pytest.mark.slow
def test_diffusion_with_default_options_beats_the_known_figure(digits):
    features, labels = digits
    assert digits_score(diffusion.predict(RetrievalProblem(features, features, 1001), rng=RNG), labels) > 0.86


def test_each_stronger_baseline_ranks_a_split_of_the_digits_better(digits):
    features, labels = digits
    order = np.random.default_rng(1).permutation(len(labels))
    queries, references = order[:100], order[100:700]
    problem = RetrievalProblem(features[queries], features[references], 600)
    scores = [mean_ap(m.predict(problem, rng=RNG), labels[queries], labels[references]) for m in METHODS]
    assert scores[0] + 0.05 < scores[1] < scores[2]


@pytest.mark.parametrize("method", METHODS)
def test_a_list_names_each_reference_once_and_the_input_is_not_modified(method):
    rng = np.random.default_rng(3)
    queries, references = rng.normal(size=(9, 6)), rng.normal(size=(40, 6))
    references[7] = references[3]
    before = queries.copy(), references.copy()
    reports = []
    problem = RetrievalProblem(queries, references, 1000)
    ranks = method.predict(problem, rng=RNG, progress=lambda *at: reports.append(at))
    assert ranks.shape == (9, 40)
    assert (np.sort(ranks, axis=1) == np.arange(40)).all()
    assert np.array_equal(ranks, method.predict(problem, rng=RNG))
    assert np.array_equal(before[0], queries)
    assert np.array_equal(before[1], references)
    assert reports[-1][0] == reports[-1][1]
    twins = np.argwhere((ranks == 3) | (ranks == 7)).reshape(9, 2, 2)[:, :, 1]
    assert (twins[:, 1] == twins[:, 0] + 1).all()
    assert all(row.tolist().index(3) < row.tolist().index(7) for row in ranks)
    assert method.predict(RetrievalProblem(queries[:0], references, 5), rng=RNG).shape == (0, 5)


@pytest.mark.parametrize("method", METHODS)
def test_a_single_reference_is_found(method):
    ranks = method.predict(RetrievalProblem(np.ones((2, 3)), np.ones((1, 3)), 5), rng=RNG)
    assert ranks.tolist() == [[0], [0]]


def test_diffusion_solves_its_equation():
    references = unit_directions(np.random.default_rng(5).normal(size=(30, 4)))
    system = diffusion._system(references, 5, 0.9, 3.0, mutual=True)
    right = np.random.default_rng(6).normal(size=(30, 3))
    assert np.allclose(system.toarray(), system.toarray().T)
    assert np.allclose(diffusion._solved(system, right), np.linalg.solve(system.toarray(), right), atol=1e-5)


def test_diffusion_refuses_too_many_references(monkeypatch):
    monkeypatch.setattr(diffusion, "LARGEST", 3)
    with pytest.raises(Unsuitable, match="up to 3 references, but there are 4"):
        diffusion.predict(RetrievalProblem(np.ones((1, 2)), np.ones((4, 2)), 1), rng=RNG)


@pytest.mark.parametrize(
    ("queries", "references", "depth"),
    [((2, 3), (4, 2), 1), ((2, 3), (0, 3), 1), ((2, 3), (4, 3), 0), ((2,), (4, 3), 1)],
)
def test_shapes_that_do_not_fit_are_refused(queries, references, depth):
    with pytest.raises(InvalidInput):
        RetrievalProblem(np.ones(queries), np.ones(references), depth)
