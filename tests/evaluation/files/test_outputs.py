import os
import shutil
from pathlib import Path

import pytest

from cleaning import InvalidInput
from evaluation.cli import main
from evaluation.files.outputs import refuse_output


@pytest.fixture
def train(workspace, tmp_path):
    """A parquet of labels, its bytes known, in a folder of its own."""
    source = sorted((workspace / "embeddings").glob("*train*.parquet"))[0]
    return Path(shutil.copy(source, tmp_path / "labels.parquet"))


def test_a_new_file_and_an_older_output_are_fine(tmp_path):
    refuse_output(tmp_path / "new.csv", [".csv"], [tmp_path / "in.parquet"])
    (tmp_path / "old.csv").write_text("x\n")
    refuse_output(tmp_path / "old.csv", [".csv", ".txt"], [tmp_path / "in.parquet", tmp_path / "none"])


def test_an_input_under_any_name_is_refused(tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("x\n")
    os.link(source, tmp_path / "hard.csv")
    (tmp_path / "soft.csv").symlink_to(source)
    for name in ("in.csv", "hard.csv", "soft.csv"):
        with pytest.raises(InvalidInput, match=rf"{name}: the command reads this file"):
            refuse_output(tmp_path / name, [".csv"], [source])


def test_what_is_no_regular_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "null.csv").symlink_to(os.devnull)
    (tmp_path / "folder.csv").mkdir()
    for name, what in (("pipe", "not a regular file"), ("null", "not a regular file"), ("folder", "a folder")):
        with pytest.raises(InvalidInput, match=f"this is {what}"):
            refuse_output(tmp_path / f"{name}.csv", [".csv"], [])


@pytest.mark.parametrize("output", ["labels.parquet", "other.parquet", "x.txt"])
def test_rank_leaves_its_inputs_alone(capsys, train, output):
    other = Path(shutil.copy(train, train.with_name("other.parquet")))
    before = train.read_bytes(), sorted(train.parent.iterdir())
    status = main(["rank", str(train), f"--trusted={other}", f"--output={train.with_name(output)}"])
    assert status == 1
    fix = "name it .csv or .parquet.\n" if output == "x.txt" else "name another file.\n"
    assert capsys.readouterr().err.endswith(fix)
    assert (train.read_bytes(), sorted(train.parent.iterdir())) == before
    assert other.read_bytes() == before[0]


@pytest.mark.parametrize("name", ["a1.png", "a1.parquet", "deep/a1.parquet"])
def test_embed_writes_nothing_into_the_folder_it_reads(capsys, tmp_path, name):
    folder = tmp_path / "pics"
    folder.mkdir()
    (folder / "a1.png").write_bytes(b"picture")
    assert main(["embed", str(folder), f"--output={folder / name}"]) == 1
    assert "a1" in capsys.readouterr().err
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("a1.png", b"picture")]


def test_retrieve_and_blend_leave_their_inputs_alone(capsys, tmp_path):
    one, two = tmp_path / "a.csv", tmp_path / "b.csv"
    for path in (one, two):
        path.write_text("file,x,y\nf,0.5,0.5\n")
    (tmp_path / "out.json").symlink_to(one)
    for arguments in (["blend", one, two, f"--output={two}"], ["retrieve", one, two, f"--output={tmp_path}/out.json"]):
        assert main([*map(str, arguments)]) == 1
        assert "the command reads this file" in capsys.readouterr().err
    assert one.read_text() == two.read_text() == "file,x,y\nf,0.5,0.5\n"
