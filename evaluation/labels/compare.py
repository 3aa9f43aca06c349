"""`fixfirst compare`: two rankings, or two reviews, side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau, spearmanr

from cleaning.data import IntVector
from cleaning.errors import InvalidInput, Place, count_of, first_three
from cleaning.intervals import paired_difference
from evaluation.files.csv import csv_columns, csv_lines
from evaluation.files.parquet import column_names, read_columns, texts
from evaluation.files.whole import read_text
from evaluation.labels.decisions import DecisionLog
from evaluation.labels.review_folder import COLUMNS, DECISIONS, RANKING, SOURCE, decided_at_the_end, read_description
from evaluation.labels.typed import Opinion, opinion_of
from evaluation.labels.verdicts import Verdicts
from evaluation.submissions.ranking_lines import read_ranking

# Common rows are counted among so many first ones; of the rows whose places differ most, so many are shown.
_TOPS, _SHOWN = (20, 50, 100, 500), 8
_FIX = "give a review folder, a ranking (.csv, .parquet or .txt), or results (.jsonl)"


@dataclass(frozen=True)
class Difference:
    """Paired values of one score for A and B.

    lower: lower values are better. interval: of the mean of B - A, 95%; None for fewer than two pairs.
    """

    what: str
    pairs: int
    a: float
    b: float
    interval: tuple[float, float] | None
    lower: bool

    @classmethod
    def of(cls, what: str, a: Sequence[float], b: Sequence[float], *, lower: bool) -> "Difference":
        """The means of two lists of values, paired by place, and the interval of their difference."""
        gap = paired_difference(a, b)
        return cls(what, gap.pairs, float(np.mean(a)), float(np.mean(b)), gap.interval, lower)

    @property
    def worse(self) -> float:
        """By how much B is worse than A; negative if it is better."""
        return self.b - self.a if self.lower else self.a - self.b

    def __str__(self) -> str:
        known = "" if self.interval is None else f" ({self.interval[0]:+.3f} to {self.interval[1]:+.3f}, 95%)"
        better = "lower" if self.lower else "higher"
        scores = f"A {self.a:.3f}, B {self.b:.3f}, B - A {self.b - self.a:+.3f}{known}"
        return f"{self.what}: {scores}; {better} is better, {count_of(self.pairs, 'pair')}"


@dataclass(eq=False)
class Comparison:
    """Lines to print, and the differences that a limit applies to."""

    lines: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Ordered:
    """The rows of a ranking by name, the first to look at in front, and what was decided about them.

    moved: the rows that are at the end because they had been decided.
    """

    ids: tuple[str, ...]
    decided: dict[str, Opinion]
    moved: frozenset[str] = frozenset()

    def without(self, names: frozenset[str]) -> "Ordered":
        """The same without some rows."""
        return replace(self, ids=tuple(name for name in self.ids if name not in names))


def compare_rankings(a: Path, b: Path) -> Comparison:
    """Compares two rankings or reviews. Raises InvalidInput if they have no row in common."""
    one, two = read_ordered(a), read_ordered(b)
    moved = one.moved | two.moved
    common = set(one.ids) & set(two.ids)
    one, two = one.without(moved), two.without(moved)
    place_a = {name: place for place, name in enumerate(one.ids)}
    place_b = {name: place for place, name in enumerate(two.ids)}
    both = [name for name in one.ids if name in place_b]
    if len(both) < 2:
        raise _refused(a, b, len(both), len(common & moved))
    found = Comparison()
    alone = len(one.ids) + len(two.ids) - 2 * len(both)
    only = f", {count_of(alone, 'row')} in one of them only" if alone else ""
    found.lines.append(f"{count_of(len(both), 'row')} in both{only}")
    if moved:
        were = f"{count_of(len(moved), 'row')} {'was' if len(moved) == 1 else 'were'} decided before"
        found.lines.append(f"{were} and left out: a ranking has them at its end, wherever they had been")
    # places among the common rows, so that rows of one ranking only do not count
    first = np.arange(len(both))
    second = np.argsort(np.argsort([place_b[name] for name in both]))
    found.lines.append(
        f"rank correlation: Kendall {kendalltau(first, second).statistic:.3f}, "
        f"Spearman {spearmanr(first, second).statistic:.3f}"
    )
    for top in [top for top in _TOPS if top < len(both)]:
        shared = int(np.count_nonzero(second[:top] < top))
        found.lines.append(f"among the first {top}: {count_of(shared, 'row')} in both")
    _add_known(found, one, two, both, second)
    _add_agreement(found, one, two)
    found.lines += _parting(both, second, place_a, place_b)
    return found


def _refused(a: Path, b: Path, both: int, decided: int) -> InvalidInput:
    """The error for too few common rows. decided: how many more there are that are left out, as they were decided."""
    if both + decided < 2:
        common = count_of(both, "row") if both else "no row"
        return InvalidInput(b, f"it has {common} in common with {a}", "compare rankings of the same rows")
    were = f"{decided} of the {both + decided} rows in common with {a} {'was' if decided == 1 else 'were'} decided"
    problem = f"{were} before the ranking, which has them at its end, wherever they had been"
    return InvalidInput(b, problem, "compare rankings that were made before the decisions")


def read_ordered(path: Path) -> Ordered:
    """A ranking or a review. Raises InvalidInput for anything else."""
    if path.is_dir():
        if not (path / SOURCE).is_file():
            raise InvalidInput(path, f"there is no {SOURCE} in it", _FIX)
        ids = _unique(path / RANKING, _csv_ids(path / RANKING))
        return Ordered(ids, _opinions(path), _moved(path / RANKING, ids))
    readers: dict[str, Callable[[Path], list[str]]] = {".csv": _csv_ids, ".parquet": _parquet_ids, ".txt": _line_ids}
    if path.suffix not in readers or not path.is_file():
        raise InvalidInput(
            path, "this is neither a ranking nor a review" if path.exists() else "there is no such file", _FIX
        )
    ids = _unique(path, readers[path.suffix](path))
    return Ordered(ids, {}, _moved(path, ids))


def _opinions(folder: Path) -> dict[str, Opinion]:
    """What was decided about each row of a review, by the ids of its ranking.

    An entry of the log that is older than the ranking may name a row by an id that is another row's now, so the ranking
    says what it amounts to.
    """
    description, entries = read_description(folder), DecisionLog(folder / DECISIONS).read().entries
    found = {name: opinion_of(cell) for name, cell in description.decided.items()}
    later = entries[description.decisions :]
    hashes = {entry.id: entry.hash for entry in later}
    number = {name: place for place, name in enumerate(hashes)}
    earlier = [entry for entry in entries[: description.decisions] if hashes.get(entry.id) == entry.hash]
    verdicts = Verdicts(entry.model_copy(update={"row": number[entry.id]}) for entry in [*earlier, *later])
    for name, row in number.items():
        entry = verdicts.standing(row)
        if entry is not None:
            found[name] = entry.opinion
        else:
            found.pop(name, None)
    return found


def _moved(path: Path, ids: Sequence[str]) -> frozenset[str]:
    """The rows that a ranking of `fixfirst rank` has at its end because they had been decided."""
    cells: list[str] = []
    if path.suffix == ".csv" and set(COLUMNS) <= set(next(csv_lines(path))[1]):
        cells = [cells[0] for _, cells in csv_columns(path, ["decision"], COLUMNS)]
    if path.suffix == ".parquet" and set(COLUMNS) <= set(column_names(path)):
        cells = texts(path, read_columns(path, ["decision"], _FIX), "decision")
    return frozenset(ids[len(ids) - decided_at_the_end(cells) :])


def _csv_ids(path: Path) -> list[str]:
    return [cells[0] for _, cells in csv_columns(path, ["id", "place"], ["place", "id"])]


def _parquet_ids(path: Path) -> list[str]:
    return texts(path, read_columns(path, ["id"], "give a table that `fixfirst rank` wrote"), "id")


def _line_ids(path: Path) -> list[str]:
    lines = read_text(path, 1 << 30).split("\n")
    return [str(row) for row in read_ranking(path, sum(1 for line in lines if line.strip())).order.tolist()]


def _unique(path: Path, ids: list[str]) -> tuple[str, ...]:
    if len(set(ids)) < len(ids):
        repeated = next(name for place, name in enumerate(ids) if name in ids[:place])
        raise InvalidInput(Place(path), f"the id {repeated!r} appears twice", "rank the data again")
    return tuple(ids)


def _add_known(found: Comparison, one: Ordered, two: Ordered, both: list[str], second: IntVector) -> None:
    """The places of the labels that reviewers found wrong."""
    decided = {**two.decided, **one.decided}
    wrong = [place for place, name in enumerate(both) if name in decided and decided[name][0] in ("label", "drop")]
    if not wrong:
        return
    last = len(both) - 1
    score = Difference.of(
        "rows ahead of a label that was found wrong, as a share",
        [place / last for place in wrong],
        [float(second[place]) / last for place in wrong],
        lower=True,
    )
    found.differences.append(score)
    found.lines.append(str(score))
    if len({bool(one.decided), bool(two.decided)}) == 2:
        found.lines.append(
            f"  these labels were found by following {'A' if one.decided else 'B'}, which makes it look better"
        )


def _add_agreement(found: Comparison, one: Ordered, two: Ordered) -> None:
    """How often two reviews decided alike, and Cohen's kappa."""
    common = [name for name in one.decided if name in two.decided]
    if not common:
        return
    pairs = [(one.decided[name], two.decided[name]) for name in common]
    same = float(np.mean([first == second for first, second in pairs]))
    kinds = {kind for pair in pairs for kind in pair}
    chance = sum(
        np.mean([first == kind for first, _ in pairs]) * np.mean([second == kind for _, second in pairs])
        for kind in kinds
    )
    kappa = "" if chance == 1 else f", Cohen's kappa {(same - chance) / (1 - chance):.2f}"
    found.lines.append(f"{count_of(len(common), 'row')} decided in both, {same:.0%} alike{kappa}")
    apart = [name for name, (first, second) in zip(common, pairs, strict=True) if first != second]
    if apart:
        found.lines.append(f"decided differently, {first_three(apart)}")


def _parting(both: list[str], second: IntVector, place_a: dict[str, int], place_b: dict[str, int]) -> list[str]:
    """The rows near the front of one ranking whose places differ most, by the logarithm."""
    first = np.arange(len(both))
    gaps = np.abs(np.log(first + 10) - np.log(second + 10))
    order = np.argsort(-gaps, kind="stable")[:_SHOWN]
    rows = [both[row] for row in order.tolist() if gaps[row] > 0]
    return ["where they part:" if rows else "the order is the same"] + [
        f"  {name}: place {place_a[name] + 1} in A, {place_b[name] + 1} in B" for name in rows
    ]
