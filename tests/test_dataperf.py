"""The challenge's own data, end to end, where it is."""

import csv
import json
import shutil

import pytest

from evaluation.cli import main
from tests.support import ROOT, write_parameters


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures", "one_process")
def test_rankers_that_know_validation_beat_random_on_every_id_that_is_not_degenerate(tmp_path, dataperf, capsys):
    ids = ["01g317", "01g317-flipped", "04rky", "04rky-flipped"]
    write_parameters(
        tmp_path,
        rankers=["random", "knn_shapley", "validation_logistic"],
        datasets={"dataperf": {"ids": ids, "sources": [f"file:{dataperf}"]}},
    )
    assert main(["run", f"--workspace={tmp_path}"]) == 0
    results = tmp_path / "results"
    with (results / "leaderboard.csv").open() as file:
        assert {row["method"]: row["data_sets"] for row in csv.DictReader(file)} == {
            "random": "4",
            "knn_shapley": "4",
            "validation_logistic": "4",
        }
    for data_id in ids:
        content = json.loads((results / f"{data_id}_evaluation.json").read_text())
        fixes = {method: scores["fraction_fixes"] for method, scores in content["auc_score"].items()}
        assert (results / f"{data_id}_evaluation.png").exists()
        if fixes["random"] > 0:
            assert fixes["knn_shapley"] < fixes["random"]
            assert fixes["validation_logistic"] < fixes["random"]
    assert "validation_logistic" in capsys.readouterr().out


@pytest.mark.slow
def test_the_challenges_submission_gets_the_challenges_own_numbers(tmp_path, dataperf):
    data_id = "04rky-flipped"
    write_parameters(tmp_path, datasets={"dataperf": {"ids": [data_id], "learner": "dataperf"}})
    (tmp_path / "embeddings").symlink_to(dataperf / "embeddings")
    (tmp_path / "data").symlink_to(dataperf / "data")
    (tmp_path / "submissions").mkdir()
    shutil.copy(dataperf / "golden" / f"{data_id}_random.txt", tmp_path / "submissions")
    assert main(["evaluate", f"--workspace={tmp_path}"]) == 0
    content = json.loads((tmp_path / "results" / f"{data_id}_evaluation.json").read_text())
    golden = json.loads((dataperf / "golden" / f"{data_id}_reference_curves.json").read_text())
    assert content["before_acc"] == golden["before_acc"]
    curve = golden["curves"]["random"]
    assert [row["accuracy"] for row in content["submitted_evaluations"]] == curve["accuracy"]
    assert content["auc_score"]["random"]["fraction_fixes"] == curve["fraction_fixes"]


def test_the_block_we_deliver_fits_the_shared_files(tmp_path, dataperf, capsys):
    text = (ROOT / "workspace" / "parameters.yaml").read_text()
    start, block = text.index("datasets:"), text.index("  dataperf:")
    text = text[:start] + "datasets:\n" + text[block:]
    text = text.replace("enabled: false", "enabled: true").replace("file:../../shared/dataperf", f"file:{dataperf}")
    (tmp_path / "parameters.yaml").write_text(text)
    assert main(["download", f"--workspace={tmp_path}"]) == 0
    assert "dataperf: 4 data ids from file:" in capsys.readouterr().out
    files = json.loads((tmp_path / "manifest.json").read_text())["files"]
    assert sum(entry["data_set"] == "dataperf" for entry in files.values()) == 24
