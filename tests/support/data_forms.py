"""The same images in each of the forms that `data.dir` takes."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from tests.support.idx import idx_bytes

Arrays = Mapping[str, np.ndarray]  # x_train [N, H, W, C], y_train [N], x_test, y_test; x_val, y_val


def some_images(
    count: int = 40, shape: tuple[int, int, int] = (8, 8, 1), classes: int = 3, seed: int = 0
) -> dict[str, np.ndarray]:
    """Random images of all classes: `count` to train on and a quarter of that to test on."""
    random = np.random.default_rng(seed)
    arrays: dict[str, np.ndarray] = {}
    for part, number in (("train", count), ("test", max(classes, count // 4))):
        labels = np.arange(number) % classes
        base = 200 * labels.reshape(-1, 1, 1, 1) // max(1, classes - 1)
        noise = random.integers(0, 55, (number, *shape))
        arrays |= {f"x_{part}": (base + noise).astype(np.uint8), f"y_{part}": labels}
    return arrays


def write_idx(folder: Path, arrays: Arrays, prefix: str = "") -> Path:
    """Four IDX files; with a prefix such as `emnist-letters-` the test files are called test."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, name in (("train", "train"), ("test", "test" if prefix else "t10k")):
        images = arrays[f"x_{part}"]
        images = images[..., 0] if images.shape[-1] == 1 else images
        (folder / f"{prefix}{name}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (folder / f"{prefix}{name}-labels-idx1-ubyte").write_bytes(idx_bytes(arrays[f"y_{part}"]))
    return folder


def write_npz(path: Path, arrays: Mapping[str, Any]) -> Path:
    """One .npz file with these arrays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)
    return path


def write_pictures(
    folder: Path, arrays: Arrays, names: Sequence[str], ending: str = ".png"
) -> Path:
    """A folder PART/CLASS/NUMBER.png."""
    for part in ("train", "test", "val"):
        for number, image in enumerate(arrays.get(f"x_{part}", ())):
            path = folder / part / names[arrays[f"y_{part}"][number]] / f"{number:06}{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(image))
    return folder


def encoded(image: np.ndarray, kind: str = "PNG") -> bytes:
    """A picture's file of pixels [H, W, 1] or [H, W, 3]."""
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, kind)
    return file.getvalue()


def write_parquet(
    folder: Path, arrays: Arrays, names: Sequence[str] | None = None, shards: int = 1
) -> Path:
    """Parquet files as Hugging Face's `datasets` writes them, in data/."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    parts = {"train": "train", "test": "test", "val": "validation"}
    for part, called in parts.items():
        images = [{"bytes": encoded(image), "path": None} for image in arrays.get(f"x_{part}", ())]
        if not images:
            continue
        label = {"names": list(names), "_type": "ClassLabel"} if names else {"dtype": "int64"}
        features = {"image": {"_type": "Image"}, "label": label}
        kinds = pa.struct({"bytes": pa.binary(), "path": pa.string()})
        table = pa.table(
            {"image": pa.array(images, kinds), "label": np.asarray(arrays[f"y_{part}"])}
        ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
        bounds = np.linspace(0, len(table), shards + 1).astype(int)
        for shard in range(shards):
            rows = table.slice(bounds[shard], bounds[shard + 1] - bounds[shard])
            name = f"{called}-{shard:05}-of-{shards:05}.parquet"
            pq.write_table(rows, folder / "data" / name)
    return folder
