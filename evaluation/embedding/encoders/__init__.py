"""Encoders: one public module each, with a class `Encoder`, discovered by folder.

Encoder(model: Path | None)          the constructor; `model` is a model file, if the encoder needs one
identity                             a string that changes with anything that changes the vectors
encode(pictures) -> (n, d) float32   for RGB images (height, width, 3) of uint8

The constructor of `onnx` also takes the user's `Settings` for the network.
"""
