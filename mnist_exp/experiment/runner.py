"""One run from settings to result, in four acts: prepare, build, train, finish."""

import contextlib
import os
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_exp.config.group_schemas import DataConfig
from mnist_exp.config.presets import find_preset, identify
from mnist_exp.config.schema import refuse_passwords
from mnist_exp.config.settings import Settings
from mnist_exp.config.used_settings import init_note
from mnist_exp.data import Dataset, load, of_arrays
from mnist_exp.errors import NonFiniteCost, PreflightFailed, UserError
from mnist_exp.experiment import code_of_run, interrupts, kept_programs, outcome, resume
from mnist_exp.experiment.conclusion import conclusion
from mnist_exp.experiment.console import Reporter, layer_text, time_left
from mnist_exp.experiment.run_result import RunResult
from mnist_exp.experiment.session_objects import Given
from mnist_exp.own_code import session
from mnist_exp.studies import trial
from mnist_exp.tracking.addresses import check_uri
from mnist_exp.tracking.job import Job, Origin
from mnist_exp.training import checkpoint, machine, startup
from mnist_exp.training.results import EpochResult, LayerRow, Progress

if TYPE_CHECKING:
    from mnist_exp.preflight import PreflightReport
    from mnist_exp.tracking.tracker import RunTracker
    from mnist_exp.training.program import Program

_NOTHING_GIVEN = Given()
_told: set[str] = set()  # of this processor, which does not change between a worker's trials


def run_experiment(
    settings: Settings, given: Given = _NOTHING_GIVEN, reporter: Reporter | None = None
) -> RunResult:
    """Prepare, build, train and finish one run; a new one, or the rest of an earlier one.

    `given` are objects of a Python session that the settings stand for. Everything a user can get
    wrong is refused before TensorFlow loads.
    """
    reporter, origin = reporter or Reporter(), trial.origin()
    check_uri(settings.config.tracking.uri)
    refuse_passwords(settings.config)
    if settings.config.best_of is not None:
        from mnist_exp.studies.best import best_settings

        settings, permitted = best_settings(settings, given.own)
        given = replace(given, own=permitted)
    with interrupts.raised(), contextlib.ExitStack() as locks:
        try:
            job = _prepare(settings, given, origin, reporter, locks)
            return _run(job, reporter, locks)
        except KeyboardInterrupt:
            if not origin.is_retried:
                with contextlib.suppress(OSError):  # the terminal may be gone
                    _report_interruption(reporter, settings)
            raise


def _report_interruption(reporter: Reporter, settings: Settings) -> None:
    """Print where the run was stopped.

    Read the newest checkpoint: the signal may have interrupted the writing of one.
    """
    state = None
    if reporter.run_id is not None:
        folder = checkpoint.run_folder(reporter.run_id)
        state = checkpoint.load_newest(folder, reporter.warn)
    reporter.interrupted(None if state is None else state.progress, settings)


def _prepare(
    settings: Settings,
    given: Given,
    origin: Origin,
    reporter: Reporter,
    locks: contextlib.ExitStack,
) -> Job:
    """Return the job. If it resumes a run, `locks` holds that run's lock from here on.

    `given` is what the run has of the user's own besides what its settings name.

    Raises UserError.
    """
    settings, state = resume.find(settings, origin, reporter.warn, locks)
    config = settings.config
    if note := init_note(config.model, settings.overrides):
        reporter.warn(note)
    session.refuse(config.to_dict(), given=given.settings)
    own = given.with_code(code_of_run.of_run(config, state, given.own, origin))
    code_of_run.check_secrets(own, reporter.warn)
    if own.code is not None:
        locks.callback(own.code.modules.release)
    dataset = _dataset(config.data, given)
    other_data = None if dataset.is_mnist else dataset.short_name
    variant, reference, changes = identify(settings, find_preset(config), other_data)
    job = Job(
        # Params, tags and files of the run then name the same variant.
        settings=settings.with_config(variant=variant, threads=config.threads or origin.threads),
        run_name=config.run_name or f"{origin.name_prefix}{variant}-s{config.seed}",
        variant=variant,
        reference=reference,
        changes=tuple(changes),
        dataset=dataset,
        own=own,
        state=state,
        origin=origin,
    )
    reporter.run_id = job.run_id
    resume.check(job)
    machine.check(config, len(dataset.train), dataset.form)
    _check_writable(checkpoint.CHECKPOINTS_DIR)
    return job


def _check_writable(folder: Path) -> None:
    """Raise UserError where the folder cannot be made, or nothing can be written to it."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise UserError(
            f"{there.absolute()}: cannot be written to; checkpoints are kept in {folder} of the "
            "current folder"
        )


def _dataset(config: DataConfig, given: Given) -> Dataset:
    """Return the data that the settings name, or that Python gave. Raises DataError."""
    settings = asdict(config)
    if given.arrays is not None:
        del settings["dir"]
        return of_arrays(given.arrays, **settings)
    is_shipped = config.dir is None and config.class_names is None
    return _shipped(**settings) if is_shipped else load(**settings)


@lru_cache(2)
def _shipped(**settings: Any) -> Dataset:
    """Return the shipped data. A worker's trials have it in common, with the digest of it all."""
    return load(**settings)


