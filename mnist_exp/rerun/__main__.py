"""Train a tracked run anew from its record and compare: `python -m mnist_exp.rerun RUN_ID [tracking.uri=URI]`."""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from mnist_exp.command import answered
from mnist_exp.config import schema
from mnist_exp.config import tree as config
from mnist_exp.config.mistakes import USER_ERRORS, explain
from mnist_exp.config.recorded import overrides as recorded_overrides
from mnist_exp.config.tree import Settings
from mnist_exp.errors import NonFiniteCost, UserError, first_line
from mnist_exp.outside.foreign_files import MAX_TEXT_BYTES, read_artifacts, read_json, read_yaml
from mnist_exp.outside.printing import say
from mnist_exp.sweeper import quoting
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking.routes import advice
from mnist_exp.tracking.store import ELSEWHERE, named, shortened, uri_to_read

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

USAGE = """usage: python -m mnist_exp.rerun RUN_ID [tracking.uri=URI]

Train the run's recorded config anew, with the code and the packages that are here now, in a new run tagged
rerun_of=RUN_ID. Then compare: every metric but time/* and system/*, the packages, the hardware and the code.

RUN_ID        as MLflow shows it; a run of this folder, or of MLFLOW_TRACKING_URI
tracking.uri  another MLflow store, for both runs

exit code     0: identical, every metric has the same value at every step, to the last digit
              1: not identical, or the first run did not finish, or its record cannot be used"""

# What is measured with a clock, or on the machine as a whole: never the same twice.
_MEASURED = ("time/", "system/")
# The artifacts that are a run's record, and the most bytes of each that are read.
_RECORD = {
    "config/resolved.yaml": MAX_TEXT_BYTES,
    "config/overrides.yaml": MAX_TEXT_BYTES,
    "env/packages.txt": MAX_TEXT_BYTES,
    "env/hardware.json": MAX_TEXT_BYTES,
    "env/git_left_out.txt": MAX_TEXT_BYTES,
    "env/git.diff": 100 * 2**20,
}
_MOST_LINES = 20  # of differences shown

History = dict[int, str]  # step -> value, written so that another text is another number


@dataclass(frozen=True)
class TrackedRun:
    """What MLflow knows about a run. `experiment` is the name of its experiment, `files` are its record, by path."""

    run_id: str
    name: str
    status: str
    started: str
    params: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, History]
    files: dict[str, bytes]
    experiment: str = "mnist_exp"

    @property
    def epochs(self) -> int:
        """Epochs that are in the record."""
        return max(self.metrics.get("train/cost", {}), default=0)


@dataclass(frozen=True)
class Pair:
    """One metric in both runs. `difference` is empty where all steps are the same."""

    name: str
    first: History
    second: History

    @property
    def difference(self) -> str:
        if not self.second or not self.first:
            return f"only in the {'first run' if self.first else 'rerun'}"
        step = next(
            (s for s in sorted({*self.first, *self.second}) if self._at(s)[0] != self._at(s)[1]),
            None,
        )
        return (
            ""
            if step is None
            else f"differs from {self._unit} {step} on: {' against '.join(self._at(step))}"
        )

    def _at(self, step: int) -> tuple[str, str]:
        return self.first.get(step, "nothing"), self.second.get(step, "nothing")

    @property
    def _unit(self) -> str:
        per_epoch = self.name.startswith(("train/", "val/", "test/", "best/"))
        return "epoch" if per_epoch and self.name != "train/batch_accuracy" else "step"


@dataclass(frozen=True)
class Comparison:
    first: TrackedRun
    second: TrackedRun
    pairs: tuple[Pair, ...]

    @property
    def equal(self) -> bool:
        """Nothing that both runs should have differs; a first run that did not finish has less than the second."""
        return bool(self.pairs) and not any(pair.difference for pair in self.pairs)

    @property
    def identical(self) -> bool:
        finished = self.first.status == self.second.status == "FINISHED"
        return finished and self.equal

    def verdict(self) -> str:
        """One line that begins with `identical` or `not identical`."""
        different = [pair for pair in self.pairs if pair.difference]
        if different:
            others = f"; nor are {len(different) - 1} other metrics" if len(different) > 1 else ""
            return f"not identical: {different[0].name} {different[0].difference}{others}"
        count = sum(len(pair.first) for pair in self.pairs)
        what = f"{len(self.pairs)} metrics, {count} values, equal to the last digit"
        if self.identical:
            return f"identical: {what}"
        if self.first.status == "FINISHED":
            return f"not identical: the rerun ended {self.second.status}"
        if not self.first.epochs:
            return f"not identical: nothing to compare, the first run is {self.first.status} without a whole epoch"
        return (
            f"identical as far as the first run went, which is {self.first.status} after epoch "
            f"{self.first.epochs}: {what}"
        )


