"""One random generator per submission."""

import hashlib

import numpy as np


def generator(data_id: str, ranker: str, seed: int) -> np.random.Generator:
    """The random generator of one ranking; it is the same on every machine and independent of the order of work."""
    return np.random.default_rng(numbers(data_id, ranker, seed))


def numbers(data_id: str, ranker: str, seed: int) -> list[int]:
    """What the generator of a ranking is seeded with."""
    digest = hashlib.sha256(f"{data_id}\0{ranker}".encode()).digest()
    return [seed, *np.frombuffer(digest, dtype="<u4").tolist()]
