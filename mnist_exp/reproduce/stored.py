"""results.csv read back, so that the page can be written again without the runs."""

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mnist_exp.errors import UserError
from mnist_exp.outside.printing import plural
from mnist_exp.reproduce import results, runs
from mnist_exp.reproduce.bug_numbers import PREFIX, Bug, from_numbers
from mnist_exp.reproduce.presets import METRIC, PAGE, PRESETS
from mnist_exp.reproduce.results import BATCH_ACCURACY, COST, Result
from mnist_exp.reproduce.runs import PresetRuns
from mnist_exp.reproduce.table import TRAINING
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking import costs

_COLUMNS = ("preset", "quantity", "step", "seed", "value", "run_id", "shortened", "n")
_WHERE = re.compile(r"^- \*\*Where\*\*: (?P<text>.*)$", re.MULTILINE)


def read(folders: Sequence[Path]) -> tuple[list[Result], Bug | None]:
    """Return the results in the folders' results.csv, compared with the claims anew.

    Of two runs with the same preset and seed, that of the first folder counts; so do the numbers of
    the wrong loss in the first folder that has them. Raises UserError if a folder has no such file,
    or one of another shape, and if the folders' runs do not belong together.
    """
    tables = [_table(folder) for folder in folders]
    bugs = [_bug(table, folder) for table, folder in zip(tables, folders, strict=True)]
    every = pd.concat(tables, ignore_index=True)
    of_runs = every[every["run_id"].notna()]
    of_runs = of_runs.assign(value=of_runs["value"].map(float))  # Python's is right to the last bit
    first = of_runs.groupby(["preset", "seed"])["run_id"].transform("first")
    each = of_runs[of_runs["run_id"] == first]
    each = each.drop_duplicates(["preset", "quantity", "step", "seed"])
    named = {str(name): lines for name, lines in each.groupby("preset")}
    return [_result(name, named[name]) for name in PRESETS if name in named], next(
        filter(None, bugs), None
    )


def lines(folders: Sequence[Path], read: Sequence[Result]) -> pd.DataFrame:
    """Return the lines that the folders' runs.csv have of the results' runs.

    Raises UserError if several folders have runs of different code, or one does not say which.
    """
    known = [costs.read(folder, PAGE) for folder in folders]
    if len(folders) > 1:
        codes = [", ".join(sorted({*of["code_digest"]})) or "not recorded" for of in known]
        if len({*codes}) > 1 or codes[0] == "not recorded":
            found = zip(folders, codes, strict=True)
            each = "; ".join(f"that of {folder} is {code}" for folder, code in found)
            raise UserError(f"--rewrite: only runs of the same code belong together; {each}")
    run_ids = {run_id for result in read for run_id in result.runs.run_ids.values()}
    together = pd.concat(known, ignore_index=True)
    return together[together["run_id"].isin(run_ids)].drop_duplicates("run_id", ignore_index=True)


def where(folders: Sequence[Path]) -> str:
    """Return what the folders' results.md say of where the runs were made."""
    said = " ".join(dict.fromkeys(map(_where, folders)))
    return said if len(folders) == 1 else f"Put together of {len(folders)} folders. {said}"


def _table(folder: Path) -> pd.DataFrame:
    """Return the lines of a folder's results.csv, those of its runs all there and whole."""
    path = folder / "results.csv"
    try:
        is_whole = path.read_bytes().endswith(b"\n")
        table = pd.read_csv(path, dtype=str)
    except FileNotFoundError as error:
        raise UserError(f"--rewrite: there is no {path}; without --rewrite it is made") from error
    except (OSError, ValueError) as error:  # ValueError is also the parser's
        raise UserError(f"--rewrite: {path} cannot be read ({error})") from error
    if not is_whole:
        raise UserError(f"--rewrite: {path} ends in the middle of a line")
    missing = [column for column in _COLUMNS if column not in table]
    if missing:
        raise UserError(f"--rewrite: {path} has no column {missing[0]}")
    _check_numbers(table, path)
    of_runs = table[table["run_id"].notna()]
    _check_possible(of_runs, path)
    _check_all_there(of_runs, path)
    return table[list(_COLUMNS)]


