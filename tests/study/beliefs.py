"""The study of beliefs: `python -m tests.study.beliefs [--seeds=5] [--kinds=NAME;…] [--out=FOLDER]`.

How true is what is said about wrong labels where data are awkward? Each kind of case is run with and without trusted
rows. Each run becomes one line of beliefs.csv, with cleanlab's numbers beside ours: how many labels it counts as wrong
(the off-diagonal sum of the confident joint, from out-of-fold probabilities) and the average precision of its
self-confidence. The table beliefs.md says for each kind how often our 90% interval contains the true number. In
results/ the kinds of overlap have 20 seeds, since each has a single source, the tables and shapes 10, and the two with
many classes 2, since they are slow.
"""

import argparse
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from cleanlab.count import num_label_issues
from sklearn.datasets import load_breast_cancer, load_iris, load_wine, make_circles, make_moons
from sklearn.metrics import average_precision_score
from sklearn.preprocessing import StandardScaler

from cleaning import Split, inspection_order, label_posterior
from cleaning.vectors.folds import out_of_fold_probabilities
from tests.study.cases import Case, make, plant
from tests.study.sources import sources

BINARY: tuple[str, ...] = (
    "digits 3v8",
    "digits 4v9",
    "mnist 3v8",
    "mnist 4v9",
    "clothing 1v5",
    "clothing 4v9",
    "synthetic 2048",
)
BINARY += ("challenge person", "challenge mammal")
TEN = ("digits 10", "mnist 10", "clothing 10")
# The share of the larger class among trusted rows whose class mix is not that of the training rows.
_MIXED = 0.62
# The columns of the table, each with the number of decimals.
_SHOWN = {"wrong": 1, "expected": 1, "width": 1, "inside": 3, "no number": 3, "error": 1, "cleanlab's error": 1}
_SHOWN |= {"precision": 3, "order's precision": 3, "cleanlab's precision": 3}


@dataclass(frozen=True, eq=False)
class Drawn:
    """Training rows with noisy labels, their true labels, and trusted rows."""

    train: Split
    truth: np.ndarray
    trusted: Split


Kind = Callable[[str, np.random.Generator, int], Drawn]


def planted(noise: str, rate: float) -> Kind:
    """A data id of the source with this noise; rate 0 is no noise."""

    def draw(source: str, rng: np.random.Generator, seed: int) -> Drawn:
        dataset, truth = make(Case(source, noise, rate, seed))
        assert dataset.validation is not None
        return Drawn(dataset.train, truth.labels, dataset.validation)

    return draw


def one_directional(source: str, rng: np.random.Generator, seed: int) -> Drawn:
    """Labels of class 1 are called 0, as many as 30% of all rows, but at most 60% of the class."""
    clean = planted("symmetric", 0.0)(source, rng, seed)
    ones = np.flatnonzero(clean.truth == 1)
    labels = clean.truth.copy()
    labels[rng.choice(ones, min(round(0.3 * len(labels)), int(0.6 * len(ones))), replace=False)] = 0
    return Drawn(Split(clean.train.features, labels, clean.train.ids), clean.truth, clean.trusted)


def other_mix(noise: str) -> Kind:
    """30% noise, and trusted rows of which 62% are of one class; which class is drawn."""

    def draw(source: str, rng: np.random.Generator, seed: int) -> Drawn:
        drawn = planted(noise, 0.30)(source, rng, seed)
        return Drawn(drawn.train, drawn.truth, mixed(drawn.trusted, rng))

    return draw


def mixed(trusted: Split, rng: np.random.Generator) -> Split:
    """As many of the trusted rows as possible, 62% of them of one of the two classes; which class is drawn."""
    by_class = [rng.permutation(np.flatnonzero(trusted.labels == label)) for label in (0, 1)]
    many, few = by_class if rng.random() < 0.5 else by_class[::-1]
    total = min(len(many) / _MIXED, len(few) / (1 - _MIXED))
    kept = np.concatenate([many[: round(total * _MIXED)], few[: round(total * (1 - _MIXED))]])
    return trusted.take(np.sort(kept))


def copies(spread: float) -> Kind:
    """15% symmetric noise; every row is there twice, label included, moved by `spread` of the columns' deviation."""

    def draw(source: str, rng: np.random.Generator, seed: int) -> Drawn:
        drawn = planted("symmetric", 0.15)(source, rng, seed)
        features = drawn.train.features
        moved = features + spread * features.std(axis=0) * rng.standard_normal(features.shape)
        rows = np.vstack([features, moved.astype(features.dtype)])
        ids = tuple(f"{row:05d}" for row in range(len(rows)))
        return Drawn(Split(rows, np.tile(drawn.train.labels, 2), ids), np.tile(drawn.truth, 2), drawn.trusted)

    return draw


