"""The readers, each with small valid inputs and the suffix that its files have."""

import gzip
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from cleaning.errors import InvalidInput
from evaluation.contest.log import Entry, SubmissionLog, clock
from evaluation.contract.record import Record, read_records
from evaluation.datasets.layout import read_parquet, write_parquet
from evaluation.embedding import svg_worker
from evaluation.embedding.images import decode
from evaluation.embedding.preparation import Settings, preparation
from evaluation.embedding.tables import read_embeddings
from evaluation.files.archive import unpack
from evaluation.files.csv import csv_columns, csv_rows
from evaluation.files.json import json_items, read_json
from evaluation.files.npy import read_npy
from evaluation.files.npz import read_npz
from evaluation.labels.foreign import Choice, read_order
from evaluation.labels.forms.found import Options
from evaluation.labels.forms.label_file import said_in_file
from evaluation.labels.forms.probabilities import probabilities_in_file
from evaluation.labels.typed import read_typed
from evaluation.settings.parameters import parse_parameters
from evaluation.submissions.ranked_lists import as_json, as_npz, read_lists
from evaluation.submissions.ranking_lines import read_ranking
from evaluation.submissions.round_logs import read_log
from evaluation.submissions.time_files import read_seconds
from evaluation.tasks.camera_trap.problem import read_numbers
from tests.support import blobs

QUERIES, REFERENCES = ("q1", "q2"), ("r1", "r2", "r3")
RANKS = np.array([[0, 2, -1], [1, 0, 2]], dtype=np.int32)


@dataclass(frozen=True)
class Reader:
    """What reads a file, the suffix it expects, and valid contents to mutate. share: of the inputs of a run."""

    read: Callable[[Path], Any]
    suffix: str
    seeds: Callable[[], list[bytes]]
    share: float = 1.0


def _saved(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.arange(108, dtype=np.uint8).reshape(6, 6, 3)).convert(mode).save(content, kind, **options)
    return content.getvalue()


def _deep_grey() -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.arange(36, dtype=np.uint16).reshape(6, 6) * 1800).save(content, "PNG", transparency=1800)
    return content.getvalue()


def _pictures() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        _saved("PNG"),
        _saved("PNG", "P"),
        _saved("PNG", "RGBA"),
        _saved("PNG", "L", transparency=9),
        _saved("PNG", "1", transparency=0),
        _deep_grey(),
        _saved("JPEG", exif=exif),
        _saved("JPEG", "CMYK"),
        _saved("GIF", transparency=1),
        _saved("GIF", save_all=True, append_images=[Image.new("RGB", (6, 6), "red")]),
        _saved("ICO", "RGBA", sizes=[(4, 4), (6, 6)]),
        _saved("WEBP", exif=exif),
        _saved("WEBP", "RGBA", lossless=True),
        _saved("WEBP", save_all=True, append_images=[Image.new("RGB", (6, 6), "red")]),
        _saved("BMP"),
        _saved("BMP", "P"),
        _saved("TIFF"),
        _saved("TIFF", "I;16"),
        _saved("TIFF", "RGBA", compression="tiff_lzw"),
        _saved("TIFF", compression="jpeg"),
    ]


def _svgs() -> list[bytes]:
    body = (
        '<defs><linearGradient id="g"><stop offset="0" stop-color="red"/></linearGradient><filter id="f">'
        '<feGaussianBlur stdDeviation="2"/></filter></defs><style>rect{fill:url(#g)}</style><g transform="scale(2)">'
        '<rect width="9mm" height="9" filter="url(#f)"/><use href="#g"/><text x="1" y="9">A&amp;B</text></g>'
        '<image width="9" height="9" href="data:image/png;base64,iVBORw0KGgo="/>'
    )
    head = '<?xml version="1.0" encoding="{}"?><!DOCTYPE svg [<!ENTITY e "x">]><!-- c -->'
    text = f'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20" viewBox="0 0 9 9">{body}&e;</svg>'
    return [(head.format(name) + text).encode(name) for name in ("utf-8", "utf-16", "iso-8859-1")]


def _tables() -> list[bytes]:
    return [b'name,x,y\na,1,0.5\n"b, c",0,1e-3\n', "name;x\r\ncaf\u00e9;1\r\n".encode(), b"\xef\xbb\xbfname,x\n\na,1\n"]


def _jsons() -> list[bytes]:
    answers = {"d1": {"a": 0, "b": 1}, "d2": {"x": 1}}
    return [json.dumps(answers).encode(), json.dumps([1, [2.5e3, "caf\u00e9\n", None, True]]).encode()]


