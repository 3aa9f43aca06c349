"""Whether the memory of this machine is enough for a source."""

import os

from cleaning.belief.blocks.judge import bytes_at_once, too_large
from cleaning.errors import InvalidInput
from cleaning.parallel.engine import Engine
from evaluation.files.progress import Reporter
from evaluation.labels.source import Source

_BY_BLOCKS = (
    "to rank it by blocks, use vectors in an npy; "
    "without --output, vectors in parquet and a table of --probabilities will do as well"
)


def heed_size(source: Source, engine: Engine, reporter: Reporter) -> None:
    """Warns of large data that are held in memory, and of processes and machines that have nothing to do.

    Raises InvalidInput if this machine has less memory than the data need.
    """
    if source.stored is not None:
        return
    if engine.cluster is not None:
        reporter.warn("--cluster has no effect: only large data are ranked on a cluster")
    if engine.jobs != 1 and source.options["encoder"] is None:
        reporter.warn("--jobs has no effect: only pictures and large data are worked on in several processes")
    size = len(source), source.features.shape[1], len(source.classes)
    if not too_large(*size):
        return
    needed, there = bytes_at_once(*size) / 1e9, memory() / 1e9
    if needed > there:
        problem = f"ranking it in memory needs about {needed:.0f} GB, and this machine has {there:.0f} GB"
        raise InvalidInput(source.path, problem, _BY_BLOCKS)
    reporter.warn(f"ranking this in memory needs about {needed:.0f} GB; {_BY_BLOCKS}")


def memory() -> float:
    """The bytes of memory of this machine; infinite if the system does not tell."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return float("inf")
