"""One experiment end to end: config -> objects -> training -> tracked result."""

import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnist_exp import data, sweeper
from mnist_exp.config.presets import _identify, find_preset
from mnist_exp.config.schema import Config, ReferenceConfig, refuse_passwords
from mnist_exp.config.tree import Settings, compose, refuse_sweep
from mnist_exp.errors import Killed, NonFiniteCost, PreflightFailed, RunIsGone
from mnist_exp.experiment import console as reporting
from mnist_exp.experiment import interrupts, resume
from mnist_exp.experiment.console import layer_text
from mnist_exp.outside import plot_style
from mnist_exp.studies import memory
from mnist_exp.tracking import description
from mnist_exp.tracking import store as mlflow_settings
from mnist_exp.tracking.description import Facts
from mnist_exp.training import checkpoint, keras_state, machine, seeds
from mnist_exp.training.results import EpochResult, Progress, best_epoch
from mnist_exp.training.startup import import_tensorflow, quick_imports

if TYPE_CHECKING:
    from mnist_exp.preflight import PreflightReport
    from mnist_exp.serving import registry as model_registry
    from mnist_exp.tracking.tracker import RunTracker
    from mnist_exp.training.program import Program


_ONE_RUN = threading.RLock()


@dataclass(frozen=True)
class RunResult:
    """What a run ended with; accuracies are fractions in [0, 1] after the last epoch."""

    run_id: str
    run_name: str
    epochs: tuple[EpochResult, ...]
    test_accuracy: float
    val_accuracy: float

    def objectives(self, names: Sequence[str]) -> list[float]:
        """The values a sweep optimises, by the names of the setting `objective`."""
        return _objectives(names, self.epochs)


def run(overrides: Sequence[str] = ()) -> RunResult:
    """The same as `python -m mnist_exp OVERRIDES`, from Python: run(["model=softmax", "seed=3"]).

    Runs of several threads take turns: the active run, the store's address, Keras' state and standard error belong to
    the process, and each run uses all cores anyway. Raises UserError, HydraException or OmegaConfBaseException for
    settings that cannot be used.
    """
    refuse_sweep(overrides)
    settings = compose(overrides)
    with _ONE_RUN, keras_state.restored():
        return run_experiment(settings)


def run_experiment(settings: Settings) -> RunResult:
    """Load, build, train, track and report. Everything a user can get wrong is refused before TensorFlow loads."""
    reporter = reporting.Reporter()
    trial = sweeper.current()
    mlflow_settings.check_uri(settings.config.tracking.uri)
    refuse_passwords(settings.config)
    if settings.config.best_of is not None:
        from mnist_exp.studies import hooks as study_tracking

        settings = study_tracking.best_settings(settings)
    with interrupts.raised(), contextlib.ExitStack() as lock:
        try:
            settings, state = _find_state(settings, trial, reporter, lock)
            return _run(settings, state, trial, reporter, lock)
        except (KeyboardInterrupt, Killed):
            if trial is None:
                with contextlib.suppress(OSError):  # the terminal may be gone
                    _report_interruption(settings, reporter)
            raise