def _lists() -> list[bytes]:
    return [b"".join(as_json(QUERIES, REFERENCES, RANKS))]


def _npys() -> list[bytes]:
    found = []
    for array in (np.arange(6.0).reshape(2, 3), np.asfortranarray(np.eye(3, dtype=np.float32)), np.array(["a", "bc"])):
        content = io.BytesIO()
        np.save(content, array)
        found.append(content.getvalue())
    return found


def _npzs() -> list[bytes]:
    small = io.BytesIO()
    np.savez_compressed(small, x=np.arange(4))
    return [as_npz(QUERIES, REFERENCES, RANKS), small.getvalue()]


def _parquets() -> list[bytes]:
    path = Path(_scratch()) / "seed.parquet"
    write_parquet(path, blobs(6, 0))
    return [path.read_bytes()]


def _vote_tables() -> list[bytes]:
    path, found = Path(_scratch()) / "votes.parquet", list[bytes]()
    people = pd.Categorical(["kim", "=lee", "kim"])
    for labels in (["cat", "dog", None], [1, -1, 2], [0.5, 1.0, 2.0]):
        pd.DataFrame({"id": ["b", "a", "a"], "annotator": people, "label": labels}).to_parquet(path)
        found.append(path.read_bytes())
    return found


@cache
def _scratch() -> str:
    import tempfile

    return tempfile.mkdtemp()


def _archives() -> list[bytes]:
    files = {"top/data/x.csv": b"a,b\n1,2\n" * 9, "top/readme": b"hi"}
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tarred:
        for name, content in files.items():
            info = tarfile.TarInfo(name + "\u00e9")
            info.size = len(content)
            tarred.addfile(info, io.BytesIO(content))
    return [zipped.getvalue(), plain.getvalue(), gzip.compress(plain.getvalue())]


def _records() -> list[bytes]:
    fields: dict[str, Any] = {"task": "logo", "dataset": "d", "seed": 0}
    record = Record(
        task_version=1, method="m", status="ok", submission_sha256="", dataset_sha256="", fingerprint="f", **fields
    )
    return [record.model_dump_json().encode() + b"\n"]


def _entries() -> list[bytes]:
    entry = Entry(
        **{"task": "logo", "dataset": "d", "seed": 0, "team": "m", "number": 1, "file": "d_m.csv", "sha256": ""},
        received=clock(),
        written=clock(),
        verdict="accepted",
    )
    return [entry.model_dump_json().encode() + b"\n"]


PARAMETERS = b"""
tasks: [cleaning, logo]
jobs: 2
target: 0.95
datasets:
  a: &a {task: logo, ids: [d], split: {public: 0.5, salt: "x"}}
  b: {sources: [sklearn:digits], noise: {kind: symmetric, rate: 0.3, draws: [0, 1]}}
rules: {logo: {counts: best, rate: {per_day: 5, since: 2026-01-01, minutes_apart: 10.0}}}
"""


def _unpack(path: Path) -> None:
    unpack(path, lambda name: path.parent / "out" / Path(name).name if name.endswith(".csv") else None)


def _clean_svg(path: Path) -> None:
    try:
        svg_worker.Cleaned(path.read_bytes())
    except svg_worker.Refused as refused:
        raise InvalidInput(path, refused.reason) from None


def _settings(path: Path) -> None:
    preparation(path.with_suffix(""), {}, Settings())


def _all_rows(path: Path) -> None:
    list(csv_rows(path, ("name", "file"))[1])


RANKINGS = [b"3\n1\n0\n2\n4\n", b"0\r\n4\r\n3\r\n2\r\n1"]

