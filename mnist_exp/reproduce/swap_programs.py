"""The tutorials' CNNs at full length, and each with one setting of the other."""

from collections.abc import Sequence
from dataclasses import dataclass

from mnist_exp.config import bridge
from mnist_exp.reproduce import runs
from mnist_exp.reproduce.chosen import chosen
from mnist_exp.reproduce.presets import BLOG, NOTEBOOK
from mnist_exp.reproduce.runs import Preset

DIFFERENCES = bridge.between(*bridge.FULL_LENGTH)
LARGEST = ("learning rate", "dense layer")  # by their mean effects in docs/results/explain.csv
TUTORIALS = {BLOG: ("blog", "notebook"), NOTEBOOK: ("notebook", "blog")}  # own and other


@dataclass(frozen=True, kw_only=True)
class Swap:
    """A setting that a tutorial's CNN has from the other tutorial."""

    name: str  # such as `the notebook's dense layer`, `the missing dense layer`
    difference: str  # its name, of whichever tutorial
    key: str  # the setting or group
    before: object  # its value in the CNN's own tutorial
    after: object


@dataclass(frozen=True, kw_only=True)
class Program:
    """A tutorial's CNN, as it is or with one setting of the other tutorial's."""

    base: str  # the preset
    swap: Swap | None
    preset: Preset

    @property
    def name(self) -> str:
        """Return such as `blog's CNN with the notebook's dense layer`."""
        return self.preset.name


def programs(names: Sequence[str], uri: str | None = None) -> list[Program]:
    """Return both CNNs, each followed by it with one of the named differences swapped.

    names: those of differences, their beginnings, or their settings
    Raises UserError for another name.
    """
    swapped = dict.fromkeys(_difference(name) for name in names)
    return [
        _program(base, difference, uri) for base in TUTORIALS for difference in (None, *swapped)
    ]


def _difference(text: str) -> bridge.Difference:
    of_setting = {difference.key: difference.name for difference in DIFFERENCES}
    names = list(of_setting.values())
    name = chosen("--swap", of_setting.get(text, text), names, "difference")
    return DIFFERENCES[names.index(name)]


def _program(base: str, difference: bridge.Difference | None, uri: str | None) -> Program:
    own, other = TUTORIALS[base]
    name, changes, swap = f"{own}'s CNN", [], None
    if difference is not None:
        before, after = getattr(difference, own), getattr(difference, other)
        swapped = f"the {other}'s {difference.name}"
        name = f"{name} with {swapped}"
        if after == "null":
            swapped = f"the missing {difference.name}"
            name = f"{own}'s CNN without the {difference.name}"
        swap = Swap(
            name=swapped, difference=difference.name, key=difference.key, before=before, after=after
        )
        changes = _changes(base, swap)
    preset = runs.composed(name, (f"experiment={base}", *changes), uri)
    return Program(base=base, swap=swap, preset=preset)


def _changes(base: str, swap: Swap) -> list[str]:
    """Return the overrides that swap a setting.

    The blog counts epochs: with other batches it trains for as many steps as with its own.
    """
    steps = {"schedule.epochs": "null", "schedule.max_steps": bridge.FULL_LENGTH[0]}
    counts_epochs = base == BLOG and swap.key.startswith("schedule.")
    changes = (steps if counts_epochs else {}) | {swap.key: swap.after}
    return [f"{key}={str(value).lower()}" for key, value in changes.items()]