def _run(
    settings: Settings,
    state: checkpoint.RunState | None,
    trial: sweeper.RunningTrial | None,
    reporter: reporting.Reporter,
    lock: contextlib.ExitStack,
) -> RunResult:
    """A new run, or the rest of the one whose state is given and which is locked."""
    config = settings.config
    dataset = data.load(**asdict(config.data))
    total_steps = config.schedule.total_steps(len(dataset.train))
    if state is not None:
        reporter.run_id = str(state.record["run_id"])
        resume.check_data(state, dataset.digest, dataset.source)
        if trial is None:
            resume.check_length(state, settings, total_steps)
    machine.check(config, len(dataset.train))
    variant, reference, changes = _identify(settings, find_preset(config))
    settings = settings.with_config(
        variant=variant
    )  # so that params, tags and files of the run say the same
    config = settings.config
    prefix = "" if trial is None else f"trial-{trial.number}-"
    run_name = config.run_name or f"{prefix}{variant}-s{config.seed}"
    with quick_imports():
        import_tensorflow(config)
        from mnist_exp.tracking import tracker as tracking
        from mnist_exp.training import models
        from mnist_exp.training.program import build_program, predict_probabilities

    program = build_program(config, len(dataset.train))
    layers = models.layer_table(program.model)
    reporter.start(settings, run_name, dataset, layers)
    run_id = None if state is None else str(state.record["run_id"])
    tags = _trial_tags(trial)
    with tracking.track_run(
        settings, variant, run_name, dataset, run_id=run_id, tags=tags, warn=reporter.warn
    ) as tracker:
        reporter.run_id = tracker.run_id
        if trial is not None:
            trial.remember(memory.RUN_ID, tracker.run_id)
        tracker.log_text(layer_text(layers), "layers.txt")
        report = None
        if state is None and config.preflight != "off":
            report = _preflight(program, dataset, tracker, reporter)
        findings = None if report is None else report.findings
        facts = Facts(tracker.run_id, settings, variant, reference, changes, findings)
        _describe(tracker, facts)
        if report is not None:
            _stop_if_asked(report, config)
        if state is None:
            lock.enter_context(checkpoint.alone(checkpoint.run_folder(tracker.run_id)))
        epochs = _train(program, dataset, settings, reference, tracker, reporter, state)
        best = best_epoch(epochs)
        tracker.log_summary(
            {"best/val_accuracy": best.val.accuracy, "best/epoch": best.epoch}, epochs[-1].epoch
        )
        _describe(tracker, replace(facts, epochs=epochs))
        probabilities = predict_probabilities(program, dataset.test.images)
        _log_predictions(tracker, dataset.test, probabilities)
        if trial is None:  # `best_of=STUDY` gives the best trial's
            _log_figures(tracker, dataset.test, probabilities, epochs, reference, config.seed)
            entry = _registry_entry(settings, variant, epochs, dataset)
            tracker.log_model(program.model, dataset, epochs[-1].step, entry)
        how_to_see = tracking.ui_command(), tracker.page
    checkpoint.mark_ended(checkpoint.run_folder(tracker.run_id))
    reporter.summary(run_name, epochs, reference, changes)
    reporter.tracked(tracker.run_id, *how_to_see)
    last = epochs[-1]
    return RunResult(tracker.run_id, run_name, tuple(epochs), last.test.accuracy, last.val.accuracy)


def _report_interruption(settings: Settings, reporter: reporting.Reporter) -> None:
    """By what is on the disk: the signal may have come in the middle of a checkpoint."""
    run_id = reporter.run_id
    state = (
        None
        if run_id is None
        else checkpoint.load_newest(checkpoint.run_folder(run_id), reporter.warn)
    )
    reporter.interrupted(
        run_id or "", None if state is None else state.progress, settings.overrides
    )


def _find_state(
    settings: Settings,
    trial: sweeper.RunningTrial | None,
    reporter: reporting.Reporter,
    lock: contextlib.ExitStack,
) -> tuple[Settings, checkpoint.RunState | None]:
    """As `resume.find`; a trial goes on with the run of its last try, and uses its worker's share of the cores."""
    if trial is None:
        return resume.find(settings, reporter.warn, lock, _look_up)
    settings = settings.with_config(threads=settings.config.threads or trial.threads)
    earlier = trial.recall(memory.RUN_ID)
    if earlier is not None and resume.can_go_on(earlier):
        try:
            found, state = resume.find(
                settings.with_config(resume=earlier), reporter.warn, lock, _look_up
            )
            return found.with_config(threads=settings.config.threads), state
        except RunIsGone as error:
            reporter.warn(f"{error}; the trial begins anew")
    return resume.find(settings, reporter.warn, lock, _look_up)


def _look_up(uri: str | None, run_id: str) -> Mapping[str, str]:
    """The tags of a run that is to go on."""
    with quick_imports():
        from mnist_exp.tracking import tracker as tracking
    return tracking.tags_of(uri, run_id)


def _trial_tags(trial: sweeper.RunningTrial | None) -> dict[str, str] | None:
    if trial is None:  # and needs no import of Optuna
        return None
    from mnist_exp.studies import hooks as study_tracking

    return study_tracking.trial_tags(trial)


def _preflight(
    program: "Program", dataset: data.Dataset, tracker: "RunTracker", reporter: reporting.Reporter
) -> "PreflightReport":
    """Print and log what the checks find."""
    from mnist_exp.preflight.harness import preflight_report

    report = preflight_report(program, dataset.train)
    reporter.preflight(report)
    tracker.log_preflight(report)
    return report


def _stop_if_asked(report: "PreflightReport", config: Config) -> None:
    """Raise PreflightFailed for an error if the config asks for that."""
    if report.errors and config.preflight == "error":
        found = ", ".join(finding.code for finding in report.errors)
        raise PreflightFailed(f"preflight=error: stopped before training, found {found}")


def _describe(tracker: "RunTracker", facts: Facts) -> None:
    """The run's description and columns in the UI; what the settings' own tags say stays."""
    tags = {"mlflow.note.content": description.markdown(facts), **description.columns(facts)}
    own = facts.settings.config.tags
    tracker.set_tags({key: value for key, value in tags.items() if key not in own})


