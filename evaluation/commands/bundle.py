"""Write one method's files as the challenge's upload form on Dynabench takes them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.commands._shared import add_places, folders_of

if TYPE_CHECKING:
    from evaluation.submissions.upload import Upload


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the method, the paths to read, the output, and --partial."""
    parser.add_argument("method", help="the method's name, as in DATAID_METHOD.txt")
    add_places(parser, "parameters_file", "submission_folder")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: upload/ in the workspace")
    parser.add_argument(
        "--partial", action="store_true", help="write what there is, although the form takes all eight files at once"
    )


def run(options: argparse.Namespace) -> int:
    """Checks the rankings, writes one file per data id of the challenge, and says how to upload them."""
    from cleaning.errors import count_of, first_three
    from evaluation.contract.loading import load_parameters
    from evaluation.contract.registry import own_rankers
    from evaluation.files.progress import Reporter
    from evaluation.submissions.upload import IDS, write_upload

    folders, reporter = folders_of(options), Reporter()
    blocks = load_parameters(folders.parameters_file).enabled("cleaning")
    ids = [data_id for name, block in blocks.items() for data_id in block.data_ids(name)]
    known = own_rankers()
    summary = known[options.method].summary if options.method in known else "What the method does, in one sentence."
    target = options.output or options.workspace / "upload"
    found = write_upload(folders.submission_folder, options.method, ids, summary, target, partial=options.partial)
    reporter.say(
        f"{target}: {count_of(len(found.written), 'ranking')} of {options.method}, and {found.description.name}"
    )
    if found.others:
        reporter.say(f"left out, because they are not of the challenge: {first_three(found.others)}")
    if found.missing:
        reporter.warn(f"{len(found.missing)} of the {len(IDS)} files are missing ({first_three(found.missing)})")
    reporter.say("\n".join(_steps(found, options.method)))
    return 0


def _steps(found: "Upload", method: str) -> list[str]:
    from evaluation.submissions.upload import UPLOADS_A_DAY

    return [
        "",
        "To upload:",
        f"  1. Complete {found.description}; the rules ask for a description of the method.",
        "  2. Log in at dynabench.org, choose “Debugging DataPerf”, and there “Submit Train Files”.",
        "  3. Put each file into the field with its name, all of them at once, as they are: no archive, no time files.",
        f"  4. Give the model a name, for example {method}, and send. {UPLOADS_A_DAY} uploads are allowed in 24 hours.",
    ]
