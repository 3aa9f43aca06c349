import io
import shutil
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from cleaning import InvalidInput
from evaluation.cli import main
from evaluation.embedding import embed as embedding
from evaluation.embedding.embed import Request, embed, encoders, make_encoder, picture_names
from evaluation.embedding.encoders.classical import Encoder
from evaluation.files.progress import Reporter
from evaluation.files.whole import sha256_file


def reporter():
    return Reporter(io.StringIO(), io.StringIO())


def write_pictures(folder, count=5, seed=0):
    rng = np.random.default_rng(seed)
    for number in range(count):
        path = folder / f"kind-{number % 2}" / f"{number:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (10 + number % 7, 20, 3), dtype=np.uint8)).save(path)
    return folder


def table(path):
    return {row["filename"]: row for row in pq.read_table(path).to_pylist()}


@pytest.fixture
def folder(tmp_path):
    return write_pictures(tmp_path / "pictures")


def test_every_picture_gets_a_row_with_its_id_hash_size_and_vector(folder, tmp_path):
    output = tmp_path / "out" / "e.parquet"
    (folder / ".hidden").write_text("not looked at")
    assert embed(Request(folder, output), reporter()) == 5
    rows = table(output)
    assert list(rows) == sorted(rows)
    row = rows["kind-1/003.png"]
    path = folder / "kind-1" / "003.png"
    assert (row["width"], row["height"], row["format"]) == (20, 13, "png")
    assert (row["sha256"], row["bytes"]) == (sha256_file(path), path.stat().st_size)
    with Image.open(path) as image:
        direct = Encoder().encode([np.asarray(image)])
    assert np.array_equal(np.float32(row["encoding"]), direct[0])
    assert list(output.parent.iterdir()) == [output]


