"""compare.html: one file that needs no network, for laptop and phone, light and dark, screen and paper."""

import html
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_exp import data
from mnist_exp.compare import figures, words
from mnist_exp.compare.comparison import SHOWN, Comparison, Images, Row
from mnist_exp.compare.groups import ABSENT, tidy, varied_settings
from mnist_exp.errors import DataError

_STYLE = (Path(__file__).parent / "page.css").read_text()
_DOT = " <i>\N{MIDDLE DOT}</i> "
_SHORT = {
    "difference, paired": "difference",
    "only it right": "only it",
    "only baseline right": "only base",
    "McNemar p (Holm)": "McNemar p",
}  # on a phone
_MOST_PAIRS = 3  # with confusion matrices and images; the first is open
_MOST_LISTED = 50
_MOST_COLUMNS = 6  # of a table of settings with groups as columns


def render(comparison: Comparison, written: str, data_dir: str | None = None) -> str:
    """The page; `written` is when, as text. Test images are the shipped ones, or of the folder `data_dir`.

    A folder that the runs' records name is not read: somebody else may have written them.
    """
    parts = [
        _head(comparison, written),
        _warnings(comparison),
        _table(comparison),
        _seeds(comparison),
        _curves(comparison),
        _effects(comparison),
        _images(comparison, data_dir),
        _settings(comparison),
        _not_counted(comparison),
        _methods(comparison),
    ]
    return document(
        f"{comparison.metric}: {comparison.title}", "".join(part for part in parts if part)
    )


