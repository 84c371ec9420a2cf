"""The models whose steps are measured, with the batch sizes and optimizers of their tutorials."""

from mnist_exp.config.schema import Config
from mnist_exp.config.tree import compose

OVERRIDES = {
    "softmax": ["experiment=notebook_softmax"],
    "cnn3x3": ["experiment=blog_cnn3x3"],
    "cnn5x5": ["experiment=notebook_cnn5x5", "schedule.train_accuracy_every=null"],
    "mlp": ["model=mlp", "init=glorot"],
}


def config(case: str) -> Config:
    """Return the composed config of a case of OVERRIDES."""
    return compose(OVERRIDES[case]).config
