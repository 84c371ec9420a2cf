"""An own model in the compiled loop: the same bits after any stop, and refused where not."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from mnist_exp.errors import ConfigError
from mnist_exp.training import checkpoint, keras_optimizers, loop, own_program
from mnist_exp.training.loop import fit
from mnist_exp.training.own_program import check
from mnist_exp.training.program import Program, evaluate
from mnist_exp.training.results import EpochResult, Progress
from tests.support import own

# Those whose state is more than one value for a weight, with options that add to it.
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "Nadam": {"clipnorm": 1.0},
    "SGD": {"momentum": 0.9, "gradient_accumulation_steps": 3},
    "Adam": {"use_ema": True, "ema_overwrite_frequency": 2, "weight_decay": 0.01},
    "Ftrl": {},
    "RMSprop": {"centered": True},
}


class Stop(Exception):
    """Ends training at a step."""


def train(program: Program, data: Any, start: Progress, stop: int = -1) -> Any:
    """Train to the end and return the results, or to step `stop` and return the state there."""
    results: list[EpochResult] = []
    caught: list[checkpoint.RunState] = []

    def on_progress(progress: Progress) -> None:
        if progress.step == stop:
            caught.append(checkpoint.RunState.of(program, progress, tuple(results), {}))
            raise Stop

    try:
        for result in fit(program, data, start=start, on_progress=on_progress):
            results.append(replace(result, seconds=0.0))
    except Stop:
        return caught[0]
    return results


@pytest.fixture
def one_step_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_SECONDS_PER_CALL", 0.0)


def check_stops(model: Any, stops: list[int], *overrides: str) -> Program:
    """Train in one program, and with stops in it and a second one: the results are the same."""
    data = own.dataset()
    whole, other = (own.program(model, *overrides) for _ in range(2))
    beginning = checkpoint.RunState.of(whole, Progress(), (), {})
    expected = train(whole, data, Progress())
    trained = own.state_of(whole)
    for stop in stops:
        beginning.restore(whole)
        state = train(whole, data, Progress(), stop)
        state.restore(other)
        assert [*state.results, *train(other, data, state.progress)] == expected
        for found, wanted in zip(own.state_of(other), trained, strict=True):
            np.testing.assert_array_equal(found, wanted)
    return other


def test_everything_goes_on_to_the_last_bit_after_a_stop(one_step_a_call: None) -> None:
    """Within an epoch, before its smaller last batch, and after it."""
    overrides = ["optimizer=keras", "optimizer.name=Muon", "schedule=one_cycle"]
    program = check_stops(own.everything, [2, 3, 4], *overrides)
    mean = next(v for v in program.model.weights if v.path.endswith("moving_mean"))
    assert np.abs(mean.numpy()).max() > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", keras_optimizers.names())
def test_the_state_of_every_optimizer_is_in_the_checkpoint(
    name: str, one_step_a_call: None
) -> None:
    options = [
        f"+optimizer.options.{key}={value}" for key, value in OPTIMIZERS.get(name, {}).items()
    ]
    program = check_stops(own.plain, [3], "optimizer=keras", f"optimizer.name={name}", *options)
    assert check(program, own.dataset().train) == []


class Draws(layers.Layer):
    """Keep what is drawn in a step in weights that are not trained: two draws a call."""

    def __init__(self) -> None:
        super().__init__()
        self.seed_generator = keras.random.SeedGenerator(7)

    def build(self, shape: Any) -> None:
        self.drawn = self.add_weight(shape=(3,), initializer="zeros", trainable=False)

    def call(self, x: Any, training: bool = False) -> Any:
        if training:
            draws = [keras.random.uniform((), seed=self.seed_generator) for _ in range(2)]
            self.drawn.assign(ops.stack([*draws, keras.random.uniform(())]))
        return x


def test_no_two_draws_of_a_run_are_equal() -> None:
    """Neither those of one step, nor those of two steps, nor those of two layers."""

    def model(shape: Any, classes: int) -> keras.Model:
        return keras.Sequential(
            [keras.Input(shape), Draws(), Draws(), layers.Flatten(), layers.Dense(classes)]
        )

    data = own.dataset()
    drawn: list[float] = []
    for seed in (0, 1):
        program = own.program(model, "schedule.batch_size=5", seed=seed)
        kept = [layer.drawn for layer in program.model.layers if isinstance(layer, Draws)]

        def note(progress: Progress, kept: Any = kept) -> None:
            drawn.extend(float(number) for variable in kept for number in variable.numpy())

        for _ in fit(program, data, on_progress=note):
            evaluate(program, data.val)
    assert len(drawn) > 40
    assert len(set(drawn)) == len(drawn)


def test_penalties_are_in_the_objective_and_in_every_reported_cost() -> None:
    """A mean adds them once to the mean; a sum adds them once to the batch's sum."""

    def model(shape: Any, classes: int) -> keras.Model:
        dense = layers.Dense(classes, kernel_regularizer=keras.regularizers.L1(0.1))
        return keras.Sequential([keras.Input(shape), layers.Flatten(), dense])

    data = own.dataset()
    tiny = ["optimizer=sgd", "optimizer.learning_rate=1e-30"]
    for loss, share in (("cross_entropy", 1.0), ("cross_entropy_sum", 1 / 15)):
        overrides = [f"loss={loss}", "schedule.epochs=1", *tiny]
        with_penalty, without = own.program(model, *overrides), own.program(own.plain, *overrides)
        without.model.set_weights(with_penalty.model.get_weights())
        penalty = 0.1 * np.abs(with_penalty.model.get_weights()[0]).sum()
        (more,), (less,) = (list(fit(program, data)) for program in (with_penalty, without))
        assert more.val.cost - less.val.cost == pytest.approx(share * penalty, rel=1e-4)
        assert more.test is not None
        assert less.test is not None
        assert more.test.cost - less.test.cost == pytest.approx(share * penalty, rel=1e-4)
        batches = 4 if loss == "cross_entropy_sum" else 50  # it counts once for each
        assert more.cost - less.cost == pytest.approx(batches * penalty / 50, rel=1e-4)
        first = [result.step_points[0].cost for result in (more, less)]
        assert first[0] - first[1] == pytest.approx(share * penalty, rel=1e-4)
        assert more.train_accuracy == less.train_accuracy

    moving = ["optimizer=sgd", "optimizer.learning_rate=0.1", "schedule.max_steps=1"]
    program, plain = own.program(model, *moving), own.program(own.plain, *moving)
    before = program.model.get_weights()[0]
    plain.model.set_weights(program.model.get_weights())
    for other in (program, plain):
        list(fit(other, data))
    change = plain.model.get_weights()[0] - program.model.get_weights()[0]
    np.testing.assert_allclose(change, 0.1 * 0.1 * np.sign(before), atol=1e-6)


