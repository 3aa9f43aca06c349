"""Rank labelled data of your own, the label to fix first on top."""

import argparse
from pathlib import Path

from evaluation.commands._pictures import add_pictures, jobs_of, settings_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the source, where its parts are, the trusted rows and the output."""
    parser.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="class folders of pictures, a folder and --labels, or a csv, tsv, parquet, feather, npy or npz file",
    )
    parser.add_argument("--trusted", type=Path, metavar="SOURCE", help="rows whose labels are known to be right")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the table alone (.csv or .parquet)")
    parser.add_argument("--review", type=Path, metavar="DIR", help="default: NAME_review beside the source")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    _add_places(parser.add_argument_group("where it is computed"))
    _add_columns(parser.add_argument_group("what is where in SOURCE, if it cannot be guessed"))
    own = parser.add_argument_group("your own model")
    own.add_argument(
        "--probabilities",
        type=Path,
        metavar="FILE",
        help="out-of-sample predictions for SOURCE in its order: a table with a column per class, or npy; give the same"
        " npy as SOURCE where there is nothing else",
    )
    own.add_argument("--trusted-probabilities", type=Path, metavar="FILE", help="the same for the trusted rows")
    add_pictures(parser)


def _add_places(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="judge large data on the workers of a Dask scheduler, tcp://HOST:PORT; they have to see SOURCE and "
        "the FILE of --probabilities under the same paths",
    )


def _add_columns(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--labels", type=Path, metavar="FILE", help="the labels of a folder or of an npy: a table or npy"
    )
    group.add_argument(
        "--annotator-column",
        metavar="NAME",
        help="the column of --labels that says whose label it is; the table then has a line per row and annotator",
    )
    group.add_argument("--trusted-labels", type=Path, metavar="FILE", help="the same for the trusted rows")
    group.add_argument(
        "--label-column",
        metavar="NAME",
        help="several with the votes of annotators: A,B,C or rater_*; empty cells and -1 are not votes",
    )
    ids = group.add_mutually_exclusive_group()
    ids.add_argument("--id-column", type=str, metavar="NAME")
    ids.add_argument("--number-rows", action="store_true", help="the ids are row numbers, whatever columns there are")
    group.add_argument("--features", metavar="A,B,C*", help="columns to judge the rows by; * stands for any rest")
    group.add_argument("--embedding-column", metavar="NAME", help="a column of lists of numbers")
    group.add_argument("--image-column", metavar="NAME", help="a column of pictures, or of their paths")
    group.add_argument("--text-column", metavar="NAME")
    group.add_argument(
        "--scaling",
        choices=("standard", "none"),
        help="of numeric columns; default: standard, unless they are one vector written out (e0, e1, e2, …)",
    )
    group.add_argument("--classes", action="store_true", help="labels that look like a quantity or an id are classes")


def run(options: argparse.Namespace) -> int:
    """Writes NAME_review/, or the table, and reports how many labels are probably wrong."""
    from cleaning.parallel.engine import Engine
    from evaluation.files.progress import Reporter
    from evaluation.labels.forms.found import Options
    from evaluation.labels.ranking import Job, rank
    from evaluation.labels.source import Request

    network, jobs = settings_of(options), jobs_of(options)
    chosen = Options(
        labels=options.labels,
        label_column=options.label_column,
        annotator_column=options.annotator_column,
        id_column=options.id_column,
        number_rows=options.number_rows,
        features=tuple(filter(None, options.features.split(","))) if options.features else None,
        embedding_column=options.embedding_column,
        image_column=options.image_column,
        text_column=options.text_column,
        scaling=options.scaling,
        classes=options.classes,
        probabilities=options.probabilities,
        encoder=options.encoder,
        encoder_size=network.size,
        encoder_mean=network.mean,
        encoder_std=network.deviation,
        encoder_output=network.output,
        jobs=jobs,
        on_undecodable=options.on_undecodable,
    )
    request = Request(options.source, chosen, options.trusted, options.trusted_labels, options.trusted_probabilities)
    engine = Engine(jobs, options.cluster)
    rank(Job(request, options.output, options.review, options.seed, engine), Reporter())
    return 0
