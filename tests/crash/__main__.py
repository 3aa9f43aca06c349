"""`python -m tests.crash [--kills=10] [--seed=N] [--command=NAME]`: a table of what commands survive.

Each command is killed, run twice at once, run on a disk that is full or read-only and with files that may not grow;
then it is run again, and everything must be as if nothing had happened. Full and read-only disks are mounted, as root.
The exit status is 1 if anything is not as it must be.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from evaluation.cli import command_names
from tests.crash.scenarios import ONLY_READ, SCENARIOS, prepare
from tests.crash.trials import Bench, Tally, full_disks, kills, pairs, read_only, small_files, table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description="What commands survive.")
    parser.add_argument("--kills", type=int, default=10, help="kills per command; default: 10")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    parser.add_argument("--command", choices=SCENARIOS, action="append", help="only this one; may be repeated")
    parser.add_argument("--no-disks", action="store_true", help="mount no full and no read-only disks")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    tallies: dict[str, dict[str, Tally]] = {}
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        prepare(base)
        for name in options.command or SCENARIOS:
            sys.stderr.write(f"{name} …\n")
            (Path(folder) / name).mkdir()
            bench = Bench(name, base, Path(folder) / name)
            tallies[name] = {
                "killed": kills(bench, options.kills, rng),
                "two at once": pairs(bench, 2),
                "small files": small_files(bench, [0, 100, 3000]),
            }
            if not options.no_disks:
                tallies[name] |= {"full disk": full_disks(bench, [0, 8192, 40960]), "read-only": read_only(bench)}
    print(f"seed {options.seed}\n{table(tallies)}")
    missing = sorted({*command_names()} - {*SCENARIOS, *ONLY_READ})
    if missing:
        print(f"without a scenario: {', '.join(missing)}")
    faults = [
        f"{name}, {kind}: {line}" for name, found in tallies.items() for kind, t in found.items() for line in t.faults
    ]
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
