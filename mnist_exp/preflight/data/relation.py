"""Judge whether the labels have anything to do with the inputs."""

from collections.abc import Sequence

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data.probes import Probe, best_probe, fit_sigmas
from mnist_exp.preflight.data.views import views
from mnist_exp.preflight.learning.trials import kept_apart, trial
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.tasks import ONE_OF_MANY, Target, Task

PROBE_EXAMPLES = 600  # more does not separate better, and the probes are cubic in it
PER_CLASS = 10  # examples of a class for which more than PROBE_EXAMPLES are taken
MAX_POSITIONS, MAX_CLASSES = 16, 1000  # of a table of labels
CLEAR = 10.0  # sigmas after which no other probe is tried
RUN_RATES = (1e-2, 1e-3)  # with the first, rows of a table of users move far enough
SEEN = 256  # examples that a run has trained on
LOOKS = (25, 50, 100, 200)  # steps after which a run is judged


def probe_relation(target: Target, arrays: Sequence[np.ndarray], labels: np.ndarray) -> Probe:
    """Return the best of the cheap probes of labels [N, ...] from the inputs [N, ...].

    Where every position of the inputs has a label of its own, it is predicted from the position
    and its neighbours.
    """
    answers = target.answers(labels)
    count = PROBE_EXAMPLES
    if target.task is Task.CLASSES:
        count = max(count, PER_CLASS * len(np.unique(answers)))
    arrays, labels = [a[:count] for a in arrays], labels[:count]
    table, _ = label_table(target, labels)
    places = _places(target, arrays, labels)
    if places is not None:
        arrays, table = places
    return best_probe(views(arrays), table, enough=CLEAR)


