"""Graphs of an earlier trial compute for the next one what its own would, to the last bit."""

import contextlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from mnist_exp.data import Dataset
from mnist_exp.errors import NonFiniteCost
from mnist_exp.experiment import kept_programs
from mnist_exp.tracking.job import Job, Origin
from mnist_exp.training.loop import fit
from mnist_exp.training.program import Program, build_program, predict_probabilities
from tests.support.jobs import a_job

TRIAL = Origin(keeps_model=False)
SHORT = ("preflight=off", "schedule.epochs=2", "schedule.batch_size=70")  # 300 = 4 * 70 + 20
SMALL = {
    "softmax": ("model=softmax",),
    "mlp": ("model=mlp", "model.hidden_units=[5]"),
    "cnn3x3": ("model=cnn3x3", "model.filters=[2,3]", "model.dense_units=4"),
    "cnn5x5": ("model=cnn5x5", "model.filters=[2]", "model.dense_units=4"),
}


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_programs, "_kept", {})


def job_of(dataset: Dataset, *overrides: str, origin: Origin = TRIAL) -> Job:
    return a_job(*SHORT, *overrides, dataset=dataset, origin=origin)


def built(job: Job) -> Program:
    return build_program(job.settings.config, len(job.dataset.train), job.dataset.form)


def trained(program: Program, job: Job) -> list[Any]:
    """Train and return every number that comes out: results, probabilities, weights and state."""
    epochs = []
    with contextlib.suppress(NonFiniteCost):
        for result in fit(program, job.dataset):
            epochs.append(asdict(result) | {"seconds": None})
    probabilities = predict_probabilities(program, job.dataset.test.images)
    variables = [*program.model.weights, *program.optimizer.variables]
    arrays = [probabilities, *(variable.numpy() for variable in variables)]
    return [repr(epochs), *((a.dtype, a.shape, a.tobytes()) for a in arrays)]


def in_turn(jobs: Sequence[Job]) -> tuple[list[Any], list[Program]]:
    """Train the jobs one after the other as the trials of a worker; return the last's numbers."""
    programs, numbers = [], []
    for job in jobs:
        with kept_programs.reused(built(job), job) as program:
            programs.append(program)
            numbers = trained(program, job)
    return numbers, programs


def is_reused(programs: Sequence[Program]) -> bool:
    first, *_, last = programs
    return first.train_steps is last.train_steps


@pytest.mark.parametrize(
    ("same", "before", "then"),
    [
        (
            ("model=softmax", "optimizer=sgd"),
            ("seed=1", "init=zeros", "optimizer.learning_rate=0.3"),
            ("seed=2", "init=glorot", "optimizer.learning_rate=0.1", "schedule.epochs=3"),
        ),
        (
            (*SMALL["mlp"], "optimizer=rmsprop", "loss=self_entropy"),
            ("seed=1", "init=he"),
            ("seed=2", "init=notebook", "optimizer.learning_rate=0.01"),
        ),
        (
            (*SMALL["cnn3x3"], "model.dropout=0.4", "optimizer=adamw", "schedule=one_cycle"),
            ("init=he",),
            ("init=glorot",),
        ),
    ],
)
def test_a_reused_program_computes_the_same_bits(
    small_mnist: Dataset, same: tuple[str, ...], before: tuple[str, ...], then: tuple[str, ...]
) -> None:
    earlier, job = (job_of(small_mnist, *same, *own) for own in (before, then))
    numbers, programs = in_turn([earlier, job, earlier, job])
    assert is_reused(programs)
    assert all(program.seed == job.settings.config.seed for program in (programs[1], programs[3]))
    assert numbers == trained(built(job), job)


DROPOUT = (*SMALL["mlp"], "model.dropout=0.5")