def test_jobs_and_a_second_run_write_the_same_bytes(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(embedding, "BATCH", 2)
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    embed(Request(folder, first), reporter())
    embed(Request(folder, second, jobs=2), reporter())
    assert first.read_bytes() == second.read_bytes()
    there = first.stat().st_ino
    monkeypatch.setattr(Encoder, "encode", lambda *_: pytest.fail("nothing has changed"))
    embed(Request(folder, first), reporter())
    assert (first.read_bytes(), first.stat().st_ino) == (second.read_bytes(), there)


def test_a_killed_run_goes_on_with_what_it_had(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(embedding, "BATCH", 2)
    output, seen = tmp_path / "e.parquet", []
    encode = Encoder.encode

    def counted(self, pictures):
        seen.append(len(pictures))
        if len(seen) == 3:
            raise KeyboardInterrupt
        return encode(self, pictures)

    monkeypatch.setattr(Encoder, "encode", counted)
    with pytest.raises(KeyboardInterrupt):
        embed(Request(folder, output), reporter())
    assert not output.exists()
    assert embed(Request(folder, output), reporter()) == 5
    assert seen == [2, 2, 1, 1]
    assert list(tmp_path.glob(".*.parts")) == []


def test_a_changed_picture_is_embedded_anew_and_a_removed_one_is_gone(folder, tmp_path):
    output = tmp_path / "e.parquet"
    embed(Request(folder, output), reporter())
    before = table(output)
    Image.new("RGB", (4, 4), "red").save(folder / "kind-0" / "000.png")
    (folder / "kind-0" / "002.png").unlink()
    assert embed(Request(folder, output), reporter()) == 4
    after = table(output)
    assert after["kind-0/000.png"]["encoding"] != before["kind-0/000.png"]["encoding"]
    assert after["kind-1/001.png"] == before["kind-1/001.png"]


def test_few_pixels_wait_for_the_encoder_whatever_the_number_of_pictures(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(embedding, "ALIVE", 500)
    seen = []
    encode = Encoder.encode
    monkeypatch.setattr(Encoder, "encode", lambda self, own: seen.append(len(own)) or encode(self, own))
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    embed(Request(folder, first), reporter())
    assert seen == [3, 2]  # 20 × 10, 11, 12, 13 and 14 pixels
    monkeypatch.setattr(embedding, "ALIVE", 1_000_000)
    embed(Request(folder, second), reporter())
    assert first.read_bytes() == second.read_bytes()


def test_many_small_files_of_large_pictures_take_the_memory_of_a_few(tmp_path):
    """Each has 6 million pixels, 19 MB."""
    place = tmp_path / "pictures"
    place.mkdir()
    Image.new("RGB", (2500, 2500), "teal").save(place / "0.png")
    for number in range(1, 20):
        shutil.copy(place / "0.png", place / f"{number}.png")
    code = f"""
import resource, sys
from evaluation.cli import main
main(["embed", {str(place / "..")!r} + "/small", "--output={tmp_path}/a.parquet", "--encoder=classical"])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
main(["embed", {str(place)!r}, "--output={tmp_path}/b.parquet", "--encoder=classical"])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    (tmp_path / "small").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "small" / "0.png")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) < 200_000  # KiB; all of them would take 375,000


def test_other_decoding_makes_other_rows(folder, tmp_path, monkeypatch):
    output = tmp_path / "e.parquet"
    embed(Request(folder, output), reporter())
    monkeypatch.setattr(embedding, "DECODER", "other")
    seen = []
    encode = Encoder.encode
    monkeypatch.setattr(Encoder, "encode", lambda self, own: seen.append(len(own)) or encode(self, own))
    embed(Request(folder, output), reporter())
    assert seen == [5]


def break_everything(folder):
    """Every kind of broken file the logo challenge had, and the names that must be reported."""
    whole = (folder / "kind-0" / "000.png").read_bytes()
    gif = io.BytesIO()
    Image.new("RGB", (30, 30), "blue").save(gif, "GIF")
    broken = {
        "empty.jpg": b"",
        "truncated.png": whole[: len(whole) // 2],
        "cut.gif": gif.getvalue()[:40],
        "page.jpg": b"<html>404 not found</html>",
        "half.ico": b"\x00\x00\x01\x00\x01\x00\x10\x10",
        "torn.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><rect",
        "outside.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='/etc/passwd'/></svg>",
        "notes.txt": b"no picture",
    }
    for name, content in broken.items():
        (folder / name).write_bytes(content)
    return sorted(broken)


def test_files_that_cannot_be_decoded_are_an_error_and_nothing_is_written(folder, tmp_path):
    names = break_everything(folder)
    output = tmp_path / "e.parquet"
    with pytest.raises(InvalidInput, match=r"cannot be decoded \(8 in all: cut.gif: the gif is broken") as caught:
        embed(Request(folder, output), reporter())
    assert "--on-undecodable=skip" in str(caught.value)
    assert not output.exists()
    told = reporter()
    assert embed(Request(folder, output, on_undecodable="skip"), told) == 5
    assert not set(names) & set(table(output))
    assert [line.split(":")[2].strip() for line in told.err.getvalue().splitlines()] == names


def test_skipping_everything_is_an_error_still(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.jpg").write_text("no")
    with pytest.raises(InvalidInput, match="no file in it can be decoded"):
        embed(Request(tmp_path / "a", tmp_path / "e.parquet", on_undecodable="skip"), reporter())


def test_a_wrong_suffix_is_warned_about(folder, tmp_path):
    shutil.copy(folder / "kind-0" / "000.png", folder / "z.jpg")
    told = reporter()
    assert embed(Request(folder, tmp_path / "e.parquet"), told) == 6
    assert told.err.getvalue() == "warning: z.jpg: the content is png, the suffix .jpg\n"


def test_folders_that_cannot_be_used_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="there is no such folder"):
        picture_names(tmp_path / "none")
    with pytest.raises(InvalidInput, match="there are no files in it"):
        picture_names(tmp_path)
    (tmp_path / "two\nlines.png").write_text("x")
    with pytest.raises(InvalidInput, match="some file names are not text"):
        picture_names(tmp_path)


def test_an_older_output_of_another_encoder_or_a_foreign_file_is_not_reused(folder, tmp_path, monkeypatch):
    output = tmp_path / "e.parquet"
    embed(Request(folder, output), reporter())
    monkeypatch.setattr(Encoder, "identity", "classical/2")
    monkeypatch.setattr(Encoder, "encode", lambda _, pictures: np.full((len(pictures), 3), 7, np.float32))
    embed(Request(folder, output), reporter())
    assert table(output)["kind-0/000.png"]["encoding"] == [7, 7, 7]
    output.write_text("no parquet")
    assert embed(Request(folder, output), reporter()) == 5


def test_an_encoder_that_answers_nan_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(Encoder, "encode", lambda _, pictures: np.full((len(pictures), 3), np.nan, np.float32))
    with pytest.raises(InvalidInput, match="NaN or infinity"):
        embed(Request(folder, tmp_path / "e.parquet"), reporter())


def test_encoders_are_found_by_folder_and_an_unknown_one_is_answered_with_the_nearest(tmp_path):
    assert set(encoders()) == {"classical", "efficientnet_lite0", "onnx"}
    with pytest.raises(InvalidInput, match="did you mean classical"):
        make_encoder("clasical")
    with pytest.raises(InvalidInput, match="no model is given"):
        make_encoder("onnx")
    with pytest.raises(InvalidInput, match="takes no model file"):
        Encoder(tmp_path)


def test_the_classical_encoder_tells_pictures_apart_and_ignores_their_size():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    other = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    vectors = Encoder().encode([picture, picture.repeat(2, axis=0).repeat(2, axis=1), other, np.zeros_like(picture)])
    assert vectors.shape == (4, 240)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors[0], vectors[1], atol=1e-5)
    assert np.linalg.norm(vectors[0] - vectors[2]) > 0.5
    assert np.isfinite(vectors).all()


def test_embed_counts_the_pictures_and_names_a_broken_one(folder, tmp_path, capsys):
    output = tmp_path / "e.parquet"
    assert main(["embed", str(folder), f"--output={output}"]) == 0
    assert capsys.readouterr().out == f"{output}: 5 images\n"
    (folder / "x.png").write_text("no")
    assert main(["embed", str(folder), f"--output={output}"]) == 1
    assert "x.png: the content is no" in capsys.readouterr().err
    assert main(["embed", str(folder), f"--output={output}", "--on-undecodable=skip"]) == 0
    assert main(["embed", str(folder), f"--output={output}", "--jobs=0"]) == 1
