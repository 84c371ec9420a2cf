"""Tell what a loss compares, and what it takes, from its slope at outputs chosen for that.

No name is read, so a loss of the user's own is told as Keras' are.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from mnist_exp.preflight.program.comparisons import asks_what_is_alike, compares_directions
from mnist_exp.preflight.program.label_looks import is_index, is_same_size
from mnist_exp.preflight.program.loss_probe import LossGradient, Probe

_EXAMPLES = 64
_MOST_OUTPUTS = 100_000  # of all examples together
_COMMON = 0.01  # share of the labels from which a value may be one that the loss leaves out
_EVEN = 4.0  # between how hard any two outputs are pulled down and up by a loss of numbers
_TURN = 1e-5  # 1 - cosine of slopes that are the same but for rounding
_STEEP = 10.0  # times as hard a pull at 0.003 as at 0.3: a logarithm's is 100 times
_FAR = 30.0  # an output beyond which no logit has to go
_SAME_PULL = 0.05  # relative: a logit's loss of labels -1 pulls a third harder far above 0
_SMALL, _LARGE = 0.01, 1000.0  # distances within and beyond every margin


class LossInput(StrEnum):
    """What a loss expects as outputs."""

    LOGITS = "logits"
    PROBABILITIES = "probabilities"
    LOG_PROBABILITIES = "log-probabilities"
    NUMBERS = "numbers"
    UNKNOWN = "unknown"


class Compares(StrEnum):
    """What a loss compares the outputs with."""

    CLASSES = "the outputs of one answer with one another"
    YES_OR_NO = "each output with a yes or a no"
    NUMBERS = "each output with a number"
    DISTANCES = "a distance with whether two inputs belong together"
    ALIKE = "the outputs of examples with one another, by whether their labels are equal"
    NOTHING = "nothing: it has no slope"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class LossKind:
    """What is known of a loss.

    margin: True if it has no slope beyond a margin, as a hinge has none.
    signs: True if the labels are -1 and 1, and it takes -1 for a no.
    gaps: True if some labels are NaN and the loss is a number all the same.
    ignored: values of labels whose outputs it leaves out, such as the -1 of padding.
    dummies: True if all labels are the same and it would be the same with others, as where the
        model gives a loss and `fit` wants labels.
    refused: why it cannot be computed with these labels and outputs; "" if it can.
    """

    compares: Compares = Compares.UNKNOWN
    takes: LossInput = LossInput.UNKNOWN
    margin: bool = False
    signs: bool = False
    gaps: bool = False
    ignored: tuple[float, ...] = ()
    dummies: bool = False
    refused: str = ""


def tell_loss_kind(
    loss_gradient: LossGradient, labels: np.ndarray, shape: tuple[int, ...]
) -> LossKind:
    """Tell the kind of a loss.

    labels [N, ...]: as the loss takes them. shape: of the outputs of one example.
    """
    count = min(_EXAMPLES, max(4, _MOST_OUTPUTS // max(1, math.prod(shape))))
    gaps = takes_gaps(loss_gradient, labels, shape)
    labels = labels[:count]
    probe = Probe(loss_gradient, labels, shape)
    if _are_dummies(probe, loss_gradient):
        return LossKind(dummies=True)
    if _compares_numbers(probe, labels):
        kind = LossKind(compares=Compares.NUMBERS, takes=LossInput.NUMBERS, gaps=gaps)
        return replace(kind, ignored=_ignored(probe, kind, labels))
    valid, yes = _valid_labels(labels, shape)
    if is_same_size(labels, shape) and compares_directions(probe):
        return LossKind()
    if is_index(labels, shape) and asks_what_is_alike(loss_gradient, labels, shape):
        return LossKind(compares=Compares.ALIKE)
    if yes is None:
        return LossKind(refused=probe.refused)
    told = Probe(loss_gradient, valid, shape)
    if told.slope(told.mild()) is None and probe.refused:
        return LossKind(refused=probe.refused)
    kind = _kind_of_classes(told, yes)
    ignored = _ignored(probe, kind, labels)
    return replace(kind, ignored=ignored, refused=probe.refused, gaps=gaps)


def takes_gaps(loss_gradient: LossGradient, labels: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Return True if some labels are NaN, and loss and slope are numbers all the same.

    labels [N, ...], shape: as for `tell_loss_kind`.
    """
    if labels.dtype.kind != "f" or not np.isnan(labels).any():
        return False
    missing = np.isnan(labels.reshape(len(labels), -1)).any(axis=1)
    rows = [*np.flatnonzero(missing)[:2], *np.flatnonzero(~missing)[:2]]
    probe = Probe(loss_gradient, labels[rows], shape)
    return probe.slope(probe.mild()) is not None


def _are_dummies(probe: Probe, loss_gradient: LossGradient) -> bool:
    labels = probe.labels
    if labels.dtype.kind not in "buif" or not (labels == labels.flat[0]).all():
        return False
    others = np.where(labels == 0, 1, 0).astype(labels.dtype)
    slope = probe.slope(probe.mild())
    if slope is None or not slope.any():
        return False
    other = Probe(loss_gradient, others, probe.shape[1:]).slope(probe.mild())
    return other is not None and np.array_equal(slope, other)


