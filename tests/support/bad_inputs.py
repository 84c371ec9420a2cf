"""Files of a user's own that cannot be used, one for each mistake."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.data_forms import encoded, some_images, write_npz, write_pictures

PIXELS = some_images()["x_train"]  # [40, 8, 8, 1]
MODULE = """\
import keras


def network(images, units):
    return keras.Model(images, keras.layers.Dense(units)(keras.layers.Flatten()(images)))


def build(input_shape, num_classes, width=4):
    return network(keras.Input(input_shape), num_classes)


def other_shape(input_shape, num_classes):
    return network(keras.Input((32, 32, 3)), num_classes)


def other_classes(input_shape, num_classes):
    return network(keras.Input(input_shape), 7)


def infinite(input_shape, num_classes):
    images = keras.Input(input_shape)
    zero = keras.layers.Rescaling(0.0)(network(images, num_classes)(images))
    return keras.Model(images, keras.ops.log(zero))


def raises(input_shape, num_classes):
    width = {}["width"]


def returns_none(input_shape, num_classes):
    network(keras.Input(input_shape), num_classes)


def returns_layer(input_shape, num_classes):
    return keras.layers.Dense(num_classes)


def untrained(input_shape, num_classes):
    model = build(input_shape, num_classes)
    model.trainable = False
    return model


def one_argument(input_shape):
    return network(keras.Input(input_shape), 10)


class Network:
    pass


short = lambda input_shape, num_classes: build(input_shape, num_classes)


def loss(labels, logits):
    return keras.ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def mean_loss(labels, logits):
    return keras.ops.mean(loss(labels, logits))


def raising_loss(labels, logits):
    return {}["gamma"]
"""


def module(folder: Path) -> None:
    """`mine.py` with functions that build networks, and one with a mistake in its syntax."""
    (folder / "mine.py").write_text(MODULE)
    (folder / "broken.py").write_text("import keras\n\ndef build(input_shape, num_classes)\n")
    (folder / "needs.py").write_text("import a_package_that_is_absent\n\ndef build(a, b): ...\n")


def npz(**changes: Any) -> Callable[[Path], object]:
    """An .npz file of 40 images of 8x8 pixels; arrays are changed, or left out for None."""
    arrays = {**some_images(), **changes}
    kept = {name: array for name, array in arrays.items() if array is not None}
    return lambda folder: write_npz(folder / "data.npz", kept)


def pickled(folder: Path) -> None:
    """An .npz file with an array of Python objects."""
    arrays = some_images()
    arrays["y_train"] = np.array([{"label": int(label)} for label in arrays["y_train"]])
    np.savez(folder / "data.npz", **arrays)  # type: ignore[arg-type]


def text_labels(folder: Path) -> None:
    """An .npz file with names for labels."""
    names = np.array(["cat", "dog", "owl"])
    arrays = some_images()
    npz(y_train=names[arrays["y_train"]], y_test=names[arrays["y_test"]])(folder)


def bomb(folder: Path) -> None:
    """A small .npz file of which one array has 40 GB of zeros when unpacked, by its header."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (50_000_000, 28, 28)}
    )
    write_npz(folder / "data.npz", {k: v for k, v in some_images().items() if k != "x_train"})
    with (
        zipfile.ZipFile(folder / "data.npz", "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x_train.npy", "w", force_zip64=True) as file,
    ):
        file.write(header.getvalue())
        for _ in range(4):
            file.write(bytes(2**20))


def pictures(change: Callable[[Path], object]) -> Callable[[Path], None]:
    """A folder of pictures in three classes, in which something is changed."""

    def write(folder: Path) -> None:
        change(write_pictures(folder / "pictures", some_images(12), ["cat", "dog", "owl"]))

    return write


def ragged(folder: Path) -> None:
    """One picture of another size."""
    (folder / "train/dog/000001.png").write_bytes(encoded(np.zeros((9, 8, 1), np.uint8)))


def unreadable(folder: Path) -> None:
    """A picture that is cut in half."""
    file = folder / "train/dog/000001.png"
    file.write_bytes(file.read_bytes()[:60])


def huge(folder: Path) -> None:
    """A small PNG file of 20,000x20,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    size = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    content = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    (folder / "train/dog/000001.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def one_class(folder: Path) -> None:
    """Pictures of one class alone."""
    for part in ("train", "test"):
        for name in ("dog", "owl"):
            for file in (folder / part / name).iterdir():
                file.unlink()
            (folder / part / name).rmdir()


def no_test(folder: Path) -> None:
    """No pictures to test on."""
    for file in sorted((folder / "test").rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    (folder / "test").rmdir()


def parquet(folder: Path) -> None:
    """Parquet files with other columns."""
    table = pa.table({"img": [b""] * 3, "class": [0, 1, 2]})
    (folder / "parquet").mkdir()
    for part in ("train", "test"):
        pq.write_table(table, folder / f"parquet/{part}-00000-of-00001.parquet")


def empty(folder: Path) -> None:
    """A folder with nothing in it."""
    (folder / "empty").mkdir()


# What is given, by the name that the table of answers has for it.
GIVEN: dict[str, Callable[[Path], object]] = {
    "module": module,
    "no_test_images": npz(x_test=None),
    "pickled": pickled,
    "fractions": npz(x_train=PIXELS / 255),
    "sixteen_bits": npz(x_train=PIXELS.astype(np.uint16)),
    "one_label": npz(y_train=np.zeros(40, int), y_test=np.zeros(10, int)),
    "many_labels": npz(x_train=np.zeros((1001, 8, 8), np.uint8), y_train=np.arange(1001)),
    "text_labels": text_labels,
    "other_labels": npz(y_test=np.arange(10)),
    "few_labels": npz(y_train=np.arange(39) % 3),
    "bomb": bomb,
    "ragged": pictures(ragged),
    "unreadable": pictures(unreadable),
    "huge": pictures(huge),
    "one_class": pictures(one_class),
    "no_test": pictures(no_test),
    "parquet": parquet,
    "empty": empty,
}
