"""The page of `mnist_exp.compare` for a study that has ended."""

import sys
from datetime import datetime
from pathlib import Path

from mnist_exp.errors import first_line
from mnist_exp.sweeper.foreign_text import clean


def write(study_name: str, uri: str | None, folder: Path, data_dir: str | None = None) -> str:
    """Write compare.html there; the page's summary, empty if the study has nothing to compare.

    A study is not to fail for its report: whatever goes wrong is told in a line.
    """
    try:
        from mnist_exp.compare import page, words
        from mnist_exp.compare.comparison import compare
        from mnist_exp.tracking.runs import Selection, Store

        found = compare(Store(uri), Selection(study=study_name))
        html = page.render(found, f"{datetime.now().astimezone():%Y-%m-%d %H:%M}", data_dir)
        (folder / "compare.html").write_text(html, encoding="utf-8")
        return words.summary(found)
    except Exception as error:  # noqa: BLE001  # of whatever kind
        reason = first_line(error)
        print(f"study {clean(study_name)}: no compare.html ({clean(reason, 200)})", file=sys.stderr)
        return ""
