"""The rows in the order to look at them, after some have been looked at."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from cleaning.labels.ranked import Ranked
from cleaning.review import next_round


def renewed(ranked: Ranked, checked: Mapping[int, int], left_out: Collection[int] = ()) -> Ranked:
    """The ranking after decisions.

    checked: the right class of each row that was looked at. left_out: rows without a decision that teaches. Decided
    rows are at the end of the order, those with a label before those without.
    """
    n = len(ranked.suspicion)
    place = np.full(n, -1)
    place[ranked.labelled] = np.arange(len(ranked.labelled))
    known = {int(place[row]): label for row, label in checked.items() if place[row] >= 0}
    closed = {int(place[row]) for row in left_out if place[row] >= 0}
    found = next_round(ranked.posterior, known, closed, ranked.first_looks)
    decided = np.isin(ranked.order, np.array([*checked, *left_out], dtype=np.int64))
    bare = place[ranked.order] < 0
    order = [ranked.labelled[found.order], ranked.order[bare & ~decided]]
    order += [ranked.order[decided & ~bare], ranked.order[decided & bare]]
    suspicion, suggestion = ranked.suspicion.copy(), ranked.suggestion.copy()
    probability = ranked.probability.copy()
    suspicion[ranked.labelled], suggestion[ranked.labelled] = found.suspicion, found.suggestion
    probability[ranked.labelled] = found.suggestion_probability
    for row, label in checked.items():
        suggestion[row], probability[row] = label, 1.0
    return replace(
        ranked,
        order=np.concatenate(order),
        suspicion=suspicion,
        suggestion=suggestion,
        probability=probability,
        round=found,
    )
