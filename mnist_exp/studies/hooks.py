"""A study in MLflow: a parent run with the result, and each trial's run below it.

Nothing here needs TensorFlow.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE
from omegaconf import OmegaConf

from mnist_exp.config import earlier_names
from mnist_exp.config.groups import own_folder_flags
from mnist_exp.config.schema import Config
from mnist_exp.config.settings import from_composed
from mnist_exp.config.tree import as_meant
from mnist_exp.errors import UserError
from mnist_exp.outside import moments, printing
from mnist_exp.outside.uris import masked, sqlite_file
from mnist_exp.own_code.code import OwnCode
from mnist_exp.studies import own_code, report
from mnist_exp.studies.trial import RUN_ID, tags_of_trial
from mnist_exp.sweeper import RunningTrial, quoting
from mnist_exp.sweeper.attributes import SPACE
from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.hooks import StudyHooks, TrialEnd
from mnist_exp.sweeper.ranking import Settings, best_settings, meets_constraints
from mnist_exp.sweeper.space import describe
from mnist_exp.sweeper.study import replace_attribute
from mnist_exp.tracking import description
from mnist_exp.tracking.addresses import check_uri, store_uri
from mnist_exp.tracking.experiments import (
    fail_runs_of_dead_processes,
    in_trash,
    open_experiment,
    process_tags,
)
from mnist_exp.tracking.operations import LONGEST_TAG
from mnist_exp.tracking.outbox import amend
from mnist_exp.tracking.params import safe_name
from mnist_exp.tracking.status import BREAKS_CONSTRAINT, FAILURE_REASON, RunStatus
from mnist_exp.tracking.store import ask, opened
from mnist_exp.tracking.views import results_page
from mnist_exp.training import checkpoint

if TYPE_CHECKING:
    import optuna
    from omegaconf import DictConfig

_REPEATED_BY = "seed"  # the setting that only repeats a trial
# Runs of trials that ended in this process. The sweeper notes the end in the study after the hook.
# If the worker is killed in between, the trial runs again and must find its checkpoint, or it would
# get a second run.
_ended: list[str] = []


def _forget(run_id: str) -> None:
    """Remove the checkpoints of a trial that nobody goes on with."""
    shutil.rmtree(checkpoint.run_folder(run_id), ignore_errors=True)


class StudyTracking(StudyHooks):
    """Writes a sweep of this project to MLflow."""

    def __init__(self) -> None:
        self._uri: str | None = None  # of the trial, once its config is composed
        self._codes: dict[str, OwnCode] = {}  # of the user's own, as the parent has read it

    def read_overrides(self, overrides: list[str]) -> list[str]:
        """Return the overrides with texts as the user meant them, for Hydra to parse."""
        return as_meant(overrides)

    def present_name(self, recorded: str) -> str:
        """Return what a function of this package is called now."""
        return earlier_names.NAMES.get(recorded, recorded)

    def objective_names(self, config: "DictConfig") -> Sequence[str]:
        """Return the metrics that the study optimises."""
        return list(config.objective)

    def repeated_by(self) -> str:
        """Return the setting that only repeats a trial: the best seed is only the luckiest."""
        return _REPEATED_BY

    def check_config(self, config: "DictConfig") -> None:
        """Raise SweepError for another application's config, UserError for one that cannot run."""
        if OmegaConf.get_type(config) is not Config:
            raise SweepError(
                f"hydra.sweeper.hooks={__name__}.StudyTracking: it tracks runs of mnist_exp only; "
                "expected a subclass of mnist_exp.sweeper.hooks.StudyHooks for this application"
            )
        checked = from_composed(config)
        check_uri(checked.tracking.uri)
        self._codes |= own_code.codes_of(checked)

    def check_storage(self, url: str, config: "DictConfig") -> None:
        """Raise SweepError for the database of MLflow's store, which may have no tables yet."""
        runs = store_uri(config.tracking.uri)
        files = [sqlite_file(one) for one in (url, runs)]
        if url == runs or (all(files) and len({file.resolve() for file in files if file}) == 1):
            raise SweepError(
                f"hydra.sweeper.storage={masked(url)}: is the database of MLflow's runs; expected "
                "one of its own"
            )

    def for_workers(self) -> Mapping[str, OwnCode]:
        """Return the user's own code: a file that is edited during a sweep changes no trial."""
        return self._codes

    def on_study_start(self, study: "optuna.Study", config: "DictConfig") -> None:
        """Open the parent run: the study's earlier one if the store has it, else a new one.

        Raises SweepError if code of the user's own is not what the study's trials had.
        """
        own_code.refuse_changes(study, self._codes.values())

        def open_parent(client: mlflow.MlflowClient) -> None:
            before = study.user_attrs.get(RUN_ID)
            experiment_id = open_experiment(config.tracking.experiment)
            while before is None or not _reopen(client, before):
                own = _create_parent(client, study, experiment_id)
                kept = replace_attribute(study, RUN_ID, before, own)
                if kept == own:
                    return
                client.delete_run(own)  # another command has begun the study meanwhile
                before = kept

        ask(config.tracking.uri, open_parent)

    def on_trial_start(self, running: RunningTrial, config: "DictConfig") -> None:
        """Remove the checkpoints of trials that ended before in this worker."""
        self._uri = config.tracking.uri
        while _ended:
            _forget(_ended.pop())
        moments.reached(f"trial {running.number} claimed")

    def on_trial_end(self, running: RunningTrial, state: TrialEnd, reason: str | None) -> None:
        """Log how the trial ended. One that failed before it had a run gets one, to be seen."""
        run_id, status = running.recall(RUN_ID), None
        with opened(self._uri or running.study_config.tracking.uri) as client:
            if run_id is None:
                if state != TrialEnd.FAIL:
                    return
                parent = client.get_run(running.study_attributes[RUN_ID])
                name = f"trial-{running.number}"
                run_id = client.create_run(
                    parent.info.experiment_id, run_name=name, tags=tags_of_trial(running)
                ).info.run_id
                status = RunStatus.FAILED
            tags = {"trial_state": state, **({FAILURE_REASON: reason} if reason else {})}
            amend(client, run_id, tags, status, lambda text: print(text, file=sys.stderr))
        if state != TrialEnd.WAITING:
            _ended.append(run_id)
        moments.reached(f"trial {running.number} ended")

    def on_study_end(self, study: "optuna.Study", config: "DictConfig") -> None:
        """Log the best trial, how many ended how, all trials as a table, and the study's page."""
        run_id = study.user_attrs[RUN_ID]
        trials = study.get_trials(deepcopy=False)
        states = [trial.state.name for trial in trials]
        for trial in trials:
            if trial.state.is_finished() and RUN_ID in trial.user_attrs:
                _forget(trial.user_attrs[RUN_ID])
        with opened(config.tracking.uri) as client:
            for state in (TrialEnd.COMPLETE, TrialEnd.PRUNED, TrialEnd.FAIL):
                client.log_metric(run_id, f"study/{state.lower()}", states.count(state))
            _tag_broken_constraints(client, trials)
            best = _log_best(client, run_id, study)
            with tempfile.TemporaryDirectory() as folder:
                pages = report.write(
                    study, config.objective, config.tracking.uri, Path(folder), config.data.dir
                )
                client.log_artifacts(run_id, folder, "study")
            note = description.study(
                study.study_name,
                {key: describe(text) for key, text in study.user_attrs[SPACE].items()},
                {state: states.count(state) for state in dict.fromkeys(states)},
                "" if best is None else _in_words(best, config.objective),
                {} if best is None else best.params,
                pages,
            )
            client.set_tag(run_id, MLFLOW_RUN_NOTE, note[:LONGEST_TAG])
            unfinished = "WAITING" in states or "RUNNING" in states
            client.set_terminated(run_id, RunStatus.KILLED if unfinished else RunStatus.FINISHED)
            fail_runs_of_dead_processes(client)  # of workers that were killed

    def next_steps(self, study: "optuna.Study", config: "DictConfig") -> str:
        """Return the commands that go on from a study that has best settings."""
        if not best_settings(study, _REPEATED_BY):
            return ""
        uri = config.tracking.uri
        with suppress(UserError), opened(uri) as client:  # a silent store does not end the sweep
            experiment = client.get_experiment_by_name(config.tracking.experiment)
            if said := in_trash(client, experiment):
                return said
        store = [] if uri is None else [f"tracking.uri={masked(uri)}"]
        commands = _commands(study.study_name, store, config.data.dir)
        return f"{commands}\n{_where_seen(study, uri, store)}"


