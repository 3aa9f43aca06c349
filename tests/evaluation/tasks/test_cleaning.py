"""The cleaning task beside the harness: what the original's readers get."""

import io
import json
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from cleaning import CleaningCurve
from evaluation.cli import main
from evaluation.contract.loading import load_parameters
from evaluation.contract.record import Curve, latest, read_records
from evaluation.contract.registry import task
from evaluation.files.progress import Reporter
from evaluation.harness.evaluate import evaluate
from evaluation.settings.folders import Folders
from tests.evaluation.contract.test_record import record
from tests.support import write_parameters


def score(folders):
    reporter = Reporter(io.StringIO(), io.StringIO())
    return evaluate(folders, reporter), reporter.err.getvalue()


def test_the_original_shape_does_not_depend_on_the_target(ranked):
    path = ranked.results_folder / "blobs_evaluation.json"
    score(ranked)
    before = path.read_bytes()
    write_parameters(ranked.parameters_file.parent, target=0.5)
    score(ranked)
    assert path.read_bytes() == before
    assert {r.settings["target"] for r in latest(read_records(ranked.results_file))} == {0.5}


@given(st.integers(1, 1000).flatmap(lambda rows: st.lists(st.integers(0, rows).map(lambda k: k / rows), min_size=2)))
@example([0.0, 3 / 200, 0.015, 0.025])
def test_the_score_of_the_original_shape_is_that_of_its_accuracies(accuracy):
    """The accuracies written and the score beside them are rounded alike, also halfway between two decimals."""
    curve = CleaningCurve(np.arange(len(accuracy)), np.array(accuracy), accuracy[0], accuracy[-1])
    shape = Curve(fixes=tuple(range(len(accuracy))), accuracy=tuple(accuracy), dirty=accuracy[0], clean=accuracy[-1])
    one = record(method="m", dataset="x", curve=shape, metrics={"fraction_fixes": curve.fraction_fixes()})
    with tempfile.TemporaryDirectory() as place:
        folders = Folders.in_workspace(Path(place))
        task("cleaning").publish([one], folders, load_parameters(write_parameters(Path(place))))
        content = json.loads((folders.results_folder / "x_evaluation.json").read_text())
    written = [row["accuracy"] for row in content["submitted_evaluations"]]
    first = next(place for place, value in enumerate(written) if value >= 0.95 * written[-1])
    assert content["auc_score"]["m"]["fraction_fixes"] == first / len(written)


def test_a_submission_named_like_a_bound_is_refused_and_the_bound_is_not_published(ranked, capsys):
    write_parameters(ranked.parameters_file.parent, bounds=["oracle_errors_first"])
    assert score(ranked)[0] == 0
    published = json.loads((ranked.results_folder / "blobs_evaluation.json").read_text())
    assert set(published["auc_score"]) == {"random", "knn_shapley"}
    assert {row["submission"] for row in published["submitted_evaluations"]} == {"random", "knn_shapley"}
    bound = {r.dataset: r for r in latest(read_records(ranked.results_file)) if r.method == "oracle_errors_first"}
    path = ranked.submission_folder / "blobs_oracle_errors_first.txt"
    path.write_bytes((ranked.submission_folder / "blobs_random.txt").read_bytes())
    problem = f"{path}: 'oracle_errors_first' is the name of a bound, not of a submission. Fix: rename the file."
    for _ in range(2):
        failures, err = score(ranked)
        assert failures == 1
        assert problem in err
        newest = {r.dataset: r for r in latest(read_records(ranked.results_file)) if r.method == "oracle_errors_first"}
        assert newest == bound
    assert main(["validate", str(path), f"--workspace={ranked.parameters_file.parent}"]) == 1
    assert problem in capsys.readouterr().err
    write_parameters(ranked.parameters_file.parent)
    assert problem in score(ranked)[1]
