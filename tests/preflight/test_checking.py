"""The contract of `check`: what it accepts, and that it leaves no trace."""

import threading
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight import check, checking, checks, running
from mnist_exp.preflight.errors import PreflightError
from tests.preflight.test_randomness import draws
from tests.support.zoo import losses, models, optimizers, programs

IMAGES, LABELS = programs.sample(0, 300)


def test_weights_optimizer_and_random_streams_are_as_before() -> None:
    model = models.cnn("glorot", 0, extra=[layers.BatchNormalization()], dropout=0.5)
    optimizer = optimizers.adam()
    optimizer.build(model.trainable_variables)
    keras.utils.set_random_seed(3)
    weights = [v.numpy() for v in (*model.variables, *optimizer.variables)]
    expected = draws()
    keras.utils.set_random_seed(3)
    check(model, losses.mean, optimizer, IMAGES, LABELS)
    assert draws() == expected
    after = [v.numpy() for v in (*model.variables, *optimizer.variables)]
    assert all(np.array_equal(a, b) for a, b in zip(weights, after, strict=True))


def test_weights_come_back_when_the_program_fails() -> None:
    model = models.softmax("glorot", 0)
    before = model.layers[-1].kernel.numpy()

    class Failing(keras.optimizers.SGD):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            super().update_step(gradient, variable, learning_rate)
            tf.debugging.assert_less(tf.reduce_max(tf.abs(gradient)), 1e-6)

    with pytest.raises(PreflightError, match="stops with an exception: InvalidArgumentError"):
        check(model, losses.mean, Failing(0.1), IMAGES, LABELS)
    assert np.array_equal(before, model.layers[-1].kernel.numpy())


