"""The study of first looks: `python -m tests.study.first_looks [--seeds=3] [--sets=NAME,…] [--out=FOLDER]`.

Without trusted rows, what do 30 looks tell about the number of wrong labels? Each case is counted by the noise model
alone, by 30 rows drawn with equal chances (a beta-binomial interval) and by the 30 rows that `first_looks` draws. Rows
are drawn 20 times. Each case is one line of first_looks.csv; first_looks.md has the means by noise: how often the 90%
interval contains the true number, and its width for 300 rows.
"""

import zlib

import numpy as np
import pandas as pd
from scipy.stats import betabinom

from cleaning import Split, first_looks, label_posterior
from cleaning.intervals import mean_interval
from tests.study.cases import Case, make
from tests.study.rounds import requested

LOOKS, DRAWINGS = 30, 20
NOISES = (
    ("no errors", 0.0),
    ("symmetric", 0.05),
    ("symmetric", 0.30),
    ("class-conditional", 0.30),
    ("instance-dependent", 0.10),
    ("instance-dependent", 0.30),
    ("one-directional", 0.05),
    ("one-directional", 0.15),
    ("one-directional", 0.30),
)
_WAYS = ("model", "random", "first looks")


def main() -> None:
    folder, cases = requested(__doc__, NOISES)
    pd.DataFrame([run(case) for case in cases]).to_csv(folder / "first_looks.csv", index=False, float_format="%.6g")
    text = report(pd.read_csv(folder / "first_looks.csv"))
    (folder / "first_looks.md").write_text(text)
    print(text)


def noisy(case: Case) -> tuple[Split, np.ndarray]:
    """Training rows with noisy labels, and which of these are wrong.

    one-directional: as many labels of the upper half of the classes as the rate says, but at most 60% of these, are
    called one of the lower half.
    """
    if case.noise != "one-directional":
        noise = "symmetric" if case.noise == "no errors" else case.noise
        dataset, truth = make(Case(case.source, noise, case.rate, case.seed))
        return dataset.train, dataset.train.labels != truth.labels
    dataset, truth = make(Case(case.source, "symmetric", 0.0, case.seed))
    half = (int(truth.labels.max()) + 1) // 2
    upper = np.flatnonzero(truth.labels >= half)
    rng = np.random.default_rng([case.seed, zlib.crc32("|".join(case.key).encode())])
    labels = truth.labels.copy()
    labels[rng.choice(upper, min(round(case.rate * len(labels)), int(0.6 * len(upper))), replace=False)] -= half
    return Split(dataset.train.features, labels, dataset.train.ids), labels != truth.labels


def run(case: Case) -> dict[str, object]:
    """The line of a case."""
    train, wrong = noisy(case)
    n, true = len(wrong), int(wrong.sum())
    posterior = label_posterior(train)
    told = posterior.wrong_labels()
    intervals: dict[str, list[tuple[float, float]]] = {way: [] for way in _WAYS}
    intervals["model"].append((told.low, told.high))
    for drawing in range(DRAWINGS):
        rng = np.random.default_rng([case.seed, drawing])
        found = int(wrong[rng.choice(n, LOOKS, replace=False)].sum())
        others = betabinom(n - LOOKS, found + 0.5, LOOKS - found + 0.5)
        intervals["random"].append((found + others.ppf(0.05), found + others.ppf(0.95)))
        sample = first_looks(posterior, LOOKS, rng=rng)
        count = sample.count({int(row): bool(wrong[row]) for row in sample.rows})
        assert count is not None
        intervals["first looks"].append((count.low, count.high))
    line: dict[str, object] = {"source": case.source, "noise": case.noise, "rate": case.rate, "seed": case.seed}
    line |= {"rows": n, "wrong": true, "foreseen": sample.width * 300 / n}
    for way, ends in intervals.items():
        line[f"{way} holds"] = np.mean([low <= true <= high for low, high in ends])
        line[f"{way} width"] = np.mean([high - low for low, high in ends]) * 300 / n
    return line


def report(rows: pd.DataFrame) -> str:
    """Means by noise, and how much narrower than a random sample the first looks are, with a 95% interval."""
    columns = [f"{way} {what}" for way in _WAYS for what in ("holds", "width")]
    lines = [["noise", "cases", *columns, "foreseen", "first looks - random", "low", "high"]]
    lines.append(["---", *("---:" for _ in lines[0][1:])])
    groups = [(f"{noise} {rate:.2f}", one) for (noise, rate), one in rows.groupby(["noise", "rate"], sort=False)]
    for name, one in [*groups, ("all", rows)]:
        saved = one["first looks width"] - one["random width"]
        low, high = mean_interval(saved.tolist()) or (np.nan, np.nan)
        cells = [f"{one[column].mean():.{3 if 'holds' in column else 0}f}" for column in columns]
        ends = [f"{value:.0f}" for value in (one["foreseen"].mean(), saved.mean(), low, high)]
        lines.append([name, str(len(one)), *cells, *ends])
    head = f"Wrong labels among 300, counted without trusted rows: after {LOOKS} looks, or by the model alone\n\n"
    return head + "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    main()
