"""What updates cost: `python -m tests.study.updates [--seeds=3] [--sets=NAME,…] [--out=FOLDER]`.

With more than 500 rows, `next_round` updates the beliefs from before the review, and does not fit them anew. Each case,
with all rows of its set, is looked at in rounds of 5% of its rows until 90% of its wrong labels are found, in either
way. Each line of updates.csv is a case: the share of rows to look at, how far the expected number of wrong labels left
is from the truth (in % of the rows, mean over the rounds), how often the interval contains it, and the median CPU
seconds of a round, without the first of them, in which the learners are prepared. updates.md has the means.
"""

import time
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from cleaning import Count, Split, label_posterior, next_round
from cleaning.belief.shown import shift_of
from cleaning.belief.use import ordered
from cleaning.data import IntVector
from cleaning.intervals import mean_interval
from cleaning.review import beliefs_after
from tests.study.cases import Case, plant
from tests.study.rounds import GOAL, looks_to_goal, requested
from tests.study.sources import sources

NOISES = (("symmetric", 0.20), ("class-conditional", 0.20), ("instance-dependent", 0.30))
SETS = ("digits 10", "mnist 10")
_TRUSTED, _SHARE = 200, 0.05
_MEASURED = ("looks", "error", "holds", "CPU s")
Ask = Callable[[dict[int, int]], tuple[IntVector, Count | None]]


def main() -> None:
    folder, cases = requested(__doc__, NOISES, SETS)
    rows = [row for case in cases for row in run(case)]
    pd.DataFrame(rows).to_csv(folder / "updates.csv", index=False, float_format="%.6g")
    text = report(pd.read_csv(folder / "updates.csv"))
    (folder / "updates.md").write_text(text)
    print(text)


def run(case: Case) -> Iterator[dict[str, object]]:
    """The lines of a case: with trusted rows, and without."""
    features, labels = sources(quick=False)[case.source].rows(case.seed)
    rng = np.random.default_rng([case.seed, zlib.crc32("|".join(case.key).encode())])
    drawn = rng.permutation(len(labels))
    known, rows = drawn[:_TRUSTED], drawn[_TRUSTED:]
    clean = Split.from_arrays(features[rows], labels[rows])
    train = Split(clean.features, plant(clean, case.noise, case.rate, rng), clean.ids)
    for trusted in (Split.from_arrays(features[known], labels[known]), None):
        first = label_posterior(train, trusted)

        def updated(checked: dict[int, int], first=first) -> tuple[IntVector, Count | None]:
            found = next_round(first, checked)
            return found.order, found.left

        def anew(checked: dict[int, int], trusted=trusted) -> tuple[IntVector, Count | None]:
            still, posterior = beliefs_after(train, trusted, checked)
            count, shift = posterior.wrong_labels(), shift_of(posterior.basis)
            left = count if shift is None else shift.counted(posterior.suspicion, count)
            return still[ordered(posterior, train.take(still), trusted)[0]], left

        line: dict[str, object] = {"source": case.source, "noise": case.noise, "rate": case.rate, "seed": case.seed}
        line |= {"trusted": trusted is not None, "rows": len(train)}
        for name, ask in (("updated", updated), ("anew", anew)):
            line |= {f"{name} {what}": value for what, value in _cleaned(ask, updated, train, clean.labels).items()}
        yield line


def _cleaned(ask: Ask, first: Ask, train: Split, truth: IntVector) -> dict[str, float]:
    """What is measured of a review. first: asked before any row is checked."""
    wrong, step = train.labels != truth, round(_SHARE * len(train))
    order, left = first({})
    checked: dict[int, int] = {}
    looked: list[int] = []
    told, seconds = [], []
    while wrong[looked].sum() < GOAL * wrong.sum():
        looked += order[:step].tolist()
        checked |= {row: int(truth[row]) for row in order[:step].tolist()}
        started = time.process_time()
        order, left = ask(checked)
        seconds.append(time.process_time() - started)
        true = int(wrong[order].sum())
        if left is not None and not np.isnan(left.expected):
            told.append((100 * abs(left.expected - true) / len(train), left.low <= true <= left.high))
    error, holds = np.array(told).mean(axis=0) if told else (np.nan, np.nan)
    looks = looks_to_goal(wrong[looked], int(wrong.sum())) / len(train)
    return dict(zip(_MEASURED, (looks, error, holds, float(np.median(seconds[1:] or seconds))), strict=True))


def report(rows: pd.DataFrame) -> str:
    """Means per noise, and the paired difference in looks and in error with its 95% interval over the cases."""
    columns = [f"{name} {what}" for what in _MEASURED for name in ("updated", "anew")]
    lines = [["trusted rows", "noise", "cases", *columns]]
    lines.append(["---", "---", *("---:" for _ in lines[0][2:])])
    for trusted, part in rows.groupby("trusted", sort=False):
        groups = [(f"{noise} {rate:.2f}", one) for (noise, rate), one in part.groupby(["noise", "rate"], sort=False)]
        for name, one in [*groups, ("all", part)]:
            lines.append(["yes" if trusted else "no", name, str(len(one)), *(f"{v:.3f}" for v in one[columns].mean())])
    told = []
    for what, unit in (("looks", "of the rows"), ("error", "% of the rows")):
        apart = rows[f"updated {what}"] - rows[f"anew {what}"]
        low, high = mean_interval(apart.tolist()) or (np.nan, np.nan)
        told.append(f"{what}, updated - anew: {apart.mean():+.4f} ({low:+.4f} to {high:+.4f}) {unit}")
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n\n" + "\n\n".join(told) + "\n"


if __name__ == "__main__":
    main()
