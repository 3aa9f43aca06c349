import csv
import hashlib
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import cleaning.learners
from cleaning import GroundTruth, InvalidInput, NoisyDataset, Ranking, Split, Unsuitable, simulate
from cleaning.discovery import discover
from cleaning.learners import dataperf
from cleaning.learners._network import Network, with_bias
from cleaning.learners._torch_init import initial_weights
from cleaning.learners.dataperf import Learner
from cleaning.simulation.simulate import LabelPath
from tests.tools.made_up import SHAPES, made_up

_EVERY = 1 if "FIXFIRST_PROOFS" in os.environ else 16
GOLDEN = json.loads((Path(__file__).parent / "golden" / "dataperf_learner.json").read_text())


def curve_of(name, learner=None):
    data = made_up(name)
    dataset = NoisyDataset(
        name,
        Split.from_arrays(data.train, data.labels),
        None,
        Split.from_arrays(data.test, data.test_labels),
    )
    return simulate(dataset, GroundTruth(data.truth), Ranking(data.order), learner or Learner())


def path_and_test(n=24, width=4, seed=0):
    draws = np.random.default_rng(seed)
    features = draws.normal(size=(n, width)).astype(np.float32)
    labels = draws.integers(0, 2, n)
    rows = draws.permutation(n)[:5]
    test = Split.from_arrays(draws.normal(size=(30, width)).astype(np.float32), draws.integers(0, 2, 30))
    return LabelPath(features, labels, rows, 1 - labels[rows]), test


def silent(done, total):
    pass


def accuracies(path, test):
    return Learner().accuracies(path, test, silent).tolist()


@pytest.mark.parametrize("width", GOLDEN["initial_weights"])
def test_initial_weights_are_torchs_bit_for_bit(width):
    weights = initial_weights(int(width))
    tensors = [weights.hidden_weight, weights.hidden_bias, weights.output_weight, weights.output_bias]
    expected = GOLDEN["initial_weights"][width]
    assert [float(tensor.flat[0]).hex() for tensor in tensors] == expected["first"]
    assert hashlib.sha256(b"".join(tensor.tobytes() for tensor in tensors)).hexdigest() == expected["sha256"]


@pytest.mark.parametrize("name", SHAPES)
def test_curves_of_made_up_data_equal_torchs(name):
    curve = curve_of(name)
    assert curve.accuracy.tolist() == GOLDEN["cases"][name]["accuracy"]
    assert curve.dirty == GOLDEN["cases"][name]["accuracy"][0]


@pytest.mark.parametrize("name", SHAPES)
def test_probabilities_and_threshold_are_torchs(name):
    data = made_up(name)
    function = Network(data.train.shape[1]).train(with_bias(data.train), data.labels.astype(np.float32))
    probabilities = dataperf._probabilities(*function, data.test)
    assert probabilities[:8] == pytest.approx(GOLDEN["cases"][name]["probabilities"], abs=2e-5)
    threshold = dataperf._threshold(dataperf._probabilities(*function, data.train), data.labels)
    assert round(float(threshold), 2) == GOLDEN["cases"][name]["threshold"]


@pytest.mark.slow
@pytest.mark.parametrize("data_id", ["01g317", "01g317-flipped", "04rky", "04rky-flipped"])
def test_the_points_of_all_twelve_curves_equal_the_published_evaluators(data_id, dataperf):
    """Every sixteenth label vector, the first and the last; `nox -s proofs` takes all 3,600 points."""
    from pyarrow import parquet

    def split(part):
        table = parquet.read_table(dataperf / "embeddings" / f"{data_id}_{part}.parquet")
        return Split.from_arrays(np.vstack(table["encoding"].to_numpy()), table["label"].to_numpy())

    with (dataperf / "data" / f"dataset_{data_id}_train.csv").open() as file:
        truth = GroundTruth(np.array([int(row["hv_label"]) for row in csv.DictReader(file)]))
    golden = json.loads((dataperf / "golden" / f"{data_id}_reference_curves.json").read_text())
    train, test = split("train_0.3_300"), split("test_500")
    wrong = train.labels != truth.labels
    for method, expected in golden["curves"].items():
        order = np.loadtxt(dataperf / "golden" / f"{data_id}_{method}.txt", dtype=int)
        rows = order[wrong[order]]
        states = np.union1d(np.arange(0, len(rows), _EVERY), len(rows))
        path = LabelPath(train.features, train.labels, rows, truth.labels[rows])
        points = np.append(golden["before_acc"], expected["accuracy"])[np.append(0, np.flatnonzero(wrong[order]) + 1)]
        assert accuracies(path.at(states), test) == points[states].tolist()


