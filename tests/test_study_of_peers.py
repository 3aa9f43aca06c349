"""The comparison with other packages, on tables as those write them; the packages themselves are not needed."""

import numpy as np
import pandas as pd
import pytest

from tests.study import peers
from tests.study.cases import Case, make
from tests.study.peer_worker import METHODS
from tests.support import ROOT

RESULTS = ROOT / "tests" / "study" / "results"


def test_tables_of_other_packages_are_scored_on_the_same_cases_as_ours(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.study.cases.TRAIN", 60)
    chosen = [Case(name, "symmetric", 0.3, 0) for name in ("digits 3v8", "digits 4v9")]
    wrong = {peers._stem(case): np.not_equal(*(part.labels for part in _parts(case))) for case in chosen}

    def run(package, out, folder):
        if package == "datascope":
            return "datascope: it cannot be installed (no network)"
        for name in [name for name, (owner, _) in METHODS.items() if owner == package]:
            (folder / name).mkdir()
            (folder / name / "version").write_text(f"{package} 1.0\n")
            for path in folder.glob("*.npz"):
                right = ~wrong[path.stem]
                column = "label_score" if package == "cleanlab" else "value"
                table = pd.DataFrame({column: right if name != "data_oob" else ~right}, dtype=float)
                table.to_csv(folder / name / f"{path.stem}.csv")
                (folder / name / f"{path.stem}.seconds").write_text("0.5\n")
        return None

    monkeypatch.setattr(peers, "_run", run)
    text = peers.compare(chosen, tmp_path)
    table = pd.read_csv(tmp_path / "peers.csv.gz")
    assert len(table) == 2 * (7 + 2)
    precision = table.groupby("method")["precision"].mean()
    assert precision["datalab (cleanlab 1.0)"] == pytest.approx(1)
    assert precision["data_oob (pyDVL 1.0)"] < 0.3
    assert "2 cases: 2 data sets, 1 noises, 1 seeds." in text
    assert "| expected_use (fixfirst) | " in text
    assert text.endswith("Left out: datascope: it cannot be installed (no network)\n")


def _parts(case):
    dataset, truth = make(case)
    return dataset.train, truth


def test_the_committed_table_is_made_of_the_committed_rows():
    rows = pd.read_csv(RESULTS / "peers.csv.gz")
    text = (RESULTS / "peers.md").read_text()
    assert peers.report(rows, []).strip() == text.partition("\nLeft out")[0].strip()
    names = {name.split(" (")[0] for name in rows["method"]}
    assert names == {*METHODS, "expected_use", "random"}
