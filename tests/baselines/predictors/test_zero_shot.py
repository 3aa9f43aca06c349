import numpy as np
import pytest

from baselines.predictors.zero_shot import text_knn, text_ridge, two_tower
from baselines.predictors.zero_shot._text import plain, read_corpus
from cleaning import InvalidInput
from cleaning.problems import ZeroShotProblem, ZeroShotTarget

METHODS = (text_knn, text_ridge, two_tower)
NAMES = {"en": ("red house", "green tree", "blue boat"), "ru": ("красный дом", "зелёное дерево", "синяя лодка")}
VARIANTS = (
    ("house in red", "two red houses", "красного дома", "дом красный"),
    ("green trees", "trees, green", "зеленые деревья", "дерево зелёного цвета"),
    ("boats in blue", "a blue boat", "синие лодки", "лодка синяя большая"),
)


def problem(seed=0, count=150, wrong=0.2):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(3, 12)) * 2 + 5
    labels = np.arange(count) % 3
    images = centres[labels] + rng.normal(size=(count, 12))
    shown = np.where(rng.random(count) < wrong, rng.integers(0, 3, count), labels)
    texts = [VARIANTS[label][rng.integers(4)] for label in shown]
    half = count // 2
    blocks = [(np.arange(half), texts[:half]), (np.arange(half, count), texts[half:])]
    test = np.arange(60) % 3
    target_images = centres[test] + rng.normal(size=(60, 12))
    targets = {name: ZeroShotTarget(classes, target_images) for name, classes in NAMES.items()}
    return ZeroShotProblem(images, blocks, targets), test


@pytest.mark.parametrize("method", METHODS)
def test_classes_are_recognised_from_russian_and_english_names_alone(method):
    given, truth = problem()
    before = given.images.copy()
    answers = method.predict(given, rng=np.random.default_rng(1))
    assert set(answers) == {"en", "ru"}
    for classes in answers.values():
        assert classes.dtype == np.int64
        assert np.mean(classes == truth) > 0.85
    again = method.predict(given, rng=np.random.default_rng(1))
    assert all(np.array_equal(answers[name], again[name]) for name in answers)
    assert np.array_equal(before, given.images)


@pytest.mark.parametrize("method", METHODS)
def test_a_name_without_any_known_text_still_gets_answers_and_ties_go_to_the_lowest_class(method):
    given, _ = problem(count=20)
    target = ZeroShotTarget(("", "???", "!!!"), given.images[:4])
    answers = method.predict(
        ZeroShotProblem(given.images, [(np.arange(2), ["a b", ""])], {"odd": target}), rng=np.random.default_rng(0)
    )
    assert answers["odd"].tolist() == [0, 0, 0, 0]


def test_ridge_is_the_closed_form():
    given, _ = problem(count=40)
    corpus = read_corpus(given.pairs, 40, 1 << 12)
    images = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    weights = text_ridge._ridge(corpus, images, 0.7, lambda *_: None)
    texts = corpus.texts.toarray().astype(np.float64)
    dual = texts.T @ np.linalg.solve(texts @ texts.T + 0.7 * np.eye(40), images)
    assert np.allclose(weights, dual, atol=1e-4)


def test_the_block_size_does_not_change_the_answer(monkeypatch):
    given, _ = problem()
    whole = [method.predict(given, rng=np.random.default_rng(0)) for method in (text_knn, text_ridge)]
    monkeypatch.setattr(text_knn, "_BLOCK_ENTRIES", 60)
    monkeypatch.setattr(text_ridge, "_BLOCK", 33)
    parts = [method.predict(given, rng=np.random.default_rng(0)) for method in (text_knn, text_ridge)]
    assert all(np.array_equal(a[name], b[name]) for a, b in zip(whole, parts, strict=True) for name in a)


def test_the_gradient_of_the_contrastive_loss_equals_finite_differences():
    rng = np.random.default_rng(0)
    texts, images = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    positive = np.eye(5)
    positive[0, 3] = positive[3, 0] = 1
    loss, by_text, by_image = two_tower.info_nce(texts, images, positive, 0.3)
    for array, slope in ((texts, by_text), (images, by_image)):
        for place in ((0, 0), (3, 2), (4, 1)):
            kept, array[place] = array[place], array[place] + 1e-6
            moved = two_tower.info_nce(texts, images, positive, 0.3)[0]
            array[place] = kept
            assert (moved - loss) / 1e-6 == pytest.approx(slope[place], abs=1e-4)


def test_perfect_pairs_have_a_small_loss_and_random_ones_the_loss_of_guessing():
    units = np.eye(8, dtype=np.float32)
    assert two_tower.info_nce(units, units, units, 0.01)[0] < 1e-6
    assert two_tower.info_nce(units * 0 + 1, units * 0 + 1, units, 1.0)[0] == pytest.approx(np.log(8))


def test_training_lowers_the_reported_loss():
    reports = []
    two_tower.predict(problem()[0], rng=np.random.default_rng(0), progress=lambda *at: reports.append(at), batch=50)
    losses = [float(note.rpartition(" ")[2]) for _, _, note in reports]
    assert reports[-1][:2] == (30, 30)
    assert reports[0][2].startswith("epoch 1, loss ")
    assert np.mean(losses[-3:]) < 0.9 * np.mean(losses[:3])


@pytest.mark.parametrize(
    "pairs", [[], [(np.array([], dtype=int), [])], [(np.array([150]), ["a"])], [(np.array([-1]), ["a"])]]
)
def test_pairs_that_cannot_be_learned_from_are_refused(pairs):
    given, _ = problem()
    with pytest.raises(InvalidInput, match="image-text pairs"):
        text_ridge.predict(ZeroShotProblem(given.images, pairs, given.targets), rng=np.random.default_rng(0))


def test_inconsistent_targets_are_refused():
    with pytest.raises(InvalidInput, match="there are none"):
        ZeroShotTarget((), np.ones((1, 2)))
    with pytest.raises(InvalidInput, match="data set odd"):
        ZeroShotProblem(np.ones((3, 4)), [], {"odd": ZeroShotTarget(("a",), np.ones((1, 2)))})


def test_texts_are_compared_without_case_width_and_yo():
    assert plain("Ёлка ＡＢＣ") == "елка abc"
