"""Code archives of untrusted origin: what is refused, what gets a helpful sentence, and what ends at a limit."""

import io
import subprocess
import sys
import tarfile
import zipfile

import pytest

from evaluation.contract.registry import task as task_named
from evaluation.harness.judging.code import taken_in
from evaluation.harness.judging.judge import check_archive, judge_entry
from evaluation.sandbox.inside import unpack
from evaluation.sandbox.inside.unpack import Refusal
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from tests.evaluation.conftest import CONTAINERS
from tests.support import SHARED

MAKER = SHARED / "cases" / "hostile" / "make_archives.txt"
TASK = task_named("zero_shot")
BOUNDED = ["bounded_4_gigabytes.zip", "bounded_8_gigabytes.tar.gz", "bounded_many.tar.gz"]
"""These take a minute to make, so that only `nox -s sandbox` tries them; smaller ones of their kinds are below."""

SENTENCES = {
    "mistake_empty.zip": "the archive is empty",
    "mistake_in_a_folder.tar": "pack what is in the folder 'mine', without the folder itself",
    "mistake_no_predict.tar": "add predict.sh",
    "mistake_rar.tar": "it is not a zip or tar archive that can be read",
    "mistake_upper_case.tar": "rename Setup.sh to setup.sh",
    "mistake_windows_lines.tar": "Windows line ends",
    "refuse_absolute.tar": "points outside the archive",
    "refuse_device.tar": "a device, a pipe or a hard link",
    "refuse_file_and_folder.tar": "both a file and a folder",
    "refuse_hard_link.tar": "a device, a pipe or a hard link",
    "refuse_link_out.tar": "points outside the archive",
    "refuse_parent.tar": "points outside the archive",
    "refuse_setuid.tar": "set-uid",
    "refuse_twice_the_same.tar": "is there twice",
}


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """The archives of the shared script; without the three large ones, unless every engine is tested."""
    if not MAKER.exists():
        pytest.skip(f"NOT TESTED: {MAKER} is not there")
    folder = tmp_path_factory.mktemp("archives")
    text = MAKER.read_text()
    script = folder / "make.py"
    script.write_text(text if CONTAINERS else text.partition('tar("bounded_many')[0])
    subprocess.run([sys.executable, script, folder / "made"], check=True)
    return folder / "made"


def checked(path, engine, minutes=1.0):
    parameters = Parameters.model_validate({"limits": {"zero_shot": {"minutes": minutes, "memory_mb": 1024}}})
    with taken_in(str(path), 700) as code:
        return check_archive(code, TASK, parameters, engine)


@pytest.mark.parametrize("name", SENTENCES)
def test_an_archive_that_cannot_run_is_refused_in_one_sentence(name, engine, archives):
    problem, _ = checked(archives / name, engine)
    assert SENTENCES[name] in problem
    assert "\n" not in problem


@pytest.mark.parametrize("name", BOUNDED)
def test_a_large_archive_ends_at_a_limit(name, engine, archives):
    if not CONTAINERS:
        pytest.skip("takes a minute; nox -s sandbox tries it")
    assert checked(archives / name, engine, minutes=0.5)[0]


@pytest.mark.parametrize(
    ("name", "note"), [("good_archive.tar", ""), ("good_archive.zip", ""), ("mistake_not_executable.tar", "no harm")]
)
def test_a_good_archive_runs(name, note, engine, archives, tmp_path, monkeypatch):
    problem, notes = checked(archives / name, engine)
    assert problem == ""
    assert note in " ".join(notes)
    assert bool(notes) == bool(note)
    if name.endswith("zip"):
        return
    classes = tmp_path / "embeddings" / "names" / "animals" / "classes.json"
    picture = tmp_path / "data" / "names" / "animals" / "img" / "1.jpg"
    for path in (classes, picture):
        path.parent.mkdir(parents=True)
        path.write_text('["cat"]')
    folders = Folders.in_workspace(tmp_path)
    with taken_in(str(archives / name), 700) as code:
        judged = judge_entry(code, TASK, "names", folders, Parameters(), engine, name="team")
    assert judged.content == b'{"animals": 0}', judged.outcome


def packed(path, *members):
    with tarfile.open(path, "w") as file:
        for name, changes in members:
            info = tarfile.TarInfo(name)
            for key, value in changes.items():
                setattr(info, key, value)
            file.addfile(info, io.BytesIO(b"x" * info.size))
    return path


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([(f"d/{number}", {}) for number in range(20)], "more than 10 members"),
        ([("a", {"size": 600}), ("b", {"size": 600})], "unpacks to more than allowed"),
        ([("l", {"type": tarfile.SYMTYPE, "linkname": "a/../../b"})], "points outside"),
        ([("l", {"type": tarfile.SYMTYPE, "linkname": "a"}), ("l/x", {})], "both a file and a folder"),
        ([("p", {"type": tarfile.FIFOTYPE})], "a device, a pipe"),
        ([("a\x1b[31m", {}), ("a\x1b[31m", {})], "is there twice"),
    ],
)
def test_members_that_may_do_harm_are_refused(members, words, tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "MOST_MEMBERS", 10)
    with pytest.raises(Refusal, match=words):
        unpack.unpack(packed(tmp_path / "a.tar", *members), tmp_path / "out", 1000)
    assert not (tmp_path / "b").exists()


def test_a_zip_archive_may_not_be_longer_than_it_says(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("big", bytes(100_000))
    content = bytearray(path.read_bytes())
    size = (100_000).to_bytes(4, "little")
    while (place := content.find(size)) >= 0:
        content[place : place + 4] = (10).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(Refusal):
        unpack.unpack(path, tmp_path / "out", 1000)
    assert sum(one.stat().st_size for one in tmp_path.rglob("*") if one.is_file() and one != path) <= 100_000


def test_links_inside_and_rights_are_kept(tmp_path):
    members = [
        ("bin/tool", {"size": 3, "mode": 0o755}),
        ("lib", {"type": tarfile.SYMTYPE, "linkname": "bin"}),
        ("setup.sh", {"size": 1, "mode": 0o644}),
    ]
    out = tmp_path / "out"
    unpack.unpack(packed(tmp_path / "a.tar", *members), out, 1000)
    assert (out / "lib" / "tool").read_bytes() == b"xxx"
    assert (out / "bin" / "tool").stat().st_mode & 0o777 == 0o755
    assert (out / "setup.sh").stat().st_mode & 0o777 == 0o644
