"""Fixtures for every room."""

from pathlib import Path

import pytest

from evaluation.folders import Folders
from tests.support import SHARED, noisy_blobs, write_dataset, write_parameters


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with two small data ids, one of whose names starts with the other's."""
    place = tmp_path / "workspace"
    write_parameters(place)
    for seed, name in enumerate(("blobs", "blobs-b")):
        write_dataset(place, *noisy_blobs(name, n=30, seed=seed))
    return place


@pytest.fixture
def folders(workspace: Path) -> Folders:
    return Folders.in_workspace(workspace)


@pytest.fixture(scope="session")
def dataperf() -> Path:
    """The challenge's own files, where they are."""
    place = SHARED / "dataperf"
    if not place.is_dir():
        pytest.skip(f"the shared DataPerf data is not at {place} (set FIXFIRST_SHARED)")
    return place
