"""An MLCube runner for machines without a container engine: `mlcube run --platform=host --task=…`.

MLCube finds it by its name once it is installed beside mlcube. The task is the same entry point with the same arguments
as in the container; only the paths are those of the host.
"""


def get_runner_class():
    """The runner, as MLCube asks for it."""
    from mlcube_host.host_run import HostRun

    return HostRun
