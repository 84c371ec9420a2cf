"""Good programs: the tutorials, optimizers and initialisations, right ways to write a program."""

from collections.abc import Iterator

import keras
import numpy as np
from keras import layers

from tests.support.zoo.optimizers import adam, sgd
from tests.support.zoo.programs import (
    ARCHITECTURES,
    CNN,
    MLP,
    SOFTMAX,
    Entry,
    Make,
    Recipe,
    extra,
    head,
    init,
    sample,
    with_classes,
    with_images,
    with_labels,
)

from . import losses, models, optimizers

PRESETS = {
    "notebook_softmax": Recipe(
        on=SOFTMAX, model=init("zeros"), loss=losses.total, optimizer=lambda: sgd(0.01)
    ),
    "notebook_softmax_literal": Recipe(
        on=SOFTMAX,
        model=head(layers.Softmax, init="zeros"),
        loss=losses.from_probabilities,
        optimizer=lambda: sgd(0.01),
    ),
    "blog_cnn3x3": Recipe(on=("cnn3x3",), model=init("blog"), optimizer=optimizers.ALL["adam"]),
    "notebook_cnn5x5": Recipe(
        on=("cnn5x5",), model=init("notebook"), loss=losses.total, optimizer=lambda: adam(1e-4)
    ),
}


def _zero_readout(make: Make, seed: int) -> keras.Model:
    model = make("glorot", seed)
    model.layers[-1].kernel.assign(np.zeros((100, 10)))
    return model


def _trained(make: Make, seed: int) -> keras.Model:
    model = make("zeros", seed)
    model.compile(adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(*sample(seed), epochs=5, verbose=0)
    return model


def _one_hot(labels: np.ndarray) -> np.ndarray:
    return np.eye(10, dtype=np.float32)[labels]


# Right ways to write a program, one for each thing that a check could take for a mistake.
VARIATIONS = {
    "one_hot_labels": Recipe(on=MLP, loss=losses.one_hot_mean, data=with_labels(_one_hot)),
    "keras_loss_from_logits": Recipe(
        on=MLP, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ),
    "keras_loss_probabilities": Recipe(
        on=MLP, model=head(layers.Softmax), loss=keras.losses.SparseCategoricalCrossentropy()
    ),
    "label_smoothing": Recipe(
        on=MLP,
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        data=with_labels(_one_hot),
    ),
    "log_softmax_nll": Recipe(
        on=MLP,
        model=head(lambda: layers.Activation("log_softmax")),
        loss=losses.negative_log_likelihood,
    ),
    "rescaling_layer_uint8": Recipe(
        on=CNN,
        model=lambda make, s: models.before(layers.Rescaling(1 / 255), make("glorot", s)),
        data=with_images(lambda images: (images * 255).round().astype(np.uint8)),
    ),
    "standardised": Recipe(on=MLP, data=with_images(lambda images: (images - 0.1307) / 0.3081)),
    "minus_one_to_one": Recipe(on=CNN, data=with_images(lambda images: 2 * images - 1)),
    "flat_images": Recipe(
        on=SOFTMAX,
        model=lambda _, s: models.sequential(layers.Dense(10), shape=(784,)),
        optimizer=sgd,
        data=with_images(lambda images: images.reshape(-1, 784)),
    ),
    "batch_norm": Recipe(on=CNN, model=extra(layers.BatchNormalization)),
    "batch_norm_dense": Recipe(on=MLP, model=extra(layers.BatchNormalization)),
    "layer_norm": Recipe(on=MLP, model=extra(layers.LayerNormalization)),
    "dropout": Recipe(
        on=MLP, model=lambda make, s: make("glorot", s, extra=[layers.Dropout(0.5, seed=s)])
    ),
    "tanh": Recipe(on=MLP, model=init("glorot", activation="tanh")),
    "sigmoid": Recipe(on=MLP, model=init("glorot", activation="sigmoid")),
    "plain_callable": Recipe(on=MLP, model=lambda _, s: models.plain_mlp(s)),
    "zero_readout": Recipe(on=MLP, model=_zero_readout),
    "trained_already": Recipe(on=SOFTMAX, model=_trained),
    "one_cycle": Recipe(on=MLP, optimizer=lambda: adam(optimizers.warm_up())),
    "five_classes": Recipe(
        on=SOFTMAX,
        model=lambda _, s: models.sequential(
            layers.Flatten(), layers.Dense(5, kernel_initializer="zeros")
        ),
        loss=losses.per_example,
        optimizer=sgd,
        data=with_classes(lambda labels: labels < 5, count=800),
    ),
}


def presets() -> list[Entry]:
    """Return the programs of the tutorials."""
    return [recipe.entry(recipe.on[0], name) for name, recipe in PRESETS.items()]


def variations() -> list[Entry]:
    """Return the other right ways to write a program."""
    return [recipe.entry(recipe.on[0], name) for name, recipe in VARIATIONS.items()]


def grid(seeds: range) -> Iterator[tuple[Entry, int]]:
    """Yield each optimizer and each initialisation with each seed; the other one takes turns."""
    names = list(optimizers.ALL)
    for architecture in ARCHITECTURES:
        inits = ["glorot", "he", "notebook", "blog"]
        inits += ["zeros"] if architecture == "softmax" else []
        for seed in seeds:
            pairs = {(n, inits[(n + seed) % len(inits)]) for n in range(len(names))}
            pairs |= {((n + seed) % len(names), start) for n, start in enumerate(inits)}
            for n, start in sorted(pairs):
                recipe = Recipe(
                    model=init(start), loss=losses.per_example, optimizer=optimizers.ALL[names[n]]
                )
                yield recipe.entry(architecture, f"{architecture}-{start}-{names[n]}"), seed
