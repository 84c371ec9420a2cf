"""Check that what lies between inputs and outputs can carry what the task asks for."""

import math

import numpy as np
import tensorflow as tf

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.flow import (
    ACTIVATIONS,
    PASS_THROUGH,
    Flow,
    layer_of,
    made_by,
    values_per_example,
)
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.tasks import Task

# Of a linear autoencoder that finds principal components: one to the code, one back.
PRINCIPAL_LAYERS = 2


def check_bends(checkup: Checkup, program: Program) -> None:
    """Check for ACTIVATION_MISSING: several layers of weights that together are one affine layer.

    The activation of the outputs does not count: it is there for the loss.
    """
    flow, outputs = program.taps.flow, before_activation(program.taps.outputs)
    origin = flow.origins.get(outputs.ref())
    if origin is None or origin.bent or origin.weights < 2:
        return
    evidence = {"layers": origin.weights}
    if origin.pooled:
        checkup.find(
            "ACTIVATION_MISSING",
            f"{origin.weights} layers of weights follow each other, and only the maximum of a "
            "pooling layer lies between them: no layer has an activation.",
            evidence,
            case="pooling",
        )
        return
    size = values_per_example(outputs) or 1
    # Narrower than its ends on purpose: a factorisation, or an autoencoder that is linear.
    narrow = origin.narrowest is not None and origin.narrowest < size
    rebuilds = program.target.task == Task.AUTOENCODER
    if rebuilds and narrow and origin.weights == PRINCIPAL_LAYERS:
        return
    on_purpose = narrow or origin.embedded or rebuilds
    checkup.find(
        "ACTIVATION_MISSING",
        f"{origin.weights} layers of weights follow each other with nothing between them that "
        "bends: together they can do no more than a single linear layer.",
        evidence,
        case="linear" if on_purpose else "affine",
    )


def before_activation(outputs: tf.Tensor) -> tf.Tensor:
    """Return what the activation of the last layer gets, or the outputs if there is none."""
    operation = made_by(outputs)
    return operation.inputs[0] if operation.type in ACTIVATIONS else outputs


def check_bottleneck(checkup: Checkup, program: Program) -> None:
    """Check for INNER_BOTTLENECK: too little of the inputs passes through some layer."""
    flow = program.taps.flow
    if flow.inner_softmax:
        name = flow.inner_softmax[0]
        checkup.find(
            "INNER_BOTTLENECK",
            f"A hidden layer ends in softmax ({name}): its values are small, add up to 1, and the "
            "next layer gets nothing else.",
            {"layers": flow.inner_softmax},
            case="softmax",
        )
    if empty := _empty(flow):
        checkup.find(
            "INNER_BOTTLENECK",
            f"{empty} gives no numbers at all: one of its dimensions is 0.",
            {"layer": empty},
            case="empty",
        )
        return
    if program.target.task is Task.AUTOENCODER:
        _check_code(checkup, program)
        return
    if program.target.task != Task.CLASSES or program.num_classes < thresholds.NARROW_CLASSES:
        return
    narrow = _narrow_cut(program, thresholds.NARROW)
    if narrow is not None:
        size = values_per_example(narrow)
        checkup.find(
            "INNER_BOTTLENECK",
            f"All that the outputs know of an example passes through {size} number"
            f"{'s' if size != 1 else ''} ({layer_of(narrow.op)}), and there are "
            f"{program.num_classes} classes to tell apart.",
            {"numbers": size, "classes": program.num_classes, "layer": layer_of(narrow.op)},
            case="one number" if size == 1 else "few numbers",
        )


def _check_code(checkup: Checkup, program: Program) -> None:
    """Check an autoencoder for a code of one number, where the inputs vary in more than one way."""
    narrow = _narrow_cut(program, (1,))
    if narrow is None:
        return
    rows = program.labels.reshape(len(program.labels), -1).astype(np.float64)
    sizes = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2
    told = float(sizes[0] / max(sizes.sum(), 1e-30))
    checkup.measure("code.told", told)
    if told < thresholds.CODE_TELLS:
        checkup.find(
            "INNER_BOTTLENECK",
            f"All that the outputs know of an example passes through 1 number "
            f"({layer_of(narrow.op)}), and one direction holds {told:.0%} of how the inputs vary.",
            {"told": told, "layer": layer_of(narrow.op)},
            case="code",
        )


def _empty(flow: Flow) -> str:
    """Return the first layer that gives an example no numbers, or ""."""
    for reference in flow.origins:
        tensor = reference.deref()
        if values_per_example(tensor) == 0 and tensor.dtype.is_floating:
            return layer_of(tensor.op)
    return ""


def _narrow_cut(program: Program, few: tuple[int, ...]) -> tf.Tensor | None:
    """Return the first tensor of few numbers per example that all outputs pass through.

    Before any weights, fewer than there are classes are few as well.
    """
    taps = program.taps
    given = sum(math.prod(array.shape[1:]) for array in program.inputs.arrays)
    if given <= thresholds.NARROW_INPUTS:
        return None
    for reference, origin in taps.flow.origins.items():
        tensor = reference.deref()
        size = values_per_example(tensor)
        changed = origin.weights or tensor.op.type not in PASS_THROUGH
        if not (size and changed and tensor.dtype.is_floating):
            continue
        little = size < program.num_classes and size * thresholds.POOLED_INPUTS <= given
        if size not in few and not (origin.raw and little):
            continue
        if not _reaches_inputs(taps.outputs, tensor.op, taps.inputs):
            return tensor
    return None


def _reaches_inputs(outputs: tf.Tensor, without: tf.Operation, inputs: list[tf.Tensor]) -> bool:
    """Return True if the outputs depend on the inputs by a way around an operation."""
    ends = {tensor.op for tensor in inputs}
    waiting, seen = [outputs.op], {without}
    while waiting:
        operation = waiting.pop()
        if operation in ends:
            return True
        if operation in seen:
            continue
        seen.add(operation)
        waiting += [tensor.op for tensor in operation.inputs]
    return False