def scattered(classes: int, rows: int, apart: float, rate: float, trusted: int) -> Kind:
    """Gaussian clusters, one per class, in 32 columns; their centres are on average `apart` · √64 from each other."""

    def draw(source: str, rng: np.random.Generator, seed: int) -> Drawn:
        centres = rng.normal(size=(classes, 32)) * apart
        labels = np.concatenate([np.repeat(np.arange(classes), rows), rng.integers(0, classes, trusted)])
        features = (centres[labels] + rng.normal(size=(len(labels), 32))).astype(np.float32)
        n = classes * rows
        clean = Split.from_arrays(features[:n], labels[:n])
        noisy = Split(clean.features, plant(clean, "symmetric", rate, rng), clean.ids)
        return Drawn(noisy, labels[:n], Split.from_arrays(features[n:], labels[n:]))

    return draw


def few_rows(per_class: int) -> Kind:
    """20% symmetric noise, so many rows of each class, and as many trusted ones."""

    def draw(source: str, rng: np.random.Generator, seed: int) -> Drawn:
        features, labels = sources(quick=False)[source].rows(seed)
        by_class = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
        rows = np.concatenate([part[:per_class] for part in by_class])
        trusted = np.concatenate([part[per_class : 2 * per_class] for part in by_class])
        clean = Split.from_arrays(features[rows], labels[rows])
        noisy = Split(clean.features, plant(clean, "symmetric", 0.20, rng), clean.ids)
        return Drawn(noisy, clean.labels, Split.from_arrays(features[trusted], labels[trusted]))

    return draw


def tables(source: str, rng: np.random.Generator, seed: int) -> Drawn:
    """15% symmetric noise on a table of scikit-learn with standardised columns; 30 trusted rows."""
    features, labels = _TABLES[source](return_X_y=True)
    return _noisy(StandardScaler().fit_transform(features), labels, 30, rng)


def shapes(source: str, rng: np.random.Generator, seed: int) -> Drawn:
    """15% symmetric noise on 300 rows of two columns, whose distance from the middle counts; 100 trusted rows."""
    return _noisy(*_SHAPES[source](rng), 100, rng)


def _noisy(features: np.ndarray, labels: np.ndarray, trusted: int, rng: np.random.Generator) -> Drawn:
    mixed = rng.permutation(len(labels))
    rows, known = mixed[trusted:], mixed[:trusted]
    clean, sure = (Split.from_arrays(features[part].astype(np.float32), labels[part]) for part in (rows, known))
    return Drawn(Split(clean.features, plant(clean, "symmetric", 0.15, rng), clean.ids), clean.labels, sure)


