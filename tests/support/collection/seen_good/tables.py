"""Good programs for tables with classes: columns of numbers and of categories."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.parts import encoder_block, normalizer
from tests.support.collection.sources import KERAS, TENSORFLOW, good, with_validation

ENTRIES: list[Entry] = []


@good(ENTRIES, f"{TENSORFLOW}/core/logistic_regression_core", "binary", "[30] to 1 logit")
def logistic_regression(seed: int) -> Case:
    x, y = made_data.breast_cancer(seed)
    model = keras.Sequential([keras.Input((30,)), layers.Dense(1)])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss)
    return with_validation(model, made_data.standardized(x), y, batch_size=64, epochs=20)


@good(ENTRIES, "https://www.deeplearningbook.org/contents/mlp.html (section 6.1, learning XOR)",
      "binary", "[2] to 1 sigmoid")  # fmt: skip
def xor_two_units(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(8, activation="tanh"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.03), "binary_crossentropy", metrics=["accuracy"])
    return with_validation(model, *made_data.xor(seed), epochs=15)


@good(ENTRIES, f"{TENSORFLOW}/keras/overfit_and_underfit (L2 and dropout)", "binary",
      "[20] to 1 logit")  # fmt: skip
def higgs_regularised(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3000, 20)).astype(np.float32)
    score = x[:, 0] * x[:, 1] + x[:, 2] + 0.5 * np.abs(x[:, 3]) - 0.4 + rng.normal(0, 0.5, 3000)
    model = keras.Sequential([keras.Input((20,))])
    for _ in range(3):
        penalty = keras.regularizers.l2(0.0001)
        model.add(layers.Dense(128, kernel_regularizer=penalty, activation="elu"))
        model.add(layers.Dropout(0.5))
    model.add(layers.Dense(1))
    rate = keras.optimizers.schedules.InverseTimeDecay(0.001, 1000, decay_rate=1, staircase=False)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return with_validation(model, x, (score > 0).astype(np.int32), batch_size=100, epochs=15)


@good(ENTRIES, f"{KERAS}/structured_data/structured_data_classification_from_scratch/", "binary",
      "5 columns, numbers and categories, to 1 sigmoid")  # fmt: skip
def heart_disease_columns(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    count = 1200
    columns: dict[str, np.ndarray] = {
        "age": rng.integers(29, 78, (count, 1)),
        "sex": rng.integers(0, 2, (count, 1)),
        "chol": rng.normal(246, 50, (count, 1)).astype(np.float32),
        "oldpeak": rng.exponential(1.0, (count, 1)).astype(np.float32),
        "thal": rng.choice(["fixed", "normal", "reversible"], (count, 1)),
    }
    risk = 0.05 * (columns["age"] - 53) + 0.8 * columns["sex"] + 0.8 * columns["oldpeak"]
    risk = risk + 1.5 * (columns["thal"] == "reversible") - 1.8 + rng.normal(0, 0.4, (count, 1))
    inputs, encoded = {}, []
    for name in ("age", "chol", "oldpeak"):
        inputs[name] = keras.Input((1,), name=name)
        encoded.append(normalizer(columns[name].astype(np.float32))(inputs[name]))
    inputs["sex"] = keras.Input((1,), name="sex", dtype="int64")
    encoded.append(layers.CategoryEncoding(num_tokens=2, output_mode="one_hot")(inputs["sex"]))
    inputs["thal"] = keras.Input((1,), name="thal", dtype="string")
    lookup = layers.StringLookup(output_mode="multi_hot")
    lookup.adapt(columns["thal"])
    encoded.append(lookup(inputs["thal"]))
    x = layers.Dense(32, activation="relu")(layers.concatenate(encoded))
    x = layers.Dropout(0.5)(x)
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    parts = made_data.split(columns, (risk > 0).astype(np.int32))
    train, rest = (tf.data.Dataset.from_tensor_slices(part).batch(32) for part in parts)
    return Case(model=model, x=train, y=None, validation_data=rest, epochs=20)


def _census(seed: int, count: int = 2000) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return three columns of categories, two of numbers, and a score that depends on all."""
    rng = np.random.default_rng(seed)
    sizes = {"work": 6, "education": 8, "place": 12}
    columns = {name: rng.integers(0, size, count) for name, size in sizes.items()}
    score = np.sum([rng.normal(size=size)[columns[name]] for name, size in sizes.items()], axis=0)
    for name in ("age", "hours"):
        columns[name] = rng.normal(size=count).astype(np.float32)
        score = score + 0.7 * columns[name]
    return columns, score + 0.8 * columns["age"] * (columns["work"] > 2)


@good(ENTRIES, f"{KERAS}/structured_data/tabtransformer/", "binary",
      "5 columns, numbers and categories, to 1 sigmoid")  # fmt: skip