def label_table(target: Target, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return labels as numbers [N, D], numbers as their ranks, and the outputs [D] that they ask.

    Of many positions or classes, some positions and the most frequent classes are taken. An output
    is named by its place among all outputs of an example.
    """
    answers = target.answers(labels)
    answers = answers.reshape(len(answers), -1)
    generator = np.random.default_rng(0)
    places = np.sort(generator.permutation(answers.shape[1])[:MAX_POSITIONS])
    answers = answers[:, places]
    if target.task in ONE_OF_MANY:
        classes, counts = np.unique(answers, return_counts=True)
        classes = np.sort(classes[np.argsort(-counts)[:MAX_CLASSES]])
        table = (answers[:, :, None] == classes).astype(np.float64)
        outputs = places[:, None] * target.num_classes + classes
        return table.reshape(len(table), -1), outputs.reshape(-1)
    table = answers.astype(np.float64)
    if target.task is Task.REGRESSION:  # a single far value must not outweigh all others
        table = np.argsort(np.argsort(table, axis=0), axis=0) / len(table)
    return table, places


def _places(
    target: Target, arrays: Sequence[np.ndarray], labels: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray] | None:
    """Return the surroundings of one random position of each example, and its label [N, D].

    It is None where the labels have no positions that the inputs have, too. From a label the mean
    at its position is taken away: what is usual there is no relation.
    """
    answers = target.answers(labels)
    if target.task is Task.CLASSES_PER_POSITION:
        shape, values = answers.shape[1:], answers[..., None] == np.unique(answers)[:100]
    elif target.task is Task.BINARY_PER_POSITION:
        shape = answers.shape[1:-1] if answers.shape[-1] == 1 else answers.shape[1:]
        values = answers
    else:
        return None
    same = [a for a in arrays if a.shape[1 : 1 + len(shape)] == shape]
    if not same:
        return None
    count, generator = len(labels), np.random.default_rng(0)
    place = [generator.integers(0, side, count) for side in shape]
    rows = np.arange(count)
    table = (values - values.mean(axis=0)).reshape(count, *shape, -1)[rows, *place]
    steps = np.stack(np.meshgrid(*[[0, -1, 1]] * len(shape), indexing="ij"), -1)
    around = [
        [np.clip(p + step, 0, side - 1) for p, step, side in zip(place, steps_, shape, strict=True)]
        for steps_ in steps.reshape(-1, len(shape))
    ]
    surroundings = [np.stack([a[rows, *near] for near in around], axis=1) for a in same]
    return [s.reshape(count, -1) for s in surroundings], table


def measure_probe(checkup: Checkup, target: Target, classes: np.ndarray, probe: Probe) -> None:
    """Record how well the probes predict classes [N]."""
    if len(classes) < thresholds.PROBE_MIN_EXAMPLES:
        return
    probed = classes[: len(probe.predicted)]
    _, columns = label_table(target, probed)
    right = columns[np.argmax(probe.predicted, axis=1)] == probed
    checkup.measure("data.probe_accuracy", float(np.mean(right)))
    checkup.measure("data.probe_sigmas", probe.sigmas)


def check_relation(
    checkup: Checkup,
    program: Program,
    probe: Probe,
    given: tuple[Sequence[np.ndarray], np.ndarray] | None,
    seed: int,
) -> None:
    """Check for LABELS_UNRELATED.

    given: inputs and labels in the order in which they were given, if there is one array of labels.

    It is found only where neither the probes nor the program itself, trained by Adam, do better
    than chance on examples that they have not seen: a probe may be too simple. A program that does
    not learn the examples that it has seen either may need more steps: then it is a warning.
    """
    target, examples = program.target, len(program.inputs)
    if examples < thresholds.PROBE_MIN_EXAMPLES or probe.sigmas >= thresholds.PROBE_SIGMAS:
        return
    table, columns = label_table(target, program.labels)
    if not (table.max(axis=0) > table.min(axis=0)).any():
        return
    sigmas = _own_sigmas(program, table, columns, seed)
    if sigmas is None:
        return
    checkup.measure("data.own_sigmas", sigmas)
    if sigmas >= thresholds.PROBE_SIGMAS:
        return
    seen = program.outputs(program.inputs[:SEEN]).reshape(min(SEEN, examples), -1)[:, columns]
    learned = fit_sigmas(seen, table[:SEEN]) >= thresholds.PROBE_SIGMAS  # by heart
    classes = len(np.unique(program.classes)) if target.task is Task.CLASSES else 1
    checkup.find(
        "LABELS_UNRELATED",
        f"From {examples} examples, neither simple probes nor the program itself, trained for "
        f"{LOOKS[-1]} steps, predict the labels of other examples better than those of shuffled "
        f"ones ({max(probe.sigmas, sigmas):.1f} standard deviations).{_fitting(target, given)}",
        {"probe_sigmas": probe.sigmas, "own_sigmas": sigmas, "examples": examples},
        case="" if learned and examples >= thresholds.PROBE_MIN_PER_CLASS * classes else "unsure",
    )


def _fitting(target: Target, given: tuple[Sequence[np.ndarray], np.ndarray] | None) -> str:
    """Return a sentence on the order in which the labels fit, if there is one."""
    if given is None:
        return ""
    arrays, labels = given
    orders = {
        "moved down by one row": ([a[1:] for a in arrays], labels[:-1]),
        "moved up by one row": ([a[:-1] for a in arrays], labels[1:]),
        "in the reverse order": (arrays, labels[::-1]),
    }
    for words, (inputs, ordered) in orders.items():
        if probe_relation(target, inputs, ordered).sigmas > CLEAR:
            return f" They fit when they are {words}."
    return ""


def _own_sigmas(
    program: Program, table: np.ndarray, columns: np.ndarray, seed: int
) -> float | None:
    """Train on three quarters of the examples; return how well it predicts the others, or None.

    It is the largest of `fit_sigmas` at LOOKS, with one rate after the other; None where the
    outputs are not finite or all the same, which tells nothing about the labels. The trained
    weights stay in place.
    """
    best: float | None = None
    for rate in RUN_RATES:
        program.restore()
        for outputs in trial(program, program.steps.adam.start(rate), LOOKS, seed):
            if outputs is None or np.ptp(outputs, axis=0).max() == 0:
                break
            chosen = outputs.reshape(len(outputs), -1)[:, columns]
            best = max(fit_sigmas(chosen, table[kept_apart(program)]), best or 0.0)
            if best >= thresholds.PROBE_SIGMAS:
                return best
    return best