def test_a_program_without_penalties_or_draws_is_that_of_this_project(
    settings: Callable[..., Any],
) -> None:
    from mnist_exp.training.program import build_program

    data = own.dataset()
    overrides = ["init=glorot", "schedule.epochs=1", "schedule.batch_size=15", "optimizer=adam"]
    builtin = build_program(settings("model=softmax", *overrides), own.NUM_TRAIN, own.FORM)
    mine = own.program(own.plain, *overrides)
    mine.model.set_weights(builtin.model.get_weights())
    one, other = (train(program, data, Progress()) for program in (builtin, mine))
    assert one == other


class WithVariable(layers.Layer):
    """A variable of TensorFlow, which Keras does not track."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = tf.Variable(2.0, name="factor")

    def call(self, x: Any) -> Any:
        return x * self.factor


class HiddenStream(layers.Layer):
    """A random stream in an object that Keras does not look into."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = type("Hidden", (), {"stream": keras.random.SeedGenerator(0)})()

    def call(self, x: Any) -> Any:
        return x + keras.random.normal(ops.shape(x), seed=self.hidden.stream)


class Calls(layers.Layer):
    """A layer that computes with this function."""

    def __init__(self, function: Any) -> None:
        super().__init__(name="noisy")
        self.function = function

    def call(self, x: Any) -> Any:
        return self.function(x)


def with_layer(make: Callable[[], layers.Layer]) -> Callable[..., keras.Model]:
    return lambda shape, classes: keras.Sequential(
        [keras.Input(shape), make(), layers.Flatten(), layers.Dense(classes)]
    )


def in_a_branch(x: tf.Tensor) -> tf.Tensor:
    return tf.cond(tf.reduce_sum(x) > 0, lambda: x + tf.random.uniform(tf.shape(x)), lambda: x)


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (WithVariable, "the variable factor belongs to no layer that Keras knows"),
        (HiddenStream, "seed_generator_state belongs to no layer"),
        (
            lambda: Calls(lambda x: x + tf.random.normal(tf.shape(x))),
            r"RandomStandardNormal \(in noisy\) is an operation of tf.random",
        ),
        (lambda: Calls(in_a_branch), r"RandomUniform \(in noisy\)"),
        (
            lambda: Calls(
                lambda x: tf.ensure_shape(tf.numpy_function(np.abs, [x], x.dtype), x.shape)
            ),
            r"tf.numpy_function \(in noisy\) run Python code",
        ),
        (lambda: Calls(lambda x: x / 0.0), "outputs for the first 8 .* NaN or infinite"),
        (
            lambda: Calls(lambda x: tf.stop_gradient(x) * 0),
            None,  # preflight tells that nothing is learned
        ),
    ],
)
def test_what_could_not_be_resumed_exactly_is_refused(
    layer: Callable[[], layers.Layer], words: str | None
) -> None:
    program, data = own.program(with_layer(layer)), own.dataset()
    if words is None:
        assert check(program, data.train) == []
        return
    with pytest.raises(ConfigError, match=words) as error:
        check(program, data.train)
    assert str(error.value).startswith("model=")
    assert len(str(error.value).splitlines()) <= 2


def test_a_loss_that_does_not_depend_on_the_weights() -> None:
    def constant(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        return tf.cast(labels, tf.float32)

    program = own.program(own.plain, "loss=own", "loss.function=a:b", loss=constant)
    with pytest.raises(ConfigError, match="the loss does not depend on the weights"):
        check(program, own.dataset().train)


def test_what_python_draws_once_is_repeated_and_said() -> None:
    """Keras' own AugMix draws so, too. The caller's stream stays where it was."""
    data = own.dataset()
    model = with_layer(lambda: Calls(lambda x: x * (1 + np.random.rand() + random.random())))
    before, results = random.getstate(), []
    for _ in range(2):
        program = own.program(model, "schedule.epochs=1")
        (warning,) = check(program, data.train)
        assert "draws from random or numpy.random while it is compiled" in warning
        results.append(train(program, data, Progress()))
    assert results[0] == results[1]
    assert random.getstate() == before


def test_a_model_that_is_too_large_for_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "psutil.virtual_memory", lambda: type("Memory", (), {"total": 8 * 240 + 8 * 15 * 3 - 1})()
    )
    program = own.program(own.plain)
    with pytest.raises(ConfigError, match="this machine has"):
        own_program.check(program, own.dataset().train)
