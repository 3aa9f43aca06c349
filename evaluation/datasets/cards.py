"""Data cards: what a data set is, where it comes from, under which licence, and how large it is.

Beside each data id of the task cleaning is a card in Croissant's format (JSON-LD, https://mlcommons.org/croissant),
so that other tools can load the rows.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evaluation.datasets.layout import PARTS, csv_path, parquet_path
from evaluation.files.whole import sha256_file, write_text
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Card, DatasetBlock

_DIGITS = Card(
    description="8 × 8 pictures of handwritten digits that ship with scikit-learn; odd or even for the task cleaning",
    url="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    licence="CC-BY-4.0",
    citation="E. Alpaydin and C. Kaynak. Optical Recognition of Handwritten Digits. UCI Machine Learning Repository, "
    "1998.",
)
_OWN: dict[str, Card] = {"sklearn:digits": _DIGITS}
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that version 1.0 of the format prescribes."""
_PARQUET = (("filename", "sc:Text", False), ("encoding", "sc:Float", True), ("label", "sc:Integer", False))
_TRUTH = (("ImageID", "sc:Text", False), ("mg_label", "sc:Integer", False), ("hv_label", "sc:Integer", False))


def _card_of(block: DatasetBlock) -> Card:
    """The block's own card, else that of a source known here, else an empty one."""
    known = (_OWN[source.source] for source in block.sources if source.source in _OWN)
    return block.card or next(known, Card())


def card_lines(name: str, block: DatasetBlock, folders: Folders) -> list[str]:
    """What `fixfirst ls --long` shows of a block; sizes only of what is already here."""
    card = _card_of(block)
    noise = block.noise
    told = {
        "what": card.description,
        "source": card.url,
        "licence": card.licence,
        "cite": card.citation,
        "noise": card.noise
        if noise is None
        else f"{noise.kind.replace('_', ' ')}, {noise.rate:.0%} of the training labels",
        "sha256": card.sha256,
        "size": _size(name, block, folders.embedding_folder),
    }
    return [f"{title}: {text}" for title, text in told.items() if text]


def _size(name: str, block: DatasetBlock, folder: Path) -> str | None:
    """Rows and width of the first data id, from the footers of its files."""
    import pyarrow.parquet as pq

    ids = block.data_ids(name)
    if block.task != "cleaning" or not ids:
        return None
    paths = {part: parquet_path(folder, ids[0], part) for part in PARTS}
    rows = [f"{pq.read_metadata(path).num_rows} {part}" for part, path in paths.items() if path is not None]
    return f"{', '.join(rows)} rows per data id" if rows else None


def write_croissant(name: str, block: DatasetBlock, folders: Folders) -> None:
    """Writes embeddings/{data_id}_croissant.json for each data id of the task cleaning."""
    for data_id in block.data_ids(name) if block.task == "cleaning" else ():
        path = croissant_path(folders.embedding_folder, data_id)
        text = json.dumps(_croissant(data_id, block, folders), indent=1, ensure_ascii=False) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)


def croissant_path(folder: Path, data_id: str) -> Path:
    """Where the card of a data id is."""
    return folder / f"{data_id}_croissant.json"


def _croissant(data_id: str, block: DatasetBlock, folders: Folders) -> dict[str, Any]:
    """The card of a data id as JSON-LD: its files with their sha256, and what their columns hold."""
    card = _card_of(block)
    files = list(_files(data_id, folders))
    known = {"license": card.licence, "url": card.url, "citeAs": card.citation}
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": data_id,
        "description": card.description or f"Embeddings with labels to clean, the data id {data_id} of fixfirst",
        **{key: value for key, value in known.items() if value},
        "distribution": [_distributed(path, folders.embedding_folder) for _, path in files],
        "recordSet": [_record_set(title, path) for title, path in files],
    }


def _files(data_id: str, folders: Folders) -> Iterator[tuple[str, Path]]:
    for part in PARTS:
        path = parquet_path(folders.embedding_folder, data_id, part)
        if path is not None:
            yield part, path
        truth = csv_path(folders.groundtruth_folder, data_id, part)
        if truth.exists():
            yield f"{part}_truth", truth


def _distributed(path: Path, folder: Path) -> dict[str, str]:
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "contentUrl": Path(os.path.relpath(path, folder)).as_posix(),
        "encodingFormat": "application/x-parquet" if path.suffix == ".parquet" else "text/csv",
        "sha256": sha256_file(path),
    }


def _record_set(title: str, path: Path) -> dict[str, Any]:
    columns = _PARQUET if path.suffix == ".parquet" else _TRUTH
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{title}/{name}",
            "name": name,
            "dataType": kind,
            **({"repeated": True} if repeated else {}),
            "source": {"fileObject": {"@id": path.name}, "extract": {"column": name}},
        }
        for name, kind, repeated in columns
    ]
    return {"@type": "cr:RecordSet", "@id": title, "name": title, "field": fields}
