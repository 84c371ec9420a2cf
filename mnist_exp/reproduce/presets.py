"""The presets that are reproduced, and how --quick shortens them."""

from mnist_exp.config.identity import DEBUG_EXPERIMENT

BUGGY, SOFTMAX = "notebook_softmax_buggy", "notebook_softmax"
BLOG, NOTEBOOK = "blog_cnn3x3", "notebook_cnn5x5"
PRESETS = (BUGGY, SOFTMAX, BLOG, NOTEBOOK)  # in the order of the tutorials, and of the results

PAGE = "results.md"  # the answer
METRIC = "test/accuracy"  # what every claim is about
MEASURED_HERE = (SOFTMAX,)  # the tutorial reports no number
APPROXIMATE = (NOTEBOOK,)  # the tutorial says "about"

# What --quick changes of a preset. Both softmax presets take a second as they are.
_SHORT = (
    "schedule.epochs=null",
    "schedule.max_steps=100",
    "data.eval_limit=1000",
    f"tracking.experiment={DEBUG_EXPERIMENT}",
)
QUICK = {BLOG: _SHORT, NOTEBOOK: _SHORT}
# How many seeds are trained by default. A run of the notebook's CNN takes 10 to 50 minutes of
# processor time, one of the blog's 2.5 to 13.
SEEDS = {BUGGY: 10, SOFTMAX: 10, BLOG: 10, NOTEBOOK: 5}
QUICK_SEEDS = 2
SWAP_SEEDS = 5
PRECISION_SEEDS = 10
