"""runs.csv: the runs behind the pages of results, and what they cost."""

import json
import math
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import pandas as pd

from mnist_exp.errors import UserError
from mnist_exp.outside.printing import markdown, plural
from mnist_exp.tracking.environment import read_hardware
from mnist_exp.tracking.metric_names import PROCESSOR_SECONDS
from mnist_exp.tracking.runs import Runs, Store
from mnist_exp.tracking.status import RESUMED

FILE = "runs.csv"
COLUMNS = (
    "page",
    "program",
    "seed",
    "run_id",
    "code_digest",
    "steps",
    "training_seconds",
    "processor_seconds",
    "resumed",
    "machine",
)

_MEND = "mend it: without the file, what other pages cost is lost"
_COUNTS, _SECONDS = ("steps", "resumed"), ("training_seconds", "processor_seconds")


def table(store: Store, runs: Runs, programs: Mapping[str, str], page: str) -> pd.DataFrame:
    """Return a line for each run of `programs`, which has each run's program by the run's id.

    `page` is the file that the runs are the answer of. A number that a run did not record is NaN.
    """
    ids = list(programs)
    training = store.history(ids, "time/epoch_seconds").groupby("run_id")["value"]
    processor = store.history(ids, PROCESSOR_SECONDS).groupby("run_id")["value"]
    steps = store.history(ids, "train/step_cost").groupby("run_id")["step"].max()
    # A run that began before there was this metric has recorded a part of its epochs.
    whole = processor.sum()[processor.count().eq(training.count())]
    tags = runs.tags
    lines = [
        {
            "page": page,
            "program": program,
            "seed": str(runs.info.at[run_id, "seed"]),
            "run_id": run_id,
            "code_digest": _text(tags, run_id, "code_digest"),
            "steps": steps.get(run_id, math.nan),
            "training_seconds": training.sum().get(run_id, math.nan),
            "processor_seconds": whole.get(run_id, math.nan),
            "resumed": _count(_text(tags, run_id, RESUMED)),
            "machine": machine(store.artifact(runs, run_id, "env/hardware.json") or b""),
        }
        for run_id, program in programs.items()
    ]
    return pd.DataFrame(lines, columns=list(COLUMNS)).round(dict.fromkeys(_SECONDS, 1))


def machine(recorded: bytes) -> str:
    """Return processor, system and number of cores of an env/hardware.json; "" if it has none."""
    facts = read_hardware(recorded)
    known = [text for name in ("cpu", "platform") if (text := facts.get(name))]
    cores = facts.get("cores")
    return ", ".join([*known, *([plural(int(cores), "core")] if cores else [])])


def this_machine(facts: Mapping[str, object]) -> str:
    """Return the same of the facts of `environment.hardware`."""
    return machine(json.dumps(facts).encode())


def _text(tags: pd.DataFrame, run_id: str, name: str) -> str:
    value = tags.at[run_id, name] if name in tags else ""
    return value if isinstance(value, str) else ""


def _count(text: str) -> float:
    return float(text) if text.isdecimal() else math.nan


def with_other_pages(folder: Path, lines: pd.DataFrame) -> pd.DataFrame:
    """Return the lines, and before them those of the folder's runs.csv that are of other pages.

    Raises UserError if the folder has a runs.csv of another shape.
    """
    known = read(folder)
    others = known[~known["page"].isin(lines["page"])]
    parts = [part for part in (others, lines) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else lines


def to_csv(lines: pd.DataFrame) -> str:
    """Return the text of the file: seconds with one decimal, counts as whole numbers."""
    shown = lines.assign(
        **{name: lines[name].map("{:.0f}".format, na_action="ignore") for name in _COUNTS},
        **{name: lines[name].map("{:.1f}".format, na_action="ignore") for name in _SECONDS},
    )
    return str(shown.to_csv(index=False))


def read(folder: Path, page: str | None = None) -> pd.DataFrame:
    """Return the lines of a folder's runs.csv, all or those of a page; none if it has no file.

    Raises UserError for a file that cannot be read, was cut, or lacks a column.
    """
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
        if not text.endswith("\n"):
            raise UserError(f"{path}: does not end with a line break, so it was cut; {_MEND}")
        found = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False)
    except FileNotFoundError:
        return pd.DataFrame(columns=list(COLUMNS))
    except (OSError, ValueError) as error:  # ValueError is also the parser's
        raise UserError(f"{path}: cannot be read ({error}); {_MEND}") from error
    if lacking := [column for column in COLUMNS if column not in found]:
        raise UserError(f"{path}: has no column {lacking[0]}; {_MEND}")
    numbers = {name: pd.to_numeric(found[name], errors="coerce") for name in (*_COUNTS, *_SECONDS)}
    lines = found.assign(**numbers)[list(COLUMNS)]
    return lines if page is None else lines[lines["page"] == page].reset_index(drop=True)


def sentences(lines: pd.DataFrame) -> str:
    """Say in Markdown what the runs cost, how often they were continued, and on which machine.

    Empty without runs.
    """
    if lines.empty:
        return ""
    processor, training = lines["processor_seconds"], lines["training_seconds"]
    runs, by_clock = plural(len(lines), "run"), f"{_time(training.sum())} by the clock."
    if processor.notna().all():
        said = (
            f"{runs} took {_time(processor.sum())} of processor time, all cores added up, with "
            f"evaluation; their training alone took {by_clock}"
        )
    elif count := int(processor.notna().sum()):
        said = (
            f"{runs} trained for {by_clock} {count:,} of them took {_time(processor.sum())} of "
            "processor time, all cores added up; the others did not record it."
        )
    else:
        said = f"{runs} trained for {by_clock} Their processor time is not recorded."
    return " ".join([said, *_continued(lines["resumed"]), *_machines(lines["machine"])])


def _continued(resumed: "pd.Series[float]") -> list[str]:
    again = resumed[resumed > 0]
    unknown = int(resumed.isna().sum())
    said = []
    if len(again):
        were = "was" if len(again) == 1 else "were"
        said.append(
            f"{len(again)} of them {were} stopped and continued from a checkpoint, "
            f"{plural(int(again.sum()), 'time')} in all; the processor time lacks what was "
            "computed between the last whole epoch and a stop."
        )
    elif not unknown:
        said.append("None of them was interrupted.")
    if unknown:
        said.append(f"Of {plural(unknown, 'run')} it is not recorded whether they were continued.")
    return said


def _machines(machines: "pd.Series[str]") -> list[str]:
    names = [name for name in dict.fromkeys(machines) if name]
    return [f"Machine: {markdown('; '.join(names))}."] if names else []


def _time(seconds: float) -> str:
    """Return `7.4 hours`, `12 minutes` or `3.1 seconds`."""
    if seconds >= 2 * 3600:
        return f"{seconds / 3600:.1f} hours"
    if seconds >= 120:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds:.1f} seconds"
