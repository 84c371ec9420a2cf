"""Tell which groups were scored on the same images: accuracies on others cannot be compared."""

from collections.abc import Sequence

from mnist_exp.compare.columns import ABSENT, column
from mnist_exp.compare.groups import Group
from mnist_exp.tracking.runs import Runs

# The settings that choose the images of a split, and one that puts the training images there.
_CHOOSING = {
    "val": ("data.dir", "data.eval_limit", "data.validation_size"),
    "test": ("data.dir", "data.eval_limit"),
}
_ON_TRAIN = "data.eval_on_train"


def scored_on_others(runs: Runs, groups: Sequence[Group], base: Group, metric: str) -> set[str]:
    """Return the labels of the groups whose runs have the metric on other images than the base's.

    Runs that have not recorded their data count as scored on the same images.
    """
    choosing = _CHOOSING.get(metric.partition("/")[0])
    if choosing is None:
        return set()
    expected = _images(runs, base, choosing)
    found = {group.label: _images(runs, group, choosing) for group in groups}
    digest = column(runs, "data.digest") if "data.digest" in runs.tags else None

    def same_data(group: Group) -> bool:
        if digest is None:
            return False
        run_ids = [*group.run_ids, *base.run_ids]
        return bool(digest.loc[run_ids].nunique() == 1)

    return {
        group.label for group in groups if found[group.label] != expected and not same_data(group)
    }


def _images(runs: Runs, group: Group, choosing: Sequence[str]) -> set[tuple[str, ...]]:
    """Return what the settings of the group's runs that choose the images are."""
    known = [key for key in (*choosing, _ON_TRAIN) if key in runs.params]
    if _ON_TRAIN in known and "True" in set(runs.params.loc[list(group.run_ids), _ON_TRAIN]):
        known += [key for key in ("data.train_limit", "data.validation_size") if key in runs.params]
    columns = [column(runs, key).loc[list(group.run_ids)] for key in known]
    return {row for row in zip(*columns, strict=True) if ABSENT not in row}
