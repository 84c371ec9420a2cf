"""Look inside a network while it is traced, whatever it was written with."""

from dataclasses import dataclass

import tensorflow as tf

KERNEL_OPS = {"MatMul", "BatchMatMulV2", "Conv2D", "DepthwiseConv2dNative", "Einsum"}
NORMALISATION_OPS = {"FusedBatchNormV3", "Rsqrt"}
RECTIFIERS = {"Relu", "Relu6"}
SATURATING = {"Sigmoid", "Tanh"}
PASS_THROUGH = {"Identity", "Reshape", "Cast", "Squeeze"}


@dataclass(frozen=True, kw_only=True)
class Taps:
    """What the graph shows without being run.

    output_op: the operation that makes the outputs, such as "Softmax".
    input_normalised: True if there is a normalisation between the inputs and the first weights.
    normalisation: True if there is one anywhere.
    """

    output_op: str
    input_normalised: bool
    normalisation: bool


def tap_graph(inputs: list[tf.Tensor], outputs: tf.Tensor) -> tuple[Taps, dict[str, tf.Tensor]]:
    """Return what the graph shows, and measurements inside the network, by name.

    Call it inside the traced function, after the model. The measurements are:

    "input_rms": root mean square of what the first weights are multiplied with;
    "rectifier:OP": largest value [units] of each unit of a hidden ReLU;
    "saturation:OP": fraction of the values of a hidden sigmoid or tanh within 1% of its limits.
    """
    operations = tf.compat.v1.get_default_graph().get_operations()
    fed = {tensor.ref() for tensor in inputs}
    input_normalised = False
    first_kernel_input: tf.Tensor | None = None
    measured: dict[str, tf.Tensor] = {}
    output_operation = outputs.op
    while output_operation.type in PASS_THROUGH and output_operation.inputs:
        output_operation = output_operation.inputs[0].op
    for operation in operations:
        # Also what does not depend on the inputs, such as the Rsqrt of a moving variance.
        if first_kernel_input is None:
            input_normalised |= operation.type in NORMALISATION_OPS
        taken = [tensor for tensor in operation.inputs if tensor.ref() in fed]
        if not taken:
            continue
        fed.update(tensor.ref() for tensor in operation.outputs)
        if first_kernel_input is None and operation.type in KERNEL_OPS:
            first_kernel_input = taken[0]
        if operation is output_operation or not operation.outputs:
            continue
        value: tf.Tensor = operation.outputs[0]
        if operation.type in RECTIFIERS:
            axes = list(range(value.shape.rank - 1))
            measured[f"rectifier:{operation.name}"] = tf.reduce_max(value, axis=axes)
        elif operation.type in SATURATING:
            measured[f"saturation:{operation.name}"] = _saturated_share(value, operation.type)
    kernel_input = inputs[0] if first_kernel_input is None else first_kernel_input
    measured["input_rms"] = tf.sqrt(tf.reduce_mean(tf.square(tf.cast(kernel_input, tf.float32))))
    taps = Taps(
        output_op=output_operation.type,
        input_normalised=input_normalised,
        normalisation=any(operation.type in NORMALISATION_OPS for operation in operations),
    )
    return taps, measured


def _saturated_share(value: tf.Tensor, kind: str) -> tf.Tensor:
    centred = value if kind == "Tanh" else 2 * value - 1
    return tf.reduce_mean(tf.cast(tf.abs(centred) > 0.98, tf.float32))