def tab_transformer(seed: int) -> Case:
    columns, score = _census(seed)
    inputs, categories = {}, []
    for name in ("work", "education", "place"):
        inputs[name] = keras.Input((), name=name, dtype="int32")
        categories.append(layers.Embedding(12, 16)(inputs[name]))
    x = ops.stack(categories, axis=1)
    x = encoder_block(x, heads=4, rate=0.2)
    numbers = []
    for name in ("age", "hours"):
        inputs[name] = keras.Input((), name=name)
        numbers.append(ops.expand_dims(inputs[name], -1))
    numeric = layers.LayerNormalization(epsilon=1e-6)(layers.concatenate(numbers))
    x = layers.concatenate([layers.Flatten()(x), numeric, *numbers])
    for units in (32, 16):
        x = layers.Dense(units, activation="selu")(layers.BatchNormalization()(x))
        x = layers.Dropout(0.2)(x)
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
    optimizer = keras.optimizers.AdamW(learning_rate=0.001, weight_decay=0.0001)
    model.compile(optimizer, keras.losses.BinaryCrossentropy(), metrics=["accuracy"])
    return with_validation(model, columns, (score > 0.0).astype(np.int32), epochs=8)


@good(ENTRIES, f"{KERAS}/structured_data/classification_with_grn_and_vsn/", "binary",
      "[6] to 1 sigmoid")  # fmt: skip
def residual_gates(seed: int) -> Case:
    def gated_residual(x: Any, units: int) -> Any:
        y = layers.Dense(units)(layers.Dense(units, activation="elu")(x))
        y = layers.Dropout(0.15)(y)
        y = layers.Dense(units)(y) * layers.Dense(units, activation="sigmoid")(y)
        skip = x if x.shape[-1] == units else layers.Dense(units)(x)
        return layers.LayerNormalization()(skip + y)

    inputs = keras.Input((6,))
    features = [layers.Dense(16)(inputs[:, column : column + 1]) for column in range(6)]
    weights = layers.Dense(6, activation="softmax")(
        gated_residual(layers.concatenate(features), 16)
    )
    each = ops.stack(features, axis=1)
    chosen = ops.expand_dims(weights, -1) * each
    x = gated_residual(ops.sum(chosen, axis=1), 16)
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
    model.compile(keras.optimizers.Adam(0.002), "binary_crossentropy", metrics=["accuracy"])
    x, y = made_data.table(seed, features=6, classes=2)
    return with_validation(model, x, y, epochs=6)


@good(ENTRIES, f"{KERAS}/structured_data/wide_deep_cross_networks/", "classes",
      "5 columns, numbers and categories, to 4 classes")  # fmt: skip
def wide_deep_cross(seed: int) -> Case:
    columns, score = _census(seed, 3000)
    labels = np.digitize(score, np.quantile(score, [0.25, 0.5, 0.75])).astype(np.int32)
    inputs, encoded = {}, []
    for name, size in (("work", 6), ("education", 8), ("place", 12)):
        inputs[name] = keras.Input((), name=name, dtype="int64")
        encoded.append(layers.Embedding(size, 4)(inputs[name]))
    for name in ("age", "hours"):
        inputs[name] = keras.Input((), name=name, dtype="float32")
        encoded.append(ops.expand_dims(inputs[name], -1))
    first = layers.concatenate(encoded)
    cross = first
    for _ in range(2):
        cross = first * layers.Dense(cross.shape[-1])(cross) + cross
    cross = layers.BatchNormalization()(cross)
    deep = first
    for units in (32, 32):
        deep = layers.ReLU()(layers.BatchNormalization()(layers.Dense(units)(deep)))
        deep = layers.Dropout(0.1)(deep)
    outputs = layers.Dense(4, activation="softmax")(layers.concatenate([cross, deep]))
    model = keras.Model(inputs, outputs)
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(keras.optimizers.Adam(0.005), loss)
    return with_validation(model, columns, labels, batch_size=64, epochs=15)


@good(ENTRIES, f"{KERAS}/structured_data/deep_neural_decision_forests/", "classes",
      "[12] to 4 classes")  # fmt: skip
def neural_decision_tree(seed: int) -> Case:
    class Tree(layers.Layer):
        """Routes an example through `depth` soft decisions to the leaves' class probabilities."""

        def __init__(self, depth: int, classes: int) -> None:
            super().__init__()
            self.depth, self.classes = depth, classes
            self.decide = layers.Dense(2**depth, activation="sigmoid")

        def build(self, input_shape: tuple[Any, ...]) -> None:
            self.decide.build(input_shape)
            self.leaves = self.add_weight(
                shape=(2**self.depth, self.classes), initializer="random_normal"
            )

        def call(self, features: Any) -> Any:
            right = ops.expand_dims(self.decide(features), axis=2)
            decisions = ops.concatenate([right, 1 - right], axis=2)
            reached = ops.ones_like(right[:, :1, :])
            for level in range(self.depth):
                nodes = decisions[:, 2**level : 2 ** (level + 1), :]
                reached = ops.reshape(ops.repeat(reached, 2, axis=2), (-1, 2**level, 2)) * nodes
                reached = ops.reshape(reached, (-1, 2 ** (level + 1), 1))
            return ops.matmul(ops.squeeze(reached, -1), ops.softmax(self.leaves))

        def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
            return (input_shape[0], self.classes)

    inputs = keras.Input((12,))
    x = layers.BatchNormalization()(inputs)
    model = keras.Model(inputs, Tree(depth=4, classes=4)(x))
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return with_validation(model, *made_data.table(seed), epochs=12)


