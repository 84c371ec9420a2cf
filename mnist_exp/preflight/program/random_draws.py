"""Find where a model draws at random while it is trained: dropout and other noise."""

from dataclasses import dataclass

import tensorflow as tf

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.program.flow import (
    ACTIVATIONS,
    CLOSED,
    PASS_THROUGH,
    Flow,
    layer_of,
    operations_before,
    values_per_example,
)

DRAWS = {"RandomUniform", "StatelessRandomUniform", "StatelessRandomUniformV2"}
DRAWS |= {"RandomStandardNormal", "StatelessRandomNormal", "StatelessRandomNormalV2"}
DRAWS |= {"TruncatedNormal", "StatelessTruncatedNormal", "StatelessTruncatedNormalV2"}
# A number is kept if it is above the rate, or below the share to keep.
_ABOVE, _BELOW = {"GreaterEqual", "Greater"}, {"Less", "LessEqual"}
_ON_THE_WAY = PASS_THROUGH | ACTIVATIONS | {"BiasAdd", "AddV2", "Sub", "Mul", "SelectV2"}


@dataclass(frozen=True, kw_only=True)
class Noise:
    """A place where what comes from the inputs meets random numbers.

    layer: its name. rate: the share that a dropout sets to 0, None for another noise.
    on_inputs: True if no weights lie before it. on_outputs: True if none lie behind it.
    heavy: how many dropouts of at least half lie one after the other up to here.
    """

    layer: str
    rate: float | None
    on_inputs: bool
    on_outputs: bool
    heavy: int


def find_noise(inputs: list[tf.Tensor], outputs: tf.Tensor) -> list[Noise]:
    """Return the noise of a training step. Call it inside the traced function, after the model."""
    operations = operations_before(outputs)
    flow = Flow(inputs, operations)
    at_the_end = _last_operations(flow, outputs)
    drawn: dict[object, float | None] = {}  # tensors made of random numbers, with their rate
    heavy: dict[object, int] = {}
    found: list[Noise] = []
    for operation in operations:
        fed = flow.fed(operation)
        random = [tensor for tensor in operation.inputs if tensor.ref() in drawn]
        results = [tensor.ref() for tensor in operation.outputs]
        if operation.type in DRAWS:
            drawn.update(dict.fromkeys(results))
        elif random and not fed:
            drawn.update(dict.fromkeys(results, _rate(operation, drawn)))
        if not fed:
            continue
        count = max(heavy.get(tensor.ref(), 0) for tensor in fed)
        rates = [drawn[t.ref()] for t in random if _for_every_number(operation, t, fed[0])]
        if rates:
            rate = max((r for r in rates if r is not None), default=None)
            count += rate is not None and rate >= thresholds.DROPOUT_HEAVY
            found.append(
                Noise(
                    layer=layer_of(operation).removesuffix("/stateless_dropout"),
                    rate=rate,
                    on_inputs=flow.origins[fed[0].ref()].raw,
                    on_outputs=operation in at_the_end,
                    heavy=count,
                )
            )
        heavy.update(dict.fromkeys(results, count))
    return found


def draws_around_means(inputs: list[tf.Tensor], outputs: tf.Tensor) -> bool:
    """Return True if all that is drawn is mean + deviation x noise, both given by the network."""
    operations = operations_before(outputs)
    flow = Flow(inputs, operations)
    drawn, scaled = set[object](), set[object]()
    for operation in operations:
        results = [tensor.ref() for tensor in operation.outputs]
        fed = {tensor.ref() for tensor in flow.fed(operation)}
        taken = {tensor.ref() for tensor in operation.inputs}
        if operation.type in DRAWS or (taken & drawn and not fed):
            drawn.update(results)
        elif taken & drawn and operation.type == "Mul":
            scaled.update(results)
        elif taken & drawn or (taken & scaled and not _adds(operation, fed - scaled)):
            return False
    return bool(scaled)


def _adds(operation: tf.Operation, others: set[object]) -> bool:
    return operation.type in {"AddV2", "Add", "AddN"} and bool(others)


def _rate(operation: tf.Operation, drawn: dict[object, float | None]) -> float | None:
    """Return the rate of a dropout that lies in what an operation makes of random numbers."""
    known = [drawn[t.ref()] for t in operation.inputs if drawn.get(t.ref()) is not None]
    if known or operation.type not in _ABOVE | _BELOW:
        return known[0] if known else None
    limit = tf.get_static_value(operation.inputs[1])
    if limit is None or limit.ndim:
        return None
    return float(limit) if operation.type in _ABOVE else 1 - float(limit)


def _for_every_number(operation: tf.Operation, random: tf.Tensor, data: tf.Tensor) -> bool:
    """Return True if the numbers or channels of an example are drawn for, not the whole example."""
    if operation.type in CLOSED:
        return True
    if random.shape.rank is None or random.shape.rank != data.shape.rank:
        return False
    several, own = values_per_example(data), values_per_example(random)
    return random.shape[-1] == data.shape[-1] and (own != 1 or several == 1)


def _last_operations(flow: Flow, outputs: tf.Tensor) -> set[tf.Operation]:
    """Return the operations between the last weights, or the last sum, and the outputs."""
    waiting, seen = [outputs.op], set[tf.Operation]()
    while waiting:
        operation = waiting.pop()
        if operation in seen or operation.type not in _ON_THE_WAY:
            continue
        seen.add(operation)
        waiting += [tensor.op for tensor in flow.fed(operation)]
    return seen
