"""Votes of planted annotators on very many rows, in a file, and cleanlab's CROWDLAB on the same file."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cleaning.belief.ballots import majority

VOTES, KEPT = "votes.parquet", "crowdlab.npz"
# The share of all rows that each annotator labels.
_SHARE = 0.3


@dataclass(frozen=True)
class Consensus:
    """The labels that a method chooses for rows with several votes, (n,) by number, and its doubts about them, (n,)."""

    labels: np.ndarray
    doubt: np.ndarray


def written(folder: Path, said: np.ndarray) -> np.ndarray:
    """Writes some of what annotators would say of each row, (n, A), one line per vote, and returns what most say."""
    rng, (rows, annotators) = np.random.default_rng(1), said.shape
    kept = rng.random(said.shape, dtype=np.float32) < _SHARE
    kept[np.arange(rows), rng.integers(0, annotators, rows)] = True
    row, one = np.nonzero(kept)
    people = np.array([f"annotator {number}" for number in range(annotators)])
    lines = {"id": row, "annotator": pd.Categorical.from_codes(one, people), "label": said[row, one]}
    pd.DataFrame(lines).astype({"annotator": str}).to_parquet(folder / VOTES, index=False)
    return majority(np.where(kept, said, -1))


def ranked(folder: Path) -> Consensus:
    """What `fixfirst rank` wrote."""
    table = pd.read_csv(folder / "review/ranking.csv", usecols=["row", "suggested_label", "probability"])
    table = table.sort_values("row")
    return Consensus(table["suggested_label"].to_numpy(), 1 - table["probability"].to_numpy())


def crowdlab(folder: Path, predicted: np.ndarray) -> None:
    """Keeps what CROWDLAB says, by the out-of-sample probabilities (n, K) of a model."""
    from cleanlab.multiannotator import get_label_quality_multiannotator

    lines = pd.read_parquet(folder / VOTES)
    votes = lines.pivot_table(index="id", columns="annotator", values="label").reset_index(drop=True)
    asked = {"return_detailed_quality": False, "return_annotator_stats": False, "verbose": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = get_label_quality_multiannotator(votes, predicted, **asked)["label_quality"]
    np.savez(folder / KEPT, labels=found["consensus_label"], doubt=1 - found["consensus_quality_score"])


def kept(folder: Path) -> Consensus:
    """What CROWDLAB said."""
    with np.load(folder / KEPT) as file:
        return Consensus(**file)