def _check_numbers(lines: pd.DataFrame, path: Path) -> None:
    of_run = lines["run_id"].notna()
    needed = {
        "value": lines["quantity"] != TRAINING,
        "seed": of_run,
        "step": of_run & lines["quantity"].isin([COST, BATCH_ACCURACY]),
    }
    for column, where in needed.items():
        lacking = lines.index[where & lines[column].isna()]
        if len(lacking):
            raise UserError(f"--rewrite: {path}, line {lacking[0] + 2}: has no {column}")
    for column in ("value", "seed", "step", "n"):
        numbers = pd.to_numeric(lines[column], errors="coerce")
        wrong = lines.index[~np.isfinite(numbers) & lines[column].notna()]
        if len(wrong):
            raise UserError(
                f"--rewrite: {path}, line {wrong[0] + 2}: {column} is "
                f"{clean(str(lines.at[wrong[0], column]), 50)}; expected a number"
            )


def _check_possible(lines: pd.DataFrame, path: Path) -> None:
    """Check that accuracies lie between 0 and 1, seeds are whole, and each number is there once."""
    value, seed = lines["value"].astype(float), lines["seed"].astype(float)
    share = lines["quantity"].str.contains("accuracy")
    key = ["preset", "quantity", "step", "seed"]
    for wrong, problem in (
        (
            (value < 0) | (share & (value > 1)),
            "value is {value}; expected 0 or more, and of an accuracy 1 at most",
        ),
        ((seed < 0) | (seed % 1 > 0), "seed is {seed}; expected a whole number from 0"),
        (lines.duplicated(key), "the same preset, quantity, step and seed a second time"),
    ):
        if wrong.any():
            line = lines[wrong].iloc[0]
            said = problem.format(value=line["value"], seed=line["seed"])
            raise UserError(f"--rewrite: {path}, line {wrong.idxmax() + 2}: {said}")
    scored = {*lines.loc[lines["quantity"] == METRIC, "preset"]}
    if lines.empty or {*lines["preset"]} != scored:
        of = f" of {min({*lines['preset']} - scored)}" if len(lines) else ""
        raise UserError(f"--rewrite: {path} is not whole: it has no {METRIC}{of}")


def _check_all_there(lines: pd.DataFrame, path: Path) -> None:
    """Check that each number has a line for each of its runs; `n` says how many those are."""
    measured = lines[lines["quantity"] != TRAINING]
    for key, group in measured.groupby(["preset", "quantity", "step"], dropna=False):
        name, quantity, step = map(str, key)
        expected = {*group["n"].astype(float)}
        count = int(group["value"].notna().sum())
        if expected != {count}:
            where = "" if step == "nan" else f" at step {float(step):g}"
            raise UserError(
                f"--rewrite: {path} is not whole: it has {plural(count, 'value')} of "
                f"{quantity}{where} of {name}, and says that there are {max(expected):g}"
            )


def _where(folder: Path) -> str:
    path = folder / "results.md"
    found = _WHERE.search(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found["text"] if found else "not recorded."


def _bug(table: pd.DataFrame, folder: Path) -> Bug | None:
    lines = table[table["quantity"].str.startswith(PREFIX)]
    found = from_numbers(lines)
    if found is None and len(lines):
        path = folder / "results.csv"
        raise UserError(f"--rewrite: {path} is not whole: numbers of the wrong loss are missing")
    return found


def _result(name: str, lines: pd.DataFrame) -> Result:
    quantities = {str(quantity): group for quantity, group in lines.groupby("quantity")}
    scored = quantities[METRIC]
    if scored["shortened"].nunique() > 1:
        raise UserError(f"--rewrite: some runs of {name} are shortened, and others are not")
    seeds = _whole(scored["seed"])
    preset_runs = PresetRuns(
        preset=runs.preset(name, quick=scored["shortened"].iloc[0] == "True"),
        run_ids=dict(zip(seeds, map(str, scored["run_id"]), strict=True)),
        accuracies=dict(zip(seeds, scored["value"], strict=True)),
        missing={s: "not in results.csv" for s in range(max(seeds)) if s not in seeds},
    )
    timed = quantities.get(TRAINING, scored.iloc[:0])
    seconds = dict(zip(_whole(timed["seed"]), timed["value"], strict=True))

    def history(metric: str) -> pd.DataFrame:
        found = quantities.get(metric, scored.iloc[:0])
        whole = found.assign(step=_whole(found["step"]), seed=_whole(found["seed"]))
        return whole.pivot(index="step", columns="seed", values="value")

    return results.compare(preset_runs, {s: seconds.get(s, math.nan) for s in seeds}, history)


def _whole(texts: "pd.Series[str]") -> list[int]:
    """Return the whole numbers of a column that has gaps elsewhere, and so `3.0` for 3."""
    return [int(float(text)) for text in texts]
