"""What rounds save in fixes: `python -m tests.study.fixes_in_rounds [--seeds=3] [--sets=NAME,…] [--out=FOLDER]`.

How many fixes bring a model to 95% of its clean accuracy, in the one order of expected_use and when it is asked again
after every 20 fixes? With and without trusted rows, on the cases and with the learner of the ranking study. Each line
of fixes_in_rounds.csv is a case; fixes_in_rounds.md has the means.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from baselines.rankers.expected_use import rank
from cleaning import Ranking, simulate
from cleaning.intervals import mean_interval
from cleaning.learners.logistic import Learner
from cleaning.simulation.rounds import clean_in_rounds
from tests.study.cases import Case, make
from tests.study.rounds import NOISES, STEP, requested

_TARGET = 0.95


def main() -> None:
    folder, cases = requested(__doc__, NOISES)
    rows = [row for case in cases for row in run(case)]
    pd.DataFrame(rows).to_csv(folder / "fixes_in_rounds.csv", index=False, float_format="%.6g")
    text = report(pd.read_csv(folder / "fixes_in_rounds.csv"))
    (folder / "fixes_in_rounds.md").write_text(text)
    print(text)


def run(case: Case) -> Iterator[dict[str, object]]:
    """The lines of a case: with trusted rows, and without."""
    dataset, truth = make(case)
    for trusted in (dataset.validation, None):

        def ask(checked: dict[int, int], trusted=trusted) -> Ranking:
            return rank(dataset.train, trusted, rng=np.random.default_rng(0), checked=checked)

        at_once = ask({})
        in_rounds = Ranking(np.concatenate(list(clean_in_rounds(ask, truth, STEP))))
        scores = [_score(simulate(dataset, truth, one, Learner(C=1.0, scaling="none"))) for one in (at_once, in_rounds)]
        own = {"source": case.source, "noise": case.noise, "rate": case.rate, "seed": case.seed}
        yield {**own, "trusted": trusted is not None, "one order": scores[0], "rounds": scores[1]}


def _score(curve) -> float:
    return curve.fixes_needed(_TARGET) / (len(curve.accuracy) - 1)


def report(rows: pd.DataFrame) -> str:
    """Means per noise, and the paired difference between rounds and one order with its 95% interval over the cases."""
    lines = [["trusted rows", "noise", "cases", "one order", "rounds", "rounds - one order", "low", "high"]]
    lines.append(["---", "---", *("---:" for _ in lines[0][2:])])
    for trusted, part in rows.groupby("trusted", sort=False):
        groups = [(f"{noise} {rate:.2f}", one) for (noise, rate), one in part.groupby(["noise", "rate"], sort=False)]
        for name, one in [*groups, ("all", part)]:
            saved = one["rounds"] - one["one order"]
            cells = [
                one["one order"].mean(),
                one["rounds"].mean(),
                saved.mean(),
                *(mean_interval(saved.tolist()) or (np.nan, np.nan)),
            ]
            lines.append(["yes" if trusted else "no", name, str(len(one)), *(f"{value:.3f}" for value in cells)])
    head = "Share of the labels to fix until a model reaches 95% of its clean accuracy\n\n"
    return head + "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    main()