def _run(job: Job, reporter: Reporter, locks: contextlib.ExitStack) -> RunResult:
    """Build, train and finish what was prepared."""
    program, layers = _build(job, reporter)
    program = locks.enter_context(kept_programs.reused(program, job))
    from mnist_exp.tracking.lifetime import track_run

    reporter.start(job, layers)
    with track_run(job, warn=reporter.warn) as tracker:
        reporter.run_id = tracker.run_id
        job.origin.remember(tracker.run_id)
        tracker.log_text(layer_text(layers), "layers.txt")
        report = _check(job, program, tracker, reporter)
        if job.state is None:
            locks.enter_context(checkpoint.alone(checkpoint.run_folder(tracker.run_id)))
        epochs = _train(job, program, tracker, reporter)
        said = conclusion(job, epochs)
        tracker.describe(None if report is None else report.findings, epochs, said)
        probabilities = outcome.log(job, program, epochs, tracker)
        places = tracker.places()
    checkpoint.mark_ended(checkpoint.run_folder(tracker.run_id))
    reporter.summary(job, epochs)
    reporter.tracked(job, tracker.run_id, places, has_model=tracker.has_model)
    return RunResult(
        run_id=tracker.run_id,
        run_name=job.run_name,
        epochs=tuple(epochs),
        conclusion=said,
        uri=tracker.uri,
        places=places,
        preflight=report,
        settings=job.settings.config,
        reference=job.reference,
        test=job.dataset.test,
        form=job.dataset.form,
        probabilities=probabilities,
        network=program.model,
    )


def _build(job: Job, reporter: Reporter) -> "tuple[Program, list[LayerRow]]":
    """Load TensorFlow and MLflow, and build the program and the table of its layers."""
    config = job.settings.config
    with startup.quick_imports():
        startup.import_tensorflow(config)
        from mnist_exp.tracking import lifetime  # noqa: F401
        from mnist_exp.training import layer_table, own_program, precision, program
    train = job.dataset.train
    built = program.build_program(config, len(train), job.dataset.form, job.own)
    for warning in precision.warnings(config):
        if not (job.origin.is_retried and warning in _told):
            reporter.warn(warning)
        _told.add(warning)
    for warning in own_program.check(built, train):
        reporter.warn(warning)
    return built, layer_table.layer_table(built.model)


def _check(
    job: Job, program: "Program", tracker: "RunTracker", reporter: Reporter
) -> "PreflightReport | None":
    """Look for mistakes in the program of a new run; print, log and return what was found.

    None where nothing is looked for: the run goes on from a checkpoint, preflight is off, or there
    are too few images.
    Raises PreflightFailed for an error if the settings ask for that.
    """
    mode = job.settings.config.preflight
    if job.state is not None or mode == "off":
        return None
    from mnist_exp.preflight.harness import TooFewImages, preflight_report

    try:
        report = preflight_report(program, job.dataset.train, reporter.teller)
    except TooFewImages as reason:
        reporter.warn(str(reason))
        return None
    reporter.preflight(report)
    tracker.log_preflight(report)
    tracker.describe(report.findings)
    if report.errors and mode == "error":
        codes = ", ".join(finding.code for finding in report.errors)
        raise PreflightFailed(f"preflight=error: stopped before training, found {codes}")
    return report


def _train(
    job: Job, program: "Program", tracker: "RunTracker", reporter: Reporter
) -> list[EpochResult]:
    """Train, and return all epochs, those before a resumption included.

    Each epoch is printed, logged, saved in a checkpoint and then reported to the study.
    """
    from mnist_exp.training.loop import fit

    config, folder = job.settings.config, checkpoint.run_folder(tracker.run_id)
    record = resume.record(tracker.run_id, job)
    writer = checkpoint.Writer(program, folder, config.checkpoint.every_seconds, record)
    epochs, start = _begin(job, program, tracker, reporter)
    writer.save(start, epochs)
    left = time_left(program.total_steps, start.step)
    with reporter.training(program.total_steps), interrupts.deferred() as pending:

        def on_progress(progress: Progress) -> None:
            reporter.progress(progress, left(progress.step))
            try:
                pending.check()
            except BaseException:
                writer.save(progress, epochs)
                raise
            writer.in_epoch(progress, epochs)

        try:
            for result in fit(
                program,
                job.dataset,
                start=start,
                tests_every_epoch=job.tests_every_epoch,
                on_progress=on_progress,
            ):
                epochs.append(result)
                reporter.epoch(result, job.reference, left(result.step))
                tracker.log_epoch(result)
                writer.after_epoch(result.progress, epochs)
                objective = outcome.objectives(config.objective, epochs)[0]
                job.origin.report(objective, result.epoch)
        except NonFiniteCost:
            checkpoint.mark_ended(folder)
            raise
        writer.save(epochs[-1].progress, epochs)
    return epochs


def _begin(
    job: Job, program: "Program", tracker: "RunTracker", reporter: Reporter
) -> tuple[list[EpochResult], Progress]:
    """Return the epochs that are done and where training begins, with the program set to there."""
    from mnist_exp.training.loop import with_test

    if job.state is None:
        return [], Progress()
    job.state.restore(program)
    reporter.resumed(tracker.run_id, job.state.progress)
    checkpoint.mark_ended(checkpoint.run_folder(tracker.run_id), ended=False)
    results = list(job.state.results)
    if job.state.progress.step >= program.total_steps and results[-1].test is None:
        # The run was to be longer when this epoch ended.
        results[-1] = with_test(results[-1], program, job.dataset)
    for result in results:
        tracker.log_epoch(result, is_new=False)  # left out if the record has it
    return results, job.state.progress