def attention() -> keras.Model:
    """Return a model without weights, whose attention draws seeds for them when it gets them."""

    class Attention(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.attend = layers.MultiHeadAttention(1, 4)
            self.last = layers.Dense(10)

        def call(self, inputs: Any) -> Any:
            return self.last(self.attend(inputs, inputs)[:, 0])

    model = Attention()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


@pytest.mark.slow
def test_first_weights_are_drawn_from_the_callers_random_streams() -> None:
    rows = IMAGES[..., 0]

    def weights(seed: int, checked: bool) -> np.ndarray:
        keras.utils.set_random_seed(seed)
        model = attention()
        if checked:
            check(model, rows, LABELS)
        else:
            model(rows[:2])
        return np.concatenate([weight.reshape(-1) for weight in model.get_weights()])

    assert np.array_equal(weights(1, checked=True), weights(1, checked=False))
    assert not np.array_equal(weights(1, checked=True), weights(2, checked=True))


def test_a_model_without_weights_yet_is_built_for_batches_of_any_size() -> None:
    model = keras.Sequential([layers.Flatten(), layers.Dense(10)])
    check(model, losses.mean, optimizers.sgd(), IMAGES.reshape(-1, 784), LABELS)
    assert model.input_shape == (None, 784)


def test_two_threads_are_checked_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    running_now = list[str]()
    other = threading.Thread(target=lambda: check(compiled(), IMAGES, LABELS))
    seen = list[bool]()

    def run(checkup: Any, subject: Any, progress: Any) -> None:
        running_now.append("one")
        if not seen:
            seen.append(True)
            other.start()
            other.join(timeout=1)
            seen.append(len(running_now) == 1)

    monkeypatch.setattr(checking, "run_all", run)
    check(compiled(), IMAGES, LABELS)
    other.join()
    assert seen == [True, True]
    assert len(running_now) == 2


def test_same_seed_gives_the_same_numbers() -> None:
    def numbers(seed: int) -> dict[str, float]:
        return dict(
            check(
                models.softmax("zeros", 0), losses.mean, optimizers.sgd(), IMAGES, LABELS, seed=seed
            ).statistics
        )

    assert numbers(0) == numbers(0)
    assert numbers(0) != numbers(1)


def test_errors_come_before_warnings_and_each_code_once() -> None:
    report = check(
        models.mlp("zeros", 0),
        lambda y, z: losses.mean(y, z) / 10,
        optimizers.adam(),
        IMAGES,
        LABELS,
    )
    severities = [finding.severity for finding in report.findings]
    assert severities == sorted(severities)
    assert len(report.codes) == len(set(report.codes)) >= 3
    assert report.seconds > 0


@pytest.mark.parametrize(
    ("one_hot", "flat", "summed"),  # each pair of forms occurs once
    [(True, True, True), (True, False, False), (False, True, False), (False, False, True)],
)
def test_every_form_of_a_plain_program(one_hot: bool, flat: bool, summed: bool) -> None:
    weights, bias = tf.Variable(tf.zeros((784, 10))), tf.Variable(tf.zeros(10))
    model = models.Plain(lambda x, w, b: tf.reshape(x, [-1, 784]) @ w + b, weights, bias)
    labels = np.eye(10)[LABELS] if one_hot else LABELS.astype(np.uint8)

    def loss(y: Any, z: Any) -> tf.Tensor:
        y = y if one_hot else tf.one_hot(y, 10)
        values = tf.nn.softmax_cross_entropy_with_logits(y, z)
        return tf.reduce_sum(values) if summed else values

    images = IMAGES.reshape(-1, 784) if flat else IMAGES
    assert check(model, loss, optimizers.sgd(0.01), images, labels).findings == ()
    assert not weights.numpy().any()


def test_unusable_arguments_are_refused() -> None:
    model = models.softmax("zeros", 0)
    with pytest.raises(ValueError, match="same length, got 300 and 299"):
        check(model, losses.mean, optimizers.sgd(), IMAGES, LABELS[:-1])
    with pytest.raises(ValueError, match="at least 2 examples, got 1"):
        check(model, losses.mean, optimizers.sgd(), IMAGES[:1], LABELS[:1])


def test_examples_that_are_not_finite_are_named_and_left_out() -> None:
    images = IMAGES.copy()
    images[7] = np.nan
    report = check(models.softmax("zeros", 0), losses.mean, optimizers.sgd(), images, LABELS)
    assert report.codes == ("INPUT_NON_FINITE",)


def known_only(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Return the mean squared error of what is known."""
    known = tf.cast(~tf.math.is_nan(labels), tf.float32)
    labels = tf.where(known > 0, labels, 0.0)
    return tf.reduce_sum(known * (labels - outputs) ** 2) / tf.reduce_sum(known)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("columns", [1, 6])  # of six, hardly an example has all
@pytest.mark.parametrize("related", [True, False])
def test_labels_that_the_loss_leaves_out_are_no_error(columns: int, related: bool) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(600, 8)).astype(np.float32)
    y = x @ random.normal(size=(8, columns)).astype(np.float32)
    given = np.where(random.random(y.shape) < 0.4, np.nan, y if related else random.permutation(y))
    model = keras.Sequential([layers.Dense(32, "relu"), layers.Dense(columns)])
    model.compile(keras.optimizers.Adam(0.01), known_only)
    report = check(model, x, given)
    assert report.codes == (() if related else ("LABELS_UNRELATED",))
    assert report.not_judged == ()
    model.compile(keras.optimizers.Adam(0.01), "mse")
    assert "INPUT_NON_FINITE" in check(model, x, given).codes


@pytest.mark.parametrize("examples", [2, 10])
def test_small_samples_are_enough_to_run(examples: int) -> None:
    images, labels = IMAGES[:examples], LABELS[:examples]
    assert (
        check(models.softmax("zeros", 0), losses.mean, optimizers.sgd(), images, labels).errors
        == ()
    )


def compiled(loss: Any = "sparse_categorical_crossentropy", **given: Any) -> keras.Model:
    model = models.softmax("zeros", 0)
    model.add(layers.Activation("softmax", dtype="float32"))
    model.compile(**{"optimizer": keras.optimizers.Adam(0.01)} | given, loss=loss)
    return model


def text_model() -> keras.Model:
    words = layers.TextVectorization(10, output_sequence_length=3)
    words.adapt(["good", "bad", "one"])
    answer = layers.Dense(1, activation="sigmoid")
    stack = [words, layers.Embedding(10, 4), layers.GlobalAveragePooling1D(), answer]
    model = keras.Sequential([keras.Input((), dtype="string"), *stack])
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy")
    return model


def half_precision() -> keras.Model:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = compiled()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    return model


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    ("make", "x", "y", "named"),
    [
        (text_model, np.array(["good one", "bad one"] * 60), np.array([1, 0] * 60), {}),
        (half_precision, IMAGES, LABELS, {}),
        (compiled, tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(32), None, {}),
        (compiled, IMAGES, LABELS, {"class_weight": {3: 2.0}}),
        (
            lambda: compiled(optimizer=keras.optimizers.Adam(0.01, gradient_accumulation_steps=4)),
            IMAGES,
            LABELS,
            {"sample_weight": np.linspace(0.5, 1.5, len(LABELS))},
        ),
    ],
)
def test_good_compiled_programs_of_every_form(make: Any, x: Any, y: Any, named: Any) -> None:
    assert check(make(), x, y, **named).findings == ()


def test_gradients_of_large_targets_do_not_overflow_in_half_precision() -> None:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = keras.Sequential([layers.Dense(16, "relu"), layers.Dense(1)])
        model.compile(keras.optimizers.Adam(0.1), "mse")
    finally:
        keras.mixed_precision.set_global_policy("float32")
    x = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    report = check(model, x, 3000 + 1000 * x[:, 0])
    assert "GRADIENT_NON_FINITE" not in report.codes


def test_weights_of_examples_count_in_the_gradient() -> None:
    report = check(compiled(), IMAGES, LABELS, sample_weight=np.zeros(len(LABELS)))
    assert "GRADIENT_ZERO" in report.codes
    assert report.not_judged == (), "targets without a unit are nothing that was left out"


def test_weights_of_several_outputs_are_said_not_to_be_judged() -> None:
    given = keras.Input((784,))
    outputs = {name: layers.Dense(10, "softmax", name=name)(given) for name in ("one", "two")}
    model = keras.Model(given, outputs)
    model.compile("adam", dict.fromkeys(outputs, "sparse_categorical_crossentropy"))
    x, y = IMAGES.reshape(-1, 784), dict.fromkeys(outputs, LABELS)
    weights = dict.fromkeys(outputs, np.ones(len(LABELS)))
    said = "the weights of several outputs"
    assert said in check(model, x, y, sample_weight=weights).not_judged
    assert said not in check(model, x, y).not_judged


def test_labels_out_of_range_end_no_other_check() -> None:
    labels = np.where(LABELS == 0, 10, LABELS)
    report = check(compiled(), 255 * IMAGES, labels)
    assert {"LABELS_OUT_OF_RANGE", "INPUT_SCALE"} <= set(report.codes)
    assert "overfit.accuracy" in report.statistics


def test_no_check_begins_when_the_time_is_up() -> None:
    report = check(compiled(), IMAGES, LABELS, budget_seconds=0)
    assert report.findings == ()
    assert "the learning rate" in report.not_judged
    assert report.out_of_time == report.not_judged


def test_model_that_trains_itself_is_said_and_not_guessed_at() -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = models.softmax("zeros", 0)

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    model = Own()
    model.compile("adam")
    report = check(model, IMAGES)
    assert report.findings == ()
    assert "the model's own train_step or compute_loss" in report.not_judged


def test_model_without_any_loss_is_refused() -> None:
    with pytest.raises(PreflightError, match="without a loss, and no layer adds one"):
        check(compiled(loss=None), IMAGES, LABELS)


def test_losses_that_layers_add_are_no_leftovers_of_a_graph() -> None:
    model = keras.Sequential(
        [keras.Input((784,)), layers.Dense(10, kernel_regularizer="l2", activity_regularizer="l2")]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    check(model, IMAGES.reshape(-1, 784), LABELS)
    assert all(np.isfinite(float(loss)) for loss in model.losses)


def test_one_check_that_fails_hides_nothing_that_others_find(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(checkup: Any, subject: Any) -> None:
        raise ZeroDivisionError("a text")

    broken = checks.Check(judges="a check", run=failing)
    monkeypatch.setattr(running, "AT_FIRST", [broken, *checks.AT_FIRST])
    report = check(compiled(), 255 * IMAGES, LABELS)
    assert "INPUT_SCALE" in report.codes
    assert "a check (ZeroDivisionError in test_checking.py, line" in report.not_judged[0]


def test_of_an_optimizer_that_cannot_be_copied_all_else_is_judged() -> None:
    class OfItsOwnRate(keras.optimizers.SGD):
        def __init__(self) -> None:
            super().__init__(0.1)

    report = check(compiled(optimizer=OfItsOwnRate()), IMAGES, LABELS)
    assert report.findings == ()
    assert report.not_judged[0].startswith("what its optimizer does")
    assert {"the learning rate", "dropout"} & set(report.not_judged) == {"the learning rate"}
    assert "overfit.accuracy" in report.statistics


def test_a_short_run_that_stops_takes_no_finding_away() -> None:
    class Failing(keras.optimizers.SGD):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            raise RuntimeError("a text")

    report = check(compiled(optimizer=Failing(0.1)), 255 * IMAGES, LABELS)
    assert "INPUT_SCALE" in report.codes
    assert "all that a short run shows (RuntimeError in test_checking.py" in report.not_judged[-1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number from 1, got 0"),
        ({"steps": 2.5}, "steps must be a whole number from 1, got 2.5"),
        ({"budget_seconds": "10"}, "budget_seconds must be a number from 0, got '10'"),
        ({"seed": None}, "seed must be a whole number from 0, got None"),
    ],
)
def test_numbers_that_mean_nothing_are_refused_by_name(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(PreflightError, match=f"^{said}$"):
        check(compiled(), IMAGES, LABELS, **wrong)


@pytest.mark.parametrize(
    "given", [(IMAGES,), ((IMAGES, LABELS),), (tf.data.Dataset.from_tensor_slices(IMAGES),)]
)
def test_labels_that_are_missing_are_asked_for(given: tuple[Any, ...]) -> None:
    with pytest.raises(PreflightError, match="the labels are missing: give x and y"):
        check(compiled(), *given)


def test_what_is_no_optimizer_is_refused_by_name() -> None:
    for optimizer in ("adma", 0.01):
        with pytest.raises(PreflightError, match=f"optimizer.*{optimizer}"):
            check(compiled(), "mse", optimizer, IMAGES, LABELS)


def test_model_of_a_strategy_is_refused_with_the_way_out() -> None:
    with tf.distribute.MirroredStrategy(["/cpu:0"]).scope():
        model = compiled()
    with pytest.raises(PreflightError, match=r"tf\.distribute: check the same model"):
        check(model, IMAGES, LABELS)


def test_what_cannot_be_trained_is_found_and_all_else_is_judged() -> None:
    def model(units: int) -> keras.Model:
        return keras.Sequential([layers.Flatten(), layers.Dense(units, "sigmoid")])

    frozen, one_output = model(10), model(1)
    frozen.build((None, 28, 28, 1))
    frozen.trainable = False
    frozen.compile("adam", "sparse_categorical_crossentropy")
    assert [f.code for f in check(frozen, IMAGES, LABELS).errors] == ["VARIABLE_NOT_TRAINED"]
    one_output.compile("adam", "sparse_categorical_crossentropy")
    assert [f.code for f in check(one_output, IMAGES, LABELS % 2).errors] == ["LOSS_MISMATCH"]


def test_of_a_model_that_is_called_otherwise_the_data_alone_are_judged() -> None:
    class Noised(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, pair: Any) -> Any:
            if not isinstance(pair, list):
                raise TypeError("give it an image and a time")
            return self.dense(pair[0] * pair[1])

        def train_step(self, images: Any) -> Any:
            return {"loss": tf.reduce_mean(self([images, images]))}

    model = Noised()
    model.compile("adam", "mse")
    report = check(model, IMAGES)
    assert report.codes == ()
    assert report.not_judged[0].startswith("all but the data")
    assert check(model, 0 * IMAGES).errors
