"""Our metrics beside independent implementations, on random data with ties, absent classes and missing items."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import fbeta_score, log_loss

from cleaning.vectors.search import largest
from evaluation.tasks.camera_trap.task import EPSILON, class_log_loss
from evaluation.tasks.image_retrieval.average_precision import average_precision, numbered
from evaluation.tasks.logo.task import averages


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 6), st.sampled_from([1, 5, 10, 20, 100]))
def test_average_precision_agrees_with_pytrec_eval(seed, size, levels, depth):
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="pytrec-eval-terrier is not installed")
    rng = np.random.default_rng(seed)
    references = rng.integers(0, 5, size)
    # class 7 has no reference; few levels of similarity mean many ties
    queries = rng.choice([0, 1, 2, 7], 8)
    similarity = rng.integers(0, levels, (8, size)).astype(np.float32)
    ranks = np.full((8, depth), -1, dtype=np.int32)
    ranks[:, :size] = largest(similarity, min(depth, size))[1][:, :depth]
    absent = rng.random(8) < 0.3
    ranks[absent] = -1
    found = average_precision(ranks, *numbered(queries.tolist(), references.tolist()))[0]

    # trec_eval breaks ties by falling name, we by rising row
    names = [f"{size - row:03d}" for row in range(size)]
    relevant = {
        str(q): {name: int(c == queries[q]) for name, c in zip(names, references, strict=True)} for q in range(8)
    }
    lists = {
        str(q): dict(zip(names, similarity[q].astype(float).tolist(), strict=True)) for q in np.flatnonzero(~absent)
    }
    peer = pytrec_eval.RelevanceEvaluator(relevant, {f"map_cut_{depth}"}).evaluate(lists)
    expected = [peer.get(str(q), {}).get(f"map_cut_{depth}", 0.0) for q in range(8)]
    assert found == pytest.approx(expected, abs=1e-12)
    assert not found[absent | (queries == 7)].any()


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1, max_size=40), st.data())
def test_f2_agrees_with_scikit_learn(pairs, data):
    missing = data.draw(st.sets(st.sampled_from(range(len(pairs))), max_size=len(pairs) - 1))
    truth = {str(n): a for n, (a, _) in enumerate(pairs)}
    answers = {str(n): b for n, (_, b) in enumerate(pairs) if n not in missing}
    found = averages(truth, answers, "abcde")
    expected = list(truth.values())

    def peer(average, worst, labels="abcde"):
        # a missing answer claims `worst`, or where that would be right, something outside of the list
        taken = [answers.get(name, worst if worst != label else "nothing") for name, label in truth.items()]
        return fbeta_score(expected, taken, beta=2, labels=list(labels), average=average, zero_division=0)

    by_label = [peer("macro", label, label) for label in "abcde"]
    assert float(found["macro"]) == pytest.approx(np.mean(by_label), abs=1e-12)
    shares = [expected.count(label) / len(expected) for label in "abcde"]
    assert float(found["weighted"]) == pytest.approx(np.dot(shares, by_label), abs=1e-12)
    # d and e are in no truth, so that d is wrong everywhere
    assert float(found["micro"]) == pytest.approx(peer("micro", "d"), abs=1e-12)
    if not missing:
        for name in ("macro", "weighted", "micro"):
            assert float(found[name]) == pytest.approx(peer(name, "nothing"), abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_log_loss_agrees_with_scikit_learn(seed, rows):
    rng = np.random.default_rng(seed)
    # the first class has no positives at all
    truth = np.column_stack([np.zeros(rows, int), rng.integers(0, 2, (rows, 2))])
    probabilities = rng.uniform(0, 1, (rows, 3))
    probabilities[rng.random((rows, 3)) < 0.2] = rng.integers(0, 2)
    # scikit-learn clips at the smallest step of the type: here the clip is done before
    clipped = np.clip(probabilities, EPSILON, 1 - EPSILON)
    peer = [log_loss(truth[:, column], clipped[:, column], labels=[0, 1]) for column in range(3)]
    assert class_log_loss(truth, probabilities) == pytest.approx(peer, abs=1e-12)
