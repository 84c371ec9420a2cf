"""The table of checks, which run in order, from causes to consequences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mnist_exp.preflight import data_checks
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data.features import check_constant, check_non_finite
from mnist_exp.preflight.data.labels import check_labels
from mnist_exp.preflight.data.layout import check_layout, check_masked, check_parts, check_reshaped
from mnist_exp.preflight.data.relation import measure_probe
from mnist_exp.preflight.learning.conclusions import check_ignored, check_overfit, check_uphill
from mnist_exp.preflight.learning.momentum import check_momentum
from mnist_exp.preflight.learning.penalties import check_penalty, check_weight_decay
from mnist_exp.preflight.learning.rates import check_rate
from mnist_exp.preflight.learning.schedules import check_schedule
from mnist_exp.preflight.loss.activation import check_activation
from mnist_exp.preflight.loss.function import check_loss, examples_for
from mnist_exp.preflight.loss.in_training import check_in_training
from mnist_exp.preflight.loss.loss_size import check_initial, check_multiple
from mnist_exp.preflight.loss.mismatch import check_match
from mnist_exp.preflight.loss.outputs import check_probabilities
from mnist_exp.preflight.program.tasks import EVERY_TASK, Task
from mnist_exp.preflight.structure.averages import check_averages
from mnist_exp.preflight.structure.dropout import check_dropout
from mnist_exp.preflight.structure.evaluation import check_evaluation, check_leak, output_leak
from mnist_exp.preflight.structure.gradients import (
    check_disconnected,
    check_finite,
    check_updated,
    check_vanishing,
    check_zero,
)
from mnist_exp.preflight.structure.information import check_bends, check_bottleneck
from mnist_exp.preflight.structure.inputs import check_every_input, check_scale
from mnist_exp.preflight.structure.pairs import check_equal_inputs, check_pulled_pairs
from mnist_exp.preflight.structure.recurrence import check_growth
from mnist_exp.preflight.structure.units import check_symmetry, check_units
from mnist_exp.preflight.subject import LEAK_EXAMPLES, SHORT, Subject

CLASSES = frozenset({Task.CLASSES})
PER_POSITION = frozenset({Task.CLASSES_PER_POSITION, Task.BINARY_PER_POSITION})
KNOWN = EVERY_TASK - {Task.UNKNOWN}
PROBED = KNOWN - {Task.AUTOENCODER}  # tasks with labels that others can predict


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the table of checks.

    judges: what it judges, for the sentence that says what was not judged.
    run: writes what it measures and finds into the checkup.
    tasks: for which it holds.
    unless: codes after which it would say nothing that is true, some with their case.
    of_outputs: True if it holds for each of several outputs by itself.
    of_loss: True if it needs a loss that can be computed.
    of_numbers: True if it needs inputs that are numbers, not only text.
    only_there: True if there is nothing of the kind in other tasks, so that nothing is left out.
    """

    judges: str
    run: Callable[[Checkup, Subject], None]
    tasks: frozenset[Task] = EVERY_TASK
    unless: tuple[str, ...] = ()
    of_outputs: bool = False
    of_loss: bool = False
    of_numbers: bool = False
    only_there: bool = False


def _leak_and_evaluation(checkup: Checkup, subject: Subject) -> None:
    program, inputs = subject.program, subject.program.inputs[:LEAK_EXAMPLES]
    # Equal weights can hide a leak, trained ones cannot.
    leak = max(subject.leak, output_leak(program, inputs))
    if not check_evaluation(checkup, program, inputs, leak):  # noise changes outputs as a leak does
        check_leak(checkup, leak)


def _loss(checkup: Checkup, subject: Subject) -> None:
    program, count = subject.program, examples_for(subject.program.target)
    facts = check_loss(checkup, program, subject.first_outputs[:count], subject.seed)
    check_multiple(checkup, program, facts, program.labels[:count])
    subject.loss_facts = facts


def _probabilities(checkup: Checkup, subject: Subject) -> None:
    if subject.loss_facts:
        facts, outputs = subject.loss_facts, subject.first_outputs
        check_probabilities(checkup, subject.program, facts, outputs, subject.form)


def _in_training(checkup: Checkup, subject: Subject) -> None:
    check_in_training(checkup, subject.program.target, subject.gradients.outputs)


def _initial(checkup: Checkup, subject: Subject) -> None:
    if subject.loss_facts:
        program, first = subject.program, subject.first_outputs
        check_initial(checkup, program, subject.loss_facts, first, subject.gradients.outputs)


