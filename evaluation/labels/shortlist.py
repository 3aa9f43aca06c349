"""`fixfirst rank`: the labels of one embeddings file in the order to inspect them, each with a suggested label."""

from pathlib import Path

import numpy as np
import pandas as pd

from cleaning import Posterior, Split, inspection_order, label_posterior
from cleaning.data import IntVector, refuse_gaps
from cleaning.errors import InvalidInput, Place
from evaluation.datasets.layout import read_parquet
from evaluation.files.outputs import refuse_output
from evaluation.files.progress import Reporter
from evaluation.files.whole import write_text

# An interval is wide if its width is more than this multiple of the expected number, or of _FEW if that is more.
_WIDE, _FEW = 2, 10


def write_shortlist(embeddings: Path, validation: Path | None, output: Path, seed: int, reporter: Reporter) -> None:
    """Ranks the rows of a parquet (filename, encoding, label) by expected use and writes a csv, one row per label.

    In the csv, suspicion is P(the label is wrong) and probability is P(the suggested label is right), both in [0, 1].
    validation is a parquet with the same columns whose labels are known to be right, or None. The number of labels that
    are probably wrong is reported with a 90% interval, unless the data cannot tell; what makes the numbers doubtful is
    said. Raises InvalidInput for a file that does not follow the layout,
    or if the embeddings of the two files differ in width.
    """
    if seed < 0:
        raise InvalidInput("--seed", f"it is {seed}", "use a number from 0")
    train, checked = _read(embeddings), None if validation is None else _read(validation)
    refuse_output(output, [".csv"], [embeddings, *([] if validation is None else [validation])])
    if checked is not None and checked.features.shape[1] != train.features.shape[1]:
        raise InvalidInput(
            Place(validation),
            f"its embeddings have {checked.features.shape[1]} dimensions, those of {embeddings} have "
            f"{train.features.shape[1]}",
            "embed both files with the same encoder",
        )
    refuse_gaps((Place(embeddings), train), (Place(validation), checked))
    posterior = label_posterior(train, checked, rng=np.random.default_rng(seed))
    table = _table(train, posterior, inspection_order(posterior, train, checked).order)
    write_text(output, table.to_csv(index=False, float_format="%.6f", lineterminator="\n"))
    reporter.say(f"{output}: {len(train)} labels, the one to fix first on top")
    for caveat in posterior.caveats:
        reporter.warn(str(caveat))
    if not any(caveat.hides_count for caveat in posterior.caveats):
        for line in _how_many(posterior):
            reporter.say(line)


def _how_many(posterior: Posterior) -> list[str]:
    """How many labels are wrong. Where the interval is wide, it is said without a number that would look precise."""
    expected, low, high = posterior.wrong_labels()
    if high - low <= _WIDE * max(expected, _FEW):
        return [f"about {expected:.0f} of them are wrong ({low:.0f} to {high:.0f} with 90% confidence)"]
    said = [f"{low:.0f} to {high:.0f} of them are wrong (90% confidence)"]
    if posterior.basis.trusted is None:
        said.append(
            "for a better number: --validation=FILE with rows whose labels you have checked, 30 or more per class"
        )
    return said


def _read(path: Path) -> Split:
    if not path.is_file():
        raise InvalidInput(path, "there is no such file", "give a parquet with filename, encoding and label")
    split = read_parquet(path)
    if not len(split):
        raise InvalidInput(path, "there are no rows", "provide at least one sample")
    return split


def _table(train: Split, posterior: Posterior, order: IntVector) -> pd.DataFrame:
    """One row per label, in the given order of rows."""
    columns = {
        "place": np.arange(1, len(order) + 1),
        "row": order,
        "filename": [train.ids[row] for row in order],
        "label": train.labels[order],
        "suspicion": posterior.suspicion[order],
        "suggested_label": posterior.suggestion[order],
        "probability": posterior.suggestion_probability[order],
    }
    return pd.DataFrame(columns)
