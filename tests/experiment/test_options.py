"""Each option of each group trains."""

import numpy as np
import pytest

from mnist_exp.config.groups import group_names, group_options
from mnist_exp.config.tree import compose
from mnist_exp.data import Dataset
from mnist_exp.training.loop import fit
from mnist_exp.training.program import build_program, evaluate

OPTIONS = [
    *[
        [f"experiment={name}"]
        for name in (
            "notebook_softmax_buggy",
            "notebook_softmax",
            "notebook_cnn5x5",
            "blog_cnn3x3",
            "speedrun",
        )
    ],
    *[[f"model={name}"] for name in ("softmax", "mlp", "cnn3x3", "cnn5x5")],
    *[[f"init={name}", "model=cnn5x5"] for name in ("blog", "notebook", "zeros", "glorot", "he")],
    *[
        [f"loss={name}", f"loss.from_probabilities={literal}", "model=softmax"]
        for name in ("cross_entropy", "cross_entropy_sum", "self_entropy")
        for literal in (False, True)
    ],
    *[
        [f"optimizer={name}", "model=softmax"]
        for name in ("sgd", "momentum", "adam", "adamw", "rmsprop", "adagrad")
    ],
    *[[f"schedule={name}", "model=softmax"] for name in ("constant", "cosine", "one_cycle")],
    ["data=mnist", "model=softmax"],
    ["loss=keras", "loss.name=CategoricalFocalCrossentropy", "model=softmax"],
    ["optimizer=keras", "optimizer.name=Lion", "model=softmax"],
]
# Those that need code or data of one's own have tests of their own.
ELSEWHERE = {"data=fashion_mnist", "model=own", "loss=own"}


@pytest.mark.first_cases(6)
@pytest.mark.parametrize("overrides", OPTIONS, ids=" ".join)
def test_every_option_trains_two_batches(overrides: list[str], small_mnist: Dataset) -> None:
    config = compose([*overrides, "debug=fast", "schedule.batch_size=16"]).config
    program = build_program(config, len(small_mnist.train))
    (result,) = fit(program, small_mnist)
    assert result.step == 2
    test = evaluate(program, small_mnist.test)
    assert np.isfinite([result.cost, result.val.cost, test.cost]).all()


def test_every_option_is_tried() -> None:
    tried = {override for overrides in OPTIONS for override in overrides}
    missing = {
        f"{group}={option}"
        for group in group_names()
        if group not in ("debug", "sweeps")  # these have tests of their own
        for option in group_options(group)
    } - tried
    assert missing == ELSEWHERE