def _in_a_row(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Three classes beside each other."""
    labels = rng.integers(0, 3, 400)
    return 3.0 * labels[:, None] * [1, 0] + rng.normal(size=(400, 2)), labels


_TABLES = {"iris": load_iris, "wine": load_wine, "breast cancer": load_breast_cancer}
_SHAPES = {
    "moons": lambda rng: make_moons(400, noise=0.2, random_state=int(rng.integers(1 << 31))),
    "circles": lambda rng: make_circles(400, noise=0.1, factor=0.5, random_state=int(rng.integers(1 << 31))),
    "in a row": _in_a_row,
}
_OWN = ("clusters", *_TABLES, *_SHAPES)
KINDS: dict[str, tuple[tuple[str, ...], Kind]] = {
    "no errors": (BINARY + TEN, planted("symmetric", 0.0)),
    "2% errors": (BINARY + TEN, planted("symmetric", 0.02)),
    "one-directional 30%": (BINARY, one_directional),
    "another class mix, symmetric 30%": (BINARY, other_mix("symmetric")),
    "another class mix, class-conditional 30%": (BINARY, other_mix("class-conditional")),
    "every row twice": (BINARY, copies(0.0)),
    "every row twice, nearly": (BINARY, copies(0.003)),
    "overlap, no errors": (("clusters",), scattered(2, 150, 0.15, 0.0, 100)),
    "overlap, 2% errors": (("clusters",), scattered(2, 150, 0.15, 0.02, 100)),
    "overlap, 10% errors": (("clusters",), scattered(2, 150, 0.15, 0.10, 100)),
    "tables, 15% errors": (tuple(_TABLES), tables),
    "shapes in two columns, 15% errors": (tuple(_SHAPES), shapes),
    "3 rows per class": (TEN, few_rows(3)),
    "10 rows per class": (TEN, few_rows(10)),
    "100 classes × 20 rows": (("clusters",), scattered(100, 20, 0.7, 0.20, 500)),
    "200 classes × 10 rows": (("clusters",), scattered(200, 10, 0.7, 0.20, 500)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--kinds", help="names, separated by semicolons; default: all")
    parser.add_argument("--out", type=Path, default=Path("dist") / "study", help="default: %(default)s")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    chosen = options.kinds.split(";") if options.kinds else list(KINDS)
    rows = []
    for kind in chosen:
        started = time.perf_counter()
        rows += [row for seed in range(options.seeds) for row in run(kind, seed)]
        print(f"{kind}: {time.perf_counter() - started:.0f} s", flush=True)
    table = pd.DataFrame(rows)
    table.to_csv(options.out / "beliefs.csv.gz", index=False, float_format="%.6g")
    text = report(pd.read_csv(options.out / "beliefs.csv.gz"))
    (options.out / "beliefs.md").write_text(text)
    print(text)


def run(kind: str, seed: int) -> Iterator[dict[str, object]]:
    """The lines of one kind and seed: each source that is present, with and without trusted rows."""
    names, draw = KINDS[kind]
    present = [name for name in names if name in _OWN or name in sources(quick=False)]
    for source in present:
        rng = np.random.default_rng([seed, zlib.crc32(f"{kind}|{source}".encode())])
        drawn = draw(source, rng, seed)
        peer = _cleanlab(drawn)
        for trusted in (drawn.trusted, None):
            yield {"kind": kind, "source": source, "seed": seed, **_ours(drawn, trusted), **peer}


def _ours(drawn: Drawn, trusted: Split | None) -> dict[str, object]:
    wrong = drawn.train.labels != drawn.truth
    posterior = label_posterior(drawn.train, trusted)
    order = inspection_order(posterior, drawn.train, trusted).order
    place = np.empty(len(order))
    place[order] = -np.arange(len(order))
    count = posterior.wrong_labels()
    return {
        "trusted": 0 if trusted is None else len(trusted),
        "rows": len(wrong),
        "wrong": int(wrong.sum()),
        **count._asdict(),
        "caveats": "; ".join(caveat.kind for caveat in posterior.caveats),
        "precision": average_precision_score(wrong, posterior.suspicion) if wrong.any() else np.nan,
        "order's precision": average_precision_score(wrong, place) if wrong.any() else np.nan,
    }


def _cleanlab(drawn: Drawn) -> dict[str, object]:
    """What cleanlab says of the training rows alone: it cannot use trusted rows."""
    wrong, labels = drawn.train.labels != drawn.truth, drawn.train.labels
    classes, compact = np.unique(labels, return_inverse=True)
    train = Split(drawn.train.features, compact, drawn.train.ids)
    probability = out_of_fold_probabilities(train, len(classes), np.random.default_rng(0))
    own = probability[np.arange(len(labels)), compact]
    return {
        "cleanlab's count": int(num_label_issues(compact, probability, estimation_method="off_diagonal")),
        "cleanlab's precision": average_precision_score(wrong, -own) if wrong.any() else np.nan,
    }


def report(rows: pd.DataFrame) -> str:
    """A table with trusted rows and one without: means over sources and seeds, one line per kind."""
    silent = rows["expected"].isna()
    rows = rows.assign(
        width=(rows["high"] - rows["low"]).where(~silent),
        inside=((rows["low"] <= rows["wrong"]) & (rows["wrong"] <= rows["high"])).astype(float).where(~silent),
        error=(rows["expected"] - rows["wrong"]).abs(),
        **{"cleanlab's error": (rows["cleanlab's count"] - rows["wrong"]).abs().where(~silent)},
        **{"no number": silent.astype(float)},
    )
    parts = []
    for title, chosen in (("With trusted rows", rows["trusted"] > 0), ("Without trusted rows", rows["trusted"] == 0)):
        part = rows[chosen]
        table = part.groupby("kind", sort=False)[list(_SHOWN)].mean()
        sizes = part.groupby("kind", sort=False).size()
        lines = [["kind", "cases", *_SHOWN], ["---", *("---:" for _ in range(len(_SHOWN) + 1))]]
        for kind, values in table.iterrows():
            cells = ["" if pd.isna(values[name]) else f"{values[name]:.{places}f}" for name, places in _SHOWN.items()]
            lines.append([str(kind), str(sizes[kind]), *cells])
        parts.append(f"{title}\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
