"""Compare two rankings, two reviews or two results files: scores, rank correlation, where they part."""

import argparse
import math
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the two things to compare, and how much worse the second may be."""
    parser.add_argument(
        "a", type=Path, metavar="A", help="NAME_review, a ranking (.csv, .parquet, .txt) or results.jsonl"
    )
    parser.add_argument("b", type=Path, metavar="B", help="another one of the same kind")
    parser.add_argument(
        "--fail-if-worse",
        type=float,
        metavar="SCORE",
        help="exit with 1 if a mean score of B is worse than that of A by more than this",
    )


def run(options: argparse.Namespace) -> int:
    """Prints the comparison; the exit status is 1 if B is worse than allowed."""
    from cleaning.errors import FixfirstError, InvalidInput
    from evaluation.files.progress import Reporter
    from evaluation.harness.compare import compare_results
    from evaluation.labels.compare import compare_rankings

    limit = options.fail_if_worse
    if limit is not None and not (math.isfinite(limit) and limit >= 0):
        raise InvalidInput("--fail-if-worse", f"it is {limit}", "use a number from 0")
    kinds = {path.suffix == ".jsonl" for path in (options.a, options.b)}
    if len(kinds) == 2:
        raise InvalidInput(
            f"{options.a} and {options.b}", "one is a results file, the other is not", "give two of a kind"
        )
    found = (compare_results if kinds.pop() else compare_rankings)(options.a, options.b)
    reporter = Reporter()
    for line in found.lines:
        reporter.say(line)
    if limit is None:
        return 0
    if not found.differences:
        raise InvalidInput("--fail-if-worse", "there is no score to judge by", "decide some rows in one of the reviews")
    worse = [difference for difference in found.differences if difference.worse > limit]
    if worse:
        raise FixfirstError(f"B is worse than A by more than {limit:g}: {'; '.join(one.what for one in worse)}")
    return 0
