"""Look at doubtful labels on a local page, decide, undo; the order learns from every decision."""

import argparse
from pathlib import Path

from evaluation.commands._shared import refuse_given

_SERVED = {"--as": None, "--port": 0, "--batch": None, "--first-looks": False, "--no-browser": False}
_FILE = {"--size": 20.0}
"""The flags of the page that is served, and of the one that is written to a file, with their defaults."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the review, the reviewer, and how the page is made."""
    parser.add_argument("review", type=Path, metavar="NAME_review", help="the folder made by `fixfirst rank`")
    parser.add_argument("--as", metavar="NAME", help="the reviewer; default: your login name")
    parser.add_argument("--port", type=int, default=_SERVED["--port"], help="default: any that is free")
    parser.add_argument("--batch", type=int, help="looks after which the order is computed anew; default: 10")
    parser.add_argument(
        "--first-looks", action="store_true", help="begin with the rows that were drawn to count wrong labels by"
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument(
        "--static", type=Path, metavar="PAGE.html", help="write the page as one file to hand to somebody"
    )
    parser.add_argument(
        "--size", type=float, default=_FILE["--size"], metavar="MB", help="of the file, at most; default: 20"
    )


def run(options: argparse.Namespace) -> int:
    """Serves the page until it is interrupted, or writes it to a file."""
    from evaluation.files.progress import Reporter

    if options.static is not None:
        refuse_given(options, _SERVED, "it is for the page that is served", "leave out --static, or this")
        from evaluation.labels.page.one_file import write_page

        write_page(options.review, options.static, options.size, Reporter())
        return 0
    refuse_given(options, _FILE, "it is for the page that is written to a file", "give --static=PAGE.html as well")
    from evaluation.labels.page.serve import Session, serve

    browse = not options.no_browser and Reporter().out.isatty()
    serve(
        Session(options.review, vars(options)["as"], options.port, options.batch, browse, options.first_looks),
        Reporter(),
    )
    return 0
