"""What a ranking says about the annotators: how good each is, and whose vote is missing most."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cleaning.belief.consensus import consensus_of
from cleaning.data import FloatVector, IntVector
from cleaning.labels.by_blocks import BlockListed
from cleaning.labels.ranked import Ranked
from cleaning.labels.votes import Votes


@dataclass(frozen=True, eq=False)
class Crowd:
    """About A annotators of n rows. NaN and -1 where the data cannot tell.

    Annotators count as independent of each other, given the right label: those who make the same mistakes look better
    than they are.

    voted (A,): on how many rows each has voted. quality (A,): P(a vote is right). told (A,): how much a missing vote of
    theirs on an open row should tell about its label, in bits, on average; NaN if none is missing. ask (n,): whose
    missing vote should tell most about an open row with votes, or -1.
    """

    annotators: tuple[str, ...]
    voted: IntVector
    quality: FloatVector
    told: FloatVector
    ask: IntVector


def crowd_of(ranked: Ranked, votes: Votes) -> Crowd:
    """What is believed about the annotators after the decisions so far."""
    n, count = votes.codes.shape
    quality, told, ask = np.full(count, np.nan), np.full(count, np.nan), np.full(n, -1)
    posterior = ranked.round.posterior or ranked.posterior
    if not np.isnan(posterior.wrong_labels().expected):
        rows = np.sort(ranked.labelled[ranked.round.order]) if ranked.round.posterior else ranked.labelled
        found = consensus_of(posterior, votes.codes[rows])
        quality, missing = found.annotator_quality, found.missing
        absent = np.count_nonzero(found.votes < 0, axis=0)
        told = np.where(absent > 0, missing.sum(axis=0) / np.maximum(absent, 1), np.nan)
        best = missing.argmax(axis=1)
        ask[rows] = np.where(missing[np.arange(len(rows)), best] > 0, best, -1)
    return Crowd(votes.annotators, votes.voted, quality, told, ask)


def crowd_by_blocks(listed: BlockListed, votes: Votes) -> Crowd:
    """What is believed about the annotators of rows that were judged by blocks, after the decisions so far.

    Nobody is to be asked about rows that have been looked at.
    """
    (n, count), found = votes.codes.shape, listed.annotators
    if found is None:
        return Crowd(votes.annotators, votes.voted, np.full(count, np.nan), np.full(count, np.nan), np.full(n, -1))
    ask = np.full(n, -1)
    open_rows = listed.labelled[listed.round.order]
    ask[open_rows] = found.ask[open_rows]
    return Crowd(votes.annotators, votes.voted, found.quality, found.told, ask)


def annotators_frame(crowd: Crowd) -> pd.DataFrame:
    """One line per annotator, in the order of the columns."""
    return pd.DataFrame(
        {
            "annotator": crowd.annotators,
            "votes": crowd.voted,
            "missing_votes": len(crowd.ask) - crowd.voted,
            "quality": crowd.quality,
            "bits_per_missing_vote": crowd.told,
        }
    )
