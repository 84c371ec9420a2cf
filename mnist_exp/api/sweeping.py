"""`mnist_exp.sweep`: what `-m` runs, one run after the other in this process, as a table."""

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import pandas as pd

from mnist_exp.api.arguments import OBJECTS, overrides_of
from mnist_exp.api.mistakes import InTwoLines
from mnist_exp.api.studies import names_study, run_study
from mnist_exp.api.tables import selected
from mnist_exp.api.training import prepared, trained
from mnist_exp.config.settings import Settings
from mnist_exp.config.tree import as_meant
from mnist_exp.errors import ConfigError, first_line
from mnist_exp.experiment.console import Reporter
from mnist_exp.experiment.screens import Screen, present_screen
from mnist_exp.experiment.session_objects import Given, is_keras_model
from mnist_exp.outside.printing import plural
from mnist_exp.outside.uris import masked
from mnist_exp.studies import multirun
from mnist_exp.studies.jobs import combinations
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.wording import duration
from mnist_exp.tracking.status import MULTIRUN


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One run of a sweep, with its settings checked."""

    settings: Settings
    given: Given
    name: str
    """What it has and other runs of the sweep have not, for people."""


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a sweep was asked for.

    fixed: overrides, of which those in texts may have several values; objects: those of the session
    that all runs have; varied: the values of each setting that has a list
    """

    fixed: list[str]
    objects: dict[str, Any]
    varied: dict[str, list[Any]]

    def jobs(self) -> Iterator[_Job]:
        """Yield the runs; what is named last varies fastest. Raises UserError."""
        lines = combinations(as_meant(self.fixed))
        for line in lines:
            named = [text for text in line if not all(text in other for other in lines)]
            for chosen in itertools.product(*self.varied.values()):
                own = dict(zip(self.varied, chosen, strict=True))
                texts, others = overrides_of((), own)
                given = {key: value for key, value in others.items() if value is not None}
                checked, things = prepared([*line, *texts], self.objects | given)
                shown = [f"{key}={_shown(value)}" for key, value in own.items()]
                yield _Job(settings=checked, given=things, name=" ".join([*named, *shown]))

    def refuse_values(self) -> None:
        """Raise ConfigError for what a study, whose file says what varies, cannot be given."""
        given = [name for name, value in self.objects.items() if value is not None]
        for name in [*self.varied, *given]:
            raise ConfigError(
                f"sweep: {name}: a study of sweeps= takes settings with one value; its file says "
                "what varies"
            )


def sweep(
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    seeds: int | Iterable[int] | None = None,
    quiet: bool = False,
    **settings: Any,
) -> pd.DataFrame:
    """Train a run for each combination of values, as `python -m mnist_exp -m` does.

    For example: `sweep({"model": ["softmax", "mlp"]}, seeds=5)`, which trains ten runs. Returns
    their table, as `mnist_exp.runs` does.

    overrides: {setting: value, or a list of values}, or texts such as `model=softmax,mlp`
    seeds: how many seeds, from 0, or which
    quiet: print nothing but warnings
    settings: any other settings without a dot in their names; a list is one value for each run, and
        functions and models can be in it

    All settings are checked before the first run begins. A run that fails is in the table with its
    status and `tags.failure_reason`, and the others go on; of one that fails before it is recorded,
    as where its network cannot be built, a line is printed. `sweeps="variants"` runs that study in
    processes of its own; the same call goes on with one that was stopped. Raises UserError for what
    cannot be used.
    """
    from mnist_exp.tracking.runs import Selection

    with InTwoLines():
        asked = _asked(overrides, seeds, settings)
        screen = present_screen()
        if names_study(asked.fixed):
            asked.refuse_values()
            name, uri = run_study(asked.fixed, screen, quiet=quiet)
            return selected(Selection(study=name), uri)
        jobs = list(asked.jobs())
        _refuse_shared_model(jobs)
        ids = _train(jobs, screen, quiet=quiet)
        return selected(Selection(run_ids=tuple(ids)), jobs[0].settings.config.tracking.uri)


