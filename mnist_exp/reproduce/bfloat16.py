"""`python -m mnist_exp.reproduce --bfloat16`: each preset in both precisions, compared."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from mnist_exp.command import write
from mnist_exp.compare import page, paired_words, table, words
from mnist_exp.compare.comparison import Comparison, compare
from mnist_exp.compare.paired_effects import MARGIN, PairedEffect
from mnist_exp.compare.question import Question
from mnist_exp.errors import UserError
from mnist_exp.outside import printing, templates
from mnist_exp.reproduce import runs
from mnist_exp.reproduce.completing import complete_runs, cost_lines
from mnist_exp.reproduce.presets import METRIC, PRECISION_SEEDS, PRESETS
from mnist_exp.reproduce.runs import PresetRuns
from mnist_exp.reproduce.words import NONE
from mnist_exp.tracking import costs
from mnist_exp.tracking.runs import Selection, Store

PAGE = "bfloat16.md"

_PAGES = "bfloat16"  # the folder of the pages of `compare`
_BEFORE, _AFTER = "float32", "bfloat16"
_QUESTION = Question(
    metric=METRIC, group_by=("precision",), baseline=f"precision={_BEFORE}", margin=MARGIN
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A preset's runs in both precisions."""

    name: str  # of the preset
    found: tuple[PresetRuns, PresetRuns]  # in float32 and in bfloat16
    comparison: Comparison | None  # None if a precision has no run

    @property
    def effect(self) -> PairedEffect | None:
        """Return what bfloat16 adds; None if no seed has a run of both."""
        if self.comparison is None or not self.comparison.others[0].compared.values:
            return None
        values = self.comparison.others[0].compared.values
        return PairedEffect(name=self.name, before=_BEFORE, after=_AFTER, values=values)


@dataclass(frozen=True, kw_only=True)
class Precisions:
    """What bfloat16 does to the accuracy of presets."""

    measured: tuple[Measured, ...]

    @property
    def missing(self) -> list[str]:
        """Return which runs are missing, and why."""
        return [
            f"{of.preset.name}, seed {seed}: {reason}"
            for one in self.measured
            for of in one.found
            for seed, reason in of.missing.items()
        ]

    @property
    def is_complete(self) -> bool:
        """Return whether no run is missing."""
        return not self.missing


def write_precisions(
    folder: Path, names: Sequence[str], seeds: int | None, uri: str | None
) -> Precisions:
    """Train what the store lacks of the presets in both precisions, and write the pages.

    These are bfloat16.md, runs.csv, and of each preset a page and a table of `compare`. Raises
    UserError if no seed of any preset has a run of both, and if the files cannot be written.
    """
    costs.read(folder)  # refused before the training, if it cannot be gone on with
    wanted = [program(name, precision, uri) for name in names for precision in (_BEFORE, _AFTER)]
    numbers = range(seeds or PRECISION_SEEDS)
    found = complete_runs(uri, [(program, numbers) for program in wanted])
    store = Store(uri)
    pairs = zip(names, found[::2], found[1::2], strict=True)
    precisions = Precisions(measured=tuple(_measured(store, *pair) for pair in pairs))
    effects = [one.effect for one in precisions.measured if one.effect]
    if not effects:
        raise UserError(f"no seed has a run of both precisions ({precisions.missing[0]})")
    lines = cost_lines(store, found, PAGE)
    only = () if list(names) == list(PRESETS) else ("--only", *names)
    counted = () if seeds is None else ("--seeds", str(seeds))
    answer = " ".join(filter(None, [paired_words.answer(effects, MARGIN, METRIC), _most(effects)]))
    text = templates.render(
        f"reproduce/{PAGE}",
        command=printing.command_line(
            "python", "-m", "mnist_exp.reproduce", "--bfloat16", *only, *counted
        ),
        answer=answer,
        rows=[_row(one) for one in precisions.measured],
        margin=f"{MARGIN:g}",
        missing=[printing.markdown(line) for line in precisions.missing],
        cost=costs.sentences(lines),
    )
    written = f"{datetime.now().astimezone():%Y-%m-%d %H:%M}"
    files = {PAGE: text, costs.FILE: costs.to_csv(costs.with_other_pages(folder, lines))}
    for one in precisions.measured:
        if one.comparison is not None:
            files[f"{_PAGES}/{one.name}.html"] = page.render(
                one.comparison, written, is_linked=False
            )
            files[f"{_PAGES}/{one.name}.csv"] = table.to_csv(one.comparison).to_csv(index=False)
    write(folder, files)
    said = [answer, *(f"not counted: {line}" for line in precisions.missing)]
    printing.say("\n" + "\n".join(said))
    printing.say(f"\nThe page: {folder / PAGE}    those of each program: {folder / _PAGES}")
    return precisions


def program(name: str, precision: str, uri: str | None) -> runs.Preset:
    """Return a preset in a precision, for runs in the store `uri`."""
    return runs.composed(
        f"{name}, {precision}", (f"experiment={name}", f"precision={precision}"), uri
    )


def _measured(store: Store, name: str, before: PresetRuns, after: PresetRuns) -> Measured:
    comparison = None
    if before.run_ids and after.run_ids:
        selection = Selection(run_ids=(*before.run_ids.values(), *after.run_ids.values()))
        comparison = compare(store, selection, _QUESTION)
        comparison = replace(comparison, title=f"{name} in {_BEFORE} and {_AFTER}")
    return Measured(name=name, found=(before, after), comparison=comparison)


def _most(effects: Sequence[PairedEffect]) -> str:
    """Say by how much bfloat16 changes the accuracy at most; empty without an interval."""
    ends = [
        (max(of.interval.low, of.interval.high, key=abs), of.name)
        for of in effects
        if of.interval.has_width
    ]
    if not ends:
        return ""
    end, name = max(ends, key=lambda one: abs(one[0]))
    farthest = words.difference(end, METRIC)
    return f"The 95% interval that goes farthest, of {name}, ends at {farthest}."


def _row(one: Measured) -> list[str]:
    effect, of_both = one.effect, one.comparison
    name = f"`{one.name}`"
    if effect is None or of_both is None:
        return [name, "0", *[NONE] * 6]
    means = [row.description.mean for row in (of_both.baseline, of_both.others[0])]
    return [
        f"[{name}]({_PAGES}/{one.name}.html)",
        str(len(effect.values)),
        *(words.value(mean, METRIC) for mean in means),
        *paired_words.cells(effect, MARGIN, METRIC),
    ]
