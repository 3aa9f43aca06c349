"""When to stop looking, and how precisely the number of wrong labels is said."""

import numpy as np

from cleaning.belief.count import Count
from cleaning.data import FloatVector
from cleaning.errors import count_of
from cleaning.review import TESTED

# The open rows are weighed in turns of so many looks; one is worth it if it should find a wrong label.
_TURN = 20
# One may stop where no more wrong labels than this, or than this share of the open rows, may be left.
_FEW, _SMALL = 3, 0.02
# An interval is wide if its width is more than this multiple of the expected number, or of _LEAST if that is more.
_WIDE, _LEAST = 2, 10


def is_wide(count: Count) -> bool:
    """Whether an interval is so wide that one number from it would look more precise than it is."""
    return count.high - count.low > _WIDE * max(count.expected, _LEAST)


def between(low: float, high: float) -> str:
    """An interval in words, such as `3 to 7`; one number where both ends are the same."""
    ends = f"{low:.0f}", f"{high:.0f}"
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def advice(ahead: FloatVector, left: Count | None, looked: int) -> str:
    """Whether to go on.

    ahead: the suspicion of the open rows in the order to look at them. left: wrong among them. looked: how many
    labels have been checked.
    """
    if not len(ahead):
        return "Every row has been looked at."
    if left is None:
        return "The data cannot tell how many labels are wrong. Go on while you still find some."
    turns = np.add.reduceat(ahead, np.arange(0, len(ahead), _TURN), dtype=np.float64)
    worth = int(np.argmax(turns < 1)) if (turns < 1).any() else len(turns)
    if not worth:
        last = "last look" if len(ahead) == 1 else f"last {len(ahead)} looks"
        turn = f"next {_TURN} looks" if len(ahead) > _TURN else last
        few = f"the {turn} should find less than one wrong label on average"
        if left.high <= max(_FEW, _SMALL * len(ahead)):
            return f"You may stop: {few}."
        if looked < TESTED < len(ahead):
            rows = f"the first {TESTED} rows" if not looked else count_of(TESTED - looked, "more row")
            return f"Look at {rows}: {few}, but too few looks have tested that."
        beyond = f"Up to {left.high:.0f} labels may still be wrong without looking so"
        return f"Little is left to find in this order: {few}. {beyond}."
    looks = min(worth * _TURN, len(ahead))
    if looks == len(ahead):
        return f"Not yet: it is worth looking at {'the last row' if looks == 1 else f'all {looks} rows'}."
    head, rest = (float(np.sum(part)) for part in (ahead[:looks], ahead[looks:]))
    share = rest / (head + rest)
    high = max(left.high - head, left.high * share, rest)
    stay = between(np.floor(left.low * share), np.ceil(high))
    labels = "label" if stay == "1" else "labels"
    return f"Not yet: by what is known now, stop after about {looks} more looks; then {stay} wrong {labels} may stay."
