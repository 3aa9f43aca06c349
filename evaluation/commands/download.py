"""Download the data sets of parameters.yaml into the workspace."""

import argparse

from evaluation.commands._shared import add_places, folders_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the paths to read and write."""
    add_places(parser, "parameters_file", "embedding_folder", "groundtruth_folder", "manifest_file")


def run(options: argparse.Namespace) -> int:
    """Downloads or generates every enabled data set."""
    from evaluation.datasets.download import download
    from evaluation.files.progress import Reporter

    download(folders_of(options), Reporter())
    return 0
