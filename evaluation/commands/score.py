"""Score a ranking of any tool, such as cleanlab's, on data whose true labels are known."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.commands._shared import add_places, folders_of, refuse_given

if TYPE_CHECKING:
    from evaluation.files.progress import Reporter
    from evaluation.labels.score import Known


_OF_SOURCE = {"--truth": None, "--test": None, "--label-column": None, "--features": None}
_OF_DATA = {"--workspace": Path("workspace"), "--embedding_folder": None, "--groundtruth_folder": None}
"""The flags that say more about the data, with their defaults."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the ranking, the data, and how the ranking's columns are called."""
    parser.add_argument(
        "ranking",
        type=Path,
        metavar="RANKING",
        help="a csv with an id (or one line per row) and a score: cleanlab's get_label_issues, Datalab's table,"
        " `fixfirst rank`; NAME_review; the folder that FiftyOne exports with mistakenness; or row numbers (.txt)",
    )
    parser.add_argument(
        "source", type=Path, nargs="?", metavar="SOURCE", help="the data, in any form that `rank` reads"
    )
    parser.add_argument("--truth", type=Path, metavar="FILE", help="the true labels of SOURCE: a table by id, or npy")
    parser.add_argument(
        "--test", type=Path, metavar="SOURCE", help="test rows with true labels, for the cleaning score"
    )
    parser.add_argument("--data", metavar="ID", help="instead of SOURCE: a data id of the workspace")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the numbers (.json), the curve (.csv, .png, .svg)")
    columns = parser.add_argument_group("columns, if they cannot be guessed")
    columns.add_argument("--id-column", type=str, metavar="NAME", help="of RANKING")
    columns.add_argument("--score-column", metavar="NAME", help="of RANKING")
    columns.add_argument("--first", choices=("lowest", "highest"), help="the end of the score that is most suspicious")
    columns.add_argument("--label-column", metavar="NAME", help="of SOURCE")
    columns.add_argument("--features", metavar="A,B,C*", help="of SOURCE: columns to judge the rows by")
    add_places(parser, "embedding_folder", "groundtruth_folder")


def run(options: argparse.Namespace) -> int:
    """Prints the scores with their intervals, and writes the output."""
    from evaluation.files.outputs import refuse_output
    from evaluation.files.progress import Reporter
    from evaluation.labels.foreign import Choice, read_order
    from evaluation.labels.score import SUFFIXES, score, told, undecided, write_scored

    reporter = Reporter()
    if options.output is not None:
        inputs = [options.ranking, options.source, options.truth, options.test]
        refuse_output(options.output, SUFFIXES, [path for path in inputs if path is not None])
    known = _known(options, reporter)
    found = read_order(options.ranking, known.train.ids, Choice(options.score_column, options.id_column, options.first))
    reporter.say(f"{options.ranking}: {found.listed} of {len(known.train)} rows; {found.said}")
    known, order = undecided(known, found, options.ranking)
    with reporter.track("score", "models") as progress:
        scored = score(known, order, progress)
    for line in told(scored):
        reporter.say(line)
    if options.output is not None:
        write_scored(scored, options.output, options.ranking.stem)
        reporter.say(str(options.output))
    return 0


def _known(options: argparse.Namespace, reporter: "Reporter") -> "Known":
    """The data that the options name."""
    from cleaning.errors import InvalidInput
    from evaluation.datasets.layout import load_dataset, load_truth
    from evaluation.labels.forms.found import Options
    from evaluation.labels.score import Known
    from evaluation.labels.source import Request
    from evaluation.labels.truth import known_source

    if (options.data is None) == (options.source is None):
        raise InvalidInput("the data", "give either SOURCE or --data=ID", "see `fixfirst score --help`")
    if options.data is not None:
        refuse_given(options, _OF_SOURCE, "it is for a SOURCE", "leave it out: a data id of the workspace has all that")
        folders = folders_of(options)
        dataset = load_dataset(folders.embedding_folder, options.data)
        truth = load_truth(folders.groundtruth_folder, dataset)
        return Known(options.data, dataset.train, truth.labels, dataset.test)
    refuse_given(
        options, _OF_DATA, "it is for a data id of the workspace", "leave it out, or give --data=ID, not SOURCE"
    )
    if options.truth is None:
        raise InvalidInput("--truth", "it is missing", "give the file with the true labels of SOURCE")
    features = tuple(filter(None, options.features.split(","))) if options.features else None
    chosen = Options(label_column=options.label_column, features=features)
    return known_source(Request(options.source, chosen, options.test), options.truth, reporter)
