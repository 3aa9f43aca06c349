"""Other people's packages on the study's sets: `nox -s peers -- [--seeds=2] [--sets=NAME,…] [--noises=…]`.

Each package gets an environment of its own below --out, with its current release (this needs a network; a package that
cannot be installed is left out, with the reason). Each method is called as its documentation says (peer_worker.py), and
the table that it gives is read and scored like a stranger's file in `fixfirst score`. Ours and random order are scored
on the same cases. OpenDataVal 1.3.0 asks for torch 2.1, which works with no transformers from 4.40 on. Writes
peers.csv.gz, a line per case and method, and peers.md.
"""

import argparse
import subprocess
import sys
import zlib
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from cleaning import Ranking, simulate
from cleaning.intervals import mean_interval, paired_difference, paired_values
from evaluation.contract.registry import learners, own_rankers
from evaluation.labels.foreign import Choice, read_order
from tests.study.cases import Case, cases, make
from tests.study.peer_worker import METHODS

_PACKAGES = {
    "cleanlab": ["cleanlab[datalab]"],
    "pyDVL": ["pyDVL"],
    "datascope": ["datascope"],
    "opendataval": ["opendataval", "transformers<4.40"],
}
_OURS = ("expected_use", "random")
_BEST = "expected_use (fixfirst)"
_SETS = "digits 3v8,digits 4v9,mnist 3v8,mnist 4v9,clothing 1v5,clothing 4v9,synthetic"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("dist/peers"))
    parser.add_argument(
        "--sets", default=_SETS, help="comma-separated prefixes of data set names; default: %(default)s"
    )
    parser.add_argument("--noises", default="", help="comma-separated prefixes of noises, such as symmetric 0.30")
    options = parser.parse_args()
    chosen = [
        case
        for case in cases(options.seeds, quick=False)
        if case.source.startswith(tuple(options.sets.split(",")))
        and f"{case.noise} {case.rate:.2f}".startswith(tuple(options.noises.split(",")))
    ]
    print(compare(chosen, options.out))


def compare(chosen: list[Case], out: Path) -> str:
    """Runs what is missing, scores everything, writes peers.csv.gz and peers.md, and returns the text of the latter."""
    folder = out / "cases"
    folder.mkdir(parents=True, exist_ok=True)
    for case in chosen:
        _write(case, folder)
    left_out = [reason for package in _PACKAGES if (reason := _run(package, out, folder)) is not None]
    lines = [line for case in chosen for line in _scored(case, folder)]
    pd.DataFrame(lines).to_csv(out / "peers.csv.gz", index=False, float_format="%.6g")
    text = report(pd.read_csv(out / "peers.csv.gz"), left_out)
    (out / "peers.md").write_text(text)
    return text


def _stem(case: Case) -> str:
    return f"{zlib.crc32('|'.join(case.key).encode()):08x}"


def _write(case: Case, folder: Path) -> None:
    dataset, _ = make(case)
    train, trusted = dataset.train, dataset.validation
    assert trusted is not None
    arrays = {"X": train.features, "y": train.labels, "X_val": trusted.features, "y_val": trusted.labels}
    np.savez(folder / f"{_stem(case)}.npz", **arrays)


def _run(package: str, out: Path, folder: Path) -> str | None:
    """Runs the methods of a package in its environment; the reason if that is not possible."""
    python = out / "env" / package / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        install = [str(python), "-m", "pip", "install", "-q", *_PACKAGES[package]]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"{package}: it cannot be installed ({done.stderr.strip().splitlines()[-1]})"
    worker = Path(__file__).with_name("peer_worker.py")
    for name in [name for name, (owner, _) in METHODS.items() if owner == package]:
        call = [str(python), str(worker), name, str(folder)]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"{package}, {name}: {done.stderr.strip().splitlines()[-1]}"
    return None


def _scored(case: Case, folder: Path) -> list[dict[str, object]]:
    """A line for each method that has a table for this case, and for ours."""
    dataset, truth = make(case)
    wrong = dataset.train.labels != truth.labels
    rankings: dict[str, tuple[Ranking, float]] = {}
    for name in METHODS:
        path = folder / name / f"{_stem(case)}.csv"
        if path.exists():
            known = pd.read_csv(path, nrows=1).columns
            choice = Choice("value", first="lowest") if "value" in known else Choice()
            order = read_order(path, [f"row {row}" for row in range(len(wrong))], choice).order
            label = f"{name} ({(folder / name / 'version').read_text().strip()})"
            rankings[label] = Ranking(order), float(path.with_suffix(".seconds").read_text())
    for name in _OURS:
        answer = own_rankers()[name].member(dataset.train, dataset.validation, rng=np.random.default_rng(case.seed))
        ranking = answer if isinstance(answer, Ranking) else Ranking.from_scores(answer)
        rankings[f"{name} (fixfirst)"] = ranking, float("nan")
    learner = learners()["logistic"].member(C=1.0, scaling="none")
    lines = []
    for label, (ranking, seconds) in rankings.items():
        place = np.empty(len(wrong))
        place[ranking.order] = -np.arange(len(wrong))
        lines.append(
            dict(zip(("source", "noise", "rate", "seed"), case.key, strict=True))
            | {"method": label, "score": simulate(dataset, truth, ranking, learner).score()}
            | {"precision": average_precision_score(wrong, place), "seconds": seconds}
        )
    return lines


def report(table: pd.DataFrame, left_out: list[str]) -> str:
    """The text: means over data sets, and the paired difference to ours, both with 95% intervals over data sets."""
    values: dict[str, dict[tuple[str, int], float]] = defaultdict(dict)
    number = {key: place for place, key in enumerate(table[["noise", "rate", "seed"]].agg(tuple, axis=1).unique())}
    for line in table.to_dict("records"):
        case = (str(line["source"]), number[line["noise"], line["rate"], line["seed"]])
        values[str(line["method"])][case] = float(line["score"])
    rows = []
    for method, own in values.items():
        per_set = pd.Series(own).groupby(level=0).mean()
        low, high = np.clip(mean_interval(per_set.tolist()) or (float("nan"), float("nan")), 0, 1)
        gap = paired_difference(*paired_values(values[_BEST], own))
        known = gap.interval or (float("nan"), float("nan"))
        mine = table[table["method"] == method]
        rows.append((float(per_set.mean()), low, high, gap.mean, *known, mine["precision"].mean(), method))
    text = [
        f"{len(next(iter(values.values())))} cases: {table['source'].nunique()} data sets, "
        f"{len(table[['noise', 'rate']].drop_duplicates())} noises, {table['seed'].nunique()} seeds. "
        "Score: the share of labels to fix until 95% of the clean accuracy is reached (lower is better). "
        "Intervals are 95%, over data sets; the difference to expected_use is paired by data set.",
        "",
        "| method (package) | score | interval | minus expected_use | average precision |",
        "|---|---:|---|---|---:|",
    ]
    for score, low, high, gap, start, end, precision, method in sorted(rows):
        against = "" if method == _BEST else f"{gap:+.3f} ({start:+.3f} to {end:+.3f})"
        text.append(f"| {method} | {score:.3f} | {low:.3f} to {high:.3f} | {against} | {precision:.3f} |")
    return "\n".join([*text, "", *(f"Left out: {reason}" for reason in left_out)]).rstrip() + "\n"


if __name__ == "__main__":
    main()
