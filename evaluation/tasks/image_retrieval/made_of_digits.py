"""Digits as 10 products, with 400 training images, 150 queries and 1,000 references."""

import json

import numpy as np
from numpy.typing import NDArray

from evaluation.contract.draw import Draw
from evaluation.datasets.digits import load_digit_scans, write_pictures
from evaluation.files.whole import write_text

_TRAIN, _QUERIES, _REFERENCES = 400, 150, 1000


def write(draw: Draw) -> None:
    """Writes train_data/<product>/*.jpg, query/*.jpg, reference/*.jpg and the product of each query and reference."""
    digits, _ = load_digit_scans().shuffled(draw.number, "image_retrieval")
    pictures: dict[str, dict[str, NDArray[np.float32]]] = {}
    truth: dict[str, dict[str, str]] = {"query": {}, "reference": {}}
    start = 0
    for part, size in {"train_data": _TRAIN, "query": _QUERIES, "reference": _REFERENCES}.items():
        rows = range(start, start + size)
        start += size
        products = {row: f"product-{digits.labels[row]}" for row in rows}
        folder = {row: f"{products[row]}/" if part == "train_data" else "" for row in rows}
        names = {row: f"{folder[row]}{part[0]}{row - rows.start:05d}.jpg" for row in rows}
        pictures[part] = {names[row]: digits.scans[row] for row in rows}
        if part in truth:
            truth[part] = {names[row].removesuffix(".jpg"): products[row] for row in rows}
    write_pictures(pictures, draw.own_embeddings, draw.own_data)
    write_text(draw.own_data / "truth.json", json.dumps(truth) + "\n")
