"""Look at the file of a network that somebody else wrote, before Keras loads it.

Keras restores a network by calling what its file names. Here only layers that compute are allowed.
"""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mnist_exp.outside import foreign_files
from mnist_exp.sweeper.foreign_text import clean

MOST_BYTES = 2**29  # of a network, unpacked
_MOST_UNITS = 2**16  # of a layer, as in the settings
# The parts of networks that compute and do nothing else, by Keras' names. `Lambda` and functions by
# name would be programs, and some layers read files.
_CLASSES = {
    "Functional",
    "Sequential",
    "InputLayer",
    "__keras_tensor__",
    "DTypePolicy",
    "Dense",
    "Conv2D",
    "Conv2DTranspose",
    "DepthwiseConv2D",
    "SeparableConv2D",
    "MaxPooling2D",
    "AveragePooling2D",
    "GlobalMaxPooling2D",
    "GlobalAveragePooling2D",
    "BatchNormalization",
    "LayerNormalization",
    "GroupNormalization",
    "Rescaling",
    "Activation",
    "ReLU",
    "LeakyReLU",
    "PReLU",
    "ELU",
    "Softmax",
    "Dropout",
    "SpatialDropout2D",
    "GaussianDropout",
    "GaussianNoise",
    "RandomFlip",
    "RandomTranslation",
    "RandomRotation",
    "RandomZoom",
    "RandomContrast",
    "RandomBrightness",
    "Add",
    "Subtract",
    "Multiply",
    "Average",
    "Maximum",
    "Minimum",
    "Concatenate",
    "Flatten",
    "Reshape",
    "Permute",
    "ZeroPadding2D",
    "Cropping2D",
    "UpSampling2D",
    *("Conv1D", "MaxPooling1D", "AveragePooling1D"),
    *("GlobalMaxPooling1D", "GlobalAveragePooling1D", "RepeatVector", "TimeDistributed"),
    *("LSTM", "LSTMCell", "GRU", "GRUCell", "SimpleRNN", "SimpleRNNCell", "Bidirectional"),
    *("Embedding", "MultiHeadAttention", "AlphaDropout"),
    *("Normalization", "UnitNormalization", "RMSNormalization", "Resizing", "CenterCrop"),
    *("L1", "L2", "L1L2", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"),
}
_MODULES = {
    *("keras", "keras.layers", "keras.regularizers", "keras.constraints"),
    "keras.src.models.functional",
}
# What a zip file raises that is damaged or of another kind.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    RecursionError,
)


def check(path: Path) -> None:
    """Raise ValueError unless the file is a network in Keras' format, of layers that compute."""
    try:
        config = _config(path)
    except _UNREADABLE as error:
        raise ValueError(
            f"its network is no file of Keras' format ({clean(error, 100)})"
        ) from error
    for part in _parts(config):
        module, name = part.get("module"), part.get("class_name")
        is_known = name in _CLASSES and module in (*_MODULES, None)
        if not (name is None or module == "keras.initializers" or is_known):
            raise ValueError(
                f"its network has a {clean(module, 80)}.{clean(name, 80)}, which may do more than "
                "compute; --trust loads it, with all you may do"
            )
        for size in (part.get("units"), part.get("filters")):
            if size is not None and not (isinstance(size, int) and 0 < size <= _MOST_UNITS):
                raise ValueError(f"its network has a layer of {clean(size, 80)} units")


def own_part(path: Path) -> str | None:
    """Return the name of a class or function in the file that is no part of Keras; None for none.

    Keras restores such a network only where that part is defined.
    """
    for part in _parts(_config(path)):
        module, name = part.get("module"), part.get("class_name")
        if name == "__lambda__":
            return "a lambda"
        if name == "function":
            return str(part.get("config"))
        is_keras = str(module).partition(".")[0] == "keras" or name in _CLASSES
        if name is not None and not is_keras:
            return str(name)
    return None


def _config(path: Path) -> dict[str, Any]:
    """Return the config of a network in Keras' format. Raises ValueError or one of _UNREADABLE."""
    with zipfile.ZipFile(path) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        whole = sum(sizes.values())
        if set(sizes) != {"metadata.json", "config.json", "model.weights.h5"}:
            raise ValueError(f"its network consists of {clean(sorted(sizes), 200)}")
        if sizes["config.json"] > foreign_files.MAX_TEXT_BYTES or whole > MOST_BYTES:
            raise ValueError(f"its network has {whole:,} bytes when unpacked")
        if damaged := archive.testzip():
            raise ValueError(f"{clean(damaged)} in its network is damaged")
        return foreign_files.read_json(archive.read("config.json"), dict)


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all mappings in a JSON value."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _parts(item)