def _commands(study_name: str, store: Sequence[str], data_dir: str | None) -> str:
    """Return the commands that compare the trials, and that train the best settings in full.

    `best_of` takes no folder from a record, so that the folder of the images stands beside it.
    """
    compare = printing.command_line(
        "python", "-m", "mnist_exp.compare", "--study", study_name, *store
    )
    best_of = quoting.override("best_of", study_name)
    data = [] if data_dir is None else [quoting.override("data.dir", data_dir)]
    best = printing.command_line(
        "python", "-m", "mnist_exp", *own_folder_flags(), best_of, *data, *store
    )
    return f"To compare the trials: {compare}\nTo train the best settings in full: {best}"


def _where_seen(study: "optuna.Study", uri: str | None, store: Sequence[str]) -> str:
    """Return the command and the address that show the trials in MLflow's UI."""
    ui = printing.command_line("python", "-m", "mnist_exp.ui", "--study", study.study_name, *store)
    try:
        with opened(uri) as client:
            experiment = client.get_run(study.user_attrs[RUN_ID]).info.experiment_id
            page = results_page(client, experiment, study.study_name, _searched(study))
    except (UserError, KeyError):  # the parent run was removed, or other hooks have made none
        return f"To see the trials: {ui}"
    return f"To see the trials: {ui}    which opens {page}"


