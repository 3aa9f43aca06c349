"""Results to draw: nine methods on three data ids, one of them with a hostile name, a sister task and a failure."""

import io

import numpy as np

from evaluation.contract.record import Curve, append_record
from evaluation.figures.report import plot
from evaluation.files.progress import Reporter
from evaluation.settings.folders import Folders
from tests.evaluation.contract.test_record import record

HOSTILE = "<img src=x onerror=alert(1)>"
ROWS = 40
IDS = ("a", "b & </script>", "c")
NEEDED = {
    "good": 5,
    "fine": 8,
    HOSTILE: 10,
    "fair": 14,
    "fifth": 16,
    "poor": 22,
    "worse": 25,
    "random": 28,
    "flipped": 36,
}


def scored(method, dataset, needed, **changes):
    """A record whose curve rises to the clean accuracy after so many fixes."""
    fixes = np.arange(ROWS + 1)
    accuracy = np.minimum(0.9, 0.5 + 0.4 * fixes / needed).round(4)
    return record(
        method=method,
        dataset=dataset,
        seconds=0.001 * needed,
        curve=Curve(fixes=tuple(fixes.tolist()), accuracy=tuple(accuracy.tolist()), dirty=0.5, clean=0.9),
        metrics={"score": needed / ROWS, "fixes_needed": needed, "fraction_fixes": 0.2, "area": 0.8},
        settings={"target": 0.95, "learner": {"name": "logistic", "C": 10.0}},
        details={"order": np.random.default_rng(needed).permutation(ROWS).tolist()},
        **changes,
    )


def records():
    found = [
        scored(method, data_id, needed + number)
        for method, needed in NEEDED.items()
        for number, data_id in enumerate(IDS)
    ]
    found.append(
        record(method=HOSTILE, dataset="a", seed=1, status="failed", error=f"{HOSTILE} no", metrics={}, curve=None)
    )
    details = {"accuracy": {HOSTILE: 80.0, "other": 60.0}}
    metrics = {"accuracy": 70.0, "pooled": 70.0}
    found += [
        record(
            task="zero_shot", dataset=f"z{n}", method=method, metrics=metrics, details=details, curve=None, seconds=None
        )
        for n in range(2)
        for method in ("knn", "<b>bold</b>")
    ]
    return found


def report(folder):
    """Writes the page of these records; returns it and what was warned about."""
    folders = Folders.in_workspace(folder)
    for one in records():
        append_record(folders.results_file, one)
    reporter = Reporter(io.StringIO(), io.StringIO())
    plot(folders, reporter)
    return folders.results_folder / "report.html", reporter.err.getvalue()
