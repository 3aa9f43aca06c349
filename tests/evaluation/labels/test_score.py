"""The neutral scorer, on what other tools really write."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cleanlab.classification import CleanLearning
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_predict

from cleaning import InvalidInput, Ranking, simulate
from cleaning.learners.logistic import Learner
from cleaning.simulation.label_path import LabelPath
from evaluation.labels.foreign import Choice, read_order
from tests.evaluation.labels.decided import decide
from tests.evaluation.labels.own_data import NAMES, Rows, run
from tests.support import noisy_blobs, write_dataset

N = 90


@pytest.fixture(scope="module")
def blobs():
    return noisy_blobs("blobs", n=N, rate=0.4, gap=1.5)


@pytest.fixture(scope="module")
def workspace(blobs, tmp_path_factory):
    place = tmp_path_factory.mktemp("scored")
    write_dataset(place, *blobs)
    return place


@pytest.fixture(scope="module")
def cleanlab_table(blobs):
    """What cleanlab's get_label_issues returns."""
    train = blobs[0].train
    lab = CleanLearning(LogisticRegression(), seed=0)
    lab.find_label_issues(train.features, train.labels)
    return lab.get_label_issues()


def scored(capsys, ranking, workspace, *more):
    status, out, err = run(capsys, "score", ranking, "--data=blobs", f"--workspace={workspace}", *more)
    assert status == 0, err
    return out


def test_an_export_of_cleanlab_is_scored_in_one_command(blobs, workspace, cleanlab_table, tmp_path, capsys):
    cleanlab_table.to_csv(tmp_path / "issues.csv")
    out = scored(capsys, tmp_path / "issues.csv", workspace, f"--output={tmp_path / 's.json'}")
    assert (
        f"{N} of {N} rows; ids from the first column; rows flagged in is_label_issue first, then label_quality" in out
    )
    found = json.loads((tmp_path / "s.json").read_text())
    flagged, quality = (cleanlab_table[name].to_numpy() for name in ("is_label_issue", "label_quality"))
    order = np.lexsort((np.arange(N), quality, ~flagged))
    dataset, truth = blobs
    wrong = dataset.train.labels != truth.labels
    place = np.empty(N)
    place[order] = -np.arange(N)
    assert found["average_precision"]["value"] == pytest.approx(average_precision_score(wrong, place))
    curve = simulate(dataset, truth, Ranking(order), Learner())
    assert found["score"]["value"] == pytest.approx(curve.score())
    assert found["score"]["low"] <= curve.score() <= found["score"]["high"]
    assert found["score"]["low"] < found["score"]["high"]
    assert found["clean_accuracy"] == pytest.approx(curve.clean)
    assert found["average_precision"]["value"] > found["average_precision"]["high"] * 0.5 > 0
    needed = int(np.argmax(np.cumsum(wrong[order]) >= 0.9 * wrong.sum())) + 1
    assert found["looks_for_90_percent"]["value"] == pytest.approx(needed / N)


def test_the_table_that_datalab_wrote_is_scored(blobs, workspace, tmp_path, capsys):
    path = Path(__file__).with_name("datalab.csv")  # made by tests/tools/write_datalab_export.py
    table, train = pd.read_csv(path, index_col=0), blobs[0].train
    predicted = cross_val_predict(LogisticRegression(), train.features, train.labels, cv=5, method="predict_proba")
    assert table["label_score"].to_numpy() == pytest.approx(get_label_quality_scores(train.labels, predicted), abs=1e-4)
    out = scored(capsys, path, workspace, f"--output={tmp_path / 's.json'}")
    assert f"{N} of {N} rows; ids from the first column; rows flagged in is_label_issue first, then label_score" in out
    order = np.lexsort((np.arange(N), table["label_score"], ~table["is_label_issue"]))
    place = np.empty(N)
    place[order] = -np.arange(N)
    precision = average_precision_score(train.labels != blobs[1].labels, place)
    assert json.loads((tmp_path / "s.json").read_text())["average_precision"]["value"] == pytest.approx(precision)


