"""Ways to train the same model, one a module.

The function `prepare(config, train, ...)` of a module returns a function that runs some steps and
returns the seconds of one step. This is the process of one competitor:

    python -m benchmarks.competitors NAME CASE THREADS

It reads lines from its standard input. Each line has a number of steps, and is answered with the
seconds of one step.
"""

from dataclasses import dataclass, field
from typing import Any

from benchmarks.arguments import is_installed


@dataclass(frozen=True)
class Competitor:
    """One way to train a model: its title in tables, and the module that does it."""

    title: str
    module: str
    needs: tuple[str, ...] = ()  # packages that only this competitor needs
    options: dict[str, Any] = field(default_factory=dict)  # for the module's `prepare`

    @property
    def missing(self) -> str | None:
        """Return the first package that it needs and that is not installed."""
        return next((name for name in self.needs if not is_installed(name)), None)


COMPETITORS = {
    "ours": Competitor("mnist_exp", "ours"),
    "ours_bf16": Competitor("mnist_exp, bfloat16", "ours", options={"bfloat16": True}),
    "own": Competitor("mnist_exp, as a model of one's own", "ours", options={"own": True}),
    "tutorial": Competitor("the tutorial's own loop", "tutorial"),
    "tutorial_bf16": Competitor(
        "the tutorial's own loop, bfloat16 by TensorFlow", "tutorial", options={"bfloat16": True}
    ),
    "keras": Competitor("Keras fit", "keras_fit"),
    "keras50": Competitor(
        "Keras fit, steps_per_execution=50", "keras_fit", options={"steps_per_execution": 50}
    ),
    "keras50_bf16": Competitor(
        "Keras fit, steps_per_execution=50, mixed_bfloat16",
        "keras_fit",
        options={"steps_per_execution": 50, "bfloat16": True},
    ),
    "pytorch": Competitor("PyTorch eager", "pytorch", ("torch",)),
    "pytorch_compiled": Competitor("PyTorch compiled", "pytorch", ("torch",), {"compiled": True}),
    "pytorch_bf16": Competitor(
        "PyTorch eager, autocast", "pytorch", ("torch",), {"bfloat16": True}
    ),
    "pytorch_compiled_bf16": Competitor(
        "PyTorch compiled, autocast", "pytorch", ("torch",), {"compiled": True, "bfloat16": True}
    ),
    "flax": Competitor("Flax jitted", "jax_flax", ("flax", "optax")),
    "flax_bf16": Competitor(
        "Flax jitted, bfloat16", "jax_flax", ("flax", "optax"), {"bfloat16": True}
    ),
}

# What the machine can do at all. The limits take their turns in the same rounds.
LIMITS = {
    "gemm2048": Competitor("matrix product 2048", "limits", options={"size": 2048}),
    "gemm4096": Competitor("matrix product 4096", "limits", options={"size": 4096}),
    "empty_loop": Competitor("empty loop", "limits"),
}