@pytest.mark.first_cases(4)
@pytest.mark.parametrize(
    ("before", "then"),
    [
        (DROPOUT, (*DROPOUT, "seed=1")),
        (DROPOUT, (*SMALL["mlp"], "model.dropout=0.4")),
        (SMALL["mlp"], ("model=mlp", "model.hidden_units=[6]")),
        (("schedule=cosine",), ("schedule=cosine", "optimizer.learning_rate=0.3")),
        (("schedule=cosine",), ("schedule=cosine", "schedule.epochs=3")),
        (("optimizer=sgd",), ("optimizer=momentum",)),
        (("optimizer=adam",), ("optimizer=adam", "optimizer.beta_1=0.5")),
        (("loss=cross_entropy",), ("loss=cross_entropy_sum",)),
        (("loss=cross_entropy",), ("loss=cross_entropy", "loss.from_probabilities=true")),
        ((), ("precision=bfloat16",)),
        ((), ("schedule.batch_size=50",)),
        (("preflight=warn",), ("preflight=warn", "seed=1")),
        (("optimizer=keras", "optimizer.name=Lion"), ("optimizer=keras", "optimizer.name=Lion")),
    ],
    ids=str,
)
def test_another_graph_is_not_reused(
    small_mnist: Dataset, before: tuple[str, ...], then: tuple[str, ...]
) -> None:
    programs = []
    for overrides in (before, then):
        job = job_of(small_mnist, *overrides)
        with kept_programs.reused(built(job), job) as program:
            programs.append(program)
    assert not is_reused(programs)


def test_a_run_that_keeps_its_model_shares_it_with_none(small_mnist: Dataset) -> None:
    job = job_of(small_mnist, origin=Origin())
    programs = []
    for _ in range(2):
        with kept_programs.reused(built(job), job) as program:
            programs.append(program)
    assert not is_reused(programs)
    assert kept_programs._kept == {}


def test_two_trials_at_once_have_a_program_each(small_mnist: Dataset) -> None:
    job = job_of(small_mnist)
    with (
        kept_programs.reused(built(job), job) as one,
        kept_programs.reused(built(job), job) as other,
    ):
        assert one.model is not other.model
    assert len(kept_programs._kept) == 1


def test_a_failed_trial_leaves_nothing_to_the_next(small_mnist: Dataset) -> None:
    job = job_of(small_mnist, "optimizer=adam")
    with pytest.raises(ZeroDivisionError), kept_programs.reused(built(job), job) as first:
        for variable in [*first.model.weights, *first.optimizer.variables]:
            variable.assign(variable.value * 0 + (2 if "int" in variable.dtype else np.nan))
        raise ZeroDivisionError
    with kept_programs.reused(built(job), job) as program:
        assert program.model is first.model
        assert trained(program, job) == trained(built(job), job)


def test_the_last_few_are_kept(small_mnist: Dataset) -> None:
    jobs = [job_of(small_mnist, f"schedule.batch_size={size}") for size in range(1, 7)]
    for job in (*jobs, jobs[2]):
        with kept_programs.reused(built(job), job):
            pass
    kept = [program.batch_size for program in kept_programs._kept.values()]
    assert kept == [4, 5, 6, 3]


def one_of(key: str, *values: object) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{key}={value}" for value in values])


OWN = st.tuples(
    one_of("seed", 0, 1, 2),
    one_of("init", "zeros", "notebook", "glorot", "he", "blog"),
    one_of("optimizer.learning_rate", 0.001, 0.03, 10.0),
)
SHARED = st.tuples(
    one_of("loss", "cross_entropy", "cross_entropy_sum", "self_entropy"),
    one_of("loss.from_probabilities", "true", "false"),
    one_of("optimizer", "sgd", "momentum", "adam", "adamw", "rmsprop", "adagrad"),
    one_of("schedule", "constant", "cosine", "one_cycle"),
    one_of("precision", "float32", "bfloat16"),
)
MODELS = [*SMALL.values(), *((*SMALL[name], "model.dropout=0.3") for name in ("mlp", "cnn3x3"))]


@pytest.mark.slow
@hypothesis.settings(max_examples=60)
@hypothesis.given(model=st.sampled_from(MODELS), shared=SHARED, before=OWN, then=OWN)
def test_any_program_after_any_other(
    small_mnist: Dataset,
    model: tuple[str, ...],
    shared: tuple[str, ...],
    before: tuple[str, ...],
    then: tuple[str, ...],
) -> None:
    kept_programs._kept.clear()
    earlier, job = (job_of(small_mnist, *model, *shared, *own) for own in (before, then))
    assert in_turn([earlier, job])[0] == trained(built(job), job)
