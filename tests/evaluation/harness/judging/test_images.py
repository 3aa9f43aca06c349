"""Container images and MLCubes: called with their own entry point, in the same sandbox. The images are made here."""

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from cleaning.errors import FixfirstError, InvalidInput
from evaluation.contract.loading import load_parameters
from evaluation.contract.registry import task as task_named
from evaluation.harness.judging import stage
from evaluation.harness.judging.code import taken_in
from evaluation.harness.judging.judge import judge_entry
from evaluation.sandbox.containers import Container
from evaluation.sandbox.selftest import checked, container_engines
from tests.evaluation.conftest import CONTAINERS

NAME = "fixfirst-test-ranker:1"
RANK = """\
[ "$1" = rank ] || exit 4
for word in "$@"; do case $word in --output=*|--to=*) out=${word#*=};; --input=*|--from=*) in=${word#*=};; esac; done
[ -f "$in/train.parquet" ] || exit 5
row=0
while [ $row -lt 30 ]; do echo $row; row=$((row + 1)); done >"$out"
"""


@pytest.fixture(scope="module", params=container_engines(), ids=lambda one: one.name)
def client(request, tested):
    """Each container engine that holds, as if there were no other, with an image: a shell, cat and an entry point."""
    if not CONTAINERS:
        pytest.skip("nox -s sandbox tries it")
    engine = request.param
    reason = tested.setdefault(engine.name, checked(engine)).reason
    if reason is not None:
        pytest.skip(f"NOT TESTED: {engine.name} cannot be used here: {reason}")
    change = 'ENTRYPOINT ["/bin/sh", "/rank.sh"]'
    words = [engine.name, "import", "--change", change, "-", NAME]
    subprocess.run(words, input=_image(), check=True, capture_output=True)
    yield engine.name
    subprocess.run([engine.name, "rmi", "--force", NAME], check=True, capture_output=True)


@pytest.fixture
def image(client, monkeypatch):
    monkeypatch.setattr(stage, "container_engines", lambda: (Container(client),))
    return NAME


def _image() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as made:
        programs = [Path(shutil.which(name)).resolve() for name in ("sh", "cat")]
        listed = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True).stdout
        for library in sorted(set(re.findall(r"(/lib\S*/\S+)", listed))):
            made.add(Path(library).resolve(), library.removeprefix("/"))
        for name, program in zip(("sh", "cat"), programs, strict=True):
            made.add(program, f"bin/{name}")
        info = tarfile.TarInfo("rank.sh")
        info.size = len(RANK)
        made.addfile(info, io.BytesIO(RANK.encode()))
        for name in ("tmp", "dev", "proc", "sys"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
            made.addfile(folder)
    return content.getvalue()


def judged(entry, folders):
    parameters, task = load_parameters(folders.parameters_file), task_named("cleaning")
    with taken_in(entry, 10) as code:
        engine, code = stage.engine_for(code, trust=False)
        return judge_entry(code, task, "blobs", folders, parameters, engine, name=code.name), code


def test_the_answer_of_an_image_is_taken(image, folders):
    found, code = judged(f"image:{image}", folders)
    assert found.content == "".join(f"{row}\n" for row in range(30)).encode(), found.outcome
    assert (code.name, len(code.sha256)) == ("fixfirst-test-ranker", 64)


def test_the_task_rank_of_a_cube_is_called_with_its_own_names(image, folders, tmp_path):
    (tmp_path / "cube").mkdir()
    rank = {"parameters": {"inputs": {"from": "data"}, "outputs": {"to": "ranking.txt"}}}
    content = {"docker": {"image": image}, "tasks": {"rank": rank}}
    (tmp_path / "cube" / "mlcube.yaml").write_text(yaml.safe_dump(content))
    found, _ = judged(str(tmp_path / "cube"), folders)
    assert found.outcome.verdict == "ok", found.outcome


def test_an_image_that_is_not_here_is_named(image, folders):
    with pytest.raises(FixfirstError, match="has no image 'nowhere/none:1'"):
        judged("image:nowhere/none:1", folders)


def test_an_image_with_a_folder_on_our_disk_is_refused(client, image, folders):
    change = ["--change", "VOLUME /data"]
    subprocess.run([client, "import", *change, "-", f"{image}-v"], input=_image(), check=True, capture_output=True)
    try:
        with pytest.raises(FixfirstError, match="declares volumes"):
            judged(f"image:{image}-v", folders)
    finally:
        subprocess.run([client, "rmi", "--force", f"{image}-v"], check=True, capture_output=True)


def test_a_cube_without_the_task_is_refused(tmp_path):
    (tmp_path / "mlcube.yaml").write_text("docker: {image: x}\ntasks: {evaluate: {}}\n")
    with pytest.raises(InvalidInput, match="no task `rank`"), taken_in(str(tmp_path), 10):
        pass
