"""A run beside its rerun: which metrics, packages, hardware and code are not the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mnist_exp.config.identity import LENGTH
from mnist_exp.outside.printing import plural
from mnist_exp.own_code.changes import changes
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking.environment import read_hardware, read_packages
from mnist_exp.tracking.metric_names import BEST_ACCURACY, BEST_EPOCH, STEP_CURVES
from mnist_exp.tracking.record import History, TrackedRun
from mnist_exp.tracking.recorded_code import recorded_code

# Metrics that are measured with a clock, or on the machine as a whole, are never the same twice.
_MEASURED = ("time/", "system/")
# Earlier versions logged all numbers of preflight.json as metrics, too.
_NO_LONGER_LOGGED = ("preflight/",)
# Of the whole run, and logged when it ends.
_ONCE = (BEST_ACCURACY, BEST_EPOCH)
# Metrics whose step is the training step, as far as their names could mean the epoch.
_TEST = ("test/accuracy", "test/cost")
_PER_STEP = ("train/batch_accuracy", *STEP_CURVES)
_UNSET = "unset"  # of a variable that the record names
_MOST_FILES = 5  # named in a line about uncommitted changes


@dataclass(frozen=True, kw_only=True)
class MetricPair:
    """One metric in both runs."""

    name: str
    first: History
    second: History

    @property
    def difference(self) -> str:
        """What is not the same, in words; empty if all steps are the same."""
        if not self.second or not self.first:
            return f"only in the {'first run' if self.first else 'rerun'}"
        for step in sorted({*self.first, *self.second}):
            first, second = self.first.get(step, "nothing"), self.second.get(step, "nothing")
            if first != second:
                return f"differs from {self._unit} {step} on: {first} against {second}"
        return ""

    @property
    def _unit(self) -> str:
        is_per_epoch = self.name.startswith(("train/", "val/", "test/"))
        return "epoch" if is_per_epoch and self.name not in _PER_STEP else "step"


@dataclass(frozen=True, kw_only=True)
class RunComparison:
    """The first run and its rerun, metric by metric."""

    first: TrackedRun
    second: TrackedRun
    pairs: tuple[MetricPair, ...]

    @property
    def equal(self) -> bool:
        """Whether nothing differs that both runs should have.

        A first run that did not finish has less than its rerun.
        """
        return bool(self.pairs) and not any(pair.difference for pair in self.pairs)

    @property
    def identical(self) -> bool:
        """Whether both runs finished and nothing differs."""
        return self.first.is_finished and self.second.is_finished and self.equal

    def verdict(self) -> str:
        """Return one line that begins with `identical` or `not identical`."""
        different = [pair for pair in self.pairs if pair.difference]
        if different:
            text = f"not identical: {different[0].name} {different[0].difference}"
            count = len(different) - 1
            differ = "differs" if count == 1 else "differ"
            return f"{text}; {plural(count, 'other metric')} {differ}, too" if count else text
        values = plural(sum(len(pair.first) for pair in self.pairs), "value")
        same = f"{plural(len(self.pairs), 'metric')}, {values}, equal to the last digit"
        if self.identical:
            return f"identical: {same}"
        if self.first.is_finished:
            return f"not identical: the rerun ended {self.second.status}"
        if not self.first.epochs:
            first = f"the first run is {self.first.status} without a whole epoch"
            return f"not identical: nothing to compare, {first}"
        return (
            f"identical as far as the first run went, which is {self.first.status} after epoch "
            f"{self.first.epochs}: {same}"
        )


def compare(first: TrackedRun, second: TrackedRun) -> RunComparison:
    """Compare every metric that the settings decide.

    If the first run did not finish, only the steps that it has are compared.
    """
    pairs = []
    for name in sorted({*first.metrics, *second.metrics}, key=_reading_order):
        before, after = first.metrics.get(name, {}), second.metrics.get(name, {})
        if name.startswith(_MEASURED + _NO_LONGER_LOGGED) or (not first.is_finished and not before):
            continue
        # Earlier versions logged no step curve, and a run that was made longer has points of both
        # of its lengths. What the points are means of is compared by epoch.
        if name in STEP_CURVES and (not before or any(key in first.tags for key in LENGTH)):
            continue
        if name in _ONCE:  # for each end of a run that was made longer
            before, after = _last_step(before), _last_step(after)
        # Test images may be scored after the last epoch alone, as those of a trial are.
        if not first.is_finished or (before and name in _TEST):
            after = {step: value for step, value in after.items() if step in before}
        pairs.append(MetricPair(name=name, first=before, second=after))
    return RunComparison(first=first, second=second, pairs=tuple(pairs))


def _last_step(history: History) -> History:
    return {step: history[step] for step in list(history)[-1:]}


def _reading_order(name: str) -> tuple[int, str]:
    """Return what sorts the metrics: what a person looks for first, preflight's numbers last."""
    first = ("test/accuracy", "train/cost", "val/", "test/", "train/", "tutorial/")
    return next((i for i, start in enumerate(first) if name.startswith(start)), len(first)), name


