"""The page of a study that has ended."""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_exp.errors import first_line
from mnist_exp.sweeper.foreign_text import clean

if TYPE_CHECKING:
    import optuna


def write(
    study: "optuna.Study",
    objectives: Sequence[str],
    uri: str | None,
    folder: Path,
    data_dir: str | None = None,
) -> dict[str, str]:
    """Write trials.csv and the study's page into the folder; return the summary by the page's name.

    The page is tuning.html for a search of settings, and compare.html for a study that has several
    seeds of its settings. The study does not fail if that fails: then one line says why, and
    nothing is returned.
    """
    from mnist_exp.studies.optuna_trials import from_optuna
    from mnist_exp.tuning import table

    name = "compare.html"
    now = f"{datetime.now().astimezone():%Y-%m-%d %H:%M}"
    try:
        trials = from_optuna(study, objectives)
        table.to_csv(trials).to_csv(folder / "trials.csv", index=False)
        if trials.is_search:
            name = "tuning.html"
            from mnist_exp.tuning import page as tuning_page

            html, summary = tuning_page.render(trials, now, data_dir)
        else:
            from mnist_exp.compare import page, sentences
            from mnist_exp.compare.comparison import compare
            from mnist_exp.tracking.runs import Selection, Store

            comparison = compare(Store(uri), Selection(study=study.study_name))
            html, summary = page.render(comparison, now, data_dir), sentences.summary(comparison)
        (folder / name).write_text(html, encoding="utf-8")
    except Exception as error:  # noqa: BLE001
        reason = clean(first_line(error), 200)
        print(f"study {clean(study.study_name)}: no {name} ({reason})", file=sys.stderr)
        return {}
    return {name: summary}