def test_it_is_discovered_and_named_in_records():
    component = discover(cleaning.learners, "learner", "Learner")["dataperf"]
    assert "DataPerf" in component.summary
    assert component.member().describe() == {"name": "dataperf"}
    assert pickle.loads(pickle.dumps(Learner())) == Learner()


def test_each_state_is_independent_of_the_others():
    path, test = path_and_test()
    together = accuracies(path, test)
    for state in range(len(path)):
        alone = LabelPath(path.features, path.labels_at(state), path.rows[:0], path.values[:0])
        assert accuracies(alone, test) == [together[state]]


def test_blocks_do_not_change_a_point(monkeypatch):
    name = "padded_columns"
    monkeypatch.setattr(dataperf, "_BLOCK_WORK", 3 * 33 * 4)
    path = LabelPath(made_up(name).train, made_up(name).labels, np.arange(0), np.arange(0))
    assert Learner().block_size(path) == 4
    assert curve_of(name).accuracy.tolist() == GOLDEN["cases"][name]["accuracy"]


def test_progress_is_reported_once_per_state_and_inputs_are_not_modified():
    path, test = path_and_test()
    before = path.features.copy(), path.labels.copy(), test.features.copy()
    reports = []
    Learner().accuracies(path, test, lambda done, total: reports.append((done, total)))
    assert reports == [(state, 6) for state in range(1, 7)]
    after = path.features, path.labels, test.features
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True))


def test_precision_and_alignment_of_the_input_do_not_matter():
    path, test = path_and_test()
    expected = accuracies(path, test)
    raw = np.empty(path.features.nbytes + 1, np.uint8)
    shifted = raw[1:].view(np.float32).reshape(path.features.shape)
    shifted[:] = path.features
    for features in (path.features.astype(np.float64), np.asfortranarray(path.features), shifted):
        assert accuracies(LabelPath(features, path.labels, path.rows, path.values), test) == expected


def test_labels_of_one_class_are_learned():
    path, test = path_and_test()
    ones = LabelPath(path.features, np.ones(24, int), path.rows[:0], path.values[:0])
    assert accuracies(ones, test) == [np.round(np.mean(test.labels == 1), 2)]


@pytest.mark.parametrize("part", ["training", "true training", "test"])
def test_a_third_class_is_refused(part):
    path, test = path_and_test()
    labels, values = path.labels.copy(), path.values.copy()
    if part == "training":
        labels[3] = 2
    elif part == "true training":
        values[0] = 2
    else:
        test = Split.from_arrays(test.features, np.full(30, 2))
    with pytest.raises(Unsuitable, match=rf"0 and 1, but the {part} labels contain others \(1 in all: 2\)"):
        accuracies(LabelPath(path.features, labels, path.rows, values), test)


def test_other_widths_no_rows_and_overflow_are_refused():
    path, test = path_and_test()
    with pytest.raises(InvalidInput, match="have 3 columns, training embeddings have 4"):
        accuracies(path, Split.from_arrays(test.features[:, :3], test.labels))
    with pytest.raises(InvalidInput, match="no training or no test rows"):
        accuracies(path, test.take([]))
    huge = LabelPath(path.features.astype(float) * 1e300, path.labels, path.rows, path.values)
    with pytest.raises(Unsuitable, match="too large"):
        accuracies(huge, test)


def test_the_threshold_is_zero_if_none_is_ever_right():
    assert dataperf._threshold(np.full(300, 0.99, np.float32), np.zeros(300, int)) == 0.0
    assert dataperf._threshold(np.array([0.2, 0.3], np.float32), np.array([0, 1])) == np.float32(0.2)
