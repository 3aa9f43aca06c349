"""Pack one method's files for upload to Dynabench."""

import argparse
from pathlib import Path

from evaluation.commands._shared import add_places, folders_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the method, the paths to read, the data set and the output."""
    parser.add_argument("method", help="the method's name, as in DATAID_METHOD.txt")
    add_places(parser, "parameters_file", "embedding_folder", "submission_folder")
    parser.add_argument("--data-set", help="a block of parameters.yaml; default: all enabled blocks")
    parser.add_argument("--output", type=Path, metavar="ZIP", help="default: METHOD.zip in the workspace")


def run(options: argparse.Namespace) -> int:
    """Checks the rankings and time files of all data ids and packs them."""
    from cleaning.errors import InvalidInput
    from evaluation.contract.loading import load_parameters
    from evaluation.datasets.layout import load_dataset
    from evaluation.files.progress import Reporter
    from evaluation.submissions.rankings import bundle

    folders = folders_of(options)
    blocks = load_parameters(folders.parameters_file).enabled("cleaning")
    if options.data_set is not None:
        if options.data_set not in blocks:
            known = ", ".join(blocks) or "none"
            raise InvalidInput(
                f"data set {options.data_set!r}", "there is no enabled block with this name", f"known: {known}"
            )
        blocks = {options.data_set: blocks[options.data_set]}
    ids = [data_id for name, block in blocks.items() for data_id in block.data_ids(name)]
    rows = {data_id: len(load_dataset(folders.embedding_folder, data_id).train) for data_id in ids}
    target = options.output or options.workspace / f"{options.method}.zip"
    names = bundle(folders.submission_folder, ids, options.method, rows, target)
    Reporter().say(f"{target}: {len(names)} files for {len(ids)} data ids")
    return 0
