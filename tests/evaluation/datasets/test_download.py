import builtins
import io
import json
import shutil
import sys
import types
import zipfile

import pytest

from cleaning import FixfirstError, InvalidInput
from evaluation.datasets import sources
from evaluation.datasets.download import download
from evaluation.datasets.layout import known_ids
from evaluation.files.progress import Reporter
from evaluation.files.transfer import fetch_url
from evaluation.files.whole import sha256_file
from evaluation.settings.folders import Folders
from tests.evaluation.files.test_transfer import server  # noqa: F401  (a fixture)
from tests.support import noisy_blobs, write_dataset, write_parameters


@pytest.fixture
def origin(tmp_path):
    """A folder with one data id, as a publisher would have it."""
    place = tmp_path / "origin"
    write_dataset(place, *noisy_blobs("x", n=12))
    return place


@pytest.fixture
def place(tmp_path):
    return tmp_path / "w"


def run(place, **block):
    write_parameters(place, datasets={"made": {"ids": ["x"], **block}})
    reporter = Reporter(io.StringIO(), io.StringIO())
    download(Folders.in_workspace(place), reporter)
    return reporter.out.getvalue()


def hashes(origin):
    return {str(p.relative_to(origin)): sha256_file(p) for p in sorted(origin.rglob("*.*"))}


def zipped(origin, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in origin.rglob("*.*"):
            archive.write(file, f"top/{file.relative_to(origin)}")
    return path


def written(place):
    return sorted(str(p.relative_to(place)) for folder in ("embeddings", "data") for p in (place / folder).rglob("*.*"))


def test_a_folder_is_read_as_it_is_and_the_manifest_says_so(place, origin):
    assert "made: 1 data id from file:../origin" in run(place, sources=["file:../origin"])
    manifest = json.loads((place / "manifest.json").read_text())
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == hashes(origin)
    assert {entry["url"] for entry in manifest["files"].values()} == {"file:../origin"}
    assert written(place) == sorted([*hashes(origin), "embeddings/x_croissant.json"])


def test_what_is_there_is_left_alone_until_it_changes(place, origin):
    run(place, sources=["file:../origin"])
    assert "already present" in run(place, sources=["file:../origin"])
    (place / "data" / "dataset_x_train.csv").write_text("changed")
    assert "from file:../origin" in run(place, sources=["file:../origin"])
    assert "from file:../origin" in run(place, sources=["file:../origin"], files=hashes(origin))


def test_sources_are_tried_in_order(place, origin, tmp_path):
    zipped(origin, tmp_path / "a.zip")
    assert "from file:../a.zip" in run(place, sources=["file:../none", "file:../a.zip"])


def test_when_no_source_works_all_reasons_are_told_and_nothing_is_written(place, origin):
    with pytest.raises(FixfirstError) as error:
        run(
            place,
            sources=[
                "file:../none",
                "sklearn:iris",
                "ftp://x",
                "https://x/y.zip",
                "https://x/y/",
                "file:../w/parameters.yaml",
            ],
        )
    text = str(error.value)
    for reason in (
        "none of its 6 sources works",
        "none does not exist",
        "this scikit-learn data set is not supported",
        "this is not a source",
        "no sha256 is given",
        "list the block's `files:`",
        "neither a folder nor an archive",
    ):
        assert reason in text
    assert not known_ids(place / "embeddings")
    assert not (place / "manifest.json").exists()


@pytest.mark.parametrize("broken", ["dataset_x_train.csv", "dataset_x_test.csv"])
def test_bad_data_never_enters_the_workspace(place, origin, broken):
    path = origin / "data" / broken
    path.write_text(path.read_text().replace("blob,1", "blob,1,9", 1).replace("blob,0", "blob,0,9", 1))
    with pytest.raises(FixfirstError, match="nothing was written for it"):
        run(place, sources=["file:../origin"])
    assert not known_ids(place / "embeddings")


def test_hashes_are_checked_for_local_files_too(place, origin, tmp_path):
    wrong = {**hashes(origin), "data/dataset_x_train.csv": "0" * 64}
    with pytest.raises(FixfirstError, match=r"the sha256 is .*, not 0000"):
        run(place, sources=["file:../origin"], files=wrong)
    with pytest.raises(FixfirstError, match="the source does not have this file"):
        run(
            place,
            sources=[f"file:{zipped(origin, tmp_path / 'a.zip')}"],
            files={**hashes(origin), "data/y.csv": "0" * 64},
        )
    with pytest.raises(FixfirstError, match="use the right file"):
        run(place, sources=[{"source": "file:../a.zip", "sha256": "0" * 64}])


def test_an_archive_and_single_files_come_over_the_web(place, origin, tmp_path, server, monkeypatch):  # noqa: F811
    archive = zipped(origin, tmp_path / "a.zip")
    asked = []

    def local(url, sha256, part, progress=None):
        asked.append(url)
        name = url.removeprefix("https://example.org/")
        source = archive if name == "a.zip" else origin / name.removeprefix("folder/")
        part.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, part)
        assert sha256_file(part) == sha256
        assert progress is None or progress(1, 1) is None
        return part

    monkeypatch.setattr(sources, "fetch_url", local)
    run(place, sources=[{"source": "https://example.org/a.zip", "sha256": sha256_file(archive)}])
    assert known_ids(place / "embeddings") == ("x",)
    run(place, sources=["https://example.org/folder/"], files=hashes(origin))
    assert len(asked) == 7
    assert "already present" in run(place, sources=["https://example.org/folder/"], files=hashes(origin))


