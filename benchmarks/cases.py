"""The four models whose training steps are measured, each with the batch size and the optimizer of its tutorial."""

from mnist_exp.config.schema import Config
from mnist_exp.config.tree import compose

OVERRIDES = {
    "softmax": ["experiment=notebook_softmax"],
    "cnn3x3": ["experiment=blog_cnn3x3"],
    "cnn5x5": ["experiment=notebook_cnn5x5", "schedule.train_accuracy_every=null"],
    "mlp": ["model=mlp", "init=glorot"],
}


def config(case: str) -> Config:
    return compose(OVERRIDES[case]).config
