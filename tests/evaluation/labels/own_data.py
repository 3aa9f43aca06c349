"""The same rows in every form that people have them in."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

from evaluation.cli import main
from tests.support import blobs, noisy_blobs

NAMES = ("bird", "cat", "dog")


class Rows:
    """120 rows of three classes, a quarter of them mislabelled; width 4."""

    def __init__(self, n: int = 120) -> None:
        dataset, truth = noisy_blobs("many", n=n, rate=0.25, classes=3, width=4, gap=6.0)
        self.X = np.asarray(dataset.train.features, dtype=np.float32)
        self.numbers = np.asarray(dataset.train.labels)
        self.names = np.array(NAMES)[self.numbers]
        self.truth = np.array(NAMES)[truth.labels]
        checked = blobs(60, 2, classes=3, width=4, gap=6.0)
        self.trusted_X, self.trusted_names = checked.features.astype(np.float32), np.array(NAMES)[checked.labels]

    def frame(self, **more: object) -> pd.DataFrame:
        """One column per number, and the label."""
        columns = {f"e{place}": self.X[:, place] for place in range(self.X.shape[1])}
        return pd.DataFrame({**columns, "label": self.names, **more})


def challenge(path: Path, rows: np.ndarray, labels: np.ndarray, ids: list[str] | None = None) -> Path:
    """The layout of the challenge."""
    table = {
        "filename": ids or [str(row) for row in range(len(rows))],
        "encoding": [row.tolist() for row in np.asarray(rows, np.float32)],
        "label": labels,
    }
    schema = pa.schema({"filename": pa.string(), "encoding": pa.list_(pa.float32()), "label": pa.int64()})
    pq.write_table(pa.table(table, schema=schema), path)
    return path


def hugging_face(path: Path, rows: Rows) -> Path:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.X.ravel()), rows.X.shape[1])
    info = {"info": {"features": {"label": {"names": list(NAMES), "_type": "ClassLabel"}, "embedding": {}}}}
    table = pa.table({"embedding": vectors, "label": pa.array(rows.numbers)})
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(info)}), path)
    return path


def csv_of(path: Path, rows: Rows, separator: str = ",", **how: object) -> Path:
    rows.frame().to_csv(path, index=False, sep=separator, **how)
    return path


def parquet_of(path: Path, frame: pd.DataFrame) -> Path:
    frame.to_parquet(path, index=False)
    return path


def feather_of(path: Path, frame: pd.DataFrame) -> Path:
    pyarrow.feather.write_feather(pa.Table.from_pandas(frame, preserve_index=False), path)
    return path


def npz_of(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


def npy_of(path: Path, rows: np.ndarray, labels: np.ndarray) -> Path:
    np.save(path, rows)
    np.save(path.with_name("y.npy"), labels)
    return path


def npy_and_csv(path: Path, rows: np.ndarray, labels: np.ndarray) -> Path:
    np.save(path, rows)
    pd.DataFrame({"label": labels}).to_csv(path.with_name("labels.csv"), index=False)
    return path


# Every form that holds vectors, by name.
FORMS: dict[str, Callable[[Path, Rows], Path]] = {
    "challenge": lambda at, rows: challenge(at / "c.parquet", rows.X, rows.numbers),
    "hugging face": lambda at, rows: hugging_face(at / "h.parquet", rows),
    "parquet, columns": lambda at, rows: parquet_of(at / "p.parquet", rows.frame()),
    "parquet, float64": lambda at, rows: parquet_of(at / "p.parquet", rows.frame().astype({"e0": float, "e3": float})),
    "parquet, lists": lambda at, rows: parquet_of(
        at / "l.parquet", pd.DataFrame({"vector": list(rows.X), "species": rows.names})
    ),
    "csv": lambda at, rows: csv_of(at / "t.csv", rows),
    "csv, semicolons": lambda at, rows: csv_of(at / "t.csv", rows, ";", decimal=","),
    "tsv": lambda at, rows: csv_of(at / "t.tsv", rows, "\t"),
    "feather": lambda at, rows: feather_of(at / "f.feather", rows.frame()),
    "npz": lambda at, rows: npz_of(at / "a.npz", X=rows.X, y=rows.names),
    "npz, float64": lambda at, rows: npz_of(at / "a.npz", features=rows.X.astype(float), labels=rows.numbers),
    "npz, class names": lambda at, rows: npz_of(
        at / "a.npz", embeddings=rows.X, labels=rows.numbers, classes=np.array(NAMES)
    ),
    "npy": lambda at, rows: npy_of(at / "X.npy", rows.X, rows.names),
    "npy and csv": lambda at, rows: npy_and_csv(at / "X.npy", rows.X, rows.names),
}


def run(capsys, command: str, *arguments: object) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a command; never a traceback."""
    status = main([command, *map(str, arguments)])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    assert "fixfirst itself failed" not in err
    return status, out, err


def ranking(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "ranking.csv", dtype=str, keep_default_na=False)
