"""A study in the terminal, and as trials.csv."""

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from mnist_exp.compare.table import no_formula
from mnist_exp.outside.printing import plural
from mnist_exp.tuning import words
from mnist_exp.tuning.trials import Study

_MOST_ROWS = 10


def to_csv(study: Study) -> pd.DataFrame:
    """Return a line for each trial: its number, state, values, parameters, seconds and failure."""
    lines = []
    for trial in study.trials:
        values = dict(zip(study.objectives, trial.values, strict=False))
        lines.append(
            {
                "trial": trial.number,
                "state": words.state(trial),
                **{name: values.get(name) for name in study.objectives},
                **trial.params,
                "seconds": trial.seconds,
                "reason": trial.reason,
            }
        )
    return pd.DataFrame(lines).map(no_formula)


def show(study: Study, summary: str, console: Console) -> None:
    """Print the best trials, and the summary."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("trial", justify="right")
    for name in study.objectives:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("settings", overflow="fold")
    for trial in study.best[:_MOST_ROWS]:
        varied = {key: trial.params[key] for key in study.parameters if key in trial.params}
        table.add_row(
            str(trial.number), *words.values(trial, study), words.settings(varied) or "all the same"
        )
    if study.best:
        console.print(table)
    if hidden := len(study.trials) - min(len(study.best), _MOST_ROWS):
        console.print(
            f"and {plural(hidden, 'trial')} more; trials.csv has all: {words.counts(study)}"
        )
    console.print()
    console.print(summary, style="bold")