@good(ENTRIES, f"{KERAS}/keras_recipes/quasi_svm/", "classes", "[784] to 10 scores")
def quasi_svm(seed: int) -> Case:
    class RandomFourierFeatures(layers.Layer):
        """Features whose products are about a Gaussian kernel's; none of them is trained."""

        def build(self, input_shape: tuple[Any, ...]) -> None:
            start = keras.initializers.RandomNormal(stddev=0.1, seed=seed)
            self.kernel = self.add_weight(
                shape=(input_shape[-1], 1024), initializer=start, trainable=False
            )
            turn = keras.initializers.RandomUniform(0, 2 * np.pi, seed=seed)
            self.bias = self.add_weight(shape=(1024,), initializer=turn, trainable=False)

        def call(self, inputs: Any) -> Any:
            return ops.cos(ops.matmul(inputs, self.kernel) + self.bias) * np.sqrt(2 / 1024)

        def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
            return (input_shape[0], 1024)

    model = keras.Sequential([keras.Input((784,)), RandomFourierFeatures(), layers.Dense(units=10)])
    model.compile(keras.optimizers.Adam(0.01), keras.losses.CategoricalHinge())
    images, y = made_data.mnist(seed)
    labels = keras.utils.to_categorical(y, 10)
    return with_validation(model, images.reshape(-1, 784), labels, epochs=8)


@good(ENTRIES, "https://www.tensorflow.org/recommenders/examples/basic_retrieval", "classes",
      "[2] user and place ids to 1,000 items")  # fmt: skip
def thousand_items(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    items = rng.permutation(np.repeat(np.arange(1000), 3)).astype(np.int32)
    x = np.stack([items // 25, (items % 25)], axis=1).astype(np.int32)  # a user buys from a shelf
    inputs = keras.Input((2,), dtype="int32")
    user = layers.Embedding(40, 32)(inputs[:, 0])
    place = layers.Embedding(25, 32)(inputs[:, 1])
    x_model = layers.Dense(128, activation="relu")(layers.concatenate([user, place]))
    model = keras.Model(inputs, layers.Dense(1000)(x_model))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    return with_validation(model, x, items, epochs=12)


@good(ENTRIES, "https://keras.io/api/losses/probabilistic_losses/#binaryfocalcrossentropy-class",
      "multilabel", "[20] to 5 sigmoids")  # fmt: skip
def focal_tags(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((20,)),
            layers.Dense(64, activation="swish"),
            layers.Dense(32, activation="swish"),
            layers.Dense(5, activation="sigmoid"),
        ]
    )
    loss = keras.losses.BinaryFocalCrossentropy(gamma=2.0)
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["binary_accuracy"])
    x, y = made_data.multilabel(seed)
    return with_validation(model, x, y.astype(np.float32), epochs=10)


@good(ENTRIES, "https://keras.io/guides/functional_api/#models-with-multiple-inputs-and-outputs",
      "unknown", "[12] token ids and [6] to 1 logit and 4 logits")  # fmt: skip
def tickets_two_outputs(seed: int) -> Case:
    x, urgent = made_data.two_inputs(seed)
    department = (2 * (x["numbers"][:, 2] > 0) + (x["numbers"][:, 3] > 0)).astype(np.int32)
    words = keras.Input((None,), name="words", dtype="int32")
    numbers = keras.Input((6,), name="numbers")
    read = layers.LSTM(24)(layers.Embedding(100, 24)(words))
    joined = layers.concatenate([read, numbers])
    outputs = {
        "priority": layers.Dense(1, name="priority")(joined),
        "department": layers.Dense(4, name="department")(joined),
    }
    model = keras.Model({"words": words, "numbers": numbers}, outputs)
    loss = {
        "priority": keras.losses.BinaryCrossentropy(from_logits=True),
        "department": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    }
    model.compile(keras.optimizers.RMSprop(0.003), loss, loss_weights=[1.0, 0.5])
    first = {name: values[:1200] for name, values in x.items()}
    rest = {name: values[1200:] for name, values in x.items()}
    y = {"priority": urgent[:1200].astype(np.float32), "department": department[:1200]}
    other = {"priority": urgent[1200:].astype(np.float32), "department": department[1200:]}
    return Case(model=model, x=first, y=y, validation_data=(rest, other), epochs=12)
