"""Check the numbers that are looked up in tables, such as the tokens of an embedding."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.flow import PASS_THROUGH, Lookup
from mnist_exp.preflight.program.program import Program


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Numbers [N, ...] that a table is read by, as they come, before they are cut to integers.

    lowest: the smallest number that has a row; it is negative if the model counts from the end.
    """

    table: Lookup
    values: np.ndarray
    lowest: int

    @property
    def outside(self) -> np.ndarray:
        """Return True [N] for the examples with a number that has no row."""
        rows = self.values.reshape(len(self.values), -1)
        whole = np.trunc(rows)
        outside: np.ndarray = ((whole < self.lowest) | (whole >= self.table.rows)).any(axis=1)
        return outside


def check_tokens(checkup: Checkup, program: Program) -> bool:
    """Check for EMBEDDING_TOO_SMALL and INPUT_SCALE before the model runs, which could raise.

    Examples with numbers that have no row are taken out of the program. Returns False if too few
    are left to check anything else.
    """
    right = np.ones(len(program.inputs), bool)
    for table in program.taps.flow.lookups:
        tokens = _tokens(program, table)
        if tokens is None:
            continue
        _check_range(checkup, tokens)
        _check_whole(checkup, tokens)
        right &= ~tokens.outside
    if not right.all():
        program.inputs, program.labels = program.inputs[right], program.labels[right]
    return int(right.sum()) >= thresholds.TOKENS_MIN_EXAMPLES or bool(right.all())


def _tokens(program: Program, table: Lookup) -> Tokens | None:
    operation = table.indices.op
    wraps = False
    # Keras counts negative numbers from the end: where(x < 0, x + rows, x).
    while operation.type in {*PASS_THROUGH, "SelectV2"} and operation.inputs:
        wraps |= operation.type == "SelectV2"
        operation = operation.inputs[-1 if operation.type == "SelectV2" else 0].op
    values = _values(program, operation.outputs[0])
    if values is None or values.ndim == 0 or len(values) != len(program.inputs):
        return None
    return Tokens(table=table, values=values, lowest=-table.rows if wraps else 0)


def _values(program: Program, tensor: tf.Tensor) -> np.ndarray | None:
    """Return what a tensor of the traced graph is for the program's inputs; None if it needs more.

    Only the operations before it are run, because those behind it may raise.
    """
    inputs = program.taps.inputs
    for given, array in zip(inputs, program.inputs.arrays, strict=True):
        if given is tensor:
            return array
    names = {
        given.op.name: array for given, array in zip(inputs, program.inputs.arrays, strict=True)
    }
    part = _definition(tensor.op)
    needed = {node.name for node in part.node if node.op == "Placeholder"}
    if not needed <= set(names):
        return None  # it depends on variables

    def run() -> Any:
        fed = {f"{name}:0": tf.constant(names[name]) for name in needed}
        return tf.graph_util.import_graph_def(
            part, input_map=fed, return_elements=[tensor.name], name=""
        )

    values: np.ndarray = tf.function(run, autograph=False)()[0].numpy()
    return values


def _definition(operation: tf.Operation) -> Any:
    """Return a graph of the operation and those that it depends on."""
    waiting, seen = [operation], dict[str, tf.Operation]()
    while waiting:
        one = waiting.pop()
        if one.name not in seen:
            seen[one.name] = one
            waiting += [tensor.op for tensor in one.inputs]
    definition = tf.compat.v1.GraphDef()
    definition.node.extend(one.node_def for one in seen.values())
    return definition


def _check_range(checkup: Checkup, tokens: Tokens) -> None:
    lowest, highest = int(np.trunc(tokens.values.min())), int(np.trunc(tokens.values.max()))
    rows, name = tokens.table.rows, tokens.table.name
    evidence = {"lowest": lowest, "highest": highest, "rows": rows, "layer": name}
    if tokens.outside.any():
        checkup.find(
            "EMBEDDING_TOO_SMALL",
            f"The numbers that {name} looks up go from {lowest} to {highest}, and its table has "
            f"{rows} rows: {tokens.outside.mean():.1%} of the examples have a number without one.",
            evidence,
            case="outside",
        )
    elif lowest < 0:
        checkup.find(
            "EMBEDDING_TOO_SMALL",
            f"The numbers that {name} looks up go down to {lowest}: negative ones get rows from "
            f"the end of its table of {rows}, which other numbers have already.",
            evidence,
            case="negative",
        )


def _check_whole(checkup: Checkup, tokens: Tokens) -> None:
    """Numbers between 0 and 1 are all cut to token 0."""
    if tokens.values.dtype.kind != "f":
        return
    numbers, whole = len(np.unique(tokens.values)), len(np.unique(np.trunc(tokens.values)))
    checkup.measure_largest("tokens.lost", 1 - whole / numbers)
    if whole < thresholds.TOKENS_KEPT * numbers:
        checkup.find(
            "INPUT_SCALE",
            f"{tokens.table.name} looks up whole numbers, and gets {numbers} different numbers "
            f"of which {whole} are left when they are cut.",
            {"numbers": numbers, "whole": whole, "layer": tokens.table.name},
            case="tokens",
        )
