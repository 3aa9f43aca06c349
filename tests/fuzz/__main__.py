"""`python -m tests.fuzz [--inputs=100000] [--seed=N] [--reader=NAME]`: a table of what became of mutated inputs.

Inputs that are faults are kept in tests/fuzz/found. The exit status is 1 if there are any.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.readers import READERS
from tests.fuzz.run import Tally, fuzz, keep, table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Mutated inputs for every reader.")
    parser.add_argument("--inputs", type=int, default=100_000, help="mutated inputs in all; default: 100000")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    parser.add_argument("--reader", choices=READERS, action="append", help="only this one; may be repeated")
    options = parser.parse_args()
    chosen = options.reader or list(READERS)
    share = options.inputs / sum(READERS[name].share for name in chosen)
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            sys.stderr.write(f"{name} …\n")
            tallies[name] = fuzz(name, round(share * READERS[name].share) + 1, options.seed, Path(folder))
            keep(name, [content for _, content in tallies[name].faults])
    print(f"seed {options.seed}\n{table(tallies)}")
    for name, tally in tallies.items():
        for reason, content in tally.faults[:5]:
            print(f"{name}: {reason}\n  {content[:100]!r}")
    return 1 if any(tally.faults for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
