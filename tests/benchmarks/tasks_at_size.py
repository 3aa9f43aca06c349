"""Time and peak memory of ranking and scoring the sister tasks at the sizes of the original challenges.

    python -m tests.benchmarks.tasks_at_size [--quick] [--folder=DIR] [CASE …]

The data are synthetic: 18,027 queries and 36,748 references of width 512 with 1,000 references per query, 200,000 clips
of 24 classes, 6,875 logos of 161 labels, and 2,200 zero-shot images. `--quick` takes a tenth of the rows. The data need
0.9 GB of disk space, by default in a temporary folder.

Each case runs in its own process, on one thread. pytrec_eval, scikit-learn and, if installed, faiss (`pip install
faiss-cpu`, or the dependency group `bench`) run on the same data for comparison.
"""

import argparse
import importlib.util
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from cleaning.vectors.search import most_similar, unit_directions
from evaluation.contract.registry import task
from evaluation.contract.task import Case
from evaluation.submissions.ranked_lists import read_lists
from evaluation.tasks.image_retrieval.average_precision import average_precision, numbered
from tests.benchmarks.task_files import DEPTH, LABELS, prepare

WIDTH = 512
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Watch:
    """Wall and CPU seconds of a `with` block."""

    def __enter__(self) -> "Watch":
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall, self.cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu


def _score(folder: Path, name: str, file: str) -> dict[str, Any]:
    """Scores one submission as `evaluate` does, including reading and checking it."""
    path = folder / file
    case = Case(path.stem.split("_")[0], "made", 0, path, "", "", {"lenient": False, "split": None}, _folders(folder))
    found = task(name)
    before = _peak()
    with Watch() as watch:
        outcome = found.score(case, lambda _done, _total: None)
    value = outcome.metrics[found.main.name]
    return {"wall": watch.wall, "cpu": watch.cpu, "before": before, "peak": _peak(), "value": value}


def _folders(folder: Path) -> Any:
    return SimpleNamespace(groundtruth_folder=folder)


def _search(share: float, method: str) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    queries, references = (
        unit_directions(rng.standard_normal((int(share * size), WIDTH), dtype=np.float32)) for size in (18_027, 36_748)
    )
    depth, rows = min(DEPTH, len(references)), 2048
    before = _peak()
    if method == "sgemm":
        block = np.empty((rows, len(references)), dtype=np.float32)
        with Watch() as watch:
            for start in range(0, len(queries), rows):
                part = queries[start : start + rows]
                np.matmul(part, references.T, out=block[: len(part)])
        return {"wall": watch.wall, "cpu": watch.cpu, "before": before, "peak": _peak()}
    with Watch() as watch:
        if method == "fixfirst":
            found = most_similar(queries, references, depth)[0]
        elif method == "faiss":
            import faiss

            faiss.omp_set_num_threads(1)
            index = faiss.IndexFlatIP(WIDTH)
            index.add(references)
            found = index.search(queries, depth)[0]
        else:
            from sklearn.neighbors import NearestNeighbors

            peer = NearestNeighbors(n_neighbors=depth, algorithm="brute", metric="sqeuclidean", n_jobs=1)
            found = 1 - peer.fit(references).kneighbors(queries)[0] / 2
    value = float(np.mean(found, dtype=np.float64))
    return {"wall": watch.wall, "cpu": watch.cpu, "before": before, "peak": _peak(), "value": value}


def _precision(folder: Path, peer: bool) -> dict[str, Any]:
    """Average precision alone, of lists already in memory: ours, or pytrec_eval on 500 queries at a time."""
    truth = json.loads((folder / "shop" / "truth.json").read_text())
    queries, references = list(truth["query"]), list(truth["reference"])
    ranks = read_lists(folder / "shop_made.npz", queries, references, DEPTH, lenient=False).ranks
    classes = numbered(list(truth["query"].values()), list(truth["reference"].values()))
    before = _peak()
    with Watch() as watch:
        found = average_precision(ranks, *classes)[0]
    if not peer:
        return {
            "wall": watch.wall, "cpu": watch.cpu, "before": before, "peak": _peak(), "value": float(found.mean())
        }  # fmt: skip
    import pytrec_eval

    wall = cpu = apart = total = 0.0
    scores = [float(-rank) for rank in range(ranks.shape[1])]
    members: dict[str, dict[str, int]] = {}
    for name, label in truth["reference"].items():
        members.setdefault(label, {})[name] = 1
    for start in range(0, len(queries), 500):
        names = queries[start : start + 500]
        judge = pytrec_eval.RelevanceEvaluator({q: members[truth["query"][q]] for q in names}, {"map_cut_1000"})
        lists = {
            query: dict(zip((references[one] for one in row), scores, strict=True))
            for query, row in zip(names, ranks[start : start + 500].tolist(), strict=True)
        }
        with Watch() as watch:
            given = judge.evaluate(lists)
        wall, cpu = wall + watch.wall, cpu + watch.cpu
        values = np.array([given[query]["map_cut_1000"] for query in names])
        apart = max(apart, float(np.abs(values - found[start : start + 500]).max()))
        total += float(values.sum())
    return {"wall": wall, "cpu": cpu, "before": before, "peak": _peak(), "value": total / len(queries), "apart": apart}


