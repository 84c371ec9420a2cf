"""Follow the inputs of a model through its graph, whatever the model was written with."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import tensorflow as tf

# Each multiplies what it takes with weights, if one operand is a variable.
PRODUCTS = {"MatMul", "BatchMatMul", "BatchMatMulV2", "Einsum", "Conv1D", "Conv2D", "Conv3D"}
PRODUCTS |= {"DepthwiseConv2dNative", "Conv2DBackpropInput", "Conv3DBackpropInputV2"}
# Functions of their own, with weights inside: a recurrent layer, a nested tf.function.
CLOSED = {"While", "StatelessWhile", "PartitionedCall", "StatefulPartitionedCall"}
# It begins a recurrent layer: the series that its steps read.
UNSTACK = "TensorListFromTensor"
PASS_THROUGH = {"Identity", "Reshape", "Cast", "Squeeze", "ExpandDims", "Transpose"}
# What depends on the shape only, not on values.
SHAPES = {"Shape", "ShapeN", "Rank", "Size", "ZerosLike", "OnesLike"}
LINEAR = PASS_THROUGH | {"IdentityN", "StridedSlice", "Slice", "Pad", "PadV2", "MirrorPad"}
LINEAR |= {"ConcatV2", "Pack", "Unpack", "Split", "SplitV", "BiasAdd", "AddV2", "Add", "AddN"}
LINEAR |= {"Sub", "Neg", "Mean", "Sum", "AvgPool", "AvgPool3D", "Tile", "BroadcastTo", "GatherV2"}
LINEAR |= {"FusedBatchNormV3", "ReverseV2", "Roll", "StopGradient", "EnsureShape"}
LINEAR |= {"ResizeBilinear", "ResizeNearestNeighbor", "DepthToSpace", "SpaceToDepth"}
LINEAR |= {"SpaceToBatchND", "BatchToSpaceND"}
LINEAR_IN_ONE = PRODUCTS | {"Mul", "RealDiv"}
POOLING = {"MaxPool", "MaxPoolV2", "MaxPool3D", "Max"}
NORMALISATION = {"FusedBatchNormV3", "Rsqrt"}
ACTIVATIONS = {"Softmax", "LogSoftmax", "Sigmoid", "Tanh", "Relu", "Relu6", "Exp", "Softplus"}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """How a tensor comes from the inputs.

    raw: True if it was not multiplied with weights yet, and is no row of an embedding.
    normalised: True if it went through a normalisation.
    weights: through how many layers of weights it went, one after the other.
    bent: True if it is no affine function of the inputs, or of the rows of an embedding.
    pooled: True if it is no affine function because of a maximum over positions.
    embedded: True if it comes from rows of an embedding.
    softmax: the softmax whose values it is, up to their order; "" for none.
    narrowest: the smallest number of values per example that a layer of weights gave on the way.
    """

    raw: bool = True
    normalised: bool = False
    weights: int = 0
    bent: bool = False
    pooled: bool = False
    embedded: bool = False
    softmax: str = ""
    narrowest: int | None = None


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """A table that is read by numbers from the inputs.

    indices: the numbers, as they reach the table. rows: how many the table has.
    """

    name: str
    indices: tf.Tensor
    rows: int


class Flow:
    """What the operations between the inputs and the outputs do.

    origins: of each tensor that depends on the inputs, by its `ref()`.
    first: raw numbers that reach the first weights, in the order of the operations.
    lookups: tables that raw numbers are looked up in.
    inner_softmax: softmax operations whose values are what the next layer of weights gets.
    """

    def __init__(self, inputs: Sequence[tf.Tensor], operations: Iterable[tf.Operation]) -> None:
        self.origins = {tensor.ref(): Origin() for tensor in inputs}
        self.first: list[tf.Tensor] = []
        self.lookups: list[Lookup] = []
        self.inner_softmax: list[str] = []
        self._variable = set[object]()  # tensors made of variables alone
        self._rescaling = set[object]()  # tensors without inputs that come from a normalisation
        for operation in operations:
            self._follow(operation)

    def fed(self, operation: tf.Operation) -> list[tf.Tensor]:
        """Return what the operation takes that depends on the inputs."""
        return [tensor for tensor in operation.inputs if tensor.ref() in self.origins]

    def has_weights(self, operation: tf.Operation) -> bool:
        """Return True if the operation multiplies with weights what comes from the inputs."""
        if operation.type in CLOSED:
            return bool(self.fed(operation))
        others = [t for t in operation.inputs if t.ref() not in self.origins]
        return operation.type in PRODUCTS and bool(others) and self._made_of_variables(others)

    def _made_of_variables(self, tensors: Iterable[tf.Tensor]) -> bool:
        return any(tensor.ref() in self._variable for tensor in tensors)

    def _follow(self, operation: tf.Operation) -> None:
        if operation.type in SHAPES:
            return
        fed = self.fed(operation)
        results = [tensor.ref() for tensor in operation.outputs]
        if not fed:
            if operation.type == "ReadVariableOp" or self._made_of_variables(operation.inputs):
                self._variable.update(results)
            given = any(tensor.ref() in self._rescaling for tensor in operation.inputs)
            if operation.type in NORMALISATION or given:
                self._rescaling.update(results)
            return
        origin = self._origin(operation, fed)
        self.origins.update(dict.fromkeys(results, origin))

    def _origin(self, operation: tf.Operation, fed: list[tf.Tensor]) -> Origin:
        came = [self.origins[tensor.ref()] for tensor in fed]
        weighted, kind = self.has_weights(operation), operation.type
        if (weighted or kind == UNSTACK) and not (kind in CLOSED and self._unstacked(fed)):
            self._enters(fed)
        if self._is_lookup(operation, fed):
            return self._look_up(operation, fed[0])
        rescaled = any(tensor.ref() in self._rescaling for tensor in operation.inputs)
        origin = Origin(
            raw=all(o.raw for o in came) and not weighted and kind != UNSTACK,
            normalised=any(o.normalised for o in came) or kind in NORMALISATION or rescaled,
            weights=max(o.weights for o in came) + weighted,
            bent=any(o.bent for o in came) or not self._is_affine(operation, fed),
            pooled=any(o.pooled for o in came) or _pools(operation),
            embedded=any(o.embedded for o in came),
            softmax=self._softmax(operation, came),
            narrowest=min((o.narrowest for o in came if o.narrowest is not None), default=None),
        )
        if not weighted:
            return origin
        if origin.softmax:
            self.inner_softmax.append(origin.softmax)
        size = values_per_example(operation.outputs[0])
        sizes = [n for n in (size, origin.narrowest) if n is not None]
        return replace(origin, softmax="", narrowest=min(sizes, default=None))

    def _unstacked(self, fed: list[tf.Tensor]) -> bool:
        """Return True if a loop gets a series that was noted already."""
        return any(tensor.dtype == tf.variant for tensor in fed)

    def _enters(self, fed: list[tf.Tensor]) -> None:
        seen = {tensor.ref() for tensor in self.first}
        self.first += [
            tensor
            for tensor in fed
            if self.origins[tensor.ref()].raw
            and tensor.dtype.is_floating
            and tensor.ref() not in seen
        ]

    def _is_lookup(self, operation: tf.Operation, fed: list[tf.Tensor]) -> bool:
        by_inputs = len(fed) == 1 and fed[0] is not operation.inputs[0]
        if operation.type == "ResourceGather":
            return by_inputs
        return (
            operation.type == "GatherV2"
            and by_inputs
            and self._made_of_variables([operation.inputs[0]])
        )

    def _look_up(self, operation: tf.Operation, indices: tf.Tensor) -> Origin:
        table = operation.outputs[0].shape if operation.type == "ResourceGather" else None
        shape = operation.inputs[0].shape if table is None else _handle_shape(operation)
        if self.origins[indices.ref()].raw and shape.rank and shape[0]:
            self.lookups.append(
                Lookup(name=layer_of(operation), indices=indices, rows=int(shape[0]))
            )
        return Origin(raw=False, embedded=True)

    def _is_affine(self, operation: tf.Operation, fed: list[tf.Tensor]) -> bool:
        kind = operation.type
        if _pools(operation):
            return True  # noted apart, as `pooled`
        if kind == "RealDiv":
            return len(fed) == 1 and fed[0] is operation.inputs[0]
        return kind in LINEAR or (kind in LINEAR_IN_ONE and len(fed) == 1)

    def _softmax(self, operation: tf.Operation, came: list[Origin]) -> str:
        if len(came) > 1:
            return ""
        if operation.type == "Softmax":
            # Without a bias it may be an attention over a memory that is learned.
            bias = operation.inputs[0].op
            given = bias.type in {"BiasAdd", "AddV2"} and self.has_weights(made_by(bias.inputs[0]))
            return layer_of(operation) if given else ""
        affine = operation.type in LINEAR | {"Mul"} or operation.type in POOLING | PRODUCTS
        return came[0].softmax if affine else ""


def _pools(operation: tf.Operation) -> bool:
    """Return True for a maximum over positions; one over the units of a place is a maxout."""
    if operation.type != "Max":
        return operation.type in POOLING
    rank, axes = operation.inputs[0].shape.rank, tf.get_static_value(operation.inputs[1])
    return rank is None or axes is None or not {-1, rank - 1} & {int(n) for n in axes.reshape(-1)}


def operations_before(outputs: tf.Tensor) -> list[tf.Operation]:
    """Return the operations that the outputs depend on, in the order of the graph.

    A recurrent layer of Keras takes a first step for its shapes only, which is not among them.
    """
    waiting, needed = [outputs.op], set[tf.Operation]()
    while waiting:
        operation = waiting.pop()
        if operation not in needed:
            needed.add(operation)
            waiting += [tensor.op for tensor in operation.inputs]
    return [operation for operation in outputs.graph.get_operations() if operation in needed]


def made_by(tensor: tf.Tensor) -> tf.Operation:
    """Return the operation that made the values, without changes of shape and dtype."""
    operation = tensor.op
    while operation.type in PASS_THROUGH and operation.inputs:
        operation = operation.inputs[0].op
    return operation


def values_per_example(tensor: tf.Tensor) -> int | None:
    """Return how many numbers an example has in this tensor [B, ...], None if that varies."""
    if tensor.shape.rank is None or tensor.shape.rank == 0:
        return None
    sizes: list[int | None] = tensor.shape[1:].as_list()
    return None if None in sizes else math.prod(size for size in sizes if size is not None)


def layer_of(operation: tf.Operation) -> str:
    """Return the name of the layer that an operation belongs to, or of the operation itself."""
    return str(operation.name).rpartition("/")[0] or str(operation.name)


def _handle_shape(operation: tf.Operation) -> tf.TensorShape:
    """Return the shape of the variable that a ResourceGather reads."""
    data = operation.inputs[0]._handle_data
    known = data is not None and data.is_set
    return tf.TensorShape(data.shape_and_type[0].shape) if known else tf.TensorShape(None)
