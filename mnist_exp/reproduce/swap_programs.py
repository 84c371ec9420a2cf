"""The tutorials' CNNs at full length, and each with one setting of the other."""

from collections.abc import Sequence
from dataclasses import dataclass

from mnist_exp.config import bridge
from mnist_exp.config.tree import compose
from mnist_exp.errors import UserError, did_you_mean
from mnist_exp.outside.printing import listed
from mnist_exp.reproduce.presets import BLOG, NOTEBOOK
from mnist_exp.reproduce.runs import Preset
from mnist_exp.sweeper import quoting

DIFFERENCES = bridge.between(*bridge.FULL_LENGTH)
# Those that matter most in docs/results/explain.md; a run of the notebook's CNN is long.
LARGEST = ("dense layer", "learning rate")

TUTORIALS = {BLOG: ("blog", "notebook"), NOTEBOOK: ("notebook", "blog")}  # own and other


@dataclass(frozen=True, kw_only=True)
class Program:
    """A tutorial's CNN, as it is or with one setting of the other tutorial's."""

    base: str  # the preset
    swapped: str  # such as `the notebook's dense layer`; empty for the CNN as it is
    difference: bridge.Difference | None
    preset: Preset

    @property
    def values(self) -> tuple[object, object]:
        """Return the swapped setting's value in this tutorial and in the other."""
        assert self.difference is not None
        ends = (self.difference.blog, self.difference.notebook)
        return ends if self.base == BLOG else ends[::-1]


def programs(names: Sequence[str], uri: str | None = None) -> list[Program]:
    """Return both CNNs, each followed by it with one of the named differences swapped.

    Raises UserError for a name that no difference has.
    """
    swapped = [_difference(name) for name in dict.fromkeys(names)]
    return [
        _program(base, difference, uri)
        for base in (BLOG, NOTEBOOK)
        for difference in (None, *swapped)
    ]


def _difference(name: str) -> bridge.Difference:
    known = {difference.name: difference for difference in DIFFERENCES}
    if name not in known:
        raise UserError(
            f"--swap {name!r}: no such difference{did_you_mean(name, known)}\n"
            f"Differences: {listed(list(known))}"
        )
    return known[name]


def _program(base: str, difference: bridge.Difference | None, uri: str | None) -> Program:
    store = () if uri is None else (quoting.override("tracking.uri", uri),)
    overrides = (f"experiment={base}", *_changes(base, difference), *store)
    own, other = TUTORIALS[base]
    swapped = f"the {other}'s {difference.name}" if difference else ""
    name = f"{own}'s CNN with {swapped}" if swapped else f"{own}'s CNN"
    settings = compose(overrides)
    return Program(
        base=base,
        swapped=swapped,
        difference=difference,
        preset=Preset(name=name, overrides=overrides, settings=settings, shortened=False),
    )


def _changes(base: str, difference: bridge.Difference | None) -> list[str]:
    """Return the overrides that give a tutorial's preset the other tutorial's value.

    The blog counts epochs: with other batches it trains for as many steps as with its own.
    """
    if difference is None:
        return []
    value = difference.notebook if base == BLOG else difference.blog
    changes = {difference.key: value}
    if base == BLOG and difference.key.startswith("schedule."):
        changes = {"schedule.epochs": "null", "schedule.max_steps": bridge.FULL_LENGTH[0]} | changes
    return [f"{key}={str(value).lower()}" for key, value in changes.items()]