def _train(jobs: Sequence[_Job], screen: Screen, *, quiet: bool) -> list[str]:
    """Train the runs one after the other, and return the ids of those that began.

    Raises the first error of a sweep of which none began.
    """
    name, started = multirun.new_name(), time.perf_counter()
    ids: list[str] = []
    errors: list[Exception] = []  # of runs that could not begin
    try:
        with screen.bar(len(jobs), "run"):
            for number, job in enumerate(jobs):
                screen.move(number, lambda job=job: job.name)  # type: ignore[misc]
                reporter = Reporter(screen, quiet=True, in_python=True)
                try:
                    with multirun.tagged(name, number):
                        result = trained(job.settings, job.given, reporter)
                    said = f"test accuracy {result.test_accuracy:.4f}"
                except Exception as error:  # noqa: BLE001  # the others may be better
                    said = first_line(error)
                    if reporter.run_id is None:
                        errors.append(error)
                if reporter.run_id is not None:
                    ids.append(reporter.run_id)
                left = (time.perf_counter() - started) / (number + 1) * (len(jobs) - number - 1)
                if not quiet or reporter.run_id is None:
                    said = f"{job.name}  {said}  {duration(left)} left"
                    screen.print(f"run {number + 1}/{len(jobs)}  {said}")
    except KeyboardInterrupt:
        uri = jobs[0].settings.config.tracking.uri
        store = "" if uri is None else f", uri={masked(uri)!r}"
        screen.print(
            f"{len(ids)} of {plural(len(jobs), 'run')} ended; "
            f"""their table: runs(filter="tags.{MULTIRUN} = '{name}'"{store})"""
        )
        raise
    if errors and not ids:
        raise errors[0]
    return ids


def _refuse_shared_model(jobs: Sequence[_Job]) -> None:
    """Raise ConfigError if several runs would train one Keras model, each where the last ended."""
    models = [job.given.own.model for job in jobs if is_keras_model(job.given.own.model)]
    if len(set(map(id, models))) < len(models):
        raise ConfigError(
            "sweep: model: a Keras model is trained in place, and several runs have it; expected "
            "the function that builds it"
        )


def _asked(
    overrides: Sequence[str] | Mapping[str, Any],
    seeds: int | Iterable[int] | None,
    settings: Mapping[str, Any],
) -> _Asked:
    """Return what a sweep was asked for. Raises ConfigError."""
    if isinstance(overrides, Mapping):
        settings, overrides = {**overrides, **settings}, ()
    if seeds is not None:
        if "seed" in settings:
            raise ConfigError("sweep: seed= and seeds= were given; expected one of them")
        settings = {**settings, "seed": _listed(seeds)}
    varied = {name: list(value) for name, value in settings.items() if _is_varied(name, value)}
    for name, values in varied.items():
        if not values:
            raise ConfigError(f"sweep: {name} has no value; expected one or more")
    fixed, objects = overrides_of(
        overrides, {name: value for name, value in settings.items() if name not in varied}
    )
    return _Asked(fixed=fixed, objects=objects, varied=varied)


def _listed(seeds: Any) -> list[Any]:
    """Return the seeds that a number or a list of them means. Raises ConfigError for others."""
    if isinstance(seeds, Integral):
        return list(range(int(seeds)))
    if isinstance(seeds, str) or not isinstance(seeds, Iterable):
        found = clean(repr(seeds), 100)
        raise ConfigError(f"sweep: seeds: expected how many, such as 5, or a list, found {found}")
    return list(seeds)


def _is_varied(name: str, value: Any) -> bool:
    """Return whether a setting has one value for each run; data may itself be a tuple of arrays."""
    if name in OBJECTS:
        return isinstance(value, list)
    return isinstance(value, Iterable) and not isinstance(value, str | Mapping)


def _shown(value: Any) -> str:
    """Return a value as a progress line names it; an object by its name, or that of its class."""
    text = str(getattr(value, "__name__", value))
    if " at 0x" in text:
        name = getattr(value, "name", None)
        text = name if isinstance(name, str) else type(value).__name__
    return clean(text, 100)
