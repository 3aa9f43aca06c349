"""Whether the memory of this machine is enough for a source."""

import os

from cleaning.belief.blocks.judge import bytes_at_once, too_large
from cleaning.errors import InvalidInput
from cleaning.parallel.engine import Engine
from evaluation.files.progress import Reporter
from evaluation.labels.source import Source

_BY_BLOCKS = "vectors (npy or parquet) with one label per row, without --scaling, and with --probabilities as an npy"


def heed_size(source: Source, engine: Engine, reporter: Reporter) -> None:
    """Warns of large data that are held in memory. Raises InvalidInput if this machine has less than they need."""
    if source.stored is not None:
        return
    if engine.cluster is not None:
        reporter.warn("--cluster has no effect: only large data are ranked on a cluster")
    size = len(source), source.features.shape[1], len(source.classes)
    if not too_large(*size):
        return
    needed, there = bytes_at_once(*size) / 1e9, memory() / 1e9
    if needed > there:
        problem = f"ranked at once it needs some {needed:.0f} GB of memory, and this machine has {there:.0f}"
        raise InvalidInput(source.path, problem, f"give {_BY_BLOCKS}: these are ranked by blocks")
    reporter.warn(f"so many rows and classes need some {needed:.0f} GB of memory; by blocks go only {_BY_BLOCKS}")


def memory() -> float:
    """The bytes of memory of this machine; infinite if the system does not tell."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return float("inf")
