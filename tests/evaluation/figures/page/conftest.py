import pytest

from tests.evaluation.figures.page.made_up import report


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The page of the made-up records, and what was warned about."""
    return report(tmp_path_factory.mktemp("report"))
