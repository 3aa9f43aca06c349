"""Runs a task of the cube on the host."""

import os
import shutil
import subprocess
from pathlib import Path

from mlcube.errors import ExecutionError
from mlcube.runner import Runner, RunnerConfig
from mlcube.shell import Shell
from omegaconf import DictConfig, OmegaConf


class Config(RunnerConfig):
    """`python`: the interpreter to use. Default: the cube's .venv, else the one next to the `fixfirst` command."""

    DEFAULT = OmegaConf.create({"runner": "host", "python": "", "entrypoint": "mlcube/entrypoint.py"})

    @staticmethod
    def merge(mlcube: DictConfig) -> None:
        """Merges the settings of the `host` section of mlcube.yaml, if there is one."""
        mlcube.runner = OmegaConf.merge(mlcube.get("runner", OmegaConf.create({})), mlcube.get("host", {}))


class HostRun(Runner):
    """Runs tasks in a child process of mlcube, as the user who called it."""

    CONFIG = Config

    def configure(self) -> None:
        """Builds nothing. Raises ExecutionError if no Python interpreter is found."""
        self._interpreter()

    def run(self) -> None:
        """Runs the task. Raises ExecutionError with the exit status if it is not 0."""
        Shell.sync_workspace(self.mlcube, self.task)
        mounts, arguments, _ = Shell.generate_mounts_and_args(self.mlcube, self.task)
        hosts = sorted(((inside, outside) for outside, inside in mounts.items()), key=lambda pair: -len(pair[0]))
        command = [self._interpreter(), str(Path(self.mlcube.runtime.root) / self.mlcube.runner.entrypoint)]
        command += [_on_host(argument, hosts) for argument in arguments]
        status = subprocess.run(command, check=False).returncode
        if status:
            raise ExecutionError.mlcube_run_error(
                type(self).__name__, f"The task {self.task} ended with exit status {status}.", code=status
            )

    def _interpreter(self) -> str:
        own = Path(self.mlcube.runtime.root) / ".venv" / "bin" / "python"
        command = shutil.which("fixfirst")
        beside = Path(command).with_name("python") if command else None
        for candidate in (self.mlcube.runner.get("python"), own, beside):
            if candidate and os.access(candidate, os.X_OK):
                return str(candidate)
        raise ExecutionError.mlcube_configure_error(
            type(self).__name__, "No Python with fixfirst was found. Fix: run `make demo` in the folder of mlcube.yaml."
        )


def _on_host(argument: str, hosts: list[tuple[str, str]]) -> str:
    """Replaces the mount in `--name=/mlcube_io0/file` by its folder on the host."""
    name, equals, value = argument.partition("=")
    for inside, outside in hosts:
        if value == inside or value.startswith(f"{inside}/"):
            return f"{name}{equals}{outside}{value[len(inside) :]}"
    return argument
