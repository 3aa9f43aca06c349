"""Time and peak memory of the reference predictors at the sizes of the original challenges, on synthetic embeddings.

    python -m tests.benchmarks.predictors_at_size [--share=0.05] [CASE …]

Each case runs in its own process, on one BLAS thread. `--share` scales the number of rows down for a quick look. Clips
are stored in a memory-mapped file in the temporary folder (3.4 GB at full size).
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

from cleaning import Split
from cleaning.problems import (
    CameraTrapProblem,
    ClipSet,
    LogoProblem,
    RetrievalProblem,
    ZeroShotProblem,
    ZeroShotTarget,
)
from evaluation.contract import registry

WIDTH, ROWS = 512, 73_551


def _planted(rows: int, classes: int, rng: np.random.Generator, gap: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (rows, 512), float32, around class means, and their labels; class sizes decrease like 1 / rank."""
    shares = 1.0 / np.arange(1, classes + 1)
    labels = rng.choice(classes, size=rows, p=shares / shares.sum())
    means = (gap * rng.standard_normal((classes, WIDTH))).astype(np.float32)
    features = rng.standard_normal((rows, WIDTH), dtype=np.float32)
    features += means[labels]
    return features, labels


def retrieval(share: float, rng: np.random.Generator) -> RetrievalProblem:
    """18,027 queries, 36,748 references, 1,000 references per query."""
    queries, references = (_planted(int(share * rows), 5000, rng)[0] for rows in (18_027, 36_748))
    return RetrievalProblem(queries, references, 1000)


def small_retrieval(share: float, rng: np.random.Generator) -> RetrievalProblem:
    """1,000 queries, 10,000 references: the largest size diffusion is made for."""
    queries, references = (_planted(int(share * rows), 1000, rng)[0] for rows in (1000, 10_000))
    return RetrievalProblem(queries, references, 1000)


def logo(share: float, rng: np.random.Generator) -> LogoProblem:
    """73,551 training images of 161 classes, 6,875 test images."""
    features, labels = _planted(int(share * ROWS), 161, rng)
    return LogoProblem(Split.from_arrays(features, labels), 161, _planted(int(share * 6875), 161, rng)[0])


def zero_shot(share: float, rng: np.random.Generator) -> ZeroShotProblem:
    """73,551 images with three queries of four words each, 2 × 1,100 test images of 101 and 256 classes."""
    images, labels = _planted(int(share * ROWS), 1000, rng)
    words = np.array(["".join(map(chr, rng.integers(97, 123, size=7))) for _ in range(3000)])
    texts = [" ".join(words[[label, *rng.integers(0, 3000, size=3)]]) for label in labels.repeat(3)]
    targets = {
        name: ZeroShotTarget(tuple(words[:classes]), _planted(1100, classes, rng)[0])
        for name, classes in (("caltech101", 101), ("caltech256", 256))
    }
    return ZeroShotProblem(images, [(np.arange(len(images)).repeat(3), texts)], targets)


def camera_trap(share: float, rng: np.random.Generator) -> CameraTrapProblem:
    """73,551 training clips of 45 frames in a memory-mapped float16 file, 24 classes, 5,000 test clips."""
    rows, test = int(share * ROWS), int(share * 5000)
    labels = (rng.random((rows + test, 24)) < np.geomspace(0.5, 0.0005, 24)).astype(np.float32)
    marks = rng.standard_normal((24, WIDTH), dtype=np.float32)
    with tempfile.NamedTemporaryFile(suffix=".frames") as file:
        frames = np.memmap(file.name, np.float16, "w+", shape=(rows + test, 45, WIDTH))
    for start in range(0, rows + test, 200):
        block = rng.standard_normal((len(labels[start : start + 200]), 45, WIDTH), dtype=np.float32)
        block[:, 10:20] += (labels[start : start + 200] @ marks)[:, None]
        frames[start : start + 200] = block
    metadata = np.column_stack(
        [rng.choice([640, 1280], rows + test), np.full(rows + test, 480), rng.random(rows + test)]
    )
    parts = [ClipSet(frames[part], metadata[part]) for part in (slice(0, rows), slice(rows, None))]
    return CameraTrapProblem(parts[0], labels[:rows], parts[1])


CASES: dict[str, tuple[Callable[[float, np.random.Generator], object], str]] = {
    "centred_cosine": (retrieval, "18,027 × 36,748 × 512"),
    "query_expansion": (retrieval, "18,027 × 36,748 × 512"),
    "diffusion": (small_retrieval, "1,000 × 10,000 × 512"),
    "logistic_discriminant": (logo, "73,551 × 512, 161 classes"),
    "text_ridge": (zero_shot, "73,551 × 512, 220,653 queries"),
    "two_tower": (zero_shot, "73,551 × 512, 220,653 queries"),
    "pooled_stack": (camera_trap, "73,551 × 45 × 512, 24 classes"),
}


def _run(name: str, share: float) -> None:
    make, size = CASES[name]
    problem = make(share, np.random.default_rng(0))
    before = _peak_gb()
    wall, cpu = time.perf_counter(), time.process_time()
    registry.own_predictors()[name].member(problem, rng=np.random.default_rng(0))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"| {name} | {size} | {wall:.0f} | {cpu:.0f} | {before:.2f} | {_peak_gb():.2f} |", flush=True)


def _peak_gb() -> float:
    """The peak memory of this process in GB, including pages of memory-mapped files."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Prints the table, one line per case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"any of {', '.join(CASES)}; default: all")
    parser.add_argument("--share", type=float, default=1.0, help="share of the rows; default: %(default)s")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        _run(options.cases[0], options.share)
        return
    print("| predictor | size | seconds | CPU seconds | GB before | peak GB |\n|---|---|---|---|---|---|", flush=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for name in options.cases or CASES:
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.predictors_at_size",
            "--here",
            f"--share={options.share}",
            name,
        ]
        subprocess.run(command, check=True, env=environment)


if __name__ == "__main__":
    main()
