"""What MLflow is told of the images that a run uses."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.schema import TensorDatasetSchema
from mlflow.types.schema import Schema, TensorSpec

from mnist_exp.data import Dataset, Form

_MOST_LETTERS = 1000  # of the names of all classes: MLflow's page shows them in one paragraph


def records(dataset: Dataset) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (what for, fields of MLflow's entity) of each split."""
    source = CodeDatasetSource({"source": dataset.source, "sha256": dataset.sha256})
    splits = {"train": dataset.train, "validation": dataset.val, "test": dataset.test}
    for context, split in splits.items():
        described = MetaDataset(source, dataset.name, split.digest[:32])  # type: ignore[abstract]
        fields = dict(described._to_mlflow_entity())
        fields["schema"] = json.dumps(_schema(dataset.form).to_dict())
        fields["profile"] = json.dumps(_profile(dataset.form, len(split)))
        yield context, fields


def _schema(form: Form) -> TensorDatasetSchema:
    images = TensorSpec(np.dtype(np.uint8), (-1, *form.image_shape), name="image")
    labels = TensorSpec(np.dtype(np.int32), (-1,), name="label")
    return TensorDatasetSchema(features=Schema([images]), targets=Schema([labels]))


def _profile(form: Form, count: int) -> dict[str, Any]:
    """Return what MLflow's page shows of the images, a line each."""
    height, width, channels = form.image_shape
    names = ", ".join(form.class_names)
    return {
        "images": count,
        "height": height,
        "width": width,
        "channels": channels,
        "classes": form.num_classes,
        "class names": names if len(names) <= _MOST_LETTERS else f"{names[:_MOST_LETTERS]} ...",
    }