def test_a_long_curve_has_few_models_and_no_random_order(workspace, cleanlab_table, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("evaluation.labels.score._STATES", 9)
    cleanlab_table.to_csv(tmp_path / "issues.csv")
    for name in ("s.json", "s.csv"):
        out = scored(capsys, tmp_path / "issues.csv", workspace, f"--output={tmp_path / name}")
    assert "random order" not in out.splitlines()[-2]
    assert json.loads((tmp_path / "s.json").read_text())["score"]["random"] is None
    table = pd.read_csv(tmp_path / "s.csv")
    assert len(table) == 9
    assert table["wrong_labels_found"].iloc[-1] == 36


def test_pictures_and_curves_are_written(workspace, cleanlab_table, blobs, tmp_path, capsys):
    cleanlab_table.to_csv(tmp_path / "issues.csv")
    for name in ("curve.csv", "curve.png"):
        scored(capsys, tmp_path / "issues.csv", workspace, f"--output={tmp_path / name}")
    table = pd.read_csv(tmp_path / "curve.csv")
    assert list(table) == ["fixes", "wrong_labels_found", "accuracy"]
    assert table["wrong_labels_found"].iloc[-1] == int((blobs[0].train.labels != blobs[1].labels).sum())
    with Image.open(tmp_path / "curve.png") as picture:
        assert picture.size[0] > 1000


def test_rows_that_a_list_of_issues_leaves_out_come_last(blobs, tmp_path):
    train = blobs[0].train
    predicted = cross_val_predict(LogisticRegression(), train.features, train.labels, method="predict_proba")
    issues = find_label_issues(train.labels, predicted, return_indices_ranked_by="self_confidence")
    pd.DataFrame({"row": issues, "rank": range(len(issues))}).to_csv(tmp_path / "list.csv", index=False)
    found = read_order(tmp_path / "list.csv", train.ids, Choice())
    assert found.order[: len(issues)].tolist() == issues.tolist()
    assert found.listed == len(issues) < N
    rest = [row for row in range(N) if row not in set(issues.tolist())]
    assert found.order[len(issues) :].tolist() == rest


def test_an_interval_is_that_of_the_right_predictions_drawn_again(blobs):
    dataset, truth = blobs
    rows = np.flatnonzero(dataset.train.labels != truth.labels)
    path = LabelPath(dataset.train.features, dataset.train.labels, rows, truth.labels[rows])
    right = Learner().correct(path, dataset.test, lambda *_: None)
    assert right.shape == (len(rows) + 1, len(dataset.test))
    assert np.array_equal(right.mean(axis=1), Learner().accuracies(path, dataset.test, lambda *_: None))


def write(path, frame, **how):
    frame.to_csv(path, index=False, **how)
    return path


def test_own_data_with_the_truth_in_a_file(tmp_path, capsys):
    rows = Rows()
    ids = [f"img/{row:03d}.jpg" for row in range(120)]
    write(tmp_path / "data.csv", rows.frame(id=ids))
    write(tmp_path / "truth.csv", pd.DataFrame({"id": ids[::-1], "label": rows.truth[::-1]}))
    checked = pd.DataFrame({f"e{n}": rows.trusted_X[:, n] for n in range(4)} | {"label": rows.trusted_names})
    write(tmp_path / "test.csv", checked)
    suspect = np.where(rows.names != rows.truth, 0.9, 0.1) + np.linspace(0, 0.01, 120)
    export = pd.DataFrame(
        {"filepath": [f"/home/me/{name}" for name in ids], "mistakenness": suspect, "label": rows.names}
    )
    write(tmp_path / "fiftyone.csv", export)
    arguments = [tmp_path / "fiftyone.csv", tmp_path / "data.csv", f"--truth={tmp_path / 'truth.csv'}"]
    status, out, _ = run(
        capsys, "score", *arguments, f"--test={tmp_path / 'test.csv'}", f"--output={tmp_path / 'o.svg'}"
    )
    assert status == 0
    assert "120 of 120 rows; ids from filepath; mistakenness, highest first" in out
    assert "average precision of the wrong labels (higher is better): 1.000 (95% interval 1.000 to 1.000" in out
    assert "share of labels to fix until 95% of the clean accuracy" in out
    status, out, _ = run(capsys, "score", *arguments, f"--output={tmp_path / 'o.csv'}")
    assert "no cleaning score, which needs test rows: --test=SOURCE" in out
    assert (tmp_path / "o.csv").read_text().splitlines()[1] == "0,0,"
    few = pd.DataFrame({"id": ids[:100], "label": rows.truth[:100]})
    write(tmp_path / "truth.csv", few)
    write(tmp_path / "fiftyone.csv", export[:100])
    status, out, err = run(capsys, "score", *arguments)
    assert status == 0
    assert "left out without a label or a true label: 20 rows" in err


def test_a_review_folder_is_scored_and_an_easy_goal_is_said(tmp_path, capsys):
    rows = Rows(60)
    frame = rows.frame(id=[f"r{row}" for row in range(60)])
    write(tmp_path / "t.csv", frame)
    wrong = {0: NAMES[(NAMES.index(rows.names[0]) + 1) % 3]}
    write(tmp_path / "truth.csv", frame.assign(label=[wrong.get(row, name) for row, name in enumerate(rows.names)]))
    run(capsys, "rank", tmp_path / "t.csv")
    decide(tmp_path / "t_review", {1: "keep"})
    run(capsys, "rank", tmp_path / "t.csv")
    asked = [tmp_path / "t.csv", f"--truth={tmp_path / 'truth.csv'}", f"--test={tmp_path / 't.csv'}"]
    status, out, err = run(capsys, "score", tmp_path / "t_review", *asked)
    assert status == 0, err
    left_out = "1 row was decided before and left out, since the ranking has them at its end"
    assert f"60 of 60 rows; ids from id; place, lowest first; {left_out}\n1 of 59 labels is wrong\n" in out
    assert out.endswith("before any fix, so this score cannot tell a good order from a bad one\n")
    assert "there is neither ranking.csv nor samples.json in it" in run(capsys, "score", tmp_path, *asked)[2]


@pytest.mark.parametrize("kind", ["wrong", "right"])
def test_a_ranking_after_all_wrong_labels_were_decided_is_refused(kind, tmp_path, capsys):
    rows = Rows(60)
    write(tmp_path / "t.csv", rows.frame())
    write(tmp_path / "truth.csv", pd.DataFrame({"id": range(60), "label": rows.truth}))
    run(capsys, "rank", tmp_path / "t.csv")
    is_wrong = rows.names != rows.truth
    decided = np.flatnonzero(is_wrong if kind == "wrong" else ~is_wrong)
    decide(tmp_path / "t_review", {int(row): f"={rows.truth[row]}" for row in decided})
    run(capsys, "rank", tmp_path / "t.csv")
    status, _, err = run(
        capsys, "score", tmp_path / "t_review", tmp_path / "t.csv", f"--truth={tmp_path / 'truth.csv'}"
    )
    assert status == 1
    assert f"t_review: all {kind} labels were decided before this ranking. Fix: score the ranking that was made" in err


def sample(filepath, mistakenness, number=0):
    """A sample of an image data set as FiftyOne 1.22 writes it to samples.json."""
    label = {
        "_id": {"$oid": f"6b0998d00ea0d612226f8{number:03x}"},
        "_cls": "Classification",
        "tags": [],
        "label": "cat",
    }
    logits = {"$binary": {"base64": "eJyb7BfqGxDJyFDGUK2ek", "subType": "00"}}
    about = {"tags": ["train"], "metadata": None, "created_at": {"$date": "2026-11-27T10:00:00Z"}, "_rand": 0.5}
    return {
        "filepath": filepath,
        **about,
        "_media_type": "image",
        "_dataset_id": {"$oid": "6b0998d00ea0d612226f8fec"},
        "ground_truth": label,
        "predictions": {**label, "confidence": 0.7, "logits": logits},
        "mistakenness": mistakenness,
        "_id": {"$oid": f"6b0998d00ea0d612226f9{number:03x}"},
    }


def test_the_folder_that_fiftyone_exports_is_scored(tmp_path, capsys):
    rows = Rows()
    ids = [f"img/{row:03d}.jpg" for row in range(120)]
    write(tmp_path / "data.csv", rows.frame(id=ids))
    write(tmp_path / "truth.csv", pd.DataFrame({"id": ids, "label": rows.truth}))
    suspect = np.where(rows.names != rows.truth, 0.9, 0.1) + np.linspace(0, 0.01, 120)
    samples = [sample(f"data/{row:03d}.jpg", float(suspect[row]), row) for row in range(120)]
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "metadata.json").write_text("{}")
    (folder / "samples.json").write_text(json.dumps({"samples": samples}))
    for ranking in (folder, folder / "samples.json"):
        status, out, err = run(capsys, "score", ranking, tmp_path / "data.csv", f"--truth={tmp_path / 'truth.csv'}")
        assert status == 0, err
        assert "120 of 120 rows; ids from filepath; mistakenness, highest first" in out
        assert "(higher is better): 1.000 (95%" in out


