"""The figures of a release on one page: `nox -s bench -- all [--quick] [--out=FOLDER]`.

Measures cleaning curves and the sister tasks beside their peers, in CPU seconds on one thread in the same run, and
writes to tests/benchmarks/results, after every figure:

* table.md: the machine, the versions of the packages, and every figure with its peer and the ratio
* releases.csv: the ratios of this release as one more line, or in place of the line of the same release and run
* growth.png: how the time of a curve grows with rows, width, classes and wrong labels

`--quick` takes a tenth of the rows of the sister tasks and fewer of the curves, and takes four CPU minutes. Peers that
are not installed (torch, faiss) are left out.
"""

import argparse
import csv
import importlib.util
import os
import platform
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from threadpoolctl import threadpool_limits

import cleaning
from tests.benchmarks import dataperf_learner, logistic_curve, tasks_at_size
from tests.benchmarks.task_files import prepare

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "pyarrow", "pytrec-eval-terrier", "faiss-cpu", "torch")
TASKS = ("ranking", "precision", "lists-npz", "lists-text", "clips")


@dataclass(frozen=True)
class Figure:
    """CPU seconds of ours and of a peer; name: with what identifies the case. note: what was not run."""

    name: str
    seconds: float
    peer: str = ""
    of_peer: float = float("nan")
    note: str = ""

    @property
    def ratio(self) -> str:
        """How many times as long the peer takes."""
        return f"{self.of_peer / self.seconds:.3g}" if self.peer else ""


def curves(quick: bool) -> Iterator[Figure]:
    """The `logistic` learner beside scikit-learn's loop."""
    with threadpool_limits(limits=1):
        logistic_curve.ours(logistic_curve.WHOLE, logistic_curve.WHOLE.data())  # do not count one-time loading
        for case in logistic_curve.cases(quick):
            found = logistic_curve.measured(case)
            note = f"peer from {found.fits} fits" + ("" if found.share > 0.999 else f", {found.share:.1%} of ours run")
            for tolerance, loop in zip(("1e-4", "1e-8"), found.loops, strict=True):
                yield Figure(f"curve: {case.name}", found.seconds, f"scikit-learn's loop, tol {tolerance}", loop, note)


def challenge(quick: bool) -> Iterator[Figure]:
    """The `dataperf` learner beside the published evaluator."""
    name, (path, test) = "curve: 300 × 2048, learner dataperf", dataperf_learner.made_up()
    with threadpool_limits(limits=1):
        if importlib.util.find_spec("torch") is None:
            yield Figure(name, dataperf_learner.seconds(dataperf_learner.ours, path, test)[0])
            return
        import torch

        torch.set_num_threads(1)
        took = dataperf_learner.measured(2 if quick else 5, path, test)
    published = (len(path.labels) + 1) * (took["torch"] + took["table"])
    yield Figure(name, took["ours"] * len(path), "the published evaluator, torch", published, "peer from a few fits")


def tasks(quick: bool) -> Iterator[Figure]:
    """Ranking and scoring of the sister tasks."""
    share = 0.1 if quick else 1.0
    note = "a tenth of the rows" if quick else ""
    with tempfile.TemporaryDirectory() as place:
        prepare(Path(place), share)
        for name in TASKS:
            found = dict(tasks_at_size.measured(name, Path(place), share))
            mine = found.pop("fixfirst")
            assert mine is not None
            peers = {peer: took["cpu"] for peer, took in found.items() if took is not None}
            title = f"{name}: {tasks_at_size.CASES[name][0]}"
            for peer, seconds in peers.items():
                yield Figure(title, mine["cpu"], peer, seconds, note)
            if not peers:
                yield Figure(title, mine["cpu"], note=note)


def table(figures: Sequence[Figure], quick: bool) -> str:
    """The page, in Markdown."""
    packages = ", ".join(f"{name} {found}" for name in PACKAGES if (found := _version(name)))
    lines = [
        f"# fixfirst {cleaning.__version__}: figures",
        "",
        f"CPU seconds on one thread; peers in the same run. Made by `nox -s bench -- all{' --quick' * quick}`.",
        f"Machine: {_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}. "
        f"Python {platform.python_version()}, {packages}.",
        "",
        "| case | s | peer | s | ratio | note |",
        "|---|---|---|---|---|---|",
    ]
    for one in figures:
        of_peer = f"{one.of_peer:,.2f}" if one.peer else ""
        lines.append(f"| {one.name} | {one.seconds:,.2f} | {one.peer} | {of_peer} | {one.ratio} | {one.note} |")
    return "\n".join([*lines, "", "![Growth of the time of a curve](growth.png)", ""])


def add_release(path: Path, release: str, run: str, figures: Sequence[Figure]) -> None:
    """Writes the ratios, or the seconds where there is no peer, as the line of a release and a run, quick or whole."""
    lines: list[dict[str, str]] = []
    if path.exists():
        with path.open(newline="") as file:
            lines = [line for line in csv.DictReader(file) if (line["release"], line["run"]) != (release, run)]
    own = {"release": release, "run": run}
    for one in figures:
        own[f"{one.name} / {one.peer}" if one.peer else f"{one.name}, s"] = one.ratio or f"{one.seconds:.3g}"
    columns = list(dict.fromkeys(name for line in [*lines, own] for name in line))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows([*lines, own])


def draw_growth(path: Path, quick: bool) -> None:
    """One panel per thing that grows; both axes logarithmic, with the slope of proportional growth."""
    from matplotlib.figure import Figure as Picture
    from matplotlib.ticker import LogLocator, StrMethodFormatter

    with threadpool_limits(limits=1):
        found = list(logistic_curve.growth(3 if quick else 4))
    picture = Picture(figsize=(11, 3), layout="constrained")
    for axes, what in zip(picture.subplots(1, 4, sharey=True), logistic_curve.GROWTH, strict=True):
        sizes = [size for name, size, _, _ in found if name == what]
        seconds = [spent for name, _, _, spent in found if name == what]
        axes.loglog(sizes, seconds, "o-")
        axes.loglog(sizes, [seconds[0] * size / sizes[0] for size in sizes], ":", color="grey")
        axes.set_xlabel(what)
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
    picture.axes[0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    picture.axes[0].yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    picture.axes[0].set_ylabel("CPU seconds of a curve")
    picture.suptitle("8,000 rows × 128, two classes, 400 wrong labels, but for what grows; dotted: proportional")
    picture.savefig(path, dpi=120)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())


def main() -> None:
    """Measures and writes everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    draw_growth(options.out / "growth.png", options.quick)
    figures, run = [], "quick" if options.quick else "whole"
    for part in (curves, challenge, tasks):
        for one in part(options.quick):
            figures.append(one)
            print(f"{one.name}: {one.seconds:.2f} s; {one.peer} {one.ratio}", flush=True)
            (options.out / "table.md").write_text(table(figures, options.quick))
            add_release(options.out / "releases.csv", cleaning.__version__, run, figures)


if __name__ == "__main__":
    main()
