"""What a plain `-m` ends with: its settings with their accuracies, and what to do next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from omegaconf import DictConfig
from rich import box
from rich.table import Table

from mnist_exp.config.groups import own_folder_flags
from mnist_exp.errors import UserError, first_line
from mnist_exp.outside.printing import command_line, console, plural, say
from mnist_exp.outside.uris import masked
from mnist_exp.studies.jobs import combinations
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking.links import ui_command
from mnist_exp.tracking.runs import NoRuns, Runs, Selection, Store
from mnist_exp.tracking.status import MULTIRUN, MULTIRUN_JOB
from mnist_exp.training import checkpoint

_SEED = "seed"
_METRICS = {"val/accuracy": "validation accuracy", "test/accuracy": "test accuracy"}

Job = Mapping[str, str]  # the overrides of a job: {key: value}


@dataclass(frozen=True, kw_only=True)
class _Result:
    """A run that has ended well."""

    job: Job
    values: Mapping[str, float]  # by metric


def show(name: str, config: DictConfig) -> None:
    """Print the table of the runs that the command with this name made; nothing if it made none."""
    jobs = _jobs(config)
    if len(jobs) < 2:
        return
    condition, uri = f"tags.{MULTIRUN} = '{name}'", config.tracking.uri
    try:
        store = Store(uri)
        runs = store.select(Selection(filter=condition))
    except NoRuns:
        return
    except UserError as error:
        say(f"There is no table of the runs: {first_line(error)}")
        return
    results = _results(jobs, runs)
    are = "is" if len(results) == 1 else "are"
    say(f"\n{len(results)} of {plural(len(jobs), 'run')} {are} done.")
    if results:
        console().print(_table(jobs, results))
    setting = [] if uri is None else [f"tracking.uri={masked(uri)}"]
    if len(results) < len(jobs):
        _show_rest(name, jobs, runs, setting, own_folder_flags())
    if results:
        command = ["python", "-m", "mnist_exp.compare", "--filter", condition, *setting]
        say(f"To compare them: {command_line(*command)}")
        say(f"To see them: {ui_command(store.uri)}    then open {store.page(runs)}")


def _jobs(config: DictConfig) -> list[Job]:
    """Return the jobs of the command in their order, as Hydra's sweeper makes them."""
    given = [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()]
    jobs = combinations([*given, *config.hydra.overrides.task])
    return [dict(text.split("=", 1) for text in job) for job in jobs]


def _numbers(runs: Runs) -> list[int]:
    """Return for each run the number of its job."""
    return [int(number) for number in runs.tags[MULTIRUN_JOB]]


def _results(jobs: Sequence[Job], runs: Runs) -> list[_Result]:
    """Return the results of the runs that have ended well, in the order of their jobs."""
    found = {}
    for number, (run_id, status) in zip(_numbers(runs), runs.info["status"].items(), strict=True):
        values = {
            metric: runs.metrics.at[run_id, metric] for metric in _METRICS if metric in runs.metrics
        }
        if status == "finished" and len(values) == len(_METRICS):
            found[number] = _Result(job=jobs[number], values=values)
    return [found[number] for number in sorted(found)]


def _table(jobs: Sequence[Job], results: Sequence[_Result]) -> Table:
    """Return a line for all runs that differ only in the seed: the means, with their deviations."""
    varied = [key for key in jobs[0] if len({job[key] for job in jobs}) > 1]
    keys = [key for key in varied if key != _SEED]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for key in keys:
        table.add_column(clean(key, 50), overflow="fold")
    if _SEED in varied:
        table.add_column("seeds", justify="right")
    for name in _METRICS.values():
        table.add_column(f"{name} (sd)" if _SEED in varied else name, no_wrap=True)
    groups: dict[tuple[str, ...], list[_Result]] = {}
    for result in results:
        groups.setdefault(tuple(result.job[key] for key in keys), []).append(result)
    for settings, group in groups.items():
        seeds = [str(len(group))] if _SEED in varied else []
        numbers = (_mean([result.values[metric] for result in group]) for metric in _METRICS)
        table.add_row(*(clean(value, 100) for value in settings), *seeds, *numbers)
    return table


def _mean(values: Sequence[float]) -> str:
    """Return the mean with four digits, and the standard deviation of several values."""
    spread = f" ({stdev(values):.4f})" if len(values) > 1 else ""
    return f"{fmean(values):.4f}{spread}"


def _show_rest(
    name: str, jobs: Sequence[Job], runs: Runs, setting: Sequence[str], flags: Sequence[str]
) -> None:
    """Print what became of the other jobs, with the commands that go on or begin them.

    None is left out, however many there are: nothing else remembers the list of combinations.
    A new run needs the tag of the command, by which the others are compared; `flags` name the
    folders of the user's own options.
    """
    info = runs.info.assign(number=_numbers(runs))
    begun = {row.number: (run_id, row.status, row.reason) for run_id, row in info.iterrows()}
    lines, resumable = [], checkpoint.known_runs()
    tag = f"+tags.{MULTIRUN}={name}"
    for number, job in enumerate(jobs):
        overrides = [f"{key}={value}" for key, value in job.items()]
        run_id, status, reason = begun.get(number, ("", "no run yet", ""))
        if status == "finished":
            continue
        if status == "failed":
            done = f"{' '.join(overrides)}{f' ({reason})' if reason else ''}"
        elif run_id in resumable:
            resumed = [*flags, f"resume={run_id}", *setting]
            done = command_line("python", "-m", "mnist_exp", *resumed)
        else:
            done = command_line("python", "-m", "mnist_exp", *flags, *overrides, tag)
        # A process that joblib ends has no time to say so: its run looks as if it were running.
        status = "stopped" if status in ("killed", "running") else status
        lines.append(f"  {status}: {done}")
    say("\n".join(lines))
