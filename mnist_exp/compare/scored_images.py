"""Choose the runs that were scored on the same images: accuracies on others cannot be compared."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from mnist_exp.compare.groups import Counting, Group
from mnist_exp.compare.labels import tidy
from mnist_exp.outside.printing import command_line, plural
from mnist_exp.tracking.runs import Runs

# The settings that choose the images of a split, and one that puts the training images there.
_CHOOSING = {
    "val": ("data.dir", "data.eval_limit", "data.validation_size"),
    "test": ("data.dir", "data.eval_limit"),
}
_ON_TRAIN = "data.eval_on_train"
_OF_TRAINING = ("data.train_limit", "data.validation_size")

_DIGEST = "dataset.digest"  # as MLflow's filters call it
_CONTEXTS = {"val": "validation", "test": "test"}  # what MLflow's record calls a split

# The settings that choose them, with their values; and the digest of images that the same settings
# have chosen when there were others in the folder.
Images = tuple[tuple[str, str], ...]


def scored_images(runs: Runs, metric: str) -> pd.Series:
    """Return the images on which each run has the metric; None if the run has not recorded them.

    Two runs whose data have the same digest were scored on the same images, whatever their
    settings are: they get those of the older run. So do two whose images have the same digest;
    runs with the same settings, but other digests, were scored on other images.
    """
    split = metric.partition("/")[0]
    choosing = _CHOOSING.get(split)
    ids = runs.info.index
    if choosing is None:
        return pd.Series([None] * len(ids), ids, dtype=object)
    recorded = runs.params.filter([*choosing, _ON_TRAIN, *_OF_TRAINING])
    found = [_chosen(record, choosing) for record in recorded.to_dict("records")]
    images = pd.Series(found, ids, dtype=object)
    if "data.digest" in runs.tags:
        for run_ids in runs.info.groupby(runs.tags["data.digest"]).groups.values():
            first, *others = dict.fromkeys(images[run_ids].dropna()) or [None]
            if others:
                same = dict.fromkeys(others, first)
                images = pd.Series([same.get(image, image) for image in images], ids, dtype=object)
    return _by_digest(images, runs.info[_CONTEXTS[split]])


def _by_digest(images: pd.Series, digests: pd.Series) -> pd.Series:
    """Return the images by their digests, "" where a run has not recorded it; oldest run first."""
    known: dict[str, Images] = {}
    for image, digest in zip(images, digests, strict=True):
        if digest and digest not in known:
            own = ((_DIGEST, digest),)
            taken = image is None or image in known.values()
            known[digest] = (*(image or ()), *own) if taken else image
    found = [known.get(digest, image) for image, digest in zip(images, digests, strict=True)]
    return pd.Series(found, images.index, dtype=object)


def _chosen(record: Mapping[str, object], choosing: Sequence[str]) -> Images | None:
    """Return the settings that choose a run's images; None if it lacks one that other runs have."""
    keys = [*choosing, _ON_TRAIN]
    keys += _OF_TRAINING if record.get(_ON_TRAIN) == "True" else ()
    known = [key for key in dict.fromkeys(keys) if key in record]
    if not known or any(not isinstance(record[key], str) for key in known):
        return None
    return tuple((key, str(record[key])) for key in known)


def most_used(images: pd.Series, groups: Sequence[Group]) -> Images | None:
    """Return the images on which most groups have a run, of several those of most runs."""
    recorded = images.dropna().to_dict()
    of_groups = [[recorded[i] for i in group.run_ids if i in recorded] for group in groups]
    groups_on = Counter(image for found in of_groups for image in set(found))
    runs_on = Counter(image for found in of_groups for image in found)
    return max(runs_on, key=lambda image: (groups_on[image], runs_on[image]), default=None)


def on_others(images: pd.Series, group: Group, chosen: Images | None) -> list[str]:
    """Return the ids of the group's runs that were scored on other images than these."""
    known = images.loc[list(group.run_ids)].dropna()
    return [run_id for run_id, image in known.items() if image != chosen]


def without_others(
    statuses: pd.Series, images: pd.Series, groups: Sequence[Group], chosen: Images | None
) -> pd.Series:
    """Return the statuses in which runs on other images do not count beside some on these images.

    A group that was scored on other images as a whole stays as it is.
    """
    out = [(group, on_others(images, group, chosen)) for group in groups]
    statuses = statuses.copy()
    for group, run_ids in out:
        if len(run_ids) < len(group.run_ids):
            statuses[run_ids] = Counting.OTHER_IMAGES
    return statuses


def notes(runs: Runs, statuses: pd.Series, images: pd.Series, chosen: Images | None) -> list[str]:
    """Return a sentence for each kind of images whose runs are left out: how to compare them."""
    left_out = images[statuses == Counting.OTHER_IMAGES]
    lines = []
    for other in dict.fromkeys(left_out):
        run_ids = [run_id for run_id, image in left_out.items() if image == other]
        differs = [pair for pair in other if pair not in (chosen or ())]
        names = runs.tags["study_name"][run_ids].dropna() if "study_name" in runs.tags else ()
        studies = ", ".join(dict.fromkeys(names))
        condition = " and ".join(
            f"{'' if key == _DIGEST else 'params.'}{key} = '{value}'" for key, value in differs
        )
        compared = _text(pair for pair in chosen or () if pair[0] in dict(differs))
        lines.append(
            f"{plural(len(run_ids), 'run')}{f' of the study {studies}' if studies else ''} with "
            f"{_text(differs)} left out: scored on other images than those compared"
            f"{f', which have {compared}' if compared else ''}. To compare them: "
            f"{command_line('--filter', condition)}"
        )
    return lines


def _text(pairs: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{key}={tidy(value)}" for key, value in pairs)
