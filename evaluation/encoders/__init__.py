"""Encoders: one public module each, with a class `Encoder`. `name` goes into the files it makes; `encode` does it.

Encoder(model: Path | None)             model: a file the user names, for encoders that need one
.identity -> str                        changes whenever the numbers may change
.encode(pictures) -> (n, d) float32     pictures: a list of (height, width, 3) uint8 arrays
"""
