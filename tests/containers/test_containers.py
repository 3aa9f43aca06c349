"""The cube in real containers: `nox -s containers` (root on Debian; it installs what it needs and cleans up)."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from cleaning import __version__
from evaluation.contract.record import read_records
from tests.containers.engines import Engine, a_user, base_image, install, running, why_not
from tests.support import ROOT, SHARED

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

IMAGE = f"fixfirst/fixfirst:{__version__}"
LARGEST_IMAGE = 650_000_000  # bytes; our limit for the image
TASKS = "--task=download,create_baselines,evaluate,plot"
DIGITS = {"sources": ["sklearn:digits"], "noise": {"kind": "symmetric", "draws": [0]}}
DATAPERF = ["01g317", "01g317-flipped", "04rky", "04rky-flipped"]


@pytest.fixture(scope="module")
def base(tmp_path_factory, begun):
    """Made while the native run goes on."""
    install("image")
    return base_image(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module", params=["docker", "podman"])
def engine(request, tmp_path_factory, base):
    install(request.param)
    # a short path, because the path of the daemon's socket is limited to about 100 characters
    folder = Path(f"/tmp/fixfirst-{request.param}-{os.getpid()}")
    folder.mkdir()
    try:
        with running(request.param, folder, base) as found:
            yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return clone(tmp_path_factory.mktemp("clone") / "fixfirst")


def clone(place: Path) -> Path:
    """A copy of the working tree, including uncommitted edits, without anything git ignores."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    return place


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A workspace and the process of a native run on it."""
    place = tmp_path_factory.mktemp("native") / "workspace"
    place.mkdir()
    parameters = yaml.safe_load((ROOT / "workspace" / "parameters.yaml").read_text())
    parameters["rankers"] = ["random", "knn_shapley", "expected_use"]
    datasets = {name: block for name, block in parameters["datasets"].items() if name.startswith("digits")}
    if (SHARED / "dataperf").is_dir():
        shutil.copytree(SHARED / "dataperf", place / "inputs")
        datasets["dataperf"] = {"ids": DATAPERF, "learner": "dataperf", "sources": ["file:inputs"]}
    parameters["datasets"] = datasets
    (place / "parameters.yaml").write_text(yaml.safe_dump(parameters))
    # a container does not see a choice of kernels for BLAS that was made here, and the numbers depend on it
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    command = [sys.executable, "-m", "evaluation.cli", "run", f"--workspace={place}"]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as native:
        yield place, native
        native.kill()


@pytest.fixture(scope="module")
def workspace(begun):
    """The default data and the four ids of the challenge, already scored natively."""
    place, native = begun
    assert native.wait() == 0
    return place


def fresh(workspace: Path, target: Path) -> Path:
    """Makes a workspace with the same parameters and inputs, but no results."""
    target.mkdir()
    shutil.copy(workspace / "parameters.yaml", target)
    (target / "rankers").mkdir()
    if (workspace / "inputs").exists():
        shutil.copytree(workspace / "inputs", target / "inputs", copy_function=os.link)
    return target


def scores(place: Path) -> dict[tuple[str, str], object]:
    return {(r.dataset, r.method): (r.metrics, r.curve) for r in read_records(place / "results" / "results.jsonl")}


def mlcube(command: Path, engine: Engine, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**engine.environment, "MLCUBE_SYSTEM_SETTINGS": str(project.parent / "settings.yaml")}
    return subprocess.run(
        [*engine.prefix, str(command), "run", *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_mlcube_run_gives_the_scores_of_the_native_run(engine, project, workspace, mlcube_command, tmp_path):
    place = fresh(workspace, tmp_path / "w")
    done = mlcube(mlcube_command, engine, project, TASKS, f"--workspace={place}")
    assert done.returncode == 0, done.stdout + done.stderr
    native = scores(workspace)
    assert len(native) >= 18
    assert scores(place) == native
    assert (place / "results" / "report.html").exists()
    for path in place.rglob("*"):
        assert path.stat().st_uid == os.getuid()
    size = int(engine("image", "inspect", "--format", "{{.Size}}", IMAGE).stdout)
    assert size <= LARGEST_IMAGE
    labels = engine("image", "inspect", "--format", "{{json .Config.Labels}}", IMAGE).stdout
    assert '"org.opencontainers.image.title":"fixfirst"' in labels


def test_a_failing_task_fails_mlcube_and_an_edit_reaches_the_image(
    engine, project, workspace, mlcube_command, tmp_path
):
    place = fresh(workspace, tmp_path / "w")
    (place / "parameters.yaml").write_text("sead: 1\n")
    done = mlcube(mlcube_command, engine, project, "--task=download,evaluate", f"--workspace={place}")
    assert done.returncode != 0
    assert "did you mean seeds" in done.stdout + done.stderr
    assert "there are no submissions" not in done.stdout + done.stderr
    source = project / "evaluation" / "commands" / "doctor.py"
    text = source.read_text()
    try:
        source.write_text(text.replace("Python is {", "An edited Python is {"))
        shutil.copy(workspace / "parameters.yaml", place)
        done = mlcube(mlcube_command, engine, project, "--task=doctor", f"--workspace={place}")
        assert "An edited Python is" in done.stdout
    finally:
        source.write_text(text)


def test_the_image_alone_needs_no_network_no_root_and_no_writable_inputs(engine, project, workspace, tmp_path):
    """Called without mlcube, as in mlcube/README.md: another user, no network, read-only inputs."""
    engine("build", "-q", "-t", IMAGE, "-f", project / "mlcube" / "Dockerfile", project)
    results = tmp_path / "results"
    results.mkdir()
    for path in (tmp_path, results):
        os.chown(path, 1234, 1234)
    inputs = ["--user=1234:1234", "--network=none", "-v", f"{workspace}:/workspace:ro", "-v", f"{results}:/results"]
    for task in ("evaluate", "plot"):
        engine("run", "--rm", *inputs, IMAGE, task, "--workspace=/workspace", "--results_folder=/results")
    assert {path.stat().st_uid for path in results.iterdir()} == {1234}
    found = {(r.dataset, r.method): (r.metrics, r.curve) for r in read_records(results / "results.jsonl")}
    assert found == scores(workspace)
    refused = engine("run", "--rm", *inputs, IMAGE, "create_baselines", "--workspace=/workspace", check=False)
    assert refused.returncode == 1
    assert "cannot" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_what_root_writes_in_a_container_belongs_to_the_owner_of_the_folder(engine, project, workspace, tmp_path):
    engine("build", "-q", "-t", IMAGE, "-f", project / "mlcube" / "Dockerfile", project)
    results = tmp_path / "results"
    shutil.copytree(workspace / "results", results)
    for path in (results, *results.iterdir()):
        os.chown(path, 1234, 1234)
    engine("run", "--rm", "--network=none", "-v", f"{results}:/results", IMAGE, "plot", "--results_folder=/results")
    assert {path.stat().st_uid for path in results.iterdir()} == {1234}


def test_the_commands_of_the_page_work_as_written(engine, project, workspace):
    page = (ROOT / "mlcube" / "README.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if line.startswith(("docker ", "mkdir "))]
    assert len(commands) == 5
    shutil.copytree(workspace, project / "workspace", dirs_exist_ok=True)
    if not (SHARED / "dataperf").is_dir():
        commands = [command for command in commands if " bundle " not in command]
    for command in commands:
        done = subprocess.run(
            command.replace("docker", engine.name, 1),
            shell=True,
            cwd=project,
            env=engine.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert (project / "workspace" / "upload" / "01g317.txt").exists() == (SHARED / "dataperf").is_dir()
    assert (project / "results" / "results.jsonl").exists()


def test_a_stopped_task_ends_with_143(engine, project, workspace, tmp_path):
    engine("build", "-q", "-t", IMAGE, "-f", project / "mlcube" / "Dockerfile", project)
    place = fresh(workspace, tmp_path / "w")
    shutil.copytree(workspace / "embeddings", place / "embeddings", copy_function=os.link)
    (place / "rankers" / "slow.py").write_text(
        "import time\ndef rank(train, validation, *, rng):\n    print('ranking', flush=True)\n    time.sleep(600)\n"
    )
    command = ["create_baselines", "--only=slow", "--workspace=/workspace"]
    engine("run", "-d", "--name=slow", "--network=none", "-v", f"{place}:/workspace", IMAGE, *command)
    while "ranking" not in engine("logs", "slow").stdout:
        time.sleep(0.1)
    engine("stop", "slow")
    assert engine("inspect", "--format", "{{.State.ExitCode}}", "slow").stdout.strip() == "143"
    engine("rm", "slow")


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_a_user_without_root_in_a_clone_without_results(name, base, workspace):
    install(name)
    install("user")
    folder = Path(f"/tmp/fixfirst-user-{name}-{os.getpid()}")
    try:
        with a_user() as user, running(name, folder, _readable(base, folder), user) as engine:
            project = clone(folder / "clone")
            parameters = yaml.safe_load((workspace / "parameters.yaml").read_text())
            parameters |= {"tasks": ["cleaning"], "predictors": [], "datasets": {"d": DIGITS}}
            (project / "workspace" / "parameters.yaml").write_text(yaml.safe_dump(parameters))
            environment = folder / "mlcube"
            make = ["make", "-s", "mlcube", f"MLCUBE={environment}", "PYTHON=/usr/bin/python3"]
            subprocess.run(make, cwd=ROOT, check=True, capture_output=True)
            subprocess.run(["chown", "-R", f"{user}:{user}", str(project)], check=True)
            command = environment / "bin" / "mlcube"
            done = mlcube(command, engine, project, "--task=doctor")
            assert done.returncode == 0, done.stdout + done.stderr
            assert "Everything needed is in place." in done.stdout
            done = mlcube(command, engine, project, "--task=download,create_baselines")
            assert done.returncode == 0, done.stdout + done.stderr
            page = (ROOT / "mlcube" / "README.md").read_text()
            block = re.search(r"```sh\n(mkdir .*?)```", page, re.DOTALL)[1]
            organiser = block if name == "docker" else block.replace("docker run", "podman run --userns=keep-id")
            done = subprocess.run(
                [*engine.prefix, "sh", "-ec", organiser],
                cwd=project,
                env=engine.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert (project / "results" / "results.jsonl").exists()
            assert {path.owner() for path in project.rglob("*")} == {user}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _readable(base: Path, folder: Path) -> Path:
    """A copy of the base image that a user may read."""
    folder.mkdir()
    folder.chmod(0o755)
    shutil.copy(base, folder / "base.tar")
    return folder / "base.tar"
