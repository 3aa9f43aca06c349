"""The command line, `fixfirst COMMAND --flag=value`. Each command is a module of evaluation/commands."""

import argparse
import difflib
import importlib
import io
import itertools
import os
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from evaluation.commands._plain import run_plainly

# Import nothing heavier than argparse before the arguments are read, so that `fixfirst --help` responds at once.


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0 for success, 1 for a failure, 130 when interrupted.

    Wrong usage exits with 2. An error prints one line to standard error; FIXFIRST_DEBUG=1 shows its traceback instead.
    """
    _prepare_streams()
    name, rest = _command_of(sys.argv[1:] if arguments is None else list(arguments))
    command = importlib.import_module(f"evaluation.commands.{name}")
    parser = _Parser(prog=f"fixfirst {name}", description=_summary(command), allow_abbrev=False)
    command.add_arguments(parser)
    options = parser.parse_args(rest)
    return run_plainly(command.run, options)


def _prepare_streams() -> None:
    """Sends output nowhere if the caller has closed it (`>&-`), so that the work is done all the same.

    What the terminal cannot show is replaced.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - open until the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def command_names() -> list[str]:
    """The names of all commands: the public modules of evaluation/commands."""
    import evaluation.commands

    return sorted(info.name for info in pkgutil.iter_modules(evaluation.commands.__path__) if info.name[0] != "_")


class _Parser(argparse.ArgumentParser):
    """Refuses wrong usage in one sentence, with the closest flag. A value that is empty is one that was forgotten."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # one with another type may be empty: str for the column without a name
        self.register("type", Path, lambda text: Path(_given(text)))
        self.register("type", None, _given)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parses the arguments; exits with 2 if one is unknown or empty."""
        flags = [flag for action in self._actions for flag in action.option_strings if flag.startswith("--")]
        for one in itertools.takewhile(lambda one: one != "--", args or ()):
            if one.startswith("--") and one.partition("=")[0] not in flags:
                self._refuse_unknown(one, flags)
        options, left = self.parse_known_args(args, namespace)
        if left:
            self._refuse_unknown(left[0], flags)
        return options

    def error(self, message: str) -> NoReturn:
        """Says what is wrong and where the options are explained."""
        _refuse(message.removeprefix("argument "), self.prog)

    def _refuse_unknown(self, argument: str, flags: list[str]) -> NoReturn:
        name = argument.partition("=")[0]
        close = difflib.get_close_matches(name, flags, n=1, cutoff=0.4) if name.startswith("-") else []
        self.error(f"unknown argument {argument!r}" + (f"; did you mean {close[0]}?" if close else ""))


def _given(text: str) -> str:
    """The text. Raises ArgumentTypeError for none, as with a variable of the shell that is not set."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty; give a value, or leave it out")
    return text


def _refuse(problem: str, command: str) -> NoReturn:
    sys.stderr.write(f"error: {problem}\nsee {command} --help\n")
    sys.exit(2)


def _command_of(arguments: list[str]) -> tuple[str, list[str]]:
    """The command's name and its own arguments. Handles --help, --version and an unknown command, and then exits."""
    names = command_names()
    first = arguments[0] if arguments else ""
    if first in ("-h", "--help"):
        sys.stdout.write(_overview(names))
        sys.exit(0)
    if first == "--version":
        sys.stdout.write(f"fixfirst {_version()}\n")
        sys.exit(0)
    if first not in names:
        close = difflib.get_close_matches(first, names, n=1, cutoff=0.5)
        problem = f"there is no command {first!r}" if first else "no command was given"
        _refuse(problem + (f"; did you mean {close[0]}?" if close else ""), "fixfirst")
    return first, arguments[1:]


def _overview(names: list[str]) -> str:
    width = max(map(len, names))
    lines = [f"  {name:{width}}  {_summary(importlib.import_module(f'evaluation.commands.{name}'))}" for name in names]
    head = ["usage: fixfirst COMMAND …", "", "Which labels should I fix first?", "", "commands:"]
    foot = ["", "`fixfirst COMMAND --help` lists a command's options; `fixfirst --version` shows the version."]
    return "\n".join([*head, *lines, *foot, ""])


def _summary(command: Any) -> str:
    return str(command.__doc__).strip().splitlines()[0].rstrip(".")


def _version() -> str:
    """The version of the installed package, looked up without importing anything heavy."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("fixfirst")
    except PackageNotFoundError:  # run from a clone
        from cleaning import __version__

        return __version__


if __name__ == "__main__":
    sys.exit(main())
