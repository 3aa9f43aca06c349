"""The command line: `fixfirst TASK --flag=value`, with the flags MLCube passes."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# Nothing heavier than argparse is imported before the arguments are read: `fixfirst --help` answers at once.

_FLAGS = (
    "parameters_file",
    "embedding_folder",
    "groundtruth_folder",
    "submission_folder",
    "results_folder",
    "ranker_folder",
    "manifest_file",
)
_COMMANDS = {
    "download": "bring the data sets of parameters.yaml into the workspace",
    "create_baselines": "rank every data set with every ranker",
    "evaluate": "simulate the cleaning of every submission and score it",
    "plot": "draw curves, overview and leaderboard from the results",
    "leaderboard": "show a task's public, private or whole leaderboard, from the submission log",
    "run": "download, create_baselines, evaluate and plot, one after the other",
    "ls": "list data sets, rankers, tasks, metrics and learners",
    "rank": "list the labels of one file in the order worth inspecting",
    "validate": "check submission files without scoring them",
    "embed": "turn a folder of pictures into a parquet of embeddings",
    "retrieve": "list the nearest references of every query, as a submission",
    "blend": "average probability files, or take the majority of label files",
    "example": "write a tiny example of a task, with a submission that is fine and one that is not",
    "bundle": "pack one method's files for upload to Dynabench",
    "doctor": "check this machine and say what is missing",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0 all well, 1 something failed, 2 wrong usage, 130 interrupted.

    Every expected error ends in one sentence on standard error. FIXFIRST_DEBUG=1 shows the traceback behind it.
    """
    options = _parser().parse_args(arguments)
    try:
        from evaluation.commands import execute

        return execute(options)
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; what is written stays, the same command goes on from there\n")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("FIXFIRST_DEBUG"):
            raise
        sys.stderr.write(f"error: {sentence(error)}\n")
        return 1


def sentence(error: Exception) -> str:
    """What the person at the keyboard is told of an error, expected or not."""
    from cleaning.errors import FixfirstError, printable

    if isinstance(error, FixfirstError):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory for this. Fix: lower `jobs:` in parameters.yaml, or use a larger machine."
    told = printable(f"{type(error).__name__}: {error}")
    return f"fixfirst itself broke ({told}). Fix: run again with FIXFIRST_DEBUG=1 and report what it shows."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fixfirst", description="Which labels should I fix first?", allow_abbrev=False
    )
    parser.add_argument("--version", nargs=0, action=_ShowVersion, help="show the version and stop")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in _COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        command.add_argument(
            "--workspace", type=Path, default=Path("workspace"), metavar="DIR", help="default: workspace"
        )
        group = command.add_argument_group("single paths, below the workspace unless named")
        for flag in _FLAGS:
            group.add_argument(f"--{flag}", metavar="PATH")
    _add_contest(commands.choices)
    _add_rank(commands.choices["rank"])
    _add_embed(commands.choices["embed"])
    _add_retrieve(commands.choices["retrieve"])
    _add_blend(commands.choices["blend"])
    commands.choices["bundle"].add_argument("method", help="the method's name in the files, as in DATAID_METHOD.txt")
    commands.choices["bundle"].add_argument(
        "--data-set", help="the block of parameters.yaml; default: all that are enabled"
    )
    commands.choices["bundle"].add_argument(
        "--output", type=Path, metavar="ZIP", help="default: METHOD.zip in the workspace"
    )
    return parser


def _add_contest(commands: dict[str, argparse.ArgumentParser]) -> None:
    commands["validate"].add_argument("files", nargs="+", type=Path, metavar="FILE")
    commands["validate"].add_argument("--task", default="cleaning", help="default: cleaning")
    commands["validate"].add_argument(
        "--as", dest="team", metavar="TEAM", help="submit it for this team: keep the rate rules and log the verdict"
    )
    for name in ("evaluate", "validate"):
        commands[name].add_argument(
            "--lenient", action="store_true", help="count a missing answer as wrong instead of refusing the submission"
        )
    commands["leaderboard"].add_argument("--task", default="cleaning", help="default: cleaning")
    commands["leaderboard"].add_argument(
        "--board", choices=("public", "private", "all"), default="all", help="default: all"
    )
    commands["example"].add_argument("task", metavar="TASK", help="`fixfirst ls` lists the tasks")
    commands["example"].add_argument("--output", type=Path, metavar="DIR", help="default: example_TASK")


def _add_rank(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "embeddings", type=Path, metavar="PARQUET", help="doubtful labels: columns filename, encoding and label"
    )
    command.add_argument(
        "--validation", type=Path, metavar="PARQUET", help="rows whose labels are right, if you have some"
    )
    command.add_argument("--output", type=Path, metavar="CSV", help="default: PARQUET's name with _ranking.csv")
    command.add_argument("--seed", type=int, default=0, help="default: 0")


def _add_embed(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "folder", type=Path, metavar="FOLDER", help="pictures: jpg, png, gif, ico and svg, at any depth"
    )
    command.add_argument("--output", type=Path, required=True, metavar="PARQUET")
    command.add_argument(
        "--encoder", default="classical", metavar="NAME", help="an encoder, or PATH.onnx; default: classical"
    )
    command.add_argument("--jobs", type=int, default=1, help="pictures decoded at the same time; -1: one per core")
    command.add_argument(
        "--on-undecodable",
        choices=("error", "skip"),
        default="error",
        help="what to do about files that are no whole picture; default: error",
    )


def _add_retrieve(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "queries", type=Path, metavar="QUERY", help="columns filename and encoding, or NAME.npy with ids in NAME.txt"
    )
    command.add_argument("references", type=Path, metavar="REFERENCE", help="in the same form")
    command.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="DATAID_METHOD.json, or .npz: smaller and faster"
    )
    command.add_argument("--metric", choices=("cosine", "inner_product", "euclidean"), default="cosine")
    command.add_argument("--depth", type=int, default=1000, help="references a query; default: 1000")


def _add_blend(command: argparse.ArgumentParser) -> None:
    command.add_argument("files", nargs="+", type=Path, metavar="CSV")
    command.add_argument("--output", type=Path, required=True, metavar="CSV")
    command.add_argument("--weights", type=float, nargs="+", help="one number a file; default: all alike")
    command.add_argument(
        "--categories", action="store_true", help="write file,category instead of the mean probabilities"
    )


class _ShowVersion(argparse.Action):
    """The version of the installed package, which is there without importing anything heavy."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("fixfirst")
        except PackageNotFoundError:  # run from a clone
            from cleaning import __version__ as found
        sys.stdout.write(f"fixfirst {found}\n")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
