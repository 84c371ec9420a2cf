"""The test images of a run's data, where they are now."""

import json
import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnist_exp.errors import DataError, UserError
from mnist_exp.own_code import session
from mnist_exp.serving.same_data import MNIST, data_of
from mnist_exp.tracking.params import decode

if TYPE_CHECKING:
    from mlflow.entities import Dataset, Run

    from mnist_exp.data import Form, Split

_ELSEWHERE = "data.dir=FOLDER names where the run's data are now; --image reads a picture"


def chosen(
    run: "Run", form: "Form", folder: str | None, index: int | None, seed: int | None
) -> tuple[NDArray[np.uint8], int, int]:
    """Return a test image [H, W, C], its index and its label. Without an index it is a random one.

    `folder` is where the user says that the run's data are, None for where the run found them.
    Raises UserError for an index that no test image has, and if the data are not there any more.
    """
    test = _test_images(run, form, folder)
    if index is None:
        index = int(np.random.default_rng(seed).integers(len(test)))
    if not 0 <= index < len(test):
        raise UserError(f"--index {index}: expected 0 to {len(test) - 1}, the test images")
    return test.images[index], index, int(test.labels[index])


def _test_images(run: "Run", form: "Form", folder: str | None) -> "Split":
    """Return the test images of the run's data. Raises UserError for others."""
    from mnist_exp import data

    place = folder or _recorded_folder(run)
    if place is not None and session.is_session(place):
        raise UserError(f"run {run.info.run_id}: its images were given in Python\n{_ELSEWHERE}")
    try:
        test = data.load_test(place, form.image_shape[2])
    except DataError as error:
        if folder is not None or place is None:
            raise
        raise UserError(f"{str(error).partition(chr(10))[0]}\n{_ELSEWHERE}") from error
    if test.images.shape[1:] != form.image_shape or (place and not _was_tested_on(run, test)):
        raise UserError(
            f"data.dir={place}: the test images there are not those of run {run.info.run_id}\n"
            f"{_ELSEWHERE}"
        )
    return test


def _recorded_folder(run: "Run") -> str | None:
    """Return where the run found its data; None for the MNIST that comes with the package.

    The setting may be relative to another folder than the current one. The record of the images has
    the whole path.
    """
    folder = decode(run.data.params.get("data.dir", "None"))
    if folder is None or data_of(run) == MNIST:
        return None
    for record in _records(run):
        source = json.loads(record.source or "{}")
        place = source.get("tags", {}).get("source") if isinstance(source, dict) else None
        if isinstance(place, str) and os.path.isabs(place):
            return place
    return str(folder)


def _was_tested_on(run: "Run", test: "Split") -> bool:
    """Return whether these are images that the run has recorded.

    MLflow has one record of equal images, whatever they are used for. A run that was scored on its
    training images, and one of an earlier version, have no record of test images.
    """
    records = _records(run)
    if not records or run.data.params.get("data.eval_on_train") == "True":
        return True
    limit = decode(run.data.params.get("data.eval_limit", "None"))
    digest = test.first(limit if isinstance(limit, int) else None).digest
    return any(digest.startswith(record.digest) for record in records)


def _records(run: "Run") -> "list[Dataset]":
    """Return MLflow's records of the run's images."""
    return [] if run.inputs is None else [one.dataset for one in run.inputs.dataset_inputs]