def rerun(run_id: str, uri: str | None = None) -> Comparison:
    """Train the run's config anew in a new run, print both side by side, and return the comparison.

    `uri` None is MLFLOW_TRACKING_URI or the current folder's store. Raises UserError if the store, the run, its record
    or its data cannot be used.
    """
    store = _Store(uri)
    first = store.read(run_id)
    if "config/resolved.yaml" not in first.files:
        raise UserError(
            f"run {run_id} has no record to repeat it from: its artifact config/resolved.yaml is missing"
        )
    settings = settings_of(first, uri)
    _check_data(first, settings)
    say(f"Rerun of {_title(first)}")
    if first.status != "FINISHED":
        say(
            f"The first run is {first.status}: it is compared as far as it went, {first.epochs} whole epochs."
        )
    say("")
    second = store.read(_train(store, settings, run_id))
    comparison = compare(first, second)
    say(_report(comparison))
    return comparison


def settings_of(run: TrackedRun, uri: str | None = None) -> Settings:
    """The settings that the run's record holds, for a new run in the store `uri` that is tagged as its rerun."""
    try:
        resolved: object = read_yaml(run.files["config/resolved.yaml"], object)
        recorded = config.from_dict(resolved if isinstance(resolved, dict) else {})
        overrides = read_yaml(run.files.get("config/overrides.yaml", b"[]"), list)
        kept = recorded_overrides(overrides, recorded.to_dict(), f"run {run.run_id}")
    except (ValueError, *USER_ERRORS) as error:
        raise UserError(
            f"run {run.run_id}: its recorded config cannot be used here: {explain(error)}"
        ) from error
    choices = {group: run.params[group] for group in config.group_names() if group in run.params}
    kinds = {"model": recorded.model.kind, "optimizer": recorded.optimizer.kind}
    if (
        recorded.data.dir is not None
    ):  # which is read only if it holds the data that the run was trained on
        kept.append(quoting.override("data.dir", recorded.data.dir))
    if uri is not None:
        kept.append(quoting.override("tracking.uri", uri))
    wanted = replace(
        recorded,
        resume=None,
        best_of=None,
        tracking=schema.TrackingConfig(run.experiment, uri),
        tags={**recorded.tags, "rerun_of": run.run_id},
    )
    return Settings(wanted, kinds | choices, tuple(kept))


def compare(first: TrackedRun, second: TrackedRun) -> Comparison:
    """Every metric that the settings decide. Of a first run that did not finish, the steps that it has."""
    finished = first.status == "FINISHED"
    pairs = []
    for name in sorted({*first.metrics, *second.metrics}, key=_reading_order):
        one, other = first.metrics.get(name, {}), second.metrics.get(name, {})
        if name.startswith(_MEASURED) or (not finished and not one):
            continue
        if name.startswith(
            "best/"
        ):  # once for each time the run ended; one that was made longer has several
            one, other = ({step: run[step] for step in list(run)[-1:]} for run in (one, other))
        if not finished:
            other = {step: value for step, value in other.items() if step in one}
        pairs.append(Pair(name, one, other))
    return Comparison(first, second, tuple(pairs))


def environment_differences(first: TrackedRun, second: TrackedRun) -> list[str]:
    """A line for each package and each fact about the machine that is not the same in both records."""
    lines = []
    for path, parse, absent in (
        ("env/packages.txt", _packages, "not installed"),
        ("env/hardware.json", _facts, "not recorded"),
    ):
        if path not in first.files or path not in second.files:
            lines.append(
                f"{path}: not recorded in {'the first run' if path in second.files else 'the rerun'}"
            )
            continue
        one, other = parse(first.files[path]), parse(second.files[path])
        lines += [
            f"{name}: {one.get(name, absent)} -> {other.get(name, absent)}"
            for name in sorted({*one, *other}, key=str.lower)
            if one.get(name, "unset") != other.get(name, "unset")
        ]
    return lines


