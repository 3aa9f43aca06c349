"""`fixfirst rank`: the rows of a source in the order to look at them, each with a suggested label."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from cleaning.belief.caveats import Caveat
from cleaning.errors import InvalidInput, count_of, printable
from cleaning.labels.by_blocks import LEFT_OUT, looked_at
from cleaning.labels.crowd import Crowd, annotators_frame, crowd_by_blocks, crowd_of
from cleaning.labels.named_caveats import named_caveats
from cleaning.labels.other_labels import caveat_of
from cleaning.labels.ranked import FIRST_LOOKS, Listed, Ranked, rank_rows
from cleaning.labels.rounds import renewed
from cleaning.parallel.engine import SERIAL, Engine
from cleaning.progress import Progress, silent
from evaluation.files.outputs import refuse_output
from evaluation.files.parquet import parquet_bytes
from evaluation.files.progress import Reporter
from evaluation.files.whole import write_text, write_whole
from evaluation.labels.annotators import said_of_annotators, with_votes
from evaluation.labels.by_blocks import Trusted, list_source, work_folder
from evaluation.labels.decided import Decided, decided_so_far
from evaluation.labels.decisions import DecisionLog
from evaluation.labels.forms.spooled import votes_removed_if_refused
from evaluation.labels.report import report_count, report_decided, report_next, said_of_formulas
from evaluation.labels.review_folder import (
    COLUMNS,
    DECISIONS,
    RANKING,
    WRITTEN,
    Counted,
    Description,
    caches,
    describe,
    refuse_other,
    review_of,
    table_text,
    write_review,
)
from evaluation.labels.size import heed_size
from evaluation.labels.source import Request, Source, open_source
from evaluation.labels.typed import refuse_typed


@dataclass(frozen=True)
class Job:
    """What to rank, and where the result goes: a table (`output`), or the review folder (default: NAME_review).

    engine: where the blocks of large data are judged.
    """

    source: Request
    output: Path | None = None
    review: Path | None = None
    seed: int = 0
    engine: Engine = SERIAL


def rank(job: Job, reporter: Reporter) -> None:
    """Ranks the rows of a source and writes the table, or the review folder.

    The number of labels that are probably wrong is reported with a 90% interval, unless the data cannot tell; what
    makes the numbers doubtful is said. Raises InvalidInput for a source that cannot be used.
    """
    folder = job.review or review_of(job.source.path)
    _refuse(job)
    _refuse_outputs(job, folder)
    log = _log_of(job, folder, reporter)
    cache, trusted_cache = caches(folder) if job.output is None else (None, None)
    with votes_removed_if_refused(cache):
        asked = replace(job.source, cache=cache, trusted_cache=trusted_cache)
        _rank_in(folder, replace(job, source=asked), log, reporter)


def _rank_in(folder: Path, job: Job, log: DecisionLog | None, reporter: Reporter) -> None:
    opened, trusted = open_source(job.source, reporter)
    reporter.say(opened.said)
    if trusted is not None:
        reporter.say(f"trusted: {trusted.said}")
    heed_size(opened, job.engine, reporter)
    source, decided = (opened, None) if log is None else decided_so_far(folder, log.read().entries, opened)
    with reporter.track("rank", "steps" if source.stored is None else "percent") as progress:
        if source.stored is None:
            result = _in_memory(source, trusted, decided, job.seed, progress)
        else:
            result = _by_blocks(source, Trusted.of(trusted), decided, job, folder, progress)
    found, crowd = result.listed, result.crowd
    table = _table_of(source, found, decided, crowd)
    if job.output is not None:
        _write_table(job.output, table)
    else:
        description = _description(folder, job.seed, opened, trusted, result, decided)
        write_review(folder, description, table, None if crowd is None else annotators_frame(crowd))
    for line in [*result.caveats, *said_of_formulas(source)]:
        reporter.warn(line)
    reporter.say(
        f"{job.output or folder / RANKING}: {count_of(len(found.labelled), 'label')}, the one to fix first on top"
    )
    if decided is not None:
        report_decided(decided, source, folder, reporter)
    report_count(found, reporter, source.doubtful, trusted=trusted is not None)
    for line in [] if crowd is None else said_of_annotators(crowd):
        reporter.say(line)
    if job.output is None:
        report_next(found, decided, folder, reporter)


def _refuse(job: Job) -> None:
    """Raises InvalidInput for a negative seed, and for an option that lacks another."""
    if job.seed < 0:
        raise InvalidInput("--seed", f"it is {job.seed}", "use a number from 0")
    for name in ("trusted_labels", "trusted_probabilities"):
        if job.source.trusted is None and getattr(job.source, name) is not None:
            raise InvalidInput(f"--{name.replace('_', '-')}", "there are no trusted rows", "give --trusted as well")
    if job.source.options.annotator_column is not None and job.source.options.labels is None:
        raise InvalidInput("--annotator-column", "there is no file of labels", "give --labels=FILE as well")


def _refuse_outputs(job: Job, folder: Path) -> None:
    """Raises InvalidInput if something that is written would replace what the command reads, or another review."""
    asked = job.source
    named = [asked.path, asked.options.labels, asked.options.probabilities, asked.trusted, asked.trusted_labels]
    named.append(asked.trusted_probabilities)
    outputs = [folder / name for name in WRITTEN] if job.output is None else [job.output]
    for output in outputs:
        suffixes = [output.suffix] if job.output is None else [".csv", ".parquet"]
        refuse_output(output, suffixes, [path for path in named if path is not None])
    if job.output is None and job.review is None:
        refuse_other(folder, asked.path)


def _log_of(job: Job, folder: Path, reporter: Reporter) -> DecisionLog | None:
    """The log of the decisions that count; None where a table is written alone. Raises InvalidInput for typed ones."""
    if job.output is not None and job.review is None:
        return None
    if job.output is not None and not (folder / DECISIONS).is_file():
        problem = f"with --output, it names a review whose decisions count, and {folder} is not one"
        raise InvalidInput("--review", problem, "leave out --output, or this")
    log = DecisionLog(folder / DECISIONS).mended(reporter.warn)
    refuse_typed(folder, log.entries)
    return log


@dataclass(frozen=True, eq=False)
class _Result:
    """The rows in order, what makes the numbers doubtful, and the annotators if any."""

    listed: Listed
    caveats: list[str]
    crowd: Crowd | None = None


def _description(
    folder: Path, seed: int, source: Source, trusted: Source | None, result: _Result, decided: Decided | None
) -> Description:
    """What is written of a ranking to source.json."""
    ids = source.ids
    return describe(
        folder,
        source,
        trusted,
        seed=seed,
        count=_counted(result.listed),
        caveats=result.caveats,
        first_looks=[ids[row] for row in result.listed.drawn.tolist()],
        decisions=0 if decided is None else decided.decisions,
        decided={} if decided is None else {ids[row]: said for row, said in decided.shown.items()},
        features_before=None if decided is None else decided.features_before,
        classes_before=[] if decided is None else decided.classes_before,
    )


def _in_memory(
    source: Source, trusted: Source | None, decided: Decided | None, seed: int, progress: Progress
) -> _Result:
    found = _since(rank_source(source, trusted, seed, () if decided is None else decided.shown, progress), decided)
    caveats = [*_doubts(source), *_said(found.posterior.caveats, source)]
    return _Result(found, caveats, None if source.votes is None else crowd_of(found, source.votes))


def _by_blocks(
    source: Source, trusted: Trusted | None, decided: Decided | None, job: Job, folder: Path, progress: Progress
) -> _Result:
    work = None if job.output else work_folder(folder)
    found = list_source(source, trusted, seed=job.seed, work=work, engine=job.engine, progress=progress)
    caveats = [*_doubts(source), *_said(found.judgement.caveats, source), f"{LEFT_OUT}."]
    if decided is not None and decided.shown:
        found = looked_at(found, source.labels, decided.checked, decided.left_out)
    return _Result(found, caveats, None if source.votes is None else crowd_by_blocks(found, source.votes))


def rank_source(
    source: Source, trusted: Source | None, seed: int, decided: Collection[int], progress: Progress = silent
) -> Ranked:
    """The ranking of a source before any decision.

    decided: the rows that have been looked at. If all rows are among them that would be drawn without trusted rows, the
    poll that they are counts with trusted rows, too.
    """
    known = Trusted.of(trusted)
    ranked = rank_rows(
        source.features,
        source.labels,
        source.ids,
        None if known is None else known.rows,
        seed=seed,
        progress=progress,
        probabilities=source.probabilities,
        trusted_probabilities=None if known is None else known.probabilities,
        votes=None if source.votes is None else source.votes.codes,
    )
    if trusted is None or len(decided) < FIRST_LOOKS:
        return ranked
    before = rank_source(source, None, seed, ())
    polled = before.first_looks is not None and set(before.drawn.tolist()) <= set(decided)
    return replace(ranked, first_looks=before.first_looks) if polled else ranked


def _table_of(source: Source, found: Listed, decided: Decided | None, crowd: Crowd | None) -> pd.DataFrame:
    """One line per row of the source, in the order to look at them; labels and annotators by name."""
    names = np.array([*(source.classes if decided is None else decided.names), ""], dtype=object)
    shown = {} if decided is None else decided.shown
    order = found.order
    gain = np.full(len(order), np.nan)
    gain[found.labelled] = found.round.gain
    near = found.near_duplicate_of[order]
    columns = {
        "place": np.arange(1, len(order) + 1),
        "id": [source.ids[row] for row in order],
        "row": order,
        "given_label": names[source.labels[order]],
        "suggested_label": names[found.suggestion[order]],
        "probability": found.probability[order],
        "suspicion": found.suspicion[order],
        "expected_gain": gain[order],
        "near_duplicate_of": ["" if row < 0 else source.ids[row] for row in near.tolist()],
        "outlier": np.where(found.outlier[order], "yes", ""),
        "decision": [shown.get(row, "") for row in order.tolist()],
    }
    table = pd.DataFrame(columns, columns=list(COLUMNS))
    return table if crowd is None or source.votes is None else with_votes(table, source.votes, crowd)


def _counted(found: Listed) -> Counted | None:
    left, deviations = found.round.left, found.round.deviations
    if left is None or deviations is None:
        return None
    return Counted(expected=left.expected, low=left.low, high=left.high, deviations=deviations)


def _since(found: Ranked, decided: Decided | None) -> Ranked:
    """The ranking after decisions."""
    return found if decided is None or not decided.shown else renewed(found, decided.checked, decided.left_out)


def _said(caveats: Sequence[Caveat], source: Source) -> list[str]:
    return [printable(str(one)) for one in named_caveats(caveats, source.classes)]


def _doubts(source: Source) -> list[str]:
    """What to say of columns that may be other labels."""
    fix = "leave it out: --features=… without it; if it is not a label, this can be ignored"
    return [printable(str(one)) for one in caveat_of(source.doubtful, fix)]


def _write_table(output: Path, table: pd.DataFrame) -> None:
    if output.suffix == ".csv":
        write_text(output, table_text(table))
        return
    import pyarrow as pa

    write_whole(output, parquet_bytes({name: pa.array(table[name]) for name in table.columns}))
