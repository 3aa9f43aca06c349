"""What is said and written about annotators: the votes on each row, their quality, and whose vote is missing most."""

import numpy as np
import pandas as pd

from cleaning.labels.crowd import Crowd
from cleaning.labels.votes import Votes
from evaluation.labels.review_folder import VOTE_COLUMNS

# So many annotators are named at most, and a missing vote is worth a word if it should tell so many bits.
_MOST_NAMED, _LEAST_BITS = 6, 0.01


def with_votes(table: pd.DataFrame, votes: Votes, crowd: Crowd) -> pd.DataFrame:
    """A ranking with the number of votes for and against each given label, and whose missing vote would tell most."""
    rows = table["row"].to_numpy()
    given = votes.given.codes
    ours, others = votes.on(given)
    people = np.array([*votes.annotators, ""], dtype=object)
    return table.assign(**dict(zip(VOTE_COLUMNS, (ours[rows], others[rows], people[crowd.ask[rows]]), strict=True)))


def said_of_annotators(crowd: Crowd) -> list[str]:
    """How good the annotators are, the best first, and whose vote is missing most; or why this is not known."""
    if np.isnan(crowd.quality).any():
        return ["The data cannot tell how good the annotators are."]
    best = np.argsort(-crowd.quality, kind="stable").tolist()
    parts = [f"{crowd.annotators[one]} {crowd.quality[one]:.0%}" for one in best]
    if len(parts) > _MOST_NAMED:
        parts = [*parts[: _MOST_NAMED - 1], "…", parts[-1]]
    said = [f"right votes, estimated: {', '.join(parts)}"]
    if not np.isnan(crowd.told).all():
        one = int(np.nanargmax(crowd.told))
        told, name = crowd.told[one], crowd.annotators[one]
        most = f"a missing vote of {name} should tell most ({told:.2f} bits on average)"
        said.append(most if told >= _LEAST_BITS else "the missing votes should hardly tell anything more")
    return said
