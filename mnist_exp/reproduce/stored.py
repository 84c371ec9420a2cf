"""results.csv read back, so that the page can be written again without the runs."""

import math
import re
from pathlib import Path

import pandas as pd

from mnist_exp.errors import UserError
from mnist_exp.reproduce import results, runs
from mnist_exp.reproduce.presets import METRIC, PRESETS
from mnist_exp.reproduce.results import Result
from mnist_exp.reproduce.runs import PresetRuns

_COLUMNS = ("preset", "quantity", "step", "seed", "value", "run_id", "shortened")
_WHERE = re.compile(r"^- \*\*Where\*\*: (?P<text>.*)$", re.MULTILINE)


def read(folder: Path) -> list[Result]:
    """Return the results in a folder's results.csv, compared with the claims anew.

    Raises UserError if there is no such file, or one of another shape.
    """
    path = folder / "results.csv"
    try:
        table = pd.read_csv(path, dtype=str)
    except FileNotFoundError as error:
        raise UserError(f"--rewrite: there is no {path}; without --rewrite it is made") from error
    except (OSError, ValueError) as error:  # ValueError is also the parser's
        raise UserError(f"--rewrite: {path} cannot be read ({error})") from error
    missing = [column for column in _COLUMNS if column not in table]
    if missing:
        raise UserError(f"--rewrite: {path} has no column {missing[0]}")
    of_runs = table[table["run_id"].notna()]
    of_runs = of_runs.assign(value=of_runs["value"].map(float))  # Python's is right to the last bit
    named = {str(name): lines for name, lines in of_runs.groupby("preset")}
    return [_result(name, named[name]) for name in PRESETS if name in named]


def where(folder: Path) -> str:
    """Return what a folder's results.md says of where the runs were made."""
    path = folder / "results.md"
    found = _WHERE.search(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found["text"] if found else "not recorded."


def _result(name: str, lines: pd.DataFrame) -> Result:
    quantities = {str(quantity): group for quantity, group in lines.groupby("quantity")}
    scored = quantities[METRIC]
    seeds = _whole(scored["seed"])
    preset_runs = PresetRuns(
        preset=runs.preset(name, quick=scored["shortened"].iloc[0] == "True"),
        run_ids=dict(zip(seeds, map(str, scored["run_id"]), strict=True)),
        accuracies=dict(zip(seeds, scored["value"], strict=True)),
        missing={s: "not in results.csv" for s in range(max(seeds)) if s not in seeds},
    )
    timed = quantities.get("training seconds", scored.iloc[:0])
    seconds = dict(zip(_whole(timed["seed"]), timed["value"], strict=True))

    def history(metric: str) -> pd.DataFrame:
        found = quantities.get(metric, scored.iloc[:0])
        whole = found.assign(step=_whole(found["step"]), seed=_whole(found["seed"]))
        return whole.pivot(index="step", columns="seed", values="value")

    return results.compare(preset_runs, {s: seconds.get(s, math.nan) for s in seeds}, history)


def _whole(texts: "pd.Series[str]") -> list[int]:
    """Return the whole numbers of a column that has gaps elsewhere, and so `3.0` for 3."""
    return [int(float(text)) for text in texts]
