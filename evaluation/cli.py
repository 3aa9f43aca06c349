"""The command line, `fixfirst COMMAND --flag=value`. Each command is a module of evaluation/commands."""

import argparse
import difflib
import importlib
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
    _open_closed_streams()
    name, rest = _command_of(sys.argv[1:] if arguments is None else list(arguments))
    command = importlib.import_module(f"evaluation.commands.{name}")
    parser = _Parser(prog=f"fixfirst {name}", description=_summary(command), allow_abbrev=False)
    command.add_arguments(parser)
    options = parser.parse_args(rest)
    return run_plainly(command.run, options)


def _open_closed_streams() -> None:
    """Sends output nowhere if the caller has closed it (`>&-`), so that the work is done all the same."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - open until the end


def command_names() -> list[str]:
    """The names of all commands: the public modules of evaluation/commands."""
    import evaluation.commands

    return sorted(info.name for info in pkgutil.iter_modules(evaluation.commands.__path__) if info.name[0] != "_")


class _Parser(argparse.ArgumentParser):
    """Rejects an unknown flag with the command's usage and the closest flag, and an empty path."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parses the arguments; exits with 2 if one is unknown, or an empty path."""
        paths = {f"{flag}=" for action in self._actions if action.type is Path for flag in action.option_strings}
        empty = next((one for one in args or () if one in paths), None)
        if empty is not None:  # as with a variable of the shell that is not set; it would be the current folder
            self.error(f"nothing is given after {empty!r}")
        options, left = self.parse_known_args(args, namespace)
        if left:
            flags = [flag for action in self._actions for flag in action.option_strings if flag.startswith("--")]
            unknown = left[0].partition("=")[0]
            close = difflib.get_close_matches(unknown, flags, n=1, cutoff=0.4) if unknown.startswith("-") else []
            hint = f"; did you mean {close[0]}?" if close else ""
            self.error(f"unknown argument {left[0]!r}{hint}")
        return options


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
        _refuse(first, names)
    return first, arguments[1:]


def _refuse(word: str, names: list[str]) -> NoReturn:
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    problem = f"there is no command {word!r}" if word else "no command was given"
    hint = f"; did you mean {close[0]}?" if close else ""
    known = f"commands: {', '.join(names)}"
    sys.stderr.write(f"usage: fixfirst COMMAND …\n{known}\nfixfirst: error: {problem}{hint}\n")
    sys.exit(2)


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
