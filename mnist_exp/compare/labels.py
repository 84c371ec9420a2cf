"""Give each group of runs a short label that tells it apart from the others."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mnist_exp.compare.columns import ABSENT, column
from mnist_exp.config.group_schemas import SCHEMAS
from mnist_exp.outside.short_names import shortened
from mnist_exp.tracking.runs import Runs, swept_keys

_WORDS = {"None": "null", "True": "true", "False": "false"}
_SHORTENED = re.compile(r"-[0-9a-f]{6}$")  # the end of a program's name that was too long
_LONGEST = 80  # columns of a value in a label
SEVERAL = "several"  # the value of a setting that differs within a group

Settings = Mapping[str, str]
Members = NDArray[np.intp]  # positions of a group's runs


def group_labels(
    runs: Runs, groups: Sequence[Members], settings: Sequence[Settings], keys: Sequence[str]
) -> list[str]:
    """Return a label for each group, all different from each other.

    A label holds the settings `keys` if any were chosen; else the variant, if it tells all groups
    apart, unless a variant was too long and ends in digits that say nothing; else what a study
    varies; else as few settings as tell them apart. Where that is not enough, the id of the
    group's first run is added; and if even then two are the same, all are numbered.
    """
    labels = _labels(runs, groups, settings, keys)
    times = Counter(labels)
    ids = [short_id(runs.info.index[members[0]]) for members in groups]
    longer = [
        label if times[label] == 1 else f"{label} ({run_id})"
        for label, run_id in zip(labels, ids, strict=True)
    ]
    if len(set(longer)) == len(longer):
        return longer
    return [f"{label} ({i})" for i, label in enumerate(longer, 1)]


def short_id(run_id: str) -> str:
    """Return the beginning of an id of MLflow's, or all of what a table's row is called."""
    return run_id if " " in run_id else run_id[:8]


def _labels(
    runs: Runs, groups: Sequence[Members], settings: Sequence[Settings], keys: Sequence[str]
) -> list[str]:
    choices = _choices(runs)
    if keys:
        return _texts(settings, keys, choices)
    swept = [key for key in swept_keys(runs) if key in settings[0]]
    if "variant" in runs.tags:
        values = column(runs, "variant").to_numpy(object)
        variants = [common_value(values[members]) for members in groups]
        apart = len(set(variants)) == len(groups) and SEVERAL not in variants
        is_cut = any(map(_SHORTENED.search, variants))
        better = is_cut and _distinct(settings, swept) == len(groups)  # what the study varies
        if len(groups) == 1 or (apart and not better):
            return variants
    elif len(groups) == 1:
        return ["all runs"]
    return _texts(settings, _telling_apart(settings, swept), choices)


def _choices(runs: Runs) -> set[str]:
    """Return which settings have values that speak for themselves: `cnn3x3` needs no `model=`.

    They are the choices in `conf/`, which other programs do not have: an `optimizer` of theirs may
    be called anything.
    """
    has_groups = any("." in name and name.partition(".")[0] in SCHEMAS for name in runs.params)
    return {"variant", *(SCHEMAS if has_groups else ())}


def _telling_apart(settings: Sequence[Settings], swept: Sequence[str]) -> list[str]:
    """Return the swept settings, and those of the others that are needed to tell groups apart."""
    chosen = list(swept)
    for key in settings[0]:
        if _distinct(settings, chosen) == len(settings):
            break
        if _distinct(settings, [*chosen, key]) > _distinct(settings, chosen):
            chosen.append(key)
    return chosen


def _distinct(settings: Sequence[Settings], keys: Sequence[str]) -> int:
    return len({tuple(setting[key] for key in keys) for setting in settings})


def _texts(
    settings: Sequence[Settings], keys: Sequence[str], choices: Collection[str]
) -> list[str]:
    """Return texts such as `self_entropy, learning_rate=0.1`; of `choices` the value alone."""
    short = short_names(keys)
    shown = {key: all_tidy(setting[key] for setting in settings) for key in keys}

    def part(key: str, value: str) -> str:
        return (
            value
            if key in choices and value != SEVERAL
            else f"{short[key]}={shortened(shown[key][value], _LONGEST)}"
        )

    return [
        ", ".join(part(key, setting[key]) for key in keys if setting[key] != ABSENT)
        or (part(keys[0], ABSENT) if len(keys) == 1 else ABSENT)
        for setting in settings
    ]


def common_value(values: NDArray[np.object_]) -> str:
    """Return the value that all runs of a group have, or SEVERAL."""
    distinct = set(values)
    return str(distinct.pop()) if len(distinct) == 1 else SEVERAL


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return the last part of each dotted key.

    It is the whole key where two would be the same, and for a digest: of what, its key says.
    """
    last = [key.rpartition(".")[2] for key in keys]
    return {
        key: part if last.count(part) == 1 and part != "digest" else key
        for key, part in zip(keys, last, strict=True)
    }


def tidy(text: str) -> str:
    """Return a recorded value as a person reads it.

    A number has at most four significant digits (a float32's 0.009999999776482582 is 0.01); null
    and truth values are written as in the configs. Other text stays as it is.
    """
    if text in _WORDS:
        return _WORDS[text]
    if re.fullmatch(r"-?\d+\.\d{4,}(e-?\d+)?", text):
        return f"{float(text):.4g}"
    return text


def all_tidy(texts: Iterable[str]) -> dict[str, str]:
    """Return recorded values as a person reads them, but as they are where two would be the same.

    0.123411 and 0.123414 are both 0.1234, and a reader has to tell them apart.
    """
    read = {text: tidy(text) for text in texts}
    times = Counter(read.values())
    return {text: short if times[short] == 1 else text for text, short in read.items()}


def common_ending(labels: Sequence[str]) -> str:
    """Return what all labels end in, such as `-1epoch-2000images`; it begins with a hyphen.

    It is empty for one label, and for labels with settings: the hyphen of 1e-3 is none between
    words.
    """
    if len(labels) < 2 or any(sign in label for label in labels for sign in "=, ("):
        return ""
    parts = [label.split("-")[1:] for label in labels]
    common: list[str] = []
    for same in zip(*map(reversed, parts), strict=False):
        if len(set(same)) > 1:
            break
        common.insert(0, f"-{same[0]}")
    return "".join(common)


def broken(label: str, width: int) -> list[str]:
    """Return a label as lines of at most `width` characters, broken behind `-`, `_`, `,` or `=`.

    A word that is longer has a line of its own.
    """
    lines = [""]
    for part in re.findall(r"[^-_,=/ ]*[-_,=/ ]+|[^-_,=/ ]+", label):
        if lines[-1] and len((lines[-1] + part).rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return [line.rstrip() for line in lines]
