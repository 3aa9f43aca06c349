"""`fixfirst compare` on two results files: the same submissions, or two methods, on the same data."""

from collections import defaultdict
from pathlib import Path

from scipy.stats import spearmanr

from cleaning.errors import InvalidInput, first_three
from cleaning.intervals import paired_values
from evaluation.contract import registry
from evaluation.contract.record import Record, latest, read_records
from evaluation.labels.compare import Comparison, Difference
from evaluation.submissions.round_logs import ranker_in_rounds

_SHOWN = 5
Slot = tuple[str, str, int]


def compare_results(a: Path, b: Path) -> Comparison:
    """Compares the main metric of each task, paired by data id and seed, method by method.

    Where both files have one method each, those two are compared. Raises InvalidInput if nothing can be paired.
    """
    found = Comparison()
    one, two = _by_task(a), _by_task(b)
    for task in sorted({*one, *two}):
        if task in one and task in two:
            _compare_task(found, task, one[task], two[task])
        else:
            found.lines.append(f"{task}: only in {'A' if task in one else 'B'}")
    if not found.differences:
        raise InvalidInput(b, f"it has no result in common with {a}", "evaluate the same data in both")
    return found


def _by_task(path: Path) -> dict[str, dict[str, dict[Slot, float]]]:
    """The main metric by task, method, and (data id, method, seed)."""
    if not path.is_file():
        raise InvalidInput(path, "there is no such file", "give the results.jsonl that `fixfirst evaluate` writes")
    tasks: dict[str, dict[str, dict[Slot, float]]] = defaultdict(lambda: defaultdict(dict))
    for record in latest(read_records(path)):
        value = _main(record)
        if value is not None:
            tasks[record.task][record.method][record.dataset, record.method, record.seed] = value
    return tasks


def _main(record: Record) -> float | None:
    return record.metrics.get(registry.task(record.task).main.name) if record.status == "ok" else None


def _compare_task(
    found: Comparison, task: str, one: dict[str, dict[Slot, float]], two: dict[str, dict[Slot, float]]
) -> None:
    """Adds what differs; methods with the same number in every case are only counted."""
    metric = registry.task(task).main
    pairs = [(name, name) for name in sorted(one) if name in two]
    if len(one) == len(two) == 1:
        pairs = [(next(iter(one)), next(iter(two)))]
    means: list[tuple[float, float]] = []
    cases: list[tuple[float, str]] = []
    same = 0
    for name, other in pairs:
        first = {(slot[0], slot[2]): value for slot, value in one[name].items()}
        second = {(slot[0], slot[2]): value for slot, value in two[other].items()}
        common = sorted(first.keys() & second.keys())
        if not common:
            continue
        title = name if name == other else f"{name} against {other}"
        difference = Difference.of(
            f"{task}, {title}, {metric.name}", *paired_values(first, second), lower=not metric.greater_is_better
        )
        found.differences.append(difference)
        if ranker_in_rounds(name) is None:  # rounds are not ranked with orders made at once
            means.append((difference.a, difference.b))
        gaps = [(abs(second[slot] - first[slot]), slot) for slot in common]
        if name == other and not any(gap for gap, _ in gaps):
            same += 1
            continue
        found.lines.append(str(difference))
        cases += [
            (gap, f"  {title} on {slot[0]}, seed {slot[1]}: {first[slot]:.3f} in A, {second[slot]:.3f} in B")
            for gap, slot in gaps
        ]
    found.lines += _rest(task, same, means, cases)
    for where, names in (("A", sorted(one.keys() - two.keys())), ("B", sorted(two.keys() - one.keys()))):
        if names and not len(one) == len(two) == 1:
            found.lines.append(f"{task}: only in {where}: {first_three(names)}")


def _rest(task: str, same: int, means: list[tuple[float, float]], cases: list[tuple[float, str]]) -> list[str]:
    """What is said of a task after its methods that differ."""
    lines = [f"{task}: {same} {'method has' if same == 1 else 'methods have'} the same number in every case"]
    if len(means) > 2 and cases:
        correlation = spearmanr([one for one, _ in means], [two for _, two in means]).statistic
        lines.append(f"{task}: rank correlation of {len(means)} methods: Spearman {correlation:.3f}")
    apart = [line for gap, line in sorted(cases, key=lambda case: -case[0])[:_SHOWN] if gap > 0]
    return [*(lines if same else lines[1:]), *([f"{task}: where they part:", *apart] if apart else [])]
