"""An MLCube runner for machines without a container engine: `mlcube run --platform=host --task=…`.

MLCube finds it by its package name once it is installed next to mlcube. A task runs the same entry point with the same
arguments as in the container, except that the paths are paths on the host.
"""


def get_runner_class():
    """The runner class; MLCube calls this function by name."""
    from mlcube_host.host_run import HostRun

    return HostRun
