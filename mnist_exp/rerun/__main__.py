"""`python -m mnist_exp.rerun RUN_ID`: train a tracked run again from its record, and compare."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from mnist_exp.command import Parser, main
from mnist_exp.config.groups import CONFIG_DIR_FLAG, group_names, use_config_dir
from mnist_exp.config.mistakes import USER_ERRORS, explain
from mnist_exp.config.own_functions import are_named_here, own_functions
from mnist_exp.config.recorded import overrides as recorded_overrides
from mnist_exp.config.schema import TrackingConfig
from mnist_exp.config.settings import Settings, from_dict
from mnist_exp.errors import NonFiniteCost, UserError
from mnist_exp.outside.foreign_files import read_yaml
from mnist_exp.outside.printing import console, plural, say
from mnist_exp.own_code import session
from mnist_exp.own_code.code import DIGEST_TAG, Own, OwnCode
from mnist_exp.own_code.trust import ALLOW, repeated
from mnist_exp.rerun.comparison import (
    RunComparison,
    code_differences,
    compare,
    environment_differences,
)
from mnist_exp.sweeper import quoting
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking.record import TrackedRun, read_run
from mnist_exp.tracking.recorded_code import recorded_code
from mnist_exp.tracking.status import FAILURE_REASON

if TYPE_CHECKING:
    from rich.table import Table

_DESCRIPTION = """Train a recorded run again: is the result identical?

The new run has the settings of the first one, with the code and the packages installed now, and the
tag rerun_of=RUN_ID. Then the two are compared: the metrics (but for times and the load
of the machine), the packages, the hardware and the code."""
_EXIT_CODE = """example:
  python -m mnist_exp.rerun 5f0c1e2d3b4a59687766554433221100

trust_code=true:
  trains, too, if the code of one's own is another than the run had, which is reported, or is not
  here: then the source in the record runs

exit code:
  0  identical: every metric has the same values, to the last digit
  1  not identical, or the first run did not finish, or has no record to repeat"""

_MOST_LINES = 20  # of differences shown
_WIDTH = 250  # of the printed table, whatever the terminal's: a number is never cut


def rerun(run_id: str, uri: str | None = None, *, trust_code: bool = False) -> RunComparison:
    """Train the run's config again in a new run, print both side by side, return the comparison.

    `uri` None is MLFLOW_TRACKING_URI or the current folder's store. Raises UserError if the store,
    the run, its record or its data cannot be used, or if it names code of the user's own that is
    not what it had: `trust_code` allows other code, and the recorded source where none is here.
    """
    first = read_run(uri, run_id)
    if "config/resolved.yaml" not in first.files:
        raise UserError(
            f"run {run_id} has no record to repeat it from: "
            "its artifact config/resolved.yaml is missing"
        )
    settings = settings_of(first, uri)
    own = Own(code=_own_code(first, settings, trust_code))
    _check_data(first, settings)
    say(f"Rerun of {_title(first)}")
    if not first.is_finished:
        epochs = plural(first.epochs, "whole epoch")
        say(f"The first run is {first.status}: it is compared as far as it went, {epochs}.")
    say("")
    second = read_run(uri, _train(settings, own))
    comparison = compare(first, second)
    _show(comparison)
    return comparison


def settings_of(run: TrackedRun, uri: str | None = None) -> Settings:
    """Return the settings in the run's record, for a new run in the store `uri`.

    The new run is tagged as a rerun. Raises UserError if the record cannot be used.
    """
    try:
        resolved: object = read_yaml(run.files["config/resolved.yaml"], object)
        recorded = from_dict(resolved if isinstance(resolved, dict) else {})
        session.refuse(recorded.to_dict())
        overrides = read_yaml(run.files.get("config/overrides.yaml", b"[]"), list)
        kept = recorded_overrides(
            overrides, recorded.to_dict(), f"run {run.run_id}", are_composed=False
        )
    except session.SessionError as error:
        raise UserError(f"run {run.run_id}: {error}") from error
    except (ValueError, *USER_ERRORS) as error:
        raise UserError(
            f"run {run.run_id}: its recorded config cannot be used here: {explain(error)}"
        ) from error
    choices = {group: run.params[group] for group in group_names() if group in run.params}
    kinds = {"model": recorded.model.kind, "optimizer": recorded.optimizer.kind}
    if recorded.data.dir is not None:  # used only if it holds the data that the run was trained on
        kept.append(quoting.override("data.dir", recorded.data.dir))
    if uri is not None:
        kept.append(quoting.override("tracking.uri", uri))
    config = replace(
        recorded,
        resume=None,
        best_of=None,
        trust_code=False,
        tracking=TrackingConfig(experiment=run.experiment, uri=uri, code=recorded.tracking.code),
        tags={**recorded.tags, "rerun_of": run.run_id},
    )
    return Settings(config=config, choices=kinds | choices, overrides=tuple(kept))


def _own_code(run: TrackedRun, settings: Settings, trust_code: bool) -> OwnCode | None:
    """Return the code of the user's own that the run's settings name. Raises OwnCodeError."""
    functions = own_functions(settings.config)
    recorded = recorded_code(f"run {run.run_id}", run.run_id, run.tags, run.files)
    is_named = bool(functions) and are_named_here(functions, settings.overrides, ())
    return repeated(functions, recorded, is_named=is_named, is_trusted=trust_code)


def _check_data(run: TrackedRun, settings: Settings) -> None:
    """Raise UserError if the data is not what the run was trained on."""
    from mnist_exp import data

    folder = settings.config.data.dir
    try:
        digest = data.load(**asdict(settings.config.data)).digest
    except UserError as error:
        raise UserError(f"run {run.run_id}: its data cannot be used: {error}") from error
    recorded = run.tags.get("data.digest", digest if folder is None else "not recorded")
    if digest != recorded:
        raise UserError(
            f"run {run.run_id}: the data has changed since: data.digest was "
            f"{clean(recorded, 16)[:12]} and is now {digest[:12]}\n"
            f"data.dir={folder or 'null, the shipped MNIST'}"
        )


def _train(settings: Settings, own: Own) -> str:
    """Return the new run's id. A NaN or infinite cost ends a run, but not the comparison."""
    from mnist_exp.experiment import runner
    from mnist_exp.experiment.console import Reporter
    from mnist_exp.experiment.session_objects import Given

    reporter = Reporter()
    try:
        return runner.run_experiment(settings, Given(own=own), reporter).run_id
    except KeyboardInterrupt:
        say("Nothing is compared. The same command trains the run again from its start.")
        raise
    except NonFiniteCost as error:
        if reporter.run_id is None:
            raise
        say(error)
        return reporter.run_id


