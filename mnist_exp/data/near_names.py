"""Names that are near to those that were expected."""

import difflib
from collections.abc import Iterable, Sequence

from mnist_exp.sweeper.foreign_text import clean

# What others call what is expected here.
_ALSO = {
    "x_train": "train_images train_x images_train",
    "y_train": "train_labels train_y labels_train",
    "x_test": "test_images test_x images_test",
    "y_test": "test_labels test_y labels_test",
    "x_val": "val_images val_x images_val x_valid x_validation",
    "y_val": "val_labels val_y labels_val y_valid y_validation",
    "image": "img images picture pixel_values",
    "label": "labels fine_label coarse_label target class y",
    "train": "training",
    "test": "testing eval",
}


def near_names(missing: Sequence[str], found: Iterable[str]) -> str:
    """Return `; rename A to B and ...` for the missing names that have another name, or ''."""
    pairs = []
    for name in missing:
        lower = {other.lower(): other for other in found}
        also = [other for other in [name, *_ALSO.get(name, "").split()] if other in lower]
        near = also or difflib.get_close_matches(
            name, [o for o in lower if o not in _ALSO], 1, 0.75
        )
        if near:
            pairs.append(f"{clean(lower[near[0]], 40)} to {name}")
    return f"; rename {', '.join(pairs)}" if pairs else ""
