"""Small files in exactly the form of CIFAR's archive for Python, and of CIFAR-N's labels as torch saves them."""

import io
import pickle
import struct
import tarfile
import zipfile
from typing import ClassVar

import numpy as np


class Python2(pickle._Pickler):
    """Writes text and bytes as Python 2 did: CIFAR's batches are that old."""

    dispatch: ClassVar[dict] = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        content = value.encode("latin1") if isinstance(value, str) else value
        self.write(
            b"U" + struct.pack("<B", len(content)) if len(content) < 256 else b"T" + struct.pack("<i", len(content))
        )
        self.write(content)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = save_string


def old_names(content):
    """A pickle as numpy 1 wrote it."""
    return content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def batch(pixels, **labels):
    """A batch: the rows are 1,024 values of red, then of green, then of blue."""
    file = io.BytesIO()
    rows = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2).reshape(len(pixels), -1))
    names = [f"picture_s_{row:06d}.png" for row in range(len(pixels))]
    lists = {name: values.tolist() for name, values in labels.items()}
    Python2(file, 2).dump({"batch_label": "training batch 1 of 5", **lists, "data": rows, "filenames": names})
    return old_names(file.getvalue())


def archive(path, folder, batches):
    """The tar.gz; a page of text is among the files, as in CIFAR's."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in {"readme.html": b"<p>", "batches.meta": b"not read", **batches}.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def saved(path, labels, *, old=False):
    """Labels as torch saves a dictionary of numpy arrays: an archive, or pickles one after another before torch 1.6."""
    content = old_names(pickle.dumps(labels, protocol=2))
    if old:
        about = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
        before = [pickle.dumps(one, protocol=2) for one in (0x1950A86A20F9469CFC6C, 1001, about)]
        path.write_bytes(b"".join([*before, content, pickle.dumps([], protocol=2)]))
        return path
    return zipped(path, content)


def zipped(path, content):
    """The archive that torch writes around a pickle."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("CIFAR_human/data.pkl", content)
        file.writestr("CIFAR_human/version", "3\n")
    return path


def pictures(classes, seed=0):
    """Noisy pictures, each class with a colour of its own, (n, 32, 32, 3)."""
    rng = np.random.default_rng(seed)
    colours = np.random.default_rng(9).integers(30, 220, size=(100, 3))
    noise = rng.integers(-25, 26, size=(len(classes), 32, 32, 3))
    return (colours[classes][:, None, None] + noise).astype(np.uint8)
