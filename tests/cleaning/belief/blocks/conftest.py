from collections.abc import Iterator

import pytest

from cleaning.belief import basis, primal_learners
from cleaning.belief.blocks import block, judge


@pytest.fixture(scope="module")
def comparable() -> Iterator[None]:
    """Several blocks, and `label_posterior` with the learners for many rows; nothing is drawn by either."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block, "FEWEST_ROWS", 250)
        patch.setattr(basis, "DENSE_ROWS", 100)
        for module in (primal_learners, judge):
            patch.setattr(module, "LANDMARKS", 5000)
            patch.setattr(module, "REFERENCE", 5000)
        yield