def _train(
    program: "Program",
    dataset: data.Dataset,
    settings: Settings,
    reference: ReferenceConfig | None,
    tracker: "RunTracker",
    reporter: reporting.Reporter,
    state: checkpoint.RunState | None,
) -> list[EpochResult]:
    """All epochs, those before a resumption too, each reported, tracked and then in a checkpoint."""
    from mnist_exp.training import loop as training

    config = settings.config
    folder = checkpoint.run_folder(tracker.run_id)
    epochs: list[EpochResult] = []
    start = Progress()
    writer = checkpoint.Writer(
        program,
        folder,
        config.checkpoint.every_seconds,
        resume.record(tracker.run_id, settings, dataset.digest),
    )

    def track(result: EpochResult) -> None:
        tracker.log_epoch(result, reference.cost_of(result.epoch) if reference else None)

    if state is not None:
        state.restore(program)
        epochs, start = list(state.results), state.progress
        reporter.resumed(tracker.run_id, start)
        checkpoint.mark_ended(folder, ended=False)
        for result in epochs:
            track(result)  # what a crash kept from the record; the others are there
    writer.save(start, epochs)
    total_steps = config.schedule.total_steps(len(dataset.train))
    left = _time_left(total_steps, start.step)
    with reporter.training(total_steps), interrupts.deferred() as pending:

        def on_progress(progress: Progress) -> None:
            reporter.progress(progress, left(progress.step))
            try:
                pending.check()
            except BaseException:
                writer.save(progress, epochs)
                raise
            writer.in_epoch(progress, epochs)

        try:
            for result in training.fit(
                program, dataset, config.schedule, start=start, on_progress=on_progress
            ):
                epochs.append(result)
                reporter.epoch(result, reference, left(result.step))
                track(result)
                writer.after_epoch(result.progress, epochs)
                sweeper.report(_objectives(config.objective, epochs)[0], result.epoch)
        except NonFiniteCost:
            checkpoint.mark_ended(folder)
            raise
        writer.save(epochs[-1].progress, epochs)
    return epochs


def _objectives(names: Sequence[str], epochs: Sequence[EpochResult]) -> list[float]:
    last = epochs[-1]
    values = {
        "val/accuracy": last.val.accuracy,
        "val/cost": last.val.cost,
        "test/accuracy": last.test.accuracy,
        "time/training_seconds": sum(epoch.seconds for epoch in epochs),
    }
    return [values[name] for name in names]


def _time_left(total_steps: int, first_step: int = 0) -> Callable[[int], float]:
    """Seconds until the last step, from the wall time that the steps since now took, evaluation included."""
    started = time.perf_counter()

    def left(step: int) -> float:
        return (total_steps - step) * (time.perf_counter() - started) / max(step - first_step, 1)

    return left


def _log_predictions(
    tracker: "RunTracker", test: data.Split, probabilities: NDArray[np.float32]
) -> None:
    """Label, prediction and probabilities [N, 10] of every test image, in the order of the files."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "predictions"
        folder.mkdir()
        np.savez(
            folder / "test.npz",
            label=test.labels,
            prediction=probabilities.argmax(axis=1),
            probability=probabilities,
        )
        tracker.log_files(Path(temporary))


def _registry_entry(
    settings: Settings, variant: str, epochs: list[EpochResult], dataset: data.Dataset
) -> "model_registry.Entry | None":
    """None for a run that only tries something: its model is nobody's latest, and may have seen what it is scored on."""
    from mnist_exp.serving import registry as model_registry

    if "debug" in settings.choices or settings.config.data.eval_on_train:
        return None
    return model_registry.Entry(variant, epochs[-1].val.accuracy, len(dataset.val))


@plot_style.plain()
def _log_figures(
    tracker: "RunTracker",
    test: data.Split,
    probabilities: NDArray[np.float32],
    epochs: list[EpochResult],
    reference: ReferenceConfig | None,
    seed: int,
) -> None:
    from mnist_exp import figures

    index = int(np.random.default_rng(seeds.sequence(seed, "figures")).integers(len(test)))
    drawn = {
        "learning_curves": figures.learning_curves(epochs, reference),
        "confusion_matrix": figures.confusion_matrix(test.labels, probabilities),
        "mistakes": figures.mistakes(test, probabilities),
        "random_digit": figures.random_digit(test, probabilities, index),
    }
    if any(result.batch_accuracies for result in epochs):
        drawn["batch_accuracy"] = figures.batch_accuracy(epochs, reference)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "figures"
        folder.mkdir()
        for name, figure in drawn.items():
            figure.savefig(folder / f"{name}.png", dpi=120)
        tracker.log_files(Path(temporary))