def environment_differences(first: TrackedRun, second: TrackedRun) -> list[str]:
    """Return a line for each package and each fact about the machine that is not the same."""
    lines = []
    for path, parse, absent in (
        ("env/packages.txt", read_packages, "not installed"),
        ("env/hardware.json", _hardware, "not recorded"),
    ):
        if path not in first.files or path not in second.files:
            run = "the first run" if path in second.files else "the rerun"
            lines.append(f"{path}: not recorded in {run}")
            continue
        before, after = parse(first.files[path]), parse(second.files[path])
        lines += [
            f"{name}: {before.get(name, absent)} -> {after.get(name, absent)}"
            for name in sorted({*before, *after}, key=str.lower)
            if before.get(name, _UNSET) != after.get(name, _UNSET)
        ]
    return lines


def _hardware(content: bytes) -> Mapping[str, str]:
    facts = read_hardware(content)
    if not facts:
        return {"env/hardware.json": "damaged"}
    return {name: _UNSET if value is None else value for name, value in facts.items()}


def code_differences(first: TrackedRun, second: TrackedRun) -> list[str]:
    """Return a line for another commit and one for other uncommitted changes.

    So has each changed file of the user's own. Empty if the code is the same as far as it is
    recorded.
    """
    commits = [clean(run.tags.get("git.commit", "not recorded")) for run in (first, second)]
    lines = [f"commit {commits[0][:12]} -> {commits[1][:12]}"] if commits[0] != commits[1] else []
    digests = clean(first.tags.get("code_digest", ""), 200)
    if "+" in digests:
        lines.append(
            "the first run was continued with other code, or other versions of TensorFlow, Keras "
            f"or NumPy, than it began with (code_digest {digests})"
        )
    diffs = [run.files.get("env/git.diff", b"") for run in (first, second)]
    if diffs[0] != diffs[1]:
        before, after = map(_changed_files, diffs)
        lines.append(f"uncommitted changes: {before} -> {after} (env/git.diff of both runs)")
    notes = [run.files.get("env/git_left_out.txt", b"") for run in (first, second)]
    if notes[0] != notes[1]:
        lines.append("changed files that are not recorded (env/git_left_out.txt of both runs)")
    own = (recorded_code("", run.run_id, run.tags, run.files).sources for run in (first, second))
    return [*lines, *(f"your own {line} (own_code/ of both runs)" for line in changes(*own))]


def _changed_files(diff: bytes) -> str:
    names = re.findall(r"^diff --git a/.* b/(.*)$", diff.decode(errors="replace"), re.MULTILINE)
    if not names:
        return "none"
    shown = ", ".join(clean(name, 200) for name in names[:_MOST_FILES])
    more = len(names) - _MOST_FILES
    return f"{shown} and {more} more" if more > 0 else shown
