"""The blocks that very many rows are worked on in."""

import math
from dataclasses import dataclass

from cleaning.belief.blocks.stored import Digests
from cleaning.belief.blocks.voted import Ballots
from cleaning.data import IntVector, slices

# A block has about this share of the rows, but no fewer and no more rows than that.
_BLOCKS, FEWEST_ROWS, _MOST_ROWS = 256, 16_384, 262_144


@dataclass(frozen=True, eq=False)
class Block:
    """The rows from `start` to `stop`: codes (b,) are their classes, negative for none; digests (b,) their contents.

    common (b,): the class that most labels of equal rows name; negative for a row without a label. ballots: what each
    of A annotators said of equal rows, if there are several.
    """

    start: int
    stop: int
    codes: IntVector
    digests: Digests
    common: IntVector
    ballots: Ballots | None = None

    def parts(self, rows: int) -> list[slice]:
        """Slices of the block with up to so many rows."""
        return slices(self.stop - self.start, rows)


def block_rows(n: int) -> int:
    """How many of n rows are a block."""
    return min(max(math.ceil(n / _BLOCKS), FEWEST_ROWS), _MOST_ROWS)


def blocks_of(
    codes: IntVector, digests: Digests, common: IntVector, rows: int, ballots: Ballots | None = None
) -> list[Block]:
    """The blocks of all rows."""
    return [
        Block(
            part.start,
            part.stop,
            codes[part],
            digests[part],
            common[part],
            None if ballots is None else ballots.block(part.start, part.stop),
        )
        for part in slices(len(codes), rows)
    ]
