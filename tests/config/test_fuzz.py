"""Whatever is thrown at the command line: it runs, or one or two lines say why not."""

import dataclasses
from pathlib import Path

import mlflow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_exp import data, run
from mnist_exp.config import schema
from mnist_exp.config.groups import group_names
from mnist_exp.config.mistakes import USER_ERRORS, explain
from mnist_exp.config.tree import compose
from mnist_exp.errors import UserError
from mnist_exp.training import machine
from mnist_exp.training.loop import fit
from mnist_exp.training.program import build_program

KEYS = [
    *group_names(),
    "seed",
    "run_name",
    "tags",
    "+tags.x",
    "variant",
    "reference",
    "reference.cost",
    "resume",
    "data.dir",
    "data.train_limit",
    "data.eval_limit",
    "data.validation_size",
    "data.eval_on_train",
    "model.kind",
    "model.filters",
    "model.kernel_size",
    "model.conv_bias",
    "model.dense_units",
    "model.dropout",
    "init.conv_kernel",
    "init.readout_kernel.distribution",
    "init.readout_bias.stddev",
    "init.bias.value",
    "loss.kind",
    "loss.reduction",
    "loss.from_probabilities",
    "optimizer.kind",
    "optimizer.learning_rate",
    "optimizer.beta_1",
    "optimizer.epsilon",
    "schedule.kind",
    "schedule.epochs",
    "schedule.max_steps",
    "schedule.batch_size",
    "schedule.train_accuracy_every",
    "schedule.stop_at_accuracy",
    "checkpoint.every_seconds",
    "evaluate.test",
    "tracking.experiment",
    "hydra.nothing",
    "nothing",
    "model.nothing",
    "+added",
    "~seed",
    "~model",
]
numbers = st.one_of(
    st.integers(-3, 100),
    st.integers(),
    st.floats(),
    st.sampled_from([10**9, 10**30, -(10**30), 1e308, 1e-308, 5e-324]),
)
words = st.sampled_from(
    [
        "null",
        "true",
        "nan",
        "inf",
        "-inf",
        "softmax",
        "mlp",
        "cnn5x5",
        "sgd",
        "zeros",
        "cosine",
        "one_cycle",
        "fast",
        "''",
        "' '",
        "[]",
        "{}",
        "???",
        "${seed}",
        "${nothing}",
        "${oc.env:HOME}",
        "\\",
        "😀",
        "é",
        "日本",
        "a b",
        "1,2",
        "[1,[2,[3]]]",
        "{a:{b:1}}",
        "range(3)",
        "choice(1,2)",
        "1e999",
        "0x10",
        "1_000",
        "=",
        "x=y",
        "x" * 300,
    ]
)
values = st.one_of(
    numbers.map(str), words, st.lists(numbers, max_size=4).map(str), st.text(max_size=20)
)
overrides = st.builds(
    lambda key, value: f"{key}={value}",
    st.one_of(st.sampled_from(KEYS), st.text(max_size=10)),
    values,
)


def answer(given_overrides: list[str]) -> schema.Config | str:
    """The config, or what the command line would say."""
    try:
        return compose(given_overrides).config
    except USER_ERRORS as error:
        return explain(error)


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.lists(overrides, min_size=1, max_size=3))
def test_random_overrides_train_two_batches_or_get_a_short_answer(
    given_overrides: list[str],
) -> None:
    found = answer(["model=softmax", "debug=fast", *given_overrides])
    if isinstance(found, str):
        assert 0 < len(found) < 2000
        assert len(found.splitlines()) <= 2
        return
    small = data.load(train_limit=32, eval_limit=16)
    try:
        machine.check(found, 32)
    except UserError:
        return
    schedule = dataclasses.replace(found.schedule, max_steps=2)
    program = build_program(dataclasses.replace(found, schedule=schedule), 32)
    try:
        for result in fit(program, small):
            assert result.step <= 2
    except UserError as error:
        said = str(error)
        assert "the cost became" in said


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(given_overrides=st.lists(overrides, min_size=1, max_size=2))
def test_no_run_is_left_running(workdir: Path, given_overrides: list[str]) -> None:
    try:
        run(
            [
                "model=softmax",
                "debug=fast",
                *given_overrides,
                "schedule.max_steps=2",
                "tracking.experiment=fuzz",
            ]
        )
    except USER_ERRORS as error:
        said = explain(error)
        assert len(said.splitlines()) <= 2
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    experiments = [found.experiment_id for found in client.search_experiments()]
    assert client.search_runs(experiments, "attributes.status = 'RUNNING'") == []
