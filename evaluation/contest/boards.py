"""Contest boards: the submission of each team that counts, on the public, the private or the whole ground truth."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cleaning.errors import InvalidInput, count_of, first_three
from evaluation.contest.counting import that_counts
from evaluation.contest.log import Entry, Slot, SubmissionLog, latest_of_each
from evaluation.contest.standings import Row, compared, gap_cells, leaderboard, markdown_table, signed, text_table
from evaluation.contract import registry
from evaluation.contract.record import Record
from evaluation.contract.task import Task
from evaluation.files.csv import csv_text, safe_cell
from evaluation.files.lock import sweep
from evaluation.files.progress import Reporter
from evaluation.files.whole import write_text
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.settings.rules import Rules

_COLUMNS = (
    *("task", "board", "rank", "team", "metric", "mean", "low95", "high95"),
    *("to_best", "to_best_low95", "to_best_high95", "data_sets", "of"),
)
_LAST_COLUMNS = ("submissions", "received", "files")


@dataclass(frozen=True)
class Standing:
    """A team's place on a board (None if it lacks a data id), and the submissions behind it.

    row: the means over data ids of the submissions that count. submissions: how many submissions the team made.
    counting: the submissions that count, one per data id and seed. seen: the position in the log at which the last of
    them first appeared.
    """

    place: int | None
    row: Row
    submissions: int
    counting: tuple[Entry, ...]
    seen: int


@dataclass(frozen=True)
class Boarded:
    """A board, best team first. outdated: how many submissions were scored on data or settings no longer current."""

    task: Task
    name: str
    rules: Rules
    standings: tuple[Standing, ...]
    outdated: int


def write_board(folders: Folders, task: Task, name: str, parameters: Parameters, reporter: Reporter) -> None:
    """Writes results/leaderboard_{task}_{board}.csv and .md and prints the board."""
    sweep(folders.results_folder)
    rules = registry.rules_of(task, parameters)
    found = board(SubmissionLog(folders.submission_log).read(), task, name, rules)
    header, cells = _as_cells(found)
    rule = {"best": "the best", "last_valid": "the last valid"}[rules.counts or "last_valid"]
    title = f"{task.name}, board {name}: {rule} submission of each team counts"
    written = [folders.results_folder / f"leaderboard_{task.name}_{name}.{kind}" for kind in ("csv", "md")]
    for path, text in zip(written, (_as_csv(found), f"## {title}\n\n{markdown_table(header, cells)}"), strict=True):
        write_text(path, text)
    reporter.say(f"{title}\n{text_table(header, cells)}\n")
    for path in written:
        reporter.say(str(path))
    if found.outdated:
        reporter.warn(f"{count_of(found.outdated, 'submission')} left out, scored on older data or settings")


def board(log: SubmissionLog, task: Task, name: str, rules: Rules) -> Boarded:
    """Ranks the teams. Ties on the main metric are broken by the task's tie-breaks, then by who submitted earlier.

    "Earlier" means further up in the log, because clocks can be wrong. Raises InvalidInput if there are no scores.
    """
    entries = [entry for entry in log.entries if entry.task == task.name]
    scored = [entry for entry in entries if entry.verdict == "ok"]
    if not scored:
        raise InvalidInput(
            log.path, f"there are no scored submissions for the task {task.name}", "run `fixfirst evaluate` first"
        )
    basis = {entry.dataset: entry.basis for entry in scored}
    newest = [entry for slot, own in log.slots.items() if slot[0] == task.name for entry in latest_of_each(own)]
    valid = [entry for entry in newest if entry.verdict == "ok"]
    current = [entry for entry in valid if entry.basis == basis[entry.dataset]]
    if not current:
        raise InvalidInput(
            log.path,
            f"no submission for the task {task.name} has a score any more",
            "fix what `fixfirst evaluate` reports, or restore the submissions",
        )
    counting = _counting(current, task, rules)
    without = sorted({entry.dataset for entry in counting if name not in entry.scores})
    if without:
        raise InvalidInput(
            f"board {name!r} of {task.name}",
            f"some data ids are not split into public and private ({first_three(without)})",
            "use --board=all, or add `split:` to their blocks (sister tasks only) and evaluate again",
        )
    first = {_key(entry): line for line, entry in reversed(list(enumerate(entries))) if entry.number is not None}
    standings = _standings(task, name, counting, first, entries)
    return Boarded(task, name, rules, standings, len(valid) - len(current))


def _key(entry: Entry) -> tuple[object, ...]:
    return *entry.slot, entry.number


def _counting(valid: Sequence[Entry], task: Task, rules: Rules) -> list[Entry]:
    """The one submission of each slot that counts under the rules; `valid` is in order of arrival."""
    by_slot: dict[Slot, list[Entry]] = {}
    for entry in valid:
        by_slot.setdefault(entry.slot, []).append(entry)
    return [that_counts(own, lambda entry: public_score(entry, task), task, rules) for own in by_slot.values()]


def public_score(entry: Entry, task: Task) -> float:
    """The main metric of a scored submission on the public part of the truth; on everything if it is not split."""
    return entry.scores.get("public", entry.scores["all"])[task.main.name]


def _standings(
    task: Task, name: str, counting: Sequence[Entry], first: dict[tuple[object, ...], int], entries: Iterable[Entry]
) -> tuple[Standing, ...]:
    records = [_as_record(entry, name) for entry in counting]
    rows = leaderboard(records, task)
    made = Counter(team for _, _, team, _, _ in {(*entry.slot, entry.number) for entry in entries if entry.number})
    found = []
    for row in rows:
        own = tuple(entry for entry in counting if entry.team == row.method)
        found.append(Standing(None, row, made[row.method], own, max(first[_key(entry)] for entry in own)))
    found.sort(key=lambda one: _order(one, task))
    rows = compared([one.row for one in found], records, task, found[0].row.method)
    return tuple(
        replace(one, row=row, place=place if row.complete else None)
        for place, (one, row) in enumerate(zip(found, rows, strict=True), start=1)
    )


def _order(standing: Standing, task: Task) -> tuple[float, ...]:
    row = standing.row
    means = {row.metric.name: row.mean, **row.others}
    signs = {metric.name: -1.0 if metric.greater_is_better else 1.0 for metric in task.metrics}
    ladder = [signs[name] * means[name] for name in (task.main.name, *task.tie_breaks)]
    return (0.0 if row.complete else 1.0, *ladder, float(standing.seen))


def _as_record(entry: Entry, name: str) -> Record:
    return Record(
        task=entry.task,
        task_version=0,
        dataset=entry.dataset,
        method=entry.team,
        status="ok",
        metrics=entry.scores[name],
        submission_sha256=entry.sha256,
        dataset_sha256="",
        seed=entry.seed,
        fingerprint="",
    )


def _as_csv(found: Boarded) -> str:
    """The board at full precision. The last columns are the other metrics and the submissions behind the scores."""
    others = [metric.name for metric in found.task.others]
    lines = []
    for one in found.standings:
        row = one.row
        head = [row.task, found.name, one.place, safe_cell(row.method), row.metric.name, row.mean, row.low, row.high]
        head += gap_cells(row.to_best)
        files = " ".join(sorted(entry.file for entry in one.counting))
        tail = [one.submissions, _received(one), files]
        lines.append([*head, row.n_datasets, row.n_all, *(row.others.get(name) for name in others), *tail])
    return csv_text([*_COLUMNS, *others, *_LAST_COLUMNS], lines)


def _as_cells(found: Boarded) -> tuple[list[str], list[list[str]]]:
    """Header and cells of a human-readable table."""
    metric = found.task.main
    header = ["", "team", f"{metric.name} ({metric.direction})", "minus the best, paired", "data sets"]
    header += [m.name for m in found.task.others]
    cells = []
    for one in found.standings:
        row = one.row
        sets = f"{row.n_datasets}" if row.complete else f"{row.n_datasets} of {row.n_all}"
        others = [f"{row.others[m.name]:.6g}" if m.name in row.others else "" for m in found.task.others]
        place = "" if one.place is None else str(one.place)
        gap = signed(row.to_best)
        cells.append([place, row.method, f"{row.mean:.6f}", gap, sets, *others, str(one.submissions), _received(one)])
    return [*header, "submissions", "received (UTC)"], cells


def _received(standing: Standing) -> str:
    return max(entry.received for entry in standing.counting).isoformat(timespec="seconds").removesuffix("+00:00")