def code_differences(first: TrackedRun, second: TrackedRun) -> list[str]:
    """A line each: another commit, other uncommitted changes. Empty where the code is the same as far as recorded."""
    commits = [clean(run.tags.get("git.commit", "not recorded")) for run in (first, second)]
    lines = [f"commit {commits[0][:12]} -> {commits[1][:12]}"] if commits[0] != commits[1] else []
    diffs = [run.files.get("env/git.diff", b"") for run in (first, second)]
    if diffs[0] != diffs[1]:
        changed = [_changed_files(diff) for diff in diffs]
        lines.append(
            f"uncommitted changes: {changed[0]} -> {changed[1]} (env/git.diff of both runs)"
        )
    notes = [run.files.get("env/git_left_out.txt", b"") for run in (first, second)]
    if notes[0] != notes[1]:
        lines.append("changed files that are not recorded (env/git_left_out.txt of both runs)")
    return lines


class _Store:
    """Reads runs from an MLflow store; the tracker alone writes to it."""

    def __init__(self, uri: str | None) -> None:
        self._uri = uri_to_read(uri)

    def read(self, run_id: str) -> TrackedRun:
        """Raises UserError if the store has no such run or cannot be read."""
        import mlflow
        from mlflow.exceptions import MlflowException

        run = None
        try:
            client = mlflow.MlflowClient(self._uri)
            run = client.get_run(run_id)
            return _read(client, run)
        except (
            Exception
        ) as error:  # MLflow passes on whatever its database, server or file store raises
            if run is not None:
                raise UserError(
                    f"run {run_id}: its record cannot be read ({first_line(error)})"
                ) from error
            code = error.error_code if isinstance(error, MlflowException) else ""
            if code == "RESOURCE_DOES_NOT_EXIST" or "for parameter 'run_id'" in str(error):
                raise UserError(
                    f"{run_id}: no such run in {shortened(self._uri)}\n{ELSEWHERE}"
                ) from error
            said = first_line(error)
            raise UserError(
                f"{named(self._uri)}: cannot be read ({said}){advice(self._uri, error)}"
            ) from error

    def last_rerun(self, run_id: str, experiment: str) -> str | None:
        """The id of the newest run in the experiment that repeats this one."""
        import mlflow

        client = mlflow.MlflowClient(self._uri)
        found = client.get_experiment_by_name(experiment)
        order = ["attributes.start_time DESC"]
        query = f"tags.rerun_of = '{run_id}'"
        runs = (
            client.search_runs([found.experiment_id], query, order_by=order, max_results=1)
            if found
            else []
        )
        return str(runs[0].info.run_id) if runs else None


def _read(client: "MlflowClient", run: "Run") -> TrackedRun:
    run_id = run.info.run_id
    metrics = {}
    for name in run.data.metrics:
        values: dict[int, set[str]] = {}
        for metric in client.get_metric_history(run_id, name):
            values.setdefault(metric.step, set()).add(repr(metric.value))
        metrics[name] = {step: " and ".join(sorted(values[step])) for step in sorted(values)}
    experiment = client.get_experiment(run.info.experiment_id).name
    started = datetime.fromtimestamp(run.info.start_time / 1000).astimezone()
    return TrackedRun(
        run_id,
        run.info.run_name or "",
        run.info.status,
        f"{started:%Y-%m-%d %H:%M}",
        dict(run.data.params),
        dict(run.data.tags),
        metrics,
        read_artifacts(client, run_id, _RECORD),
        experiment,
    )


def _check_data(run: TrackedRun, settings: Settings) -> None:
    """Raise UserError if the data is not what the run trained on."""
    from mnist_exp import data

    where = asdict(settings.config.data)
    folder = where.pop("dir")
    try:
        found = data.load(folder, **where).digest
    except UserError as error:
        raise UserError(f"run {run.run_id}: its data cannot be used: {error}") from error
    recorded = run.tags.get("data.digest", found if folder is None else "not recorded")
    if found != recorded:
        raise UserError(
            f"run {run.run_id}: the data has changed since: data.digest was {clean(recorded, 16)[:12]} and is now "
            f"{found[:12]}\ndata.dir={folder or 'null, the shipped MNIST'}"
        )


