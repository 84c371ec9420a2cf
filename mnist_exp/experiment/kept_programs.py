"""Programs of earlier trials of this process, whose compiled graphs serve the next trials, too.

To compile a program takes longer than a short trial trains. Trials that differ in their seed, their
initial weights and a constant learning rate have the same graphs: those are values of variables.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from mnist_exp.tracking.job import Job

if TYPE_CHECKING:
    from mnist_exp.training.program import Program

_MOST_KEPT = 4  # with their weights and the state of their optimizers
_GRAPHS = ("train_steps", "train_remainder", "outputs")

_lock = threading.Lock()
_kept: "dict[str, Program]" = {}  # by what their graphs depend on, the oldest first


@contextmanager
def reused(program: "Program", job: Job) -> Iterator["Program"]:
    """Yield the program with the graphs of an earlier one, if there is one with the same graphs.

    What it computes is the same, to the last bit. It has the model and the optimizer of the earlier
    one, with the values of its own variables. Nobody else has them in the block; after it, the next
    trial gets them.
    """
    key = _key(program, job)
    if key is None:
        yield program
        return
    with _lock:
        earlier = _kept.pop(key, None)
    if earlier is not None:
        program = _with_graphs(program, earlier)
    try:
        yield program
    finally:
        with _lock:
            _kept[key] = program
            for oldest in list(_kept)[:-_MOST_KEPT]:
                del _kept[oldest]


def _key(program: "Program", job: Job) -> str | None:
    """Return a text that is the same for programs with the same graphs, None if it is not known.

    A run that keeps its model must not share it, and preflight looks at how the layers were made.
    What code that is not this project's does while it is compiled is not known.
    """
    config = job.settings.config
    if job.origin.keeps_model or config.preflight != "off" or program.own:
        return None
    optimizer, schedule = asdict(config.optimizer), asdict(config.schedule)
    if config.schedule.kind == "constant":  # the rate is a variable, the length is not needed
        del optimizer["learning_rate"]
        schedule = {"kind": config.schedule.kind, "batch_size": config.schedule.batch_size}
    draws = bool(program.random_layers.variables)
    constants = {
        "model": asdict(config.model),
        "loss": asdict(config.loss),
        "optimizer": optimizer,
        "schedule": schedule,
        "steps": None if config.schedule.kind == "constant" else program.total_steps,
        "seed": program.seed if draws else None,
        "precision": program.precision,
        "form": asdict(job.dataset.form),
    }
    return repr(constants)


def _with_graphs(program: "Program", earlier: "Program") -> "Program":
    """Return the program with model, optimizer and graphs of an earlier one, as if it were new."""
    theirs = [*earlier.model.weights, *earlier.optimizer.variables]
    own = [*program.model.weights, *program.optimizer.variables]
    for variable, new in zip(theirs, own, strict=True):
        variable.assign(new.value)
    program = replace(
        program,
        model=earlier.model,
        optimizer=earlier.optimizer,
        random_layers=earlier.random_layers,
    )
    for graph in _GRAPHS:  # they belong to the earlier model and optimizer
        vars(program)[graph] = getattr(earlier, graph)
    return program
