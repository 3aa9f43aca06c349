"""The study of rounds: `python -m tests.study.rounds [--seeds=3] [--sets=NAME,…] [--out=FOLDER]`.

What does it save to ask again after every 20 looks? Each case is looked at until 90% of its wrong labels are found, in
one order and in rounds, with and without trusted rows. Before each round, the intervals for the wrong labels left and
for those that the next 20 and 50 looks should find are compared with the truth. Each case is one line of rounds.csv,
with the looks that cleanlab's self-confidence needs beside ours; rounds.md has the means.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from baselines.rankers.self_confidence import rank as self_confidence
from cleaning import Count, label_posterior, next_round
from cleaning.intervals import mean_interval
from tests.study.beliefs import BINARY, TEN
from tests.study.cases import Case, make
from tests.study.sources import sources

NOISES = (("symmetric", 0.05), ("symmetric", 0.30), ("class-conditional", 0.30), ("instance-dependent", 0.30))
STEP, GOAL = 20, 0.9
_AHEAD = (20, 50)


def main() -> None:
    folder, cases = requested(__doc__, NOISES)
    rows = [row for case in cases for row in run(case)]
    pd.DataFrame(rows).to_csv(folder / "rounds.csv.gz", index=False, float_format="%.6g")
    text = report(pd.read_csv(folder / "rounds.csv.gz"))
    (folder / "rounds.md").write_text(text)
    print(text)


def requested(
    description: str, noises: Sequence[tuple[str, float]], names: Sequence[str] = BINARY + TEN
) -> tuple[Path, Iterator[Case]]:
    """The folder and the cases that the command line asks for; each seed that is done is printed."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", default=",".join(names), help="comma-separated names; default: all")
    parser.add_argument("--out", type=Path, default=Path("dist") / "study", help="default: %(default)s")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    return options.out, _cases(options.seeds, options.sets.split(","), noises)


def _cases(seeds: int, names: Sequence[str], noises: Sequence[tuple[str, float]]) -> Iterator[Case]:
    present = [name for name in names if name in sources(quick=False)]
    for seed in range(seeds):
        for source in present:
            for noise, rate in noises:
                yield Case(source, noise, rate, seed)
        print(f"seed {seed}", flush=True)


def run(case: Case) -> Iterator[dict[str, object]]:
    """The lines of a case: with trusted rows, and without."""
    dataset, truth = make(case)
    wrong = dataset.train.labels != truth.labels
    peer = np.argsort(self_confidence(dataset.train, None, rng=np.random.default_rng(0)), kind="stable")
    for trusted in (dataset.validation, None):
        first = label_posterior(dataset.train, trusted)
        current, checked = next_round(first, {}), dict[int, int]()
        planned, told = looks_to_goal(wrong[current.order]), []
        orders = []
        while wrong[list(checked)].sum() < GOAL * wrong.sum():
            told.append(_holds(current.left, wrong[current.order].sum()))
            told += [_holds(current.forecast(looks), wrong[current.order[:looks]].sum()) for looks in _AHEAD]
            orders += current.order[:STEP].tolist()
            checked |= {row: int(truth.labels[row]) for row in current.order[:STEP].tolist()}
            current = next_round(first, checked)
        held = np.array(told, dtype=float).reshape(-1, 1 + len(_AHEAD))
        yield {
            "source": case.source,
            "noise": case.noise,
            "rate": case.rate,
            "seed": case.seed,
            "trusted": trusted is not None,
            "rows": len(wrong),
            "one order": planned / len(wrong),
            "rounds": looks_to_goal(wrong[orders], wrong.sum()) / len(wrong),
            "cleanlab": looks_to_goal(wrong[peer]) / len(wrong),
            "left holds": _mean(held[:, 0]),
            **{f"next {looks} holds": _mean(held[:, 1 + place]) for place, looks in enumerate(_AHEAD)},
        }


def looks_to_goal(found: np.ndarray, total: int | None = None) -> int:
    """How many looks find 90% of the wrong labels. found: whether each look finds one, in the order of the looks."""
    needed = int(np.ceil(GOAL * (found.sum() if total is None else total)))
    return int(np.searchsorted(np.cumsum(found), needed)) + 1


def _holds(count: Count | None, true: int) -> float:
    """NaN where no number is given."""
    return np.nan if count is None else float(count.low <= true <= count.high)


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def report(rows: pd.DataFrame) -> str:
    """Means per noise, and the paired difference between rounds and one order with its 95% interval over the cases."""
    shown = ["one order", "rounds", "cleanlab", "left holds", "next 20 holds", "next 50 holds"]
    parts = []
    for title, trusted in (("With trusted rows", True), ("Without trusted rows", False)):
        part = rows[rows["trusted"] == trusted]
        lines = [["noise", "cases", *shown, "rounds - one order", "low", "high"]]
        lines.append(["---", *("---:" for _ in lines[0][1:])])
        groups = [(f"{noise} {rate:.2f}", one) for (noise, rate), one in part.groupby(["noise", "rate"], sort=False)]
        for name, one in [*groups, ("all", part)]:
            saved = one["rounds"] - one["one order"]
            low, high = mean_interval(saved.tolist()) or (np.nan, np.nan)
            cells = [*one[shown].mean(), saved.mean(), low, high]
            lines.append([name, str(len(one)), *(f"{value:.3f}" for value in cells)])
        parts.append(f"{title}\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines))
    head = "Share of the rows to look at until 90% of the wrong labels are found\n\n"
    return head + "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
