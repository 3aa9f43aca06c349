"""What not knowing the truth costs: `python -m tests.study.regret [--seeds=12] [--sets=NAME,…] [--out=FOLDER]`.

Pictures of the challenge are drawn again into data sets with 30% noise, and cleaned in the order of expected_use until
the challenge's learner reaches 95% of its clean accuracy. The regret is the share of the labels that this takes, minus
the share that the same order takes with all the truth known. "others known": the order of a belief whose learners were
given the true labels of all other rows, and whose noise matrix is the true one. This shows how much regret is left
when only the row's own label is unknown; it is a comparison, not a bound. Trusted rows are drawn like the training
rows ("alike"), with 62% of one class ("other mix"), or there are none. Each line of regret.csv is a case; regret.md
has the means.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from baselines.bounds.oracle_influence import rank_with_truth
from cleaning import GroundTruth, NoisyDataset, Posterior, Ranking, Split, inspection_order, label_posterior, simulate
from cleaning.belief.stacking import given_votes
from cleaning.belief.use import Beliefs, order_by_use
from cleaning.intervals import mean_interval
from cleaning.learners.dataperf import Learner
from tests.study.beliefs import mixed
from tests.study.cases import Case, make
from tests.study.rounds import requested

NOISES = (("symmetric", 0.30), ("class-conditional", 0.30))
SOURCES = ("challenge person", "challenge mammal")
_ORDERS = ("ours", "truth", "others known")


def main() -> None:
    folder, cases = requested(__doc__, NOISES, SOURCES)
    pd.DataFrame([row for case in cases for row in run(case)]).to_csv(
        folder / "regret.csv", index=False, float_format="%.6g"
    )
    text = report(pd.read_csv(folder / "regret.csv"))
    (folder / "regret.md").write_text(text)
    print(text)


def run(case: Case) -> Iterator[dict[str, object]]:
    """The lines of a case: one for each kind of trusted rows."""
    dataset, truth = make(case)
    assert dataset.validation is not None
    other = mixed(dataset.validation, np.random.default_rng(case.seed))
    for kind, trusted in (("alike", dataset.validation), ("other mix", other), ("none", None)):
        orders = [
            inspection_order(label_posterior(dataset.train, trusted), dataset.train, trusted),
            rank_with_truth(dataset.train, trusted, truth, rng=np.random.default_rng(0)),
            _others_known(dataset, truth, trusted),
        ]
        scores = [simulate(dataset, truth, order, Learner()).score() for order in orders]
        yield {
            "source": case.source,
            "noise": case.noise,
            "seed": case.seed,
            "trusted": kind,
            **dict(zip(_ORDERS, scores, strict=True)),
        }


def _others_known(dataset: NoisyDataset, truth: GroundTruth, trusted: Split | None) -> Ranking:
    train = dataset.train
    belief = label_posterior(Split(train.features, truth.labels, train.ids), trusted)
    counts = np.ones((2, 2))  # one of each, so that nothing is impossible
    np.add.at(counts, (truth.labels, train.labels), 1)
    noise = counts / counts.sum(axis=1, keepdims=True)
    fixed = given_votes(belief.before_label, noise, np.eye(2)[train.labels])
    beliefs = Beliefs(fixed, belief.before_label, _half_believed(belief, trusted))
    return Ranking(order_by_use(train, trusted, beliefs)[0])


def _half_believed(belief: Posterior, trusted: Split | None) -> np.ndarray:
    """Half the trusted labels, half the belief about them, as `inspection_order` has it."""
    return np.zeros((0, 2)) if trusted is None else 0.5 * np.eye(2)[trusted.labels] + 0.5 * belief.validation


def report(rows: pd.DataFrame) -> str:
    """Means by kind of trusted rows, and the mean regrets with their 95% intervals over the data sets."""
    lines = [["trusted rows", "cases", *_ORDERS, "regret", "interval", "regret, others known", "interval"]]
    lines.append(["---", *("---:" for _ in lines[0][1:])])
    groups = [(str(name), part) for name, part in rows.groupby("trusted", sort=False)]
    groups.insert(2, ("alike and other mix", rows[rows["trusted"] != "none"]))
    for name, part in groups:
        cells = [f"{part[order].mean():.3f}" for order in _ORDERS]
        for order in ("ours", "others known"):
            low, high, mean = regret(part, order)
            cells += [f"{mean:.3f}", f"{low:.3f} to {high:.3f}"]
        lines.append([name, str(len(part)), *cells])
    head = "Share of the labels to fix until 95% of the clean accuracy is reached\n\n"
    return head + "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def regret(rows: pd.DataFrame, order: str) -> tuple[float, float, float]:
    """The ends of the 95% interval of an order's mean regret over the data sets, and the mean."""
    values = (rows[order] - rows["truth"]).groupby([rows["source"], rows["noise"], rows["seed"]]).mean()
    low, high = mean_interval(values.tolist()) or (np.nan, np.nan)
    return low, high, float(values.mean())


if __name__ == "__main__":
    main()