def test_the_web_is_really_asked(place, server):  # noqa: F811
    assert sources.fetch_url is fetch_url
    with pytest.raises(FixfirstError, match=rf"the sha256 is .*, not {'0' * 64}"):
        run(place, sources=[{"source": server.url, "sha256": "0" * 64}])


def test_google_drive_needs_its_extra(place, origin, tmp_path, monkeypatch):
    archive = zipped(origin, tmp_path / "a.zip")
    block = {"sources": [{"source": "drive:abc", "sha256": sha256_file(archive)}]}
    real = builtins.__import__

    def without(name, *rest):
        if name == "gdown":
            raise ModuleNotFoundError(name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(FixfirstError, match=r"install it with `pip install '\.\[drive\]'`"):
        run(place, **block)
    monkeypatch.undo()

    def give(*, output, quiet, **which):
        assert which == {"id": "abc"}
        shutil.copy(archive, output)

    monkeypatch.setitem(sys.modules, "gdown", types.SimpleNamespace(download=give))
    assert "from drive:abc" in run(place, **block)
    shutil.rmtree(place)
    with pytest.raises(FixfirstError, match="does not have the sha256"):
        run(place, sources=[{"source": "drive:abc", "sha256": "0" * 64}])

    def refuse(**_):
        raise RuntimeError("quota")

    monkeypatch.setitem(sys.modules, "gdown", types.SimpleNamespace(download=refuse))
    with pytest.raises(FixfirstError, match=r"Google Drive refused the download \(quota\)"):
        run(place, **block)


def test_data_put_there_by_hand_is_checked(folders):
    reporter = Reporter(io.StringIO(), io.StringIO())
    download(folders, reporter)
    assert "made: 2 data ids, added by hand" in reporter.out.getvalue()
    (folders.groundtruth_folder / "dataset_blobs_train.csv").unlink()
    with pytest.raises(InvalidInput, match="there is no such file"):
        download(folders, reporter)


def test_digits_need_noise_and_an_edited_block_is_made_anew(place):
    with pytest.raises(FixfirstError, match=r"or `noise: \{kind"):
        run(place, sources=["sklearn:digits"])
    for rate, message in [(0.3, "from sklearn"), (0.3, "already present"), (0.2, "from sklearn")]:
        write_parameters(
            place, datasets={"d": {"sources": "sklearn:digits", "noise": {"kind": "symmetric", "rate": rate}}}
        )
        reporter = Reporter(io.StringIO(), io.StringIO())
        download(Folders.in_workspace(place), reporter)
        assert message in reporter.out.getvalue()
    assert sorted(path.name for path in (place / "embeddings").glob("*train*")) == ["d-0_train_0.2_300.parquet"]


def test_a_broken_manifest_is_refused(place, origin):
    run(place, sources=["file:../origin"])
    (place / "manifest.json").write_text("[]")
    with pytest.raises(InvalidInput, match="this is not a manifest"):
        run(place, sources=["file:../origin"])


def test_the_challenges_files_are_read_as_they_are(place, dataperf):
    write_parameters(place, datasets={"dp": {"ids": ["04rky", "01g317-flipped"], "sources": [f"file:{dataperf}"]}})
    download(Folders.in_workspace(place), Reporter(io.StringIO(), io.StringIO()))
    assert known_ids(place / "embeddings") == ("01g317-flipped", "04rky")


def test_in_the_image_a_source_outside_the_workspace_is_not_called_missing(place, origin, monkeypatch):
    monkeypatch.setenv("FIXFIRST_IN_IMAGE", "1")
    assert "1 data id from file:" in run(place, sources=[f"file:{origin}"])
    with pytest.raises(
        FixfirstError, match=r"only the workspace is mounted in this container\. Fix: put the files into"
    ):
        run(place, sources=["file:../nowhere"])
    with pytest.raises(FixfirstError, match="nowhere does not exist"):
        run(place, sources=["file:nowhere"])