def _compares_numbers(probe: Probe, labels: np.ndarray) -> bool:
    """Return True if the loss pulls down what is above all labels and up what is below.

    A cross entropy lets an output that is right already grow, or hardly holds it back where it
    smooths the labels. A loss that takes the logarithm of a number, such as Poisson's, has no
    slope, or none that is finite, below 0. A flipped sign changes nothing here.
    """
    finite = np.nan_to_num(labels.astype(np.float64))
    margin = 10 * (1 + float(np.ptp(finite)))
    above = probe.slope(np.full(probe.shape, finite.max() + margin))
    below = probe.slope(np.full(probe.shape, finite.min() - margin))
    if above is None or not above.any():
        return False
    pulled = np.abs(above) > 1e-3 * np.abs(above).max()
    if below is None or not below.any():
        return bool((above[pulled] > 0).all() and pulled.mean() > 0.5)
    if not (above[pulled] * below[pulled] < 0).all() or np.ptp(np.sign(above[pulled])) > 0:
        return False
    ratios = np.abs(above[pulled] / below[pulled])
    return bool(np.abs(below[~pulled]).max(initial=0) <= 1e-3 * np.abs(below).max()) and bool(
        ratios.max() < _EVEN * ratios.min()
    )


def _valid_labels(
    labels: np.ndarray, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return labels that a loss of classes takes, and which outputs they say yes to.

    The second is bool [N, *shape], None where the labels have another size. Shares become whole,
    and what are neither classes nor yes and no becomes yes above the median.
    """
    if is_index(labels, shape):
        classes = np.clip(np.nan_to_num(labels), 0, shape[-1] - 1).astype(np.int64)
        yes = np.eye(shape[-1], dtype=bool)[classes.reshape(len(labels), *shape[:-1])]
        return classes.astype(labels.dtype), yes
    if not is_same_size(labels, shape):
        return labels, None
    numbers = np.nan_to_num(labels.astype(np.float64)).reshape(len(labels), *shape)
    if np.isin(numbers, (-1, 1)).all():
        return labels, numbers > 0
    shares = numbers.min() >= 0 and numbers.max() <= 1
    if shares and shape and shape[-1] > 1 and np.allclose(numbers.sum(-1), 1, atol=1e-3):
        yes = np.eye(shape[-1], dtype=bool)[numbers.argmax(-1)]
    else:
        yes = numbers > (0.5 if shares else np.median(numbers))
    return yes.reshape(labels.shape).astype(labels.dtype), yes


def _kind_of_classes(probe: Probe, yes: np.ndarray) -> LossKind:
    """Tell the kind of a loss that does not compare numbers, from labels that it takes."""
    mild = probe.slope(probe.mild())
    if mild is None:
        return LossKind()
    if np.abs(mild).max() <= 1e-9:
        return LossKind(compares=Compares.NOTHING)
    several = yes.ndim > 1 and yes.shape[-1] > 1
    only_label = bool(np.abs(mild[~yes]).max(initial=0) <= 1e-4 * np.abs(mild).max())
    together = several and (only_label or _is_coupled(probe, mild, yes))
    if not together and not _is_of_single_outputs(probe, mild):
        return LossKind()  # such as the overlap of two masks
    if not several and _is_of_distances(probe, yes):
        return LossKind(compares=Compares.DISTANCES)
    takes = _takes(probe, yes, together, only_label)
    if takes is LossInput.UNKNOWN and not together:
        return LossKind()
    compares = Compares.CLASSES if together else Compares.YES_OR_NO
    kind = LossKind(compares=compares, takes=takes)
    if takes is not LossInput.LOGITS:
        return kind
    near, beyond, far = (abs(_pull(probe, yes, together, at)) for at in (0.3, 3.0, _FAR))
    signs = probe.labels.min() < 0 and far < 0.05 * near
    return replace(kind, margin=beyond < 1e-6 * near, signs=signs)


def _is_coupled(probe: Probe, mild: np.ndarray, yes: np.ndarray) -> bool:
    """Return True if the slope at an output depends on the other outputs of the same answer.

    Seen at outputs that should be no: among a thousand classes their slope is far smaller than
    that of the right one.
    """
    half = mild.shape[-1] // 2
    changed = probe.mild()
    changed[..., half:] = 0.9  # far from the small shares of many classes
    slope = probe.slope(changed)
    if slope is None:
        return False
    no = ~yes[..., :half]
    before, after = (np.abs(values[..., :half][no]) for values in (mild, slope - mild))
    return bool(after.max(initial=0) > 1e-3 * before.max(initial=0))


def _is_of_single_outputs(probe: Probe, mild: np.ndarray) -> bool:
    """Return True if other outputs leave the direction of the slope at an output as it is."""
    others = np.arange(mild.size).reshape(mild.shape) % 2 == 1
    slope = probe.slope(np.where(others, 0.5 * probe.mild(), probe.mild()))
    if slope is None:
        return False
    before, after = mild[~others], slope[~others]
    size = float(np.linalg.norm(before) * np.linalg.norm(after))
    return size > 0 and float(np.sum(before * after)) / size > 1 - _TURN


def _is_of_distances(probe: Probe, yes: np.ndarray) -> bool:
    """Return True for a contrastive loss: one kind of pair is pulled to 0, the other to a margin.

    Either kind may be labelled yes, and the first may have a margin of its own, within which it is
    near enough. Else it is pulled back from below 0, too, or with the same force everywhere: of a
    logit's loss neither is true, also where it takes -1 for a no.
    """
    small, large, below = (
        probe.slope(np.full(probe.shape, at)) for at in (_SMALL, _LARGE, -_LARGE)
    )
    if small is None or large is None or below is None:
        return False
    even = np.isclose(small, large, rtol=_SAME_PULL) & np.isclose(small, below, rtol=_SAME_PULL)
    pulled = (small > 0) & (large > 0) & ((below < 0) | even)
    near_enough = (small == 0) & (large > 0)
    pushed = (small < 0) & (large == 0)
    return any(
        bool((pulled[same].all() or near_enough[same].all()) and pushed[~same].all())
        for same in (yes, ~yes)
        if same.any() and not same.all()
    )


def _takes(probe: Probe, yes: np.ndarray, together: bool, only_label: bool) -> LossInput:
    """Tell what a loss takes, from how hard it pulls the outputs of the labels up."""
    near, higher = (_pull(probe, yes, together, at) for at in (0.3, 0.6))
    small, negative, far = (_pull(probe, yes, together, at) for at in (0.003, -0.3, _FAR))
    if not math.isfinite(near) or near == 0:
        return LossInput.UNKNOWN
    is_blind = not math.isfinite(negative) or abs(negative) < 0.2 * abs(near)
    is_steep = not together and abs(small) > _STEEP * abs(near)  # a norm of several is steep, too
    if is_blind or is_steep or not _pulls_itself(probe, yes, -0.3):
        return LossInput.PROBABILITIES  # a logarithm is steep near 0, and has no slope below
    if only_label and max(abs(higher / near - 1), abs(negative / near - 1)) < 0.02:
        return LossInput.LOG_PROBABILITIES
    satisfied = abs(far) < 0.5 * abs(near)  # the rest is label smoothing
    if satisfied and (not together or _takes_any_shift(probe)):
        return LossInput.LOGITS
    return LossInput.UNKNOWN


def _pull(probe: Probe, yes: np.ndarray, together: bool, at: float) -> float:
    """Return how hard the loss pulls an output towards its label, where that output is `at`.

    The others of the same answer share 1 - at, and an output that should be no is 1 - at.
    """
    rest = (1 - at) / (yes.shape[-1] - 1) if together else 1 - at
    slope = probe.slope(np.where(yes, at, rest))
    if slope is None:
        return math.nan
    if not together:
        return float(np.mean(np.where(yes, -slope, slope)))
    return float(np.mean(-slope[yes]) + np.mean(slope[~yes]))


def _pulls_itself(probe: Probe, yes: np.ndarray, at: float) -> bool:
    """Return whether an output that should be yes is pulled where it is `at`, and its others 0.1.

    Keras cuts a probability off at 1e-7 and then divides by the sum, so that others are pulled.
    """
    slope = probe.slope(np.where(yes, at, 0.1))
    return slope is not None and (not yes.any() or bool(np.abs(slope[yes]).max() > 0))


def _takes_any_shift(probe: Probe) -> bool:
    """Return True if adding a number to all outputs of an answer leaves the loss as it is.

    The slopes of an answer then have the sum 0, wherever its outputs are.
    """
    outputs = np.random.default_rng(0).normal(size=probe.shape) + 2
    slope = probe.slope(outputs)
    if slope is None:
        return False
    return bool(np.abs(slope.sum(-1)).max() <= 1e-3 * np.abs(slope).sum(-1).max())


def _ignored(probe: Probe, kind: LossKind, labels: np.ndarray) -> tuple[float, ...]:
    """Return the values of labels at which the loss has no slope, though it has at two others."""
    index = is_index(labels, probe.shape[1:])
    slope = probe.slope(probe.mild())
    if slope is None or not slope.any():
        return ()
    if index and kind.compares in (Compares.CLASSES, Compares.UNKNOWN):
        moves = np.abs(slope).max(axis=-1).reshape(labels.shape) > 0
    elif is_same_size(labels, probe.shape[1:]) and kind.compares != Compares.CLASSES:
        moves = (slope != 0).reshape(labels.shape)
    else:
        return ()
    values, counts = np.unique(labels, return_counts=True)
    common = values[counts >= _COMMON * labels.size]
    ignored = tuple(float(value) for value in common if not moves[labels == value].any())
    return ignored if len(values) - len(ignored) >= 2 else ()
