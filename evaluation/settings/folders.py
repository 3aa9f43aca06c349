"""Where the harness reads and writes; the names are those of mlcube.yaml's parameters."""

from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Folders:
    """Every path the tasks use. `in_workspace` gives the usual places; each can be named alone."""

    parameters_file: Path
    embedding_folder: Path
    groundtruth_folder: Path
    submission_folder: Path
    results_folder: Path
    ranker_folder: Path
    manifest_file: Path

    @classmethod
    def in_workspace(cls, workspace: Path, **named: str | None) -> "Folders":
        """The usual names below the workspace, save for those named."""
        usual = {
            "parameters_file": workspace / "parameters.yaml",
            "embedding_folder": workspace / "embeddings",
            "groundtruth_folder": workspace / "data",
            "submission_folder": workspace / "submissions",
            "results_folder": workspace / "results",
            "ranker_folder": workspace / "rankers",
            "manifest_file": workspace / "manifest.json",
        }
        return cls(**{name: Path(named.get(name) or path) for name, path in usual.items()})

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of all paths, as the command line and mlcube.yaml spell them."""
        return tuple(field.name for field in fields(cls))

    @property
    def results_file(self) -> Path:
        """The append-only record of every evaluation."""
        return self.results_folder / "results.jsonl"

    @property
    def submission_log(self) -> Path:
        """The append-only log of every submission."""
        return self.results_folder / "submissions.jsonl"
