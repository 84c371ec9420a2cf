"""Look inside a network while it is traced, whatever it was written with."""

from collections import Counter
from dataclasses import dataclass

import tensorflow as tf

from mnist_exp.preflight.program.flow import NORMALISATION, Flow, made_by, operations_before

RECTIFIERS = {"Relu", "Relu6"}
SATURATING = {"Sigmoid", "Tanh"}
STACKED = "TensorListStack"  # what the steps of a loop gave, one after the other


@dataclass(frozen=True, kw_only=True)
class Taps:
    """What the graph shows without being run.

    output_op: the operation that makes the outputs, such as "Softmax".
    normalisation: True if there is a normalisation anywhere.
    flow: how the inputs become the outputs.
    inputs, outputs: of the traced model.
    """

    output_op: str
    normalisation: bool
    flow: Flow
    inputs: list[tf.Tensor]
    outputs: tf.Tensor


def tap_graph(inputs: list[tf.Tensor], outputs: tf.Tensor) -> tuple[Taps, dict[str, tf.Tensor]]:
    """Return what the graph shows, and measurements inside the network, by name.

    Call it inside the traced function, after the model. The measurements are:

    "first:N": size of the N-th numbers that reach the first weights: their root mean square, that
        of those that are not 0, the mean length of an example's last axis, and the largest root
        mean square of a feature;
    "rectifier:OP": largest value [units] of each unit of a hidden ReLU;
    "saturation:OP": fraction of the values of a hidden sigmoid or tanh within 1% of its limits;
    "mask": 1 for each position [B, T] of the outputs that counts, 0 for padding that Keras masks;
    "states:OP": largest value and largest negative [2, units] of what a recurrent layer gives.
    """
    operations = operations_before(outputs)
    flow = Flow(inputs, operations)
    measured: dict[str, tf.Tensor] = {}
    output_operation = made_by(outputs)
    rectified = Counter(_rectified(o) for o in operations if o.type in RECTIFIERS)
    for operation in operations:
        if not flow.fed(operation) or operation is output_operation or not operation.outputs:
            continue
        value: tf.Tensor = operation.outputs[0]
        # Two ReLUs of one tensor and its negative, as in PReLU, pass a gradient on everywhere.
        if operation.type in RECTIFIERS and rectified[_rectified(operation)] == 1:
            axes = list(range(value.shape.rank - 1))
            measured[f"rectifier:{operation.name}"] = tf.reduce_max(value, axis=axes)
        elif operation.type == STACKED and value.dtype.is_floating and value.shape.rank:
            axes = list(range(value.shape.rank - 1))
            largest = [tf.reduce_max(sign * value, axis=axes) for sign in (1, -1)]
            measured[f"states:{operation.name}"] = tf.stack(largest)
        elif operation.type in SATURATING and not _is_gate(flow, value):
            measured[f"saturation:{operation.name}"] = _saturated_share(value, operation.type)
    measured |= {f"first:{n}": _size(tensor) for n, tensor in enumerate(flow.first)}
    if (mask := getattr(outputs, "_keras_mask", None)) is not None:
        measured["mask"] = tf.cast(mask, tf.float32)
    taps = Taps(
        output_op=output_operation.type,
        normalisation=any(operation.type in NORMALISATION for operation in operations),
        flow=flow,
        inputs=inputs,
        outputs=outputs,
    )
    return taps, measured


def _rectified(operation: tf.Operation) -> object:
    """Return the tensor that a ReLU reads, or its negative."""
    source = operation.inputs[0]
    return source.op.inputs[0].ref() if source.op.type == "Neg" else source.ref()


def _is_gate(flow: Flow, value: tf.Tensor) -> bool:
    """Return True if the values are multiplied with others of the network.

    Then a limit is a gate that is open or closed, or a part of a swish or of a GELU.
    """
    for operation in value.consumers():
        several = len(flow.fed(operation)) > 1
        if operation.type == "Mul" and several:
            return True
        if operation.type in {"AddV2", "Mul", "Reshape", "Identity"} and not several:
            return _is_gate(flow, operation.outputs[0])
    return False


def _size(tensor: tf.Tensor) -> tf.Tensor:
    square = tf.square(tf.cast(tensor, tf.float32))
    given = tf.maximum(tf.reduce_mean(tf.cast(square > 0, tf.float32)), 1e-30)
    mean = tf.reduce_mean(square)
    length = tf.sqrt(tf.reduce_mean(tf.reduce_sum(square, axis=-1)))
    largest = tf.reduce_max(tf.reduce_mean(square, axis=list(range(square.shape.rank - 1))))
    return tf.stack([tf.sqrt(mean), tf.sqrt(mean / given), length, tf.sqrt(largest)])


def _saturated_share(value: tf.Tensor, kind: str) -> tf.Tensor:
    centred = value if kind == "Tanh" else 2 * value - 1
    return tf.reduce_mean(tf.cast(tf.abs(centred) > 0.98, tf.float32))
