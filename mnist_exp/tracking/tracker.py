"""What a run tells MLflow; `outbox` sees to it that it arrives."""

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from mlflow import MlflowClient
from mlflow.entities import Run, RunData
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from mnist_exp.config.identity import LENGTH, flatten
from mnist_exp.errors import UserError, first_line
from mnist_exp.outside.printing import plural
from mnist_exp.outside.uris import local_path
from mnist_exp.own_code.code import DIGEST_TAG, FOLDER
from mnist_exp.serving.registry import Entry
from mnist_exp.tracking import (
    dataset_record,
    description,
    environment,
    metric_names,
    operations,
    params,
)
from mnist_exp.tracking.attempts import Attempt
from mnist_exp.tracking.code_digest import code_digest
from mnist_exp.tracking.job import Job
from mnist_exp.tracking.links import Places, run_page, runs_page, ui_command
from mnist_exp.tracking.operations import LONGEST_TAG, METRICS_AT_ONCE, Point, Warn
from mnist_exp.tracking.outbox import Outbox
from mnist_exp.tracking.source_version import source_version
from mnist_exp.tracking.status import FAILURE_REASON, RESUMED, RunStatus
from mnist_exp.tracking.store import answer
from mnist_exp.tracking.views import results_page
from mnist_exp.training import machine
from mnist_exp.training.results import EpochResult

if TYPE_CHECKING:
    import keras

    from mnist_exp.preflight import PreflightReport
    from mnist_exp.preflight.report import Finding

_MONITOR_SECONDS = 5.0  # for which the end of a run waits for the last system metrics


