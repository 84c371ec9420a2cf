"""Take a program with several outputs apart, so that each can be judged by itself."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from mnist_exp.preflight.program.compiled import CompiledLoss
from mnist_exp.preflight.program.heads import Place
from mnist_exp.preflight.program.objective import Objective
from mnist_exp.preflight.program.passes import Gradients
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.subject import Subject


def output_parts(subject: Subject) -> dict[str, Subject]:
    """Return, for each of several outputs that have a loss, a view with this one only, by name.

    Its labels, outputs and loss are those of that output; its gradients are not. Of a program with
    one output, or whose loss cannot be computed, there are none. They are made once: each finds out
    what its loss asks.
    """
    if subject.parts is None:
        parts = _parts(subject.program)
        subject.parts = {n: Subject(_part(subject, *p), subject.seed) for n, p in parts.items()}
        for part in subject.parts.values():
            part.weighted = subject.weighted
    return subject.parts


def output_places(program: Program) -> dict[str, Place]:
    """Return where each of the `output_parts` lies among the columns, by the same names."""
    return {name: place for name, (_, place, _) in _parts(program).items()}


def _parts(program: Program) -> dict[str, tuple[Any, Place, Callable[..., Any]]]:
    loss, heads = program.objective.given, program.objective.heads
    if heads is None or not isinstance(loss, CompiledLoss) or program.refusal:
        return {}
    parts = loss.parts(heads.label_arrays, heads.places())
    return {name: part for name, part in parts.items() if part[1] is not None}


def _part(subject: Subject, labels: np.ndarray, place: Place, loss: Callable[..., Any]) -> Program:
    program = subject.program
    part = copy.copy(program)
    for fact in ("target", "output_shape", "classes"):
        part.__dict__.pop(fact, None)
    part.labels, part.objective = labels, Objective(loss)
    part.evaluate = lambda inputs: _of_place(program.evaluate(inputs), place)  # type: ignore[method-assign]
    part.gradients = lambda *_: _outputs_of_place(subject.gradients, place)  # type: ignore[method-assign]
    part.call = lambda inputs, training: tf.nest.flatten(  # type: ignore[method-assign]
        program.given_outputs(inputs, training)
    )[place.number]
    part._taps = replace(program.taps, output_op=place.operation)
    return part


def _of_place(
    evaluated: tuple[np.ndarray, dict[str, np.ndarray]], place: Place
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    outputs, measured = evaluated
    return place.of(outputs), measured


def _outputs_of_place(gradients: Gradients, place: Place) -> Gradients:
    return replace(gradients, outputs=place.of(gradients.outputs))
