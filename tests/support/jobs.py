"""A job as a run's first act would make it, without the checks."""

from typing import Any

import numpy as np

from mnist_exp.config.tree import compose
from mnist_exp.data import Dataset, Split
from mnist_exp.tracking.job import Job

_SPLIT = Split(np.zeros((1, 28, 28, 1), np.uint8), np.zeros(1, np.int32))


def a_job(*overrides: str, **fields: Any) -> Job:
    """Return a job with these overrides; `fields` replace what the job would have by itself."""
    settings = compose(overrides)
    values = {
        "settings": settings,
        "run_name": "a_name",
        "variant": "a_variant",
        "reference": settings.config.reference,
        "changes": tuple(settings.changes),
        "dataset": Dataset(train=_SPLIT, val=_SPLIT, test=_SPLIT, source="one black image"),
    }
    return Job(**{**values, **fields})