class RunTracker:
    """Writes to the MLflow run of a job; `lifetime.track_run` makes it."""

    def __init__(self, job: Job, client: MlflowClient, run: Run, warn: Warn) -> None:
        self.run_id, self.experiment_id = run.info.run_id, run.info.experiment_id
        self._job, self._client, self._warn = job, client, warn
        self.uri: str = client.tracking_uri
        self._outbox = Outbox(client, self.run_id, warn)
        self._artifacts = local_path(run.info.artifact_uri)  # None: not on this machine
        self.has_model = False  # whether it was logged
        self._files: set[str] = set()  # that were logged
        self._logged: set[tuple[str, int]] = set()  # (metric, step) that the run has already
        self._monitor: SystemMetricsMonitor | None = None
        # Metrics that wait for the first epoch: MLflow's page of two runs opens on the metric that
        # came first.
        self._last: dict[str, float] = {}
        self._processor = time.process_time()  # up to which the run's processor time is logged

    def places(self) -> Places:
        """Return where the run is seen.

        The view of all runs is written if need be, unless the store takes nothing at present.
        """
        uri, experiment = self._client.tracking_uri, self.experiment_id
        takes_none = bool(self._outbox.queue)
        page = runs_page(uri, experiment) if takes_none else results_page(self._client, experiment)
        run = run_page(uri, experiment, self.run_id)
        return Places(command=ui_command(uri), run=run, all_runs=page)

    def log_settings(self) -> None:
        """Log params, tags, config, environment and data: all that is known before training."""
        job, config = self._job, self._job.settings.config
        recorded = {**job.settings.choices, **flatten(config.to_dict())}
        tags = {
            **self._described(),
            "variant": job.variant,
            "config_hash": config.hash(),
            "seed": str(config.seed),
            "data.digest": job.dataset.digest,
            "code_digest": code_digest(job.own.code),
            RESUMED: "0",
            **({} if job.own.code is None else {DIGEST_TAG: job.own.code.digest}),
            **config.tags,
            **self._log_source(),
        }
        if (claim := config.reference) is not None and claim.test_accuracy is not None:
            self._last[metric_names.TUTORIAL_ACCURACY] = claim.test_accuracy
        texts = {key: params.encode(value) for key, value in recorded.items()}
        self._outbox.send(operations.ParamsAndTags(texts, tags))
        self._log_config()
        if job.own.code is not None:
            sources = job.own.code.sources
            self._log_contents({f"{FOLDER}/{path}": text for path, text in sources.items()})
        self.log_text(environment.packages(), "env/packages.txt")
        self.log_text(json.dumps(environment.hardware(), indent=2), "env/hardware.json")
        self._log_dataset()

    def reopen(self) -> None:
        """Go on with a run that has its settings; metrics that it has are not logged again."""
        begun = answer(self._client.tracking_uri, self._read_back)
        config = self._job.settings.config
        digest = code_digest(self._job.own.code)
        codes = dict.fromkeys([*begun.tags.get("code_digest", "unknown").split("+"), digest])
        before, now = params.with_length(begun.params, begun.tags), flatten(config.to_dict())
        length = {key: params.encode(now[key]) for key in LENGTH}
        tags = {"config_hash": config.hash(), "code_digest": "+".join(codes)}
        tags |= {key: text for key, text in length.items() if before.get(key) != text}
        if (times := begun.tags.get(RESUMED, "")).isdecimal():  # not recorded of older runs
            tags[RESUMED] = str(int(times) + 1)
        self.set_tags(self._described() | tags)
        self._log_config()

    def describe(
        self,
        findings: "Sequence[Finding] | None" = None,
        epochs: Sequence[EpochResult] = (),
        conclusion: str = "",
    ) -> None:
        """Write the run's description and its columns in the UI; tags from the settings stay.

        `findings` are preflight's, None if it did not run now. `epochs` is empty before the end.
        `conclusion` is a sentence on what the result means.
        """
        self.set_tags(self._described(findings, epochs, conclusion))

    def log_epoch(self, result: EpochResult, *, is_new: bool = True) -> None:
        """Log an epoch's metrics with step = epoch, and those within it with step = training step.

        All are in one request, as a rule. With an epoch that `is_new` comes the processor time of
        all cores since the one before it, or since the run began in this process.
        """
        values = metric_names.of_epoch(result, self._job.reference)
        if is_new:
            before, self._processor = self._processor, time.process_time()
            values[metric_names.PROCESSOR_SECONDS] = self._processor - before
        now = _milliseconds()
        points = [(name, value, now, result.epoch) for name, value in values.items()]
        for step, value in result.batch_accuracies:
            points.append(("train/batch_accuracy", value, now, step))
        for step, *means in result.step_points:
            for name, value in zip(metric_names.STEP_CURVES, means, strict=True):
                points.append((name, value, now, step))
        points += [(name, value, now, 0) for name, value in self._last.items()]
        self._last = {}
        self._log_points(points)

    def log_summary(self, values: Mapping[str, float], epoch: int = 0) -> None:
        """Log metrics of the whole run up to an epoch."""
        now = _milliseconds()
        self._log_points([(name, value, now, epoch) for name, value in values.items()])

    def log_preflight(self, report: "PreflightReport") -> None:
        """Log preflight.json with all evidence, metrics that count it, and its codes as a tag.

        Without a finding there is no such tag.
        """
        self.log_text(json.dumps(report.to_dict(), indent=2), "preflight.json")
        self._last |= {
            metric_names.PREFLIGHT_ERRORS: len(report.errors),
            metric_names.PREFLIGHT_WARNINGS: len(report.warnings),
            "time/preflight_seconds": report.seconds,
        }
        codes = " ".join(finding.code for finding in report.findings)
        found = {"preflight.codes": codes} if codes else {}
        self.set_tags({"preflight": report.worst or "ok", **found})

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags in one call; of a value that is longer than MLflow takes, the beginning."""
        if tags:
            short = {key: value[:LONGEST_TAG] for key, value in tags.items()}
            self._outbox.send(operations.ParamsAndTags({}, short))

    def log_files(self, folder: Path) -> None:
        """Log all files below the folder, as artifacts with the same relative paths."""
        self._files.update(operations.files_below(folder))
        self._outbox.send(operations.Files(folder=str(folder)))

    def log_text(self, text: str, path: str) -> None:
        """Log a text as the artifact `path`."""
        self._files.add(path)
        self._outbox.send(operations.Text(text, path))

    def log_model(self, model: "keras.Model", step: int, entry: Entry | None = None) -> None:
        """Log the model after `step` training steps, once, with a rule that doubts its answers.

        With an `entry`, it is put into the registry, too.
        """
        from mnist_exp.serving import contents

        with tempfile.TemporaryDirectory() as folder:
            try:
                contents.write(Path(folder), model, self._job.dataset, self._job.network_source)
            except UserError as error:
                self._warn(f"the model is not logged, and predict cannot use this run: {error}")
                return
            self._outbox.send(operations.Model(folder=folder, step=step))
        self.has_model = True
        if entry is not None:
            self._outbox.send(operations.Register(step, asdict(entry)))

    def watch_machine(self, *, is_new: bool) -> None:
        """Log what MLflow calls system metrics, from a thread of MLflow's, until `end`.

        Raises UserError if MLflow does not tell in time how far a reopened run's go.
        """
        if not machine.can_be_watched():
            return
        uri, resumes = self._client.tracking_uri, not is_new
        try:
            self._monitor = answer(
                uri,
                lambda: SystemMetricsMonitor(self.run_id, resume_logging=resumes, tracking_uri=uri),
            )
        except (ValueError, AttributeError) as error:  # a variable of MLflow's, or a sandbox
            self._warn(f"the machine's load is not recorded ({first_line(error)})")
            return
        self._monitor.start()

    def end(self, status: RunStatus, reason: str | None = None) -> None:
        """End the run in MLflow, or queue its end; stop this process's monitor and outbox."""
        if self._monitor is not None:
            Attempt(self._monitor.finish).start().wait(_MONITOR_SECONDS)
        if self._last:  # there was no epoch
            self.log_summary(self._last)
        if reason is not None:
            self.set_tags({FAILURE_REASON: reason})
        self._outbox.send(operations.End(status, _milliseconds()))
        self._outbox.close()
        self._warn_of_removed_files()

    def _described(
        self,
        findings: "Sequence[Finding] | None" = None,
        epochs: Sequence[EpochResult] = (),
        conclusion: str = "",
    ) -> dict[str, str]:
        """Return the tags that `describe` sets."""
        note = description.markdown(self._job, self.run_id, findings, epochs, conclusion)
        tags = {MLFLOW_RUN_NOTE: note, **description.columns(self._job, epochs)}
        own = self._job.settings.config.tags
        return {key: text[:LONGEST_TAG] for key, text in tags.items() if key not in own}

    def _log_source(self) -> dict[str, str]:
        """Log what differs from the git commit, and return tags that name the commit."""
        source = source_version(
            self._job.settings.config.tracking.code, once=self._job.origin.is_retried
        )
        if source is None:
            return {}
        if source.diff:
            self._log_contents({"env/git.diff": source.diff})
        if source.note:
            self.log_text(source.note, "env/git_left_out.txt")
        return {"git.commit": source.commit, "git.dirty": str(source.dirty).lower()}

    def _log_contents(self, files: Mapping[str, bytes]) -> None:
        """Log artifacts that must keep their line ends and need not be UTF-8, by their paths."""
        with tempfile.TemporaryDirectory() as folder:
            for path, content in files.items():
                file = Path(folder) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            self.log_files(Path(folder))

    def _log_config(self) -> None:
        settings = self._job.settings
        resolved = yaml.safe_dump(settings.config.to_dict(), sort_keys=False)
        self.log_text(resolved, "config/resolved.yaml")
        self.log_text(yaml.safe_dump(list(settings.overrides)), "config/overrides.yaml")

    def _log_dataset(self) -> None:
        records = dict(dataset_record.records(self._job.dataset))
        self._outbox.send(operations.DatasetInputs(records))

    def _read_back(self) -> RunData:
        """Note which metrics the run has, remove the reason of its end, and return its data."""
        run = self._client.get_run(self.run_id)
        for name in (name for name in run.data.metrics if not name.startswith("system/")):
            history = self._client.get_metric_history(self.run_id, name)
            self._logged |= {(name, metric.step) for metric in history}
        if FAILURE_REASON in run.data.tags:
            self._client.delete_tag(self.run_id, FAILURE_REASON)
        return run.data

    def _log_points(self, points: Sequence[Point]) -> None:
        new = [point for point in points if (point[0], point[3]) not in self._logged]
        self._logged |= {(name, step) for name, _, _, step in new}
        for start in range(0, len(new), METRICS_AT_ONCE):
            self._outbox.send(operations.Metrics(new[start : start + METRICS_AT_ONCE]))

    def _warn_of_removed_files(self) -> None:
        if self._artifacts is None or self._outbox.queue:
            return
        missing = [name for name in sorted(self._files) if not (self._artifacts / name).is_file()]
        if missing:
            self._warn(
                f"{self._artifacts}: {len(missing)} of {plural(len(self._files), 'artifact')} of "
                f"run {self.run_id} were removed while it went on ({', '.join(missing[:3])} ...); "
                "a new run with the same settings has them all"
            )


def _milliseconds() -> int:
    return int(time.time() * 1000)