def exported(path, samples):
    path.write_text(json.dumps(samples if isinstance(samples, dict) else {"samples": samples}))
    return path


def test_samples_of_fiftyone_are_found_by_path_or_by_the_name_of_the_file(tmp_path):
    path = exported(tmp_path / "samples.json", [sample("/home/me/p/b/1.png", 0.1), sample("/home/me/p/a/2.png", 0.9)])
    found = read_order(path, IDS, Choice())
    assert (found.order.tolist(), found.listed) == ([1, 2, 0], 2)
    exported(path, [sample("data/9.png", 0.1), sample("data/2.png", 0.9), sample("data/3.png", None)])
    assert read_order(path, ["a/9.png", "a/2.png", "b/3.png"], Choice()).order.tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("samples", "problem"),
    [
        ([], "there is no list of samples in it. Fix: export a FiftyOneDataset"),
        ({"frames": []}, "there is no list of samples"),
        (
            [sample("a/2.png", 0.5), sample("data/1.png", 0.5)],
            "column filepath, row 1: no row of the data has the id 'data/1.png'",
        ),
        ([sample("a/2.png", 0.5), sample("/x/a/2.png", 0.5)], "row 1: '/x/a/2.png' already appears in row 0"),
        ([sample("a/2.png", "much")], "column mistakenness, row 0: 'much' is not a number"),
        ([sample("a/2.png", None)], "no column is known to be a score"),
        ([sample("a/2.png", {"detections": 1})], "no column is known to be a score"),
    ],
)
def test_samples_that_say_nothing_of_the_data_are_refused(samples, problem, tmp_path):
    with pytest.raises(InvalidInput, match=re.escape(problem)):
        read_order(exported(tmp_path / "samples.json", samples), IDS, Choice())