def document(title: str, body: str) -> str:
    """A whole HTML file with the page's style; `body` is HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>{body}</main></body></html>\n"
    )


def _section(name: str, told: str, content: str) -> str:
    return (
        f"<section><h2>{name}</h2>{f'<p class=told>{told}</p>' if told else ''}{content}</section>\n"
        if content
        else ""
    )


def _head(comparison: Comparison, written: str) -> str:
    counted = int((comparison.statuses == "counted").sum())
    facts = [
        words.plural(len(comparison.rows), "group"),
        f"{words.plural(counted, 'run')} counted",
        f"{comparison.metric}, {'higher' if comparison.higher_is_better else 'lower'} is better",
        f"baseline {comparison.baseline.group.label}",
        written,
    ]
    return (
        f"<header><p class=kicker>mnist_exp compare</p><h1>{html.escape(comparison.title)}</h1>"
        f"<p class=summary>{html.escape(words.summary(comparison))}</p>"
        f"<p class=facts>{_DOT.join(html.escape(fact) for fact in facts)}</p></header>\n"
    )


def _warnings(comparison: Comparison) -> str:
    if not comparison.warnings:
        return ""
    lines = "".join(f"<li>{html.escape(line)}</li>" for line in comparison.warnings)
    return f'<aside role="note"><h2>Warnings</h2><ul>{lines}</ul></aside>\n'


def _table(comparison: Comparison) -> str:
    metric = comparison.metric
    names = [
        "group",
        "n",
        "mean",
        "sd",
        "median",
        "min",
        "max",
        "95% interval",
        "difference, paired",
        "p",
        "p (Holm)",
        "verdict",
        "only it right",
        "only baseline right",
        "McNemar p (Holm)",
    ]
    with_images = any(row.agreement for row in comparison.rows)
    names = names if with_images else names[:-3]
    head = "".join(f"<th>{name}</th>" for name in names)
    lines = []
    for row in comparison.rows:
        cells = _cells(row, metric)[: len(names)]
        body = "".join(
            f'<td data-name="{_SHORT.get(name, name)}"{_class(name, cell)}>{cell}</td>'
            for name, cell in zip(names, cells, strict=True)
        )
        lines.append(f'<tr class="{"baseline" if row.difference is None else ""}">{body}</tr>')
    return _section(
        "Groups",
        "One value a seed. Differences are group minus baseline on the seeds both have.",
        f'<div class="scroll"><table class="groups"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>',
    )


def _class(name: str, cell: str) -> str:
    if name == "verdict":
        return f' class="verdict {cell.split()[0] if cell else ""}"'
    return ' class="blank"' if cell == "" else ""


def _cells(row: Row, metric: str) -> list[str]:
    d, x, a = row.description, row.difference, row.agreement
    numbers = [
        words.value(v, metric) for v in (d.mean, d.deviation, d.median, d.minimum, d.maximum)
    ]
    spread = words.interval(d.interval, metric)
    cells = [
        words.label(row.group),
        str(d.n),
        *numbers,
        f"<span class=between>{spread}</span> <small>{d.interval.method}</small>"
        if spread
        else "<small>none</small>",
    ]
    if x is None:
        cells += ["", "", "", "baseline"]
    elif not x.values:
        cells += ["no seed in common", "", "", x.verdict]
    else:
        told = words.interval(x.interval, metric, of_difference=True)
        shift = f"<b>{words.difference(x.mean, metric)}</b>" + (
            f"<br><span class=between>{told}</span> <small>{x.interval.method}</small>"
            if told
            else ""
        )
        least = (
            f" <small>least {words.p_value(x.smallest_p)}</small>" if x.smallest_p > 0.05 else ""
        )
        cells += [shift, words.p_value(x.p) + least, words.p_value(x.p_holm), x.verdict]
    return cells + (
        ["", "", ""]
        if a is None
        else [str(a.only_group), str(a.only_baseline), words.p_value(a.p_holm)]
    )


def _seeds(comparison: Comparison) -> str:
    shown = (
        f" The {figures.MOST_ROWS} best and the baseline."
        if len(comparison.rows) > figures.MOST_ROWS
        else ""
    )
    strips = _section(
        "Seeds",
        f"{html.escape(comparison.metric)}. A dot is a seed; below, the mean with its 95% interval.{figures.seeds_scale(comparison)}{shown}",
        figures.seeds(comparison),
    )
    pairs = _section(
        "Paired differences",
        f"{html.escape(comparison.metric)}, group minus {html.escape(comparison.baseline.group.label)}. A dot is a seed; "
        f"below, the mean with its 95% interval.{figures.differences_scale(comparison)}{shown}",
        figures.paired_differences(comparison),
    )
    return strips + pairs


def _curves(comparison: Comparison) -> str:
    drawn = [
        figures.learning_curves(metric, curves) for metric, curves in comparison.curves.items()
    ]
    if not any(drawn):
        return ""
    if all(len(curve.step) == 1 for curves in comparison.curves.values() for curve in curves):
        return ""  # runs of one epoch have points, which the figure above shows better
    some = (
        f" The baseline and the {SHOWN} best others."
        if len(comparison.rows) > len(comparison.shown)
        else ""
    )
    return _section(
        "Learning curves",
        f"Line: median over the runs of a group. Band: from the lowest to the highest.{some}",
        f'<div class="grid2">{"".join(drawn)}</div>{figures.legend(comparison)}',
    )


def _effects(comparison: Comparison) -> str:
    return _section(
        "Effect of each setting",
        f"{html.escape(comparison.metric)} of every counted run at its value of one setting, whatever its other settings "
        "were; the bar is the mean. The setting whose means lie farthest apart comes first.",
        figures.effects(comparison),
    )


def _images(comparison: Comparison, data_dir: str | None) -> str:
    pictures = _test_images(comparison, data_dir)
    base = comparison.baseline
    parts = []
    for i, pair in enumerate(comparison.images[:_MOST_PAIRS]):
        content = f"<p>{html.escape(words.images(pair.row, base))}</p>{figures.confusion_matrices(pair, base)}"
        if pictures is not None and len(pictures) >= len(pair.label):
            content += figures.disagreements(pair, pictures, base)
        name = html.escape(f"{pair.row.group.label} and {base.group.label}")
        parts.append(
            f"<details{' open' if i == 0 else ''}><summary>{name}</summary>{content}</details>"
        )
    rest = len(comparison.images) - len(parts)
    note = f" The table has {rest} more." if rest > 0 else ""
    return _section(
        "Test images",
        f"What most seeds of a group predict for each image. Shades of wrong counts grow with their root.{note}",
        "".join(parts),
    )


def _test_images(comparison: Comparison, data_dir: str | None) -> NDArray[np.uint8] | None:
    """[N, 28, 28] of the data the runs were tested on, if it is still there and has the labels they saw."""
    if not comparison.images or "data.dir" not in comparison.runs.params:
        return None
    folders = comparison.runs.params["data.dir"].dropna().unique()
    if len(folders) != 1:
        return None
    shipped = folders[0] in ("None", "")
    if not shipped and data_dir is None:
        return None
    folder = data.SHIPPED_DIR if shipped or data_dir is None else Path(data_dir).expanduser()
    try:
        name = "t10k-labels-idx1-ubyte"
        labels = data.parse_labels(data.read_file(folder, name, shipped=shipped), name)
        name = "t10k-images-idx3-ubyte"
        images = data.parse_images(data.read_file(folder, name, shipped=shipped), name)[:, :, :, 0]
    except DataError:
        return None
    return images if all(_saw(pair, labels) for pair in comparison.images) else None


def _saw(pair: Images, labels: NDArray[np.int32]) -> bool:
    return np.array_equal(pair.label, labels[: len(pair.label)])


def _settings(comparison: Comparison) -> str:
    groups = [row.group for row in comparison.rows]
    keys = varied_settings(groups)
    if not keys:
        return ""
    if len(groups) <= _MOST_COLUMNS:  # settings down, groups across
        names, head = [words.label(group) for group in groups], "setting"
        lines = [(key, [tidy(group.settings[key]) for group in groups]) for key in keys]
    else:
        names, head = [words.breakable(key) for key in keys], "group"
        lines = [(group.label, [tidy(group.settings[key]) for key in keys]) for group in groups]
    heads = "".join(f"<th>{name}</th>" for name in [head, *names])
    body = "".join(
        f'<tr><th scope="row">{words.breakable(name)}</th>'
        + "".join(f"<td>{words.breakable(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, cells in lines
    )
    return _section(
        "Settings that differ",
        f"All others are the same in every group. {ABSENT}: the group has no such setting.",
        f'<div class="scroll"><table class="settings"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>',
    )


def _not_counted(comparison: Comparison) -> str:
    lines = words.not_counted(comparison, _MOST_LISTED)
    if not lines:
        return ""
    rest = "".join(f"<li>{html.escape(line.strip())}</li>" for line in lines[1:])
    return _section("Not counted", html.escape(lines[0]), f"<ul class=plain>{rest}</ul>")


def _methods(comparison: Comparison) -> str:
    return _section(
        "Methods",
        "",
        "<p class=methods>Intervals (95%, of the mean over seeds): bias-corrected and accelerated bootstrap with 9,999 "
        "resamples for five seeds or more (Efron 1987), Student\N{RIGHT SINGLE QUOTATION MARK}s t for two to four, none "
        "for one. Differences are paired by seed. p: exact sign-flip permutation test, two-sided (Fisher 1935), adjusted "
        "for the number of comparisons (Holm 1979); with n pairs it cannot be below 2<sup>1\N{MINUS SIGN}n</sup>. "
        "Verdict: better or worse where the interval of the difference, and Student\N{RIGHT SINGLE QUOTATION MARK}s too, excludes "
        "zero and there are three pairs or more; "
        "the intervals are not adjusted for the number of comparisons. Test images: McNemar\N{RIGHT SINGLE QUOTATION MARK}s "
        "exact test (McNemar 1947) between the majority predictions of two groups, adjusted likewise. All values are in "
        "compare.csv.</p>",
    )
