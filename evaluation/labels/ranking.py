"""`fixfirst rank`: the rows of a source in the order to look at them, each with a suggested label."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from cleaning import Posterior, Split
from cleaning.errors import InvalidInput, printable
from cleaning.labels.named_caveats import named_caveats
from cleaning.labels.ranked import Ranked, rank_rows
from evaluation.files.outputs import refuse_output
from evaluation.files.parquet import parquet_bytes
from evaluation.files.progress import Reporter
from evaluation.files.whole import write_text, write_whole
from evaluation.labels.review_folder import (
    COLUMNS,
    RANKING,
    Counted,
    caches,
    describe,
    review_of,
    table_text,
    write_review,
)
from evaluation.labels.source import Request, Source, open_source

# An interval is wide if its width is more than this multiple of the expected number, or of _FEW if that is more.
_WIDE, _FEW = 2, 10


@dataclass(frozen=True)
class Job:
    """What to rank, and where the result goes: a table (`output`), or the review folder (default: NAME_review)."""

    source: Request
    output: Path | None = None
    review: Path | None = None
    seed: int = 0


def rank(job: Job, reporter: Reporter) -> None:
    """Ranks the rows of a source and writes the table, or the review folder.

    The number of labels that are probably wrong is reported with a 90% interval, unless the data cannot tell; what
    makes the numbers doubtful is said. Raises InvalidInput for a source that cannot be used.
    """
    if job.seed < 0:
        raise InvalidInput("--seed", f"it is {job.seed}", "use a number from 0")
    folder = job.review or review_of(job.source.path)
    named = [job.source.path, job.source.options.labels, job.source.trusted, job.source.trusted_labels]
    inputs = [path for path in named if path is not None]
    refuse_output(job.output or folder / RANKING, [".csv"] if job.output is None else [".csv", ".parquet"], inputs)
    cache, trusted_cache = caches(folder) if job.output is None else (None, None)
    source, trusted = open_source(replace(job.source, cache=cache, trusted_cache=trusted_cache), reporter)
    reporter.say(source.said)
    if trusted is not None:
        reporter.say(f"trusted: {trusted.said}")
    with reporter.track("rank", "steps") as progress:
        found = rank_rows(
            source.features, source.labels, source.ids, _labelled(trusted), seed=job.seed, progress=progress
        )
        count = _count(found.posterior)
        caveats = [printable(str(one)) for one in named_caveats(found.posterior, source.classes)]
    table = table_of(source, found)
    if job.output is not None:
        _write_table(job.output, table)
    else:
        description = describe(folder, source, trusted, seed=job.seed, count=count, caveats=caveats)
        write_review(folder, description, table)
    for line in caveats:
        reporter.warn(line)
    _report(job, folder, found, count, reporter)


def table_of(source: Source, found: Ranked) -> pd.DataFrame:
    """One line per row of the source, in the order to look at them; labels by name."""
    names = np.array([*source.classes, ""], dtype=object)
    order = found.order
    near = found.near_duplicate_of[order]
    columns = {
        "place": np.arange(1, len(order) + 1),
        "id": [source.ids[row] for row in order],
        "row": order,
        "given_label": names[source.labels[order]],
        "suggested_label": names[found.suggestion[order]],
        "probability": found.probability[order],
        "suspicion": found.suspicion[order],
        "expected_gain": np.full(len(order), np.nan),
        "near_duplicate_of": ["" if row < 0 else source.ids[row] for row in near.tolist()],
        "outlier": np.where(found.outlier[order], "yes", ""),
        "decision": "",
    }
    return pd.DataFrame(columns, columns=list(COLUMNS))


def _labelled(trusted: Source | None) -> Split | None:
    """The trusted rows that have a label."""
    if trusted is None:
        return None
    rows = np.flatnonzero(trusted.labels >= 0)
    return Split(trusted.features[rows], trusted.labels[rows], tuple(trusted.ids[row] for row in rows.tolist()))


def _count(posterior: Posterior) -> Counted | None:
    if any(caveat.hides_count for caveat in posterior.caveats):
        return None
    expected, low, high = posterior.wrong_labels()
    return Counted(expected=expected, low=low, high=high)


def _write_table(output: Path, table: pd.DataFrame) -> None:
    if output.suffix == ".csv":
        write_text(output, table_text(table))
        return
    import pyarrow as pa

    write_whole(output, parquet_bytes({name: pa.array(table[name]) for name in table.columns}))


def _report(job: Job, folder: Path, found: Ranked, count: Counted | None, reporter: Reporter) -> None:
    """Says where the ranking is, how many labels are probably wrong, what is next."""
    bare = len(found.order) - len(found.labelled)
    reporter.say(f"{job.output or folder / RANKING}: {len(found.labelled)} labels, the one to fix first on top")
    for line in [] if count is None else _how_many(count, found.posterior):
        reporter.say(line)
    if bare:
        rows = f"{bare} rows without a label are" if bare != 1 else "1 row without a label is"
        reporter.say(f"{rows} at the end, with a suggestion")
    if job.output is None:
        reporter.say(f"next: fixfirst review {folder}")


def _how_many(count: Counted, posterior: Posterior) -> list[str]:
    """How many labels are wrong. Where the interval is wide, it is said without a number that would look precise."""
    if count.high - count.low <= _WIDE * max(count.expected, _FEW):
        return [
            f"about {count.expected:.0f} of them are wrong ({count.low:.0f} to {count.high:.0f} with 90% confidence)"
        ]
    said = [f"{count.low:.0f} to {count.high:.0f} of them are wrong (90% confidence)"]
    if posterior.basis.trusted is None:
        said.append(
            "for a better number: --trusted=SOURCE with rows whose labels you have checked, 30 or more per class"
        )
    return said
