"""Read which class most seeds of a group see in each test image."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mnist_exp.compare import votes
from mnist_exp.compare.groups import Group
from mnist_exp.compare.source import Source
from mnist_exp.outside.printing import plural
from mnist_exp.tracking.predictions import ARTIFACT, Predictions, read
from mnist_exp.tracking.runs import Runs


@dataclass(frozen=True, kw_only=True)
class PairedPredictions:
    """Predictions of the baseline and of a group for the same test images, each [N].

    They are those of an ensemble, in which the networks of all seeds vote, or of a single network.
    """

    group_label: str
    baseline_networks: int
    group_networks: int
    class_names: tuple[str, ...]
    label: NDArray[np.integer]  # the right class
    baseline: NDArray[np.integer]
    group: NDArray[np.integer]


@dataclass(frozen=True, kw_only=True)
class _Ensemble:
    first: Predictions  # of the first seed, without its probabilities
    networks: int
    prediction: NDArray[np.integer]


def paired_predictions(
    source: Source, runs: Runs, baseline: Group, groups: Sequence[Group]
) -> tuple[list[PairedPredictions], list[str]]:
    """Return the predictions of each group that saw the baseline's test images, and warnings.

    `groups` are those to read, the baseline among them. That no run has recorded any is no warning.
    """
    warnings: list[str] = []
    ensembles: dict[str, _Ensemble] = {}
    unread = 0
    for group in groups:
        read = [_read(source, runs, run_id) for run_id in group.run_ids]
        readable = [predictions for predictions in read if predictions is not None]
        unread += len(read) - len(readable)
        if not all(p.is_of_same_images(readable[0]) for p in readable):
            warnings.append(
                f"{group.label}: its runs were tested on different images, "
                "so they are not compared on them"
            )
        elif readable:
            ensembles[group.label] = _ensemble(readable)
    total = sum(len(group.run_ids) for group in groups)
    if 0 < unread < total:
        have = "has" if unread == 1 else "have"
        warnings.append(f"{unread} of {plural(total, 'run')} {have} no {ARTIFACT} that can be read")
    of_baseline = ensembles.pop(baseline.label, None)
    pairs = []
    for label, ensemble in ensembles.items():
        if of_baseline is None:
            break
        first = ensemble.first
        if first.is_of_same_images(of_baseline.first):
            pairs.append(
                PairedPredictions(
                    group_label=label,
                    baseline_networks=of_baseline.networks,
                    group_networks=ensemble.networks,
                    class_names=first.class_names or of_baseline.first.names,
                    label=first.label,
                    baseline=of_baseline.prediction,
                    group=ensemble.prediction,
                )
            )
        else:
            warnings.append(f"{label} was tested on other images than {baseline.label}")
    return pairs, warnings


def _ensemble(predictions: Sequence[Predictions]) -> _Ensemble:
    first = predictions[0]
    return _Ensemble(
        first=replace(first, probability=first.probability[:0]),
        networks=len(predictions),
        prediction=votes.majority(
            [p.prediction for p in predictions], [p.probability for p in predictions]
        ),
    )


def _read(source: Source, runs: Runs, run_id: str) -> Predictions | None:
    """Return a run's recorded predictions, or None if there are none that can be read."""
    content = source.artifact(runs, run_id, ARTIFACT)
    return None if content is None else read(content)
