"""The paths the harness reads and writes, named after the parameters in mlcube.yaml."""

import os
from dataclasses import dataclass, fields
from pathlib import Path


def in_image() -> bool:
    """Whether this is the container of the cube's image, in which only what was mounted can be seen."""
    return os.environ.get("FIXFIRST_IN_IMAGE") == "1"


@dataclass(frozen=True)
class Folders:
    """Every path the tasks use. `in_workspace` gives the default paths, each of which can be overridden."""

    parameters_file: Path
    embedding_folder: Path
    groundtruth_folder: Path
    submission_folder: Path
    results_folder: Path
    ranker_folder: Path
    manifest_file: Path

    @classmethod
    def in_workspace(cls, workspace: Path, **named: Path | None) -> "Folders":
        """The default paths below the workspace, overridden by the paths in `named`."""
        usual = {
            "parameters_file": workspace / "parameters.yaml",
            "embedding_folder": workspace / "embeddings",
            "groundtruth_folder": workspace / "data",
            "submission_folder": workspace / "submissions",
            "results_folder": workspace / "results",
            "ranker_folder": workspace / "rankers",
            "manifest_file": workspace / "manifest.json",
        }
        return cls(**{name: named.get(name) or path for name, path in usual.items()})

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of all paths, as on the command line and in mlcube.yaml."""
        return tuple(field.name for field in fields(cls))

    @property
    def results_file(self) -> Path:
        """The append-only file with the record of every evaluation."""
        return self.results_folder / "results.jsonl"

    @property
    def submission_log(self) -> Path:
        """The append-only log of every submission."""
        return self.results_folder / "submissions.jsonl"