def _show(comparison: RunComparison) -> None:
    first, second = comparison.first, comparison.second
    say(f"\nfirst run  {_title(first)}\nrerun      {_title(second)}\n")
    console(width=_WIDTH).print(_table(comparison))
    same_code = "not recorded, no git checkout"
    if "git.commit" in first.tags and "git.commit" in second.tags:
        same_code = f"the same, commit {first.tags['git.commit'][:12]}"
    if DIGEST_TAG in first.tags:
        same_code += f"; your own, digest {clean(first.tags[DIGEST_TAG], 16)}"
    _show_differences("environment", environment_differences(first, second), "the same")
    _show_differences("code", code_differences(first, second), same_code)
    say(comparison.verdict())


def _table(comparison: RunComparison) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("metric, last value", "first run", "rerun", "steps"):
        table.add_column(name, overflow="fold")
    for pair in comparison.pairs:
        last = [history[max(history)] if history else "-" for history in (pair.first, pair.second)]
        count = len(pair.first)
        steps = pair.difference.partition(": ")[0] or f"{count} of {count} equal"
        table.add_row(pair.name, *last, steps)
    return table


def _show_differences(name: str, differences: Sequence[str], same: str) -> None:
    if not differences:
        say(f"{name}: {same}")
        return
    say(f"{name} differs:")
    for line in differences[:_MOST_LINES]:
        say(f"  {line}")
    if len(differences) > _MOST_LINES:
        say(f"  and {len(differences) - _MOST_LINES} more")


def _title(run: TrackedRun) -> str:
    title = f"{run.run_id}  {clean(run.name, 250)}, {run.started}, {run.status}"
    reason = run.tags.get(FAILURE_REASON, "").strip().partition("\n")[0]
    return f"{title} ({clean(reason, 150)})" if reason else title


def run(arguments: Sequence[str]) -> int:
    """Train the run again; return the exit code, 0 if the two are identical. Raises UserError."""
    parser = Parser("mnist_exp.rerun", _DESCRIPTION, _EXIT_CODE, usage=f"RUN_ID [{ALLOW}]")
    run_help = "as MLflow shows it; a run of this folder, or of MLFLOW_TRACKING_URI"
    parser.add_argument("run_ids", nargs="*", metavar="RUN_ID", help=run_help)
    folder_help = "a folder of options of your own, which may name the run's code"
    parser.add_argument(CONFIG_DIR_FLAG, metavar="FOLDER", help=folder_help)
    options = parser.parse_args(arguments)
    use_config_dir(options.config_dir)
    run_ids = [text for text in options.run_ids if text != ALLOW]
    setting = next((text for text in run_ids if "=" in text), None)
    if setting is not None:
        raise UserError(
            f"{setting}: a rerun has its run's settings; only tracking.uri=URI and {ALLOW} can be "
            "given"
        )
    if len(run_ids) != 1:
        parser.error(f"expected one RUN_ID, found {' '.join(run_ids) or 'none'}")
    trust_code = ALLOW in options.run_ids
    return 0 if rerun(run_ids[0], options.uri, trust_code=trust_code).identical else 1


if __name__ == "__main__":
    main(run, *USER_ERRORS)
