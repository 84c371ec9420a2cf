"""Read which digit most seeds of a group see in each test image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_exp.compare import votes
from mnist_exp.compare.groups import Group
from mnist_exp.data import MNIST
from mnist_exp.outside.foreign_files import read_npz
from mnist_exp.outside.printing import plural
from mnist_exp.tracking.runs import PREDICTIONS_BYTES, Predictions, Runs, Store

_CLASSES = MNIST.num_classes


@dataclass(frozen=True, kw_only=True)
class PairedPredictions:
    """Predictions of the baseline and of a group for the same test images, each [N].

    They are those of an ensemble, in which the networks of all seeds vote, or of a single network.
    """

    group_label: str
    baseline_networks: int
    group_networks: int
    label: NDArray[np.integer]  # the right digit
    baseline: NDArray[np.integer]
    group: NDArray[np.integer]


@dataclass(frozen=True, kw_only=True)
class _Ensemble:
    networks: int
    label: NDArray[np.integer]
    prediction: NDArray[np.integer]


def paired_predictions(
    store: Store, runs: Runs, baseline: Group, groups: Sequence[Group]
) -> tuple[list[PairedPredictions], list[str]]:
    """Return the predictions of each group that saw the baseline's test images, and warnings.

    `groups` are those to read, the baseline among them.
    """
    warnings: list[str] = []
    ensembles: dict[str, _Ensemble] = {}
    unread = 0
    for group in groups:
        read = [_read(store, runs, run_id) for run_id in group.run_ids]
        readable = [predictions for predictions in read if predictions is not None]
        unread += len(read) - len(readable)
        if not all(np.array_equal(p.label, readable[0].label) for p in readable):
            warnings.append(
                f"{group.label}: its runs were tested on different images, "
                "so they are not compared on them"
            )
        elif readable:
            ensembles[group.label] = _ensemble(readable)
    if unread:
        total = sum(len(group.run_ids) for group in groups)
        warnings.append(
            f"{unread} of {plural(total, 'run')} have no predictions/test.npz that can be read"
        )
    of_baseline = ensembles.pop(baseline.label, None)
    pairs = []
    for label, ensemble in ensembles.items():
        if of_baseline is None:
            break
        if np.array_equal(of_baseline.label, ensemble.label):
            pairs.append(
                PairedPredictions(
                    group_label=label,
                    baseline_networks=of_baseline.networks,
                    group_networks=ensemble.networks,
                    label=ensemble.label,
                    baseline=of_baseline.prediction,
                    group=ensemble.prediction,
                )
            )
        else:
            warnings.append(f"{label} was tested on other images than {baseline.label}")
    return pairs, warnings


def _ensemble(predictions: Sequence[Predictions]) -> _Ensemble:
    return _Ensemble(
        networks=len(predictions),
        label=predictions[0].label,
        prediction=votes.majority(
            np.stack([p.prediction for p in predictions]),
            np.stack([p.probability for p in predictions]),
        ),
    )


def _read(store: Store, runs: Runs, run_id: str) -> Predictions | None:
    """Return a run's recorded predictions, or None if there are none of digits."""
    content = store.artifact(runs, run_id, "predictions/test.npz")
    if content is None:
        return None
    kinds = {"label": ("iu", 1), "prediction": ("iu", 1), "probability": ("f", 2)}
    try:
        arrays = read_npz(content, kinds, PREDICTIONS_BYTES)
    except ValueError:
        return None
    label, prediction, probability = (arrays[name] for name in kinds)
    same_length = label.shape == prediction.shape == probability.shape[:1]
    digits = all(((values >= 0) & (values < _CLASSES)).all() for values in (label, prediction))
    if not (same_length and probability.shape[1] == _CLASSES and digits):
        return None
    if not np.isfinite(probability).all():
        return None
    return Predictions(label=label, prediction=prediction, probability=probability)