def _peer_table(folder: Path, name: str) -> dict[str, Any]:
    """The same score by pandas and scikit-learn, without any checks."""
    import pandas as pd
    from sklearn.metrics import fbeta_score, log_loss

    before = _peak()
    with Watch() as watch:
        key = "filename" if name == "clips" else "file"
        truth, given = (
            pd.read_csv(path, index_col=key)
            for path in (folder / name / "test_labels.csv", folder / f"{name}_made.csv")
        )
        given = given.loc[truth.index, truth.columns]
        if name == "clips":
            value = np.mean([log_loss(truth[column], given[column], labels=[0, 1]) for column in truth])
        else:
            labels = [f"label-{label}" for label in range(LABELS)]
            options = {"beta": 2, "labels": labels, "average": "macro", "zero_division": 0}
            value = fbeta_score(truth["category"], given["category"], **options)
    return {"wall": watch.wall, "cpu": watch.cpu, "before": before, "peak": _peak(), "value": float(value)}


Run = Callable[[Path, float], dict[str, Any]]
CASES: dict[str, tuple[str, dict[str, Run], str]] = {
    "ranking": (
        "18,027 × 36,748 × 512, the nearest 1,000",
        {
            "sgemm": lambda _folder, share: _search(share, "sgemm"),
            "fixfirst": lambda _folder, share: _search(share, "fixfirst"),
            "faiss": lambda _folder, share: _search(share, "faiss"),
            "sklearn": lambda _folder, share: _search(share, "sklearn"),
        },
        "fixfirst ≤ 1.5 × sgemm",
    ),
    "precision": (
        "AP of 18,027 lists of 1,000 in memory",
        {
            "fixfirst": lambda folder, _share: _precision(folder, peer=False),
            "pytrec_eval": lambda folder, _share: _precision(folder, peer=True),
        },
        "pytrec_eval ≥ 50 × fixfirst, equal to 1e-12",
    ),
    "lists-npz": (
        "evaluate 18,027 lists of 1,000, npz",
        {"fixfirst": lambda folder, _share: _score(folder, "image_retrieval", "shop_made.npz")},
        "< 1 s, < 500 MB",
    ),
    "lists-text": (
        "evaluate 18,027 lists of 1,000, JSON",
        {"fixfirst": lambda folder, _share: _score(folder, "image_retrieval", "shop_made.json")},
        "< 6 s, < 500 MB",
    ),
    "clips": (
        "evaluate 200,000 × 24 probabilities",
        {
            "fixfirst": lambda folder, _share: _score(folder, "camera_trap", "clips_made.csv"),
            "pandas + sklearn": lambda folder, _share: _peer_table(folder, "clips"),
        },
        "",
    ),
    "logos": (
        "evaluate 6,875 labels of 161",
        {
            "fixfirst": lambda folder, _share: _score(folder, "logo", "logos_made.csv"),
            "pandas + sklearn": lambda folder, _share: _peer_table(folder, "logos"),
        },
        "",
    ),
    "names": (
        "evaluate 2,200 zero-shot images",
        {"fixfirst": lambda folder, _share: _score(folder, "zero_shot", "names_made.json")},
        "",
    ),
}


def _peak() -> float:
    """The peak memory of this process in MB. Not from getrusage, whose value starts at the peak of the parent."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1e3 if found else math.nan


def measured(name: str, folder: Path, share: float) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Each method of a case with what it took, in a process of its own; None if its package is not installed."""
    for method in CASES[name][1]:
        module = {"sklearn": "sklearn", "faiss": "faiss", "pytrec_eval": "pytrec_eval"}.get(method, "numpy")
        if importlib.util.find_spec(module) is None:
            yield method, None
            continue
        command = [sys.executable, "-m", "tests.benchmarks.tasks_at_size", f"--here={name}/{method}"]
        done = subprocess.run(
            [*command, f"--folder={folder}", f"--share={share}"],
            check=True,
            env={**os.environ, **ONE_THREAD},
            capture_output=True,
            text=True,
        )
        yield method, json.loads(done.stdout)


def _table(name: str, folder: Path, share: float) -> None:
    title, _, target = CASES[name]
    size = f"{share:g} of the rows of: " if share < 1 else ""
    print(f"\n{size}{title}" + (f" (target: {target})" if target else ""))
    print(f"{'':18}{'wall s':>9}{'CPU s':>9}{'MB before':>11}{'MB peak':>9}{'CPU ratio':>11}  value")
    base: float | None = None
    for method, found in measured(name, folder, share):
        if found is None:
            package = "faiss-cpu" if method == "faiss" else "pytrec-eval-terrier"
            print(f"{method:18}not installed; `pip install {package}`")
            continue
        base = found["cpu"] if base is None else base
        extra = f", at most {found['apart']:.1e} apart" if "apart" in found else ""
        print(
            f"{method:18}{found['wall']:9.2f}{found['cpu']:9.2f}{found['before']:11.0f}{found['peak']:9.0f}"
            f"{found['cpu'] / base:11.2f}  {found.get('value', '')}{extra}",
            flush=True,
        )


def main() -> None:
    """Prints one table per case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"any of {', '.join(CASES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="use a tenth of the rows")
    parser.add_argument("--folder", type=Path, help="folder of the data; created there if missing")
    parser.add_argument("--share", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--here", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        name, _, method = options.here.partition("/")
        print(json.dumps(CASES[name][1][method](options.folder, options.share)))
        return
    share = 0.1 if options.quick else 1.0
    with tempfile.TemporaryDirectory() as place:
        folder = options.folder or Path(place)
        folder.mkdir(exist_ok=True)
        if not (folder / "names").exists():
            prepare(folder, share)
        for name in options.cases or CASES:
            _table(name, folder, share)


if __name__ == "__main__":
    main()