IDS = ["a/1.png", "a/2.png", "b/1.png"]


@pytest.mark.parametrize(
    ("text", "choice", "order"),
    [
        ("id,suspicion\na/2.png,0.9\nb/1.png,0.5\na/1.png,0.1\n", Choice(), [1, 2, 0]),
        (",label_score\n0,0.9\n1,0.5\n2,0.1\n", Choice(), [2, 1, 0]),
        ("label_score,given\n0.3,x\n0.2,y\n0.3,z\n", Choice(), [1, 0, 2]),
        ("path,odd\nC:\\x\\a\\1.png,1\nx/b/1.png,3\n", Choice(first="highest"), [2, 0, 1]),
        ("name,s,t\nb/1.png,1,2\na/1.png,2,1\na/2.png,0,0\n", Choice("t", "name", "lowest"), [1, 0, 2]),
        ("id,label_score,is_label_issue\na/1.png,0.1,False\na/2.png,0.9,True\nb/1.png,.2,True\n", Choice(), [2, 1, 0]),
        (
            "id,label_score,is_label_issue\na/1.png,0.1,False\na/2.png,0.9,True\nb/1.png,.2,True\n",
            Choice("label_score"),
            [0, 2, 1],
        ),
    ],
)
def test_the_columns_of_other_tools_are_understood(text, choice, order, tmp_path):
    (tmp_path / "r.csv").write_text(text)
    assert read_order(tmp_path / "r.csv", IDS, choice).order.tolist() == order


