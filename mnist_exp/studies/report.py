"""The page of `mnist_exp.compare` for a study that has ended."""

import sys
from datetime import datetime
from pathlib import Path

from mnist_exp.errors import first_line
from mnist_exp.sweeper.foreign_text import clean


def write(study_name: str, uri: str | None, folder: Path, data_dir: str | None = None) -> str:
    """Write compare.html into the folder and return the page's summary.

    The study does not fail if that fails: then one line says why, and the summary is empty.
    """
    try:
        from mnist_exp.compare import page, words
        from mnist_exp.compare.comparison import compare
        from mnist_exp.tracking.runs import Selection, Store

        comparison = compare(Store(uri), Selection(study=study_name))
        now = f"{datetime.now().astimezone():%Y-%m-%d %H:%M}"
        html = page.render(comparison, now, data_dir)
        (folder / "compare.html").write_text(html, encoding="utf-8")
        return words.summary(comparison)
    except Exception as error:  # noqa: BLE001
        reason = first_line(error)
        print(f"study {clean(study_name)}: no compare.html ({clean(reason, 200)})", file=sys.stderr)
        return ""
