"""Pictures are embedded by the encoder that takes no time: the pages are the same."""

from collections.abc import Iterator

import pytest

from tests.support import with_plain_encoder


@pytest.fixture(autouse=True, scope="module")
def plain_encoder() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        with_plain_encoder(patch)
        yield
