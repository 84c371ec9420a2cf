"""Tell whether a loss takes what the last activation was given, as Keras' own losses can."""

from typing import Any

import tensorflow as tf

from mnist_exp.preflight.program.objective import mean_loss
from mnist_exp.preflight.program.program import Program

_EXAMPLES = 8


def takes_logits_before(program: Program) -> bool:
    """Return True if the loss goes round the outputs, to the logits that they were made from.

    On TensorFlow, Keras' cross entropies look for the softmax or sigmoid behind their outputs, and
    take its logits. Then no slope comes through the outputs. A compiled model is traced, as `fit`
    does it; a loop of one's own may run without a graph, where only Keras' activations are found.
    """
    (rows, *_) = program._batches(_EXAMPLES)
    inputs, labels = program.inputs[:_EXAMPLES][rows], program.labels[:_EXAMPLES][rows]

    found: list[bool] = []

    def judge(inputs: Any, labels: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            outputs = program.call(inputs, training=False)
            tape.watch(outputs)
            loss = mean_loss(program.objective.values(labels, outputs))
        found.append(tape.gradient(loss, outputs) is None)

    run = tf.function(judge, autograph=False) if program.penalised else judge
    run(inputs.tensors(), tf.constant(labels))
    return found[0]