READERS: dict[str, Reader] = {
    "csv, by key": Reader(_all_rows, ".csv", _tables),
    "csv, by column": Reader(lambda path: list(csv_columns(path, ["x"], ["name", "x"])), ".csv", _tables),
    "csv of numbers": Reader(read_numbers, ".csv", lambda: [b"filename,x,y\na,1,0.5\nb,0,1e-3\n"]),
    "json": Reader(read_json, ".json", _jsons),
    "json, by item": Reader(
        lambda path: list(json_items(path, InvalidInput(path, "no list"))), ".json", lambda: [*_jsons(), *_lists()]
    ),
    "ranked lists, json": Reader(lambda path: read_lists(path, QUERIES, REFERENCES, 3, lenient=True), ".json", _lists),
    "ranked lists, npz": Reader(
        lambda path: read_lists(path, QUERIES, REFERENCES, 3, lenient=True), ".npz", lambda: _npzs()[:1]
    ),
    "npz": Reader(lambda path: read_npz(path, ["x"], 10_000, "numbers", "write numbers"), ".npz", lambda: _npzs()[1:]),
    "npy": Reader(lambda path: read_npy(path).sum(), ".npy", lambda: _npys()[:2]),
    "probabilities": Reader(
        lambda path: probabilities_in_file(path, ["a", "b"], 2), ".csv", lambda: [b"b,a\n.5,.5\n1e-3,0.999\n"]
    ),
    "typed decisions": Reader(
        lambda path: read_typed(path, ("a", "b", "c"), ("x", "y", None), ("x", "y")),
        ".csv",
        lambda: [b"id,label\na,y\nb,y\nc,drop\n", b"row;decision\n0;label: y\n1;keep\n2;unsure\n"],
    ),
    "votes": Reader(
        lambda path: said_in_file(path, ["a", "b"], Options(), None),
        ".csv",
        lambda: [b"id,annotator,label\nb,kim,cat\na,kim,dog\nb,=lee,cat\n", b"id;worker_id;label\na;1;1,0\nb;2;-1\n"],
    ),
    "votes, parquet": Reader(lambda path: said_in_file(path, ["a", "b"], Options(), None), ".parquet", _vote_tables),
    "parquet, labels": Reader(read_parquet, ".parquet", _parquets),
    "parquet, embeddings": Reader(read_embeddings, ".parquet", _parquets),
    "yaml": Reader(parse_parameters, ".yaml", lambda: [PARAMETERS]),
    "model description": Reader(
        _settings, ".onnx.json", lambda: [b'{"size": 32, "order": "BGR", "mean": [1.5, 2, 3], "output": "x"}']
    ),
    "ranking": Reader(
        lambda path: read_ranking(path, 5), ".txt", lambda: [b"3\n1\n0\n2\n4\n", b"0\r\n4\r\n3\r\n2\r\n1"]
    ),
    "round log": Reader(
        lambda path: read_log(path, 3),
        ".rounds",
        lambda: [b'{"every":2}\n{"rows":[2,0],"labels":[1,0]}\n{"rows":[1],"labels":[1]}\n'],
    ),
    "order of another tool": Reader(
        lambda path: read_order(path, ["a", "p/b.png", "c"], Choice()),
        ".csv",
        lambda: [
            b",is_label_issue,label_score\n0,True,0.5\n2,False,1e-3\n",
            b"filepath,mistakenness\n/x/p/b.png,0.5\na,1\n",
        ],
    ),
    "export of FiftyOne": Reader(
        lambda path: read_order(path, ["a", "p/b.png", "c"], Choice()),
        ".json",
        lambda: [
            b'{"samples": [{"filepath": "data/b.png", "mistakenness": 0.5, "_id": {"$oid": "6b"}},'
            b' {"filepath": "/x/c", "mistakenness": null, "ground_truth": {"label": "cat"}}]}'
        ],
    ),
    "seconds": Reader(read_seconds, ".seconds", lambda: [b"4.75\n", b"1e-05"]),
    "records": Reader(read_records, ".jsonl", _records),
    "submission log": Reader(lambda path: SubmissionLog(path).read(), ".jsonl", _entries),
    "archive": Reader(_unpack, ".zip", _archives),
    "picture": Reader(lambda path: decode(path.read_bytes(), "a.png"), ".png", _pictures, share=3),
    "svg, cleaned": Reader(_clean_svg, ".svg", _svgs),
    "svg, drawn": Reader(lambda path: decode(path.read_bytes(), "a.svg"), ".svg", _svgs, share=0.02),
}
"""`share` weights the number of inputs: drawing an SVG starts a process."""

TOKENS = [
    *(b"\0", b"\r", b'"', b"'", b",", b";", b" ", b"/", b"../", b"=1+1", b"]]>"),
    *(b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", "e\u0301".encode(), b"\\ud800"),
    *(b"[" * 3000, b'{"a":' * 900, b"<g>" * 999),
    *(b"9" * 5000, b"1e999", b"-0", b"NaN", b"2026-13-45"),
    *(b"&a ", b"*a", b"!!int ", b"<<: ", b"? [a]\n: 1\n"),
    *(b"<image href='x'/>", b"&e;", b"<!ENTITY e SYSTEM 'x'>"),
    *(b"\x93NUMPY\x01\x00", struct.pack("<I", 2**31), struct.pack(">I", 2**32 - 1), struct.pack("<q", -1)),
]
"""What faults were made of, here and elsewhere."""
