"""What the checks of one program look at, each fact measured once, when it is first asked for."""

import functools

import numpy as np

from mnist_exp.preflight.data.probes import Probe
from mnist_exp.preflight.data.relation import probe_relation
from mnist_exp.preflight.learning.schedules import Plan
from mnist_exp.preflight.learning.short_runs import ShortRun, fresh_run
from mnist_exp.preflight.loss.function import LossFacts
from mnist_exp.preflight.loss.output_form import OutputForm, output_form
from mnist_exp.preflight.program.batches import Inputs, even
from mnist_exp.preflight.program.given import Examples
from mnist_exp.preflight.program.passes import Gradients
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.structure.evaluation import output_leak

INSPECTED = 256  # examples for activations
GRADIENT_EXAMPLES = 64
# Steps and epochs of a training, whichever is more, where nobody says how long it is: of a short
# one, within which a program should learn, and of a long one, after which nothing more is expected.
SHORT, LONG = (500, 5), (10_000, 50)
LEAK_EXAMPLES = 48  # three thirds


class Subject:
    """One program, with what was measured of it.

    program: its weights are the initial ones until `short_run` is asked for; after that they are
        those of the end of that run, until a check calls `program.restore()`.
    seed: decides what is drawn at random.
    loss_facts: what the check of the loss found out.
    examples: how many the training has.
    batch_size, steps: of the training; steps is None if it is not known.
    validation: the examples that training does not see, if the caller gave some.
    weighted: True if the training weighs the classes or the examples.
    gaps: True if the loss leaves out labels that are NaN, and there are some.
    given: all examples, with those that are not finite, which the program leaves out.
    """

    def __init__(self, program: Program, seed: int) -> None:
        self.program, self.seed = program, seed
        self.loss_facts: LossFacts | None = None
        self.examples = len(program.inputs)
        self.batch_size = 32
        self.steps: int | None = None
        self.validation: Examples | None = None
        self.given = Examples(inputs=program.inputs, labels=program.labels)
        self.weighted = self.gaps = False
        self.parts: dict[str, Subject] | None = None  # kept by `output_parts`

    @functools.cached_property
    def _evaluated(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        return self.program.evaluate(self.inspected)

    @property
    def inspected(self) -> Inputs:
        """Return the inputs of INSPECTED examples."""
        return self.program.inputs[:INSPECTED]

    @property
    def first_outputs(self) -> np.ndarray:
        """Return the outputs [INSPECTED, ...] with the initial weights."""
        return self._evaluated[0]

    @property
    def measured(self) -> dict[str, np.ndarray]:
        """Return what `tap_graph` measured with the initial weights."""
        return self._evaluated[1]

    @property
    def sample(self) -> tuple[Inputs, np.ndarray]:
        """Return inputs and labels of GRADIENT_EXAMPLES examples, or of as many as there are."""
        program = self.program
        examples = slice(even(min(GRADIENT_EXAMPLES, len(program.inputs))))
        return program.inputs[examples], program.labels[examples]

    @functools.cached_property
    def gradients(self) -> Gradients:
        """Return the gradients of GRADIENT_EXAMPLES examples with the initial weights."""
        return self.program.gradients(*self.sample)

    @functools.cached_property
    def form(self) -> OutputForm | None:
        """Return what the outputs can be, whatever the weights are; None if it is not known."""
        return output_form(self.program)

    @functools.cached_property
    def leak(self) -> float:
        """Return what `output_leak` gives with the initial weights."""
        return output_leak(self.program, self.program.inputs[:LEAK_EXAMPLES])

    @functools.cached_property
    def plan(self) -> Plan:
        """Return the learning rate over the run's steps, a guess of their number if not known."""
        return Plan(optimizer=self.program.optimizer, steps=self.length(SHORT))

    def length(self, guess: tuple[int, int]) -> int:
        """Return how many steps the training takes; if that is not known, SHORT or LONG."""
        steps, epochs = guess
        return self.steps or max(steps, epochs * -(-self.examples // self.batch_size))

    @functools.cached_property
    def short_run(self) -> ShortRun:
        """Train for some steps from the initial weights; the trained ones stay in place."""
        return fresh_run(self.program, self.seed)

    @functools.cached_property
    def probe(self) -> Probe:
        """Return what simple probes predict of the labels."""
        program = self.program
        return probe_relation(program.target, program.inputs.numbers, program.labels)
