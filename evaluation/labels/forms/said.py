"""What is said of the labels of a source: how many names there are, and whose votes they are."""

from collections.abc import Sequence

import numpy as np

from cleaning.errors import count_of
from cleaning.labels.classes import Labels
from cleaning.labels.votes import Votes

_SHOWN = 6


def said_of_names(labels: Labels) -> str:
    """How many names there are, and how many rows have none."""
    bare = int(np.count_nonzero(labels.codes < 0))
    have = f" ({count_of(bare, 'row')} {'has' if bare == 1 else 'have'} none)" if bare else ""
    return f"{count_of(len(labels.names), 'name')}{have}"


def said_of_votes(votes: Votes, given: Labels, columns: Sequence[str]) -> str:
    """Where the votes are from, and how they became the given labels."""
    shown = [f"`{column}`" for column in columns]
    listed = ", ".join(shown if len(shown) <= _SHOWN else [*shown[: _SHOWN - 1], "…", shown[-1]])
    said = f"votes of {count_of(len(votes.annotators), 'annotator')} from {listed}, {said_of_names(given)}"
    if votes.minus_one:
        said += ", -1 is not a vote"
    said += "; the given label is what most said"
    ties = votes.ties
    return f"{said} ({count_of(ties, 'tie')}: the class with more votes in all)" if ties else said
