"""What a sweep's own file says of the program that its trials train."""

from collections.abc import Sequence

from mnist_exp.config.groups import group_names
from mnist_exp.config.identity import LENGTH, NEUTRAL, flatten, top_key
from mnist_exp.config.tree import compose_unchecked
from mnist_exp.sweeper import quoting

# What a file sets to keep trials short, and what a full run therefore does not take over.
_SHORT_GROUPS = ("debug",)
_SHORT = ("data.train_limit", "data.eval_limit", *LENGTH)
_NOT_TAKEN = (*_SHORT, "data.dir")


def program_of(sweep: str, overrides: Sequence[str]) -> list[str]:
    """Return overrides for what the file `sweeps=SWEEP` chooses and sets, and these do not.

    `overrides` are those that its trials had beside it. What the file sets to keep trials short is
    left out, and so is what does not decide the result. Raises UserError.
    """
    beside = [text for text in overrides if top_key(text) != "sweeps"]
    settings, choices = compose_unchecked([f"sweeps={sweep}", *beside])
    of_groups = [text for text in beside if _key(text) in group_names()]
    chosen: list[str] = []
    # An experiment chooses options of other groups, so it comes first.
    for groups in (["experiment"], group_names()):
        _, without = compose_unchecked([*chosen, *of_groups])
        chosen += [
            f"{group}={choices[group]}"
            for group in groups
            if choices.get(group) != without.get(group) and group not in ("sweeps", *_SHORT_GROUPS)
        ]
    here, _ = compose_unchecked([*chosen, *beside])
    without_file = flatten(here)
    sets_length = any(_key(text) in LENGTH for text in beside)
    for key, value in flatten(settings).items():
        gives_way = sets_length and key in LENGTH and value is None  # to the length beside the file
        is_taken = gives_way or (top_key(key) not in NEUTRAL and key not in _NOT_TAKEN)
        if is_taken and (key not in without_file or without_file[key] != value):
            chosen.append(quoting.override(key, value))
    return chosen


def _key(override: str) -> str:
    """Return what an override sets: `model` of `+model=mlp`."""
    return override.lstrip("+~").partition("=")[0]