# Checks of the labels alone. Examples whose labels are out of range are left out afterwards.
OF_LABELS: Sequence[Check] = (
    Check(
        judges="the range of the labels",
        run=lambda c, s: check_labels(c, s.program),
        tasks=KNOWN,
        of_outputs=True,
    ),
    Check(
        judges="whether loss, outputs and labels belong together",
        run=lambda c, s: check_match(c, s.program),
        unless=("LABELS_OUT_OF_RANGE", "OUTPUT_UNITS"),
        of_outputs=True,
    ),
)
# Checks at the initial weights.
AT_FIRST: Sequence[Check] = (
    Check(
        judges="the balance of the classes",
        run=data_checks.balance,
        tasks=CLASSES | {Task.BINARY, *PER_POSITION},
        only_there=True,
        unless=("LABELS_OUT_OF_RANGE",),
        of_outputs=True,
    ),
    Check(
        judges="whether the data are finite",
        run=lambda c, s: check_non_finite(c, s.given.inputs, s.given.labels, gaps=s.gaps),
    ),
    Check(judges="whether the inputs differ", run=lambda c, s: check_constant(c, s.program.inputs)),
    Check(
        judges="what simple probes learn of the labels",
        run=lambda c, s: measure_probe(c, s.program.target, s.program.classes, s.probe),
        tasks=CLASSES,
        only_there=True,
        unless=("INPUT_IGNORED",),
        of_numbers=True,
    ),
    Check(judges="the scale of the inputs", run=lambda c, s: check_scale(c, s.program, s.measured)),
    Check(
        judges="features that give the labels away",
        run=data_checks.label_leak,
        tasks=frozenset({Task.CLASSES, Task.BINARY, Task.REGRESSION}),
        unless=("INPUT_IGNORED",),
        of_numbers=True,
    ),
    Check(judges="the validation data", run=data_checks.splits),
    Check(
        judges="the activation of the outputs",
        run=lambda c, s: check_activation(c, s.program, s.form),
        of_outputs=True,
    ),
    Check(judges="the loss", run=_loss, of_outputs=True, of_loss=True),
    Check(judges="what the loss takes", run=_probabilities, tasks=KNOWN, of_outputs=True),
    Check(judges="the outputs of a training step", run=_in_training, tasks=KNOWN, of_loss=True),
    Check(
        judges="the size of the first loss",
        run=_initial,
        tasks=KNOWN,
        of_outputs=True,
        of_loss=True,
    ),
    Check(judges="missing activations", run=lambda c, s: check_bends(c, s.program)),
    Check(judges="the axes of pictures", run=lambda c, s: check_layout(c, s.program)),
    Check(
        judges="the channels of pictures",
        run=lambda c, s: check_reshaped(c, s.program),
        unless=("INPUT_LAYOUT",),
    ),
    Check(judges="masks", run=lambda c, s: check_masked(c, s.program)),
    Check(judges="bottlenecks", run=lambda c, s: check_bottleneck(c, s.program)),
    Check(judges="dropout", run=lambda c, s: check_dropout(c, s.program)),
    Check(
        judges="hidden units", run=lambda c, s: check_units(c, s.program, s.measured, s.inspected)
    ),
    Check(
        judges="the states of recurrent layers",
        run=lambda c, s: check_growth(c, s.program, s.measured),
    ),
    Check(
        judges="which variables are trained",
        run=lambda c, s: check_disconnected(c, s.program),
        of_loss=True,
    ),
    Check(
        judges="equal initial weights",
        run=lambda c, s: check_symmetry(c, s.program, *s.sample),
        of_loss=True,
    ),
    Check(
        judges="the first gradient",
        run=lambda c, s: check_finite(c, s.program, s.gradients),
        of_loss=True,
    ),
    Check(
        judges="which pairs belong together",
        run=lambda c, s: check_pulled_pairs(c, s.program),
        of_loss=True,
    ),
)
# Checks after a short run with the program's own optimizer, with the weights that it gave.
AFTER_A_RUN: Sequence[Check] = (
    Check(judges="evaluation", run=_leak_and_evaluation),
    Check(
        judges="what the optimizer leaves as it is",
        run=lambda c, s: check_updated(c, s.program, s.short_run.moved, s.short_run.largest),
    ),
    Check(judges="moving averages", run=lambda c, s: check_averages(c, s.program, s.length(SHORT))),
    Check(judges="equal inputs", run=lambda c, s: check_equal_inputs(c, s.program, *s.sample)),
    Check(judges="which output the labels belong to", run=data_checks.several_outputs),
    Check(judges="the use of each input", run=lambda c, s: check_every_input(c, s.program)),
    Check(
        judges="the use of all parts of the inputs",
        run=lambda c, s: check_parts(c, s.program),
        unless=("INPUT_IGNORED", "INPUT_CONSTANT", "DEAD_UNITS"),
    ),
    Check(judges="the direction of the first step", run=lambda c, s: check_uphill(c, s.short_run)),
    # It may train again: behind it the weights are not those of the run.
    Check(
        judges="gradients of zero", run=lambda c, s: check_zero(c, s.program, s.short_run, s.seed)
    ),
    Check(
        judges="gradients that vanish",
        run=lambda c, s: check_vanishing(c, s.program, s.short_run.largest),
    ),
)
# Checks that train again. Neither the rate nor the fit of a wrong loss means anything.
_OTHER_SETTINGS = (
    "PENALTY_DOMINATES",
    "MOMENTUM_TOO_HIGH",
    "WEIGHT_DECAY_TOO_HIGH",
    "SCHEDULE_COLLAPSES",
)
_WRONG_LOSS = ("LOSS_IGNORES_LABELS", "LOSS_NOT_MINIMISED")
# After these it is known why a few examples are not learned by heart.
_KEEP_FROM_LEARNING = (
    "PENALTY_DOMINATES",
    "LOSS_MISMATCH",
    "DROPOUT_MISPLACED",
    "TARGET_SCALE",
    "INPUT_IGNORED masked",
)
TRAINING_AGAIN: Sequence[Check] = (
    Check(
        judges="whether the labels belong to the inputs",
        run=data_checks.relation,
        tasks=PROBED,
        unless=("INPUT_IGNORED",),
        of_numbers=True,
    ),
    Check(
        judges="wrong labels",
        run=data_checks.noise,
        tasks=CLASSES | {Task.BINARY},
        only_there=True,
        unless=("INPUT_IGNORED", "LABELS_UNRELATED"),
        of_numbers=True,
    ),
    Check(
        judges="the units of the inputs",
        run=data_checks.input_units,
        tasks=CLASSES | {Task.BINARY, Task.REGRESSION},
        unless=(*_WRONG_LOSS, "INPUT_IGNORED", "LABELS_UNRELATED"),
        of_numbers=True,
    ),
    Check(
        judges="the units of the targets",
        run=data_checks.target_scale,
        tasks=frozenset({Task.REGRESSION}),
        only_there=True,
        unless=(*_WRONG_LOSS, "LABELS_UNRELATED"),
    ),
    Check(judges="the units of one of several outputs", run=data_checks.outweighed),
    Check(
        judges="the layers' own losses",
        run=lambda c, s: check_penalty(c, s.program, s.gradients, s.seed),
        unless=_WRONG_LOSS,
    ),
    Check(
        judges="momentum",
        run=lambda c, s: check_momentum(c, s.program, s.plan, s.seed),
        unless=_WRONG_LOSS,
    ),
    Check(
        judges="weight decay",
        run=lambda c, s: check_weight_decay(c, s.program, s.plan, s.seed),
        unless=_WRONG_LOSS,
    ),
    Check(
        judges="the schedule of the learning rate",
        run=lambda c, s: check_schedule(c, s.program, s.plan, s.seed),
        unless=(*_WRONG_LOSS, "MOMENTUM_TOO_HIGH"),
    ),
    Check(
        judges="the learning rate",
        run=lambda c, s: check_rate(c, s.program, s.short_run, s.plan, s.seed),
        unless=(*_WRONG_LOSS, *_OTHER_SETTINGS),
    ),
    Check(
        judges="whether the outputs depend on the inputs",
        run=lambda c, s: check_ignored(c, s.short_run),
        unless=(
            *_WRONG_LOSS,
            *_OTHER_SETTINGS,
            "LEARNING_RATE_TOO_HIGH",
        ),  # it makes all outputs equal, too
    ),
    Check(
        judges="whether it can learn a few examples by heart",
        run=lambda c, s: check_overfit(c, s.program),
        tasks=KNOWN,
        unless=(*_WRONG_LOSS, *_KEEP_FROM_LEARNING),
    ),
)
