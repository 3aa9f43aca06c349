"""What a sandbox costs per run: wall-clock seconds of an empty program, and of a ranker, in every engine that holds.

`nox -s bench -- sandbox`. The ranker is `random` on 300 rows: its time is that of starting Python and importing.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from baselines.rankers import random
from evaluation.contract.registry import task
from evaluation.harness.judging.code import taken_in
from evaluation.harness.judging.judge import judge_entry
from evaluation.sandbox.bare import Bare
from evaluation.sandbox.job import OUTPUT, Job, Limits
from evaluation.sandbox.run import run
from evaluation.sandbox.selftest import checked, engines
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from tests.support import noisy_blobs, write_dataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    empty = Job(("sh", "-c", f"echo 0 >{OUTPUT}/a"), "a")
    bare = Job(("true",), "a")
    print(f"median of {runs} runs, s")
    print("engine  self-test  empty program  a ranker")
    with TemporaryDirectory() as place:
        write_dataset(Path(place), *noisy_blobs("blobs", n=300))
        folders = Folders.in_workspace(Path(place))
        for engine in [Bare(), *engines()]:
            started = time.perf_counter()
            reason = None if engine.name == "none" else checked(engine).reason
            tested = time.perf_counter() - started
            if reason is not None:
                print(f"{engine.name:8}not used: {reason}")
                continue
            job = bare if engine.name == "none" else empty
            with taken_in(str(random.__file__), 1) as code:
                seconds = [
                    _median(lambda engine=engine, job=job: run(job, Limits(), engine), runs),
                    _median(
                        lambda engine=engine, code=code: judge_entry(
                            code, task("cleaning"), "blobs", folders, Parameters(), engine, name="random"
                        ),
                        runs,
                    ),
                ]
            print(f"{engine.name:8}{tested:9.2f}{seconds[0]:15.3f}{seconds[1]:10.2f}")


def _median(call: Callable[[], object], runs: int) -> float:
    found = []
    for _ in range(runs):
        started = time.perf_counter()
        call()
        found.append(time.perf_counter() - started)
    return median(found)


if __name__ == "__main__":
    main()