def test_row_numbers_one_per_line_are_a_ranking(tmp_path):
    (tmp_path / "r.txt").write_text("2\n0\n1\n")
    assert read_order(tmp_path / "r.txt", IDS, Choice()).order.tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file is empty"),
        ("id,score\na/1.png,1\n", "the column 'score' does not say which end is suspicious. Fix: pass --first=lowest"),
        (
            "id,x,y\na/1.png,1,2\n",
            "line 1: no column is known to be a score. Fix: pass --score-column=NAME; columns",
        ),
        ("id,suspicion\na/1.png,1\na/1.png,2\n", "line 3, column id: 'a/1.png' already appears on line 2"),
        ("id,suspicion\na/1.png,1\nc/1.png,2\n", "line 3, column id: no row of the data has the id 'c/1.png'"),
        ("id,suspicion\na/1.png,nan\n", "line 2, column suspicion: 'nan' is not a number"),
        ("suspicion\n1\n2\n", "no column has the ids of the data, and there are 2 lines for 3 rows"),
        ("id,label_score,is_label_issue\na/1.png,1,maybe\n", "'maybe' is neither True nor False"),
        ("row,suspicion\n1,1\n7,2\n", "line 3, column row: no row of the data has the id '7'"),
    ],
)
def test_what_is_not_clear_is_refused_in_one_sentence(text, problem, tmp_path):
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(InvalidInput, match=re.escape(problem)):
        read_order(tmp_path / "r.csv", IDS, Choice())


def test_data_that_cannot_be_scored_are_refused(blobs, workspace, tmp_path, capsys):
    (tmp_path / "r.txt").write_text("".join(f"{row}\n" for row in range(N)))
    assert "give either SOURCE or --data=ID" in run(capsys, "score", tmp_path / "r.txt")[2]
    assert "it is missing" in run(capsys, "score", tmp_path / "r.txt", tmp_path / "r.txt")[2]
    asked = ["score", tmp_path / "r.txt", "--data=blobs", f"--workspace={workspace}"]
    assert "--truth: it is for a SOURCE" in run(capsys, *asked, f"--truth={tmp_path / 'r.txt'}")[2]
    assert "--first: it is for a table, and a txt file has" in run(capsys, *asked, "--first=lowest")[2]
    found = run(capsys, "score", tmp_path / "r.txt", tmp_path / "r.txt", f"--workspace={workspace}")[2]
    assert "--workspace: it is for a data id of the workspace" in found
    dataset, truth = noisy_blobs("clean", n=30, rate=0.0)
    write_dataset(workspace, dataset, truth)
    (tmp_path / "c.txt").write_text("".join(f"{row}\n" for row in range(30)))
    status, _, err = run(capsys, "score", tmp_path / "c.txt", "--data=clean", f"--workspace={workspace}")
    assert status == 1
    assert "clean: 0 of 30 labels are wrong" in err
    rows = Rows()
    write(tmp_path / "data.csv", rows.frame(id=[f"r{row}" for row in range(120)]))
    write(tmp_path / "truth.csv", pd.DataFrame({"id": ["r1"], "label": [NAMES[0]]}))
    err = run(
        capsys,
        "score",
        tmp_path / "r.txt",
        tmp_path / "data.csv",
        f"--truth={tmp_path / 'truth.csv'}",
        f"--output={tmp_path / 'x.txt'}",
    )[2]
    assert "the suffix does not name a format" in err
