"""Ways to train the same model, one a module: `prepare(config, train, ...)` gives a function that makes some steps and
tells the seconds of one.

    python -m benchmarks.competitors NAME CASE THREADS

is the process of one: a line with a number of steps on its standard input is answered with the seconds of a step.
"""

import importlib.util
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Competitor:
    title: str
    module: str
    needs: tuple[str, ...] = ()  # packages that the project itself does not need
    options: dict[str, Any] = field(default_factory=dict)  # of the module's `prepare`

    @property
    def missing(self) -> str | None:
        """The first package it needs that is not installed."""
        return next((name for name in self.needs if importlib.util.find_spec(name) is None), None)


COMPETITORS = {
    "ours": Competitor("mnist_exp", "ours"),
    "tutorial": Competitor("the tutorial's own loop", "tutorial"),
    "keras": Competitor("Keras fit", "keras_fit"),
    "keras50": Competitor(
        "Keras fit, steps_per_execution=50", "keras_fit", options={"steps_per_execution": 50}
    ),
    "pytorch": Competitor("PyTorch eager", "pytorch", ("torch",)),
    "pytorch_compiled": Competitor("PyTorch compiled", "pytorch", ("torch",), {"compiled": True}),
    "flax": Competitor("Flax jitted", "jax_flax", ("flax", "optax")),
}

# Not competitors, but what the machine can do at all: they take their turns in the same rounds.
LIMITS = {
    "gemm2048": Competitor("matrix product 2048", "limits", options={"size": 2048}),
    "gemm4096": Competitor("matrix product 4096", "limits", options={"size": 4096}),
    "empty_loop": Competitor("empty loop", "limits"),
}