def _create_parent(client: mlflow.MlflowClient, study: "optuna.Study", experiment_id: str) -> str:
    """Create a study's parent run with the space as its params, and return its id."""
    space = study.user_attrs[SPACE]
    tags = {
        "study_name": study.study_name,
        "study_role": "study",
        "sweep.keys": " ".join(_searched(study)),
        **process_tags(),  # from the start: if it is killed here, no run stays RUNNING for ever
    }
    run = client.create_run(experiment_id, run_name=study.study_name, tags=tags)
    for key, text in space.items():
        client.log_param(run.info.run_id, safe_name(key), describe(text)[:500])
    return str(run.info.run_id)


def _searched(study: "optuna.Study") -> list[str]:
    """Return the settings that the study varies."""
    return [key for key, text in study.user_attrs[SPACE].items() if text.startswith('{"name"')]


def _reopen(client: mlflow.MlflowClient, run_id: str) -> bool:
    """Let the run go on in this process. Return False if this store does not have the run."""
    try:
        client.update_run(run_id, RunStatus.RUNNING)
    except MlflowException:
        return False
    for key, value in process_tags().items():
        client.set_tag(run_id, key, value)
    if FAILURE_REASON in client.get_run(run_id).data.tags:  # of the command that began it
        client.delete_tag(run_id, FAILURE_REASON)
    return True


def _log_best(client: mlflow.MlflowClient, run_id: str, study: "optuna.Study") -> Settings | None:
    """Log and return the best settings, of whose seeds the first trial stands for all.

    None if no trial counts. With several objectives, they are those of the Pareto front that are
    best in the first.
    """
    front = best_settings(study, _REPEATED_BY)
    if not front:
        return None
    choose = max if study.directions[0].name == "MAXIMIZE" else min
    best = choose(front, key=lambda settings: settings.values[0])
    for number, value in enumerate(best.values, start=1):
        suffix = "" if number == 1 else f"_{number}"
        client.log_metric(run_id, f"study/best_value{suffix}", value)
    first = best.trials[0]
    tags = {
        "best.trial": str(first.number),
        "best.run_id": first.user_attrs.get(RUN_ID, ""),
        "best.params": json.dumps(first.params),
    }
    if len(study.directions) > 1:
        numbers = sorted(trial.number for settings in front for trial in settings.trials)
        tags["pareto.trials"] = " ".join(map(str, numbers))
    for key, text in tags.items():
        client.set_tag(run_id, key, text)
    return best


def _tag_broken_constraints(
    client: mlflow.MlflowClient, trials: "Sequence[optuna.trial.FrozenTrial]"
) -> None:
    """Let the runs of trials that break a constraint say so, for `compare --study`."""
    for trial in trials:
        if RUN_ID in trial.user_attrs and not meets_constraints(trial):
            with suppress(MlflowException):  # a run that was deleted
                client.set_tag(trial.user_attrs[RUN_ID], BREAKS_CONSTRAINT, "true")


def _in_words(best: Settings, names: Sequence[str]) -> str:
    """Return the values of the best settings, and the trials that they are of, as Markdown."""
    pairs = zip(names, best.values, strict=True)
    values = ", ".join(f"{name} **{value:.6g}**" for name, value in pairs)
    if best.is_mean:
        return f"{values}, the mean over {printing.plural(len(best.trials), 'seed')}"
    return f"{values} in trial {best.trials[0].number}"