def _train(store: "_Store", settings: Settings, run_id: str) -> str:
    """The new run's id. A NaN or infinite cost ends a run, but not the comparison."""
    from mnist_exp.experiment import runner as experiment

    try:
        return experiment.run_experiment(settings).run_id
    except NonFiniteCost as error:
        last = store.last_rerun(run_id, settings.config.tracking.experiment)
        if last is None:
            raise
        say(error)
        return last


def _report(comparison: Comparison) -> str:
    first, second = comparison.first, comparison.second
    rows = [["metric, last value", "first run", "rerun", "steps"]]
    for pair in comparison.pairs:
        last = [run[max(run)] if run else "-" for run in (pair.first, pair.second)]
        found = (
            pair.difference.partition(": ")[0] or f"{len(pair.first)} of {len(pair.first)} equal"
        )
        rows.append([pair.name, *last, found])
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    table = [
        "".join(f"{row[i]:<{width}}  " for i, width in enumerate(widths)) + row[3] for row in rows
    ]
    code = code_differences(first, second)
    recorded = "git.commit" in first.tags and "git.commit" in second.tags
    return "\n".join(
        [
            "",
            f"first run  {_title(first)}",
            f"rerun      {_title(second)}",
            "",
            *table,
            "",
            *_section("environment", environment_differences(first, second)),
            *_section(
                "code",
                code,
                f"the same, commit {first.tags['git.commit'][:12]}"
                if recorded
                else "not recorded, no git checkout",
            ),
            comparison.verdict(),
        ]
    )


def _section(name: str, differences: list[str], same: str = "the same") -> list[str]:
    if not differences:
        return [f"{name}: {same}"]
    more = len(differences) - _MOST_LINES
    shown = [f"  {line}" for line in differences[:_MOST_LINES]]
    return [f"{name} differs:", *shown, *([f"  and {more} more"] if more > 0 else [])]


def _title(run: TrackedRun) -> str:
    failure = (
        f" ({clean(run.tags['failure_reason'].strip().partition(chr(10))[0], 150)})"
        if run.tags.get("failure_reason")
        else ""
    )
    return f"{run.run_id}  {clean(run.name, 250)}, {run.started}, {run.status}{failure}"


def _reading_order(name: str) -> tuple[int, str]:
    groups = ("train/", "val/", "test/", "best/")
    return next((i for i, group in enumerate(groups) if name.startswith(group)), len(groups)), name


def _packages(text: bytes) -> Mapping[str, str]:
    """name==version lines; a package that is installed twice has both versions."""
    found: dict[str, str] = {}
    for line in text.decode(errors="replace").splitlines():
        name, _, version = clean(line).partition("==")
        found[name] = f"{found[name]}, {version}" if name in found else version
    return found


def _facts(text: bytes) -> Mapping[str, str]:
    try:
        facts = read_json(text, dict)
    except ValueError:
        return {"env/hardware.json": "damaged"}
    return {
        clean(name, 100): "unset" if value is None else clean(value)
        for name, value in facts.items()
    }


def _changed_files(diff: bytes) -> str:
    names = re.findall(r"^diff --git a/.* b/(.*)$", diff.decode(errors="replace"), re.MULTILINE)
    if not names:
        return "none"
    shown = ", ".join(clean(name, 200) for name in names[:5])
    return f"{shown}{f' and {len(names) - 5} more' if len(names) > 5 else ''}"


def _parse(arguments: Iterable[str]) -> tuple[str, str | None]:
    """(run id, tracking uri) of a command line. Raises UserError."""
    run_ids, uri = [], None
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if equals and key != "tracking.uri":
            raise UserError(
                f"{argument}: a rerun has its run's settings; only tracking.uri=URI can be given"
            )
        if equals:
            uri = value
        else:
            run_ids.append(argument)
    if len(run_ids) != 1:
        raise UserError(
            f"expected one RUN_ID, found {' '.join(run_ids) or 'none'}\n{USAGE.splitlines()[0]}"
        )
    return run_ids[0], uri


def main() -> None:
    """Exits with 0 if the runs are identical and with 1 otherwise; a mistake is answered in one or two lines."""
    given = sys.argv[1:]
    if "-h" in given or "--help" in given:
        say(USAGE)
        return
    with answered(*USER_ERRORS):
        identical = rerun(*_parse(given)).identical
    sys.exit(0 if identical else 1)


if __name__ == "__main__":
    main()
