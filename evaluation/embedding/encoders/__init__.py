"""Encoders: one public module each, with a class `Encoder`, found by folder.

Encoder(model: Path | None)   identity: a text that changes with anything that changes the vectors
encode(pictures) -> (n, d) float32, for RGB pictures (height, width, 3) of uint8
"""
