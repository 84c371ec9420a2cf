"""Find the four IDX files of a data set, by the names that downloads and archives give them."""

import re
from collections.abc import Iterator
from pathlib import Path

from mnist_exp.data.folders import files_in, folders_in, listing
from mnist_exp.errors import DataError

# train-images-idx3-ubyte or train-images.idx3-ubyte, as some archives unpack it, gzipped or not;
# before it the name of one of several sets. QMNIST's labels are 32-bit integers.
_NAME = re.compile(
    r"(?:(.+)-)?(train|t10k|test)-(images|labels)[-.]idx\d-(?:ubyte|byte|short|int)(?:\.gz)?"
)


def four_names(prefix: str) -> dict[str, list[str]]:
    """Return the names of {part: [images, labels]} of a set, in their usual form."""
    before = f"{prefix}-" if prefix else ""
    names = {"train": "train", "test": "test" if prefix else "t10k"}
    return {
        part: [f"{before}{name}-images-idx3-ubyte", f"{before}{name}-labels-idx1-ubyte"]
        for part, name in names.items()
    }


def find(folder: Path, prefix: str | None) -> tuple[str, dict[str, list[Path]]] | None:
    """Return the set's prefix and {usual name of each file: where it is}; None if there is none.

    A file that the folder has more than once has several paths. Raises DataError if one of the four
    is missing, or if there are several sets and `prefix` names none.
    """
    places = _places(folder) if prefix is None else [folder]
    place, sets = next(((place, sets) for place in places if (sets := _sets(place))), (folder, {}))
    if prefix is not None:
        sets = {key: paths for key, paths in sets.items() if key == prefix.lower()}
    if not sets:
        return None
    if len(sets) > 1 and "" not in sets:
        raise DataError(
            f"{place}: holds the IDX files of several data sets, {', '.join(sorted(sets))}; "
            f"data.dir={place / min(sets)} reads one"
        )
    chosen = min(sets)
    for names in four_names(chosen).values():
        for name in names:
            if name not in sets[chosen]:
                dotted = name.replace("-idx", ".idx")
                raise DataError(
                    f"{folder}: expected a file {name} or {dotted}, gzipped or not; "
                    f"found {listing(place)}"
                )
    return chosen, sets[chosen]


def _places(folder: Path) -> Iterator[Path]:
    """The folder, and torchvision's raw or SET/raw below. Raises DataError for several of these."""
    yield folder
    inner = [folder, *folders_in(folder)]
    raw = [below for each in inner for below in folders_in(each) if below.name.lower() == "raw"]
    raw = [place for place in raw if _sets(place)]
    if len(raw) > 1:
        names = ", ".join(str(place.relative_to(folder)) for place in raw)
        raise DataError(
            f"{folder}: holds several data sets, {names}; data.dir={raw[0].parent} reads one"
        )
    yield from raw


def _sets(place: Path) -> dict[str, dict[str, list[Path]]]:
    """Return {prefix: {usual name: paths}} of the IDX files in a folder.

    Each may be in a folder of its own name, as Kaggle's archive has it. Discs and Windows change
    small and capital letters.
    """
    paths = files_in(place)
    for folder in folders_in(place):
        if _NAME.fullmatch(folder.name.lower()):
            paths += files_in(folder)
    sets: dict[str, dict[str, list[Path]]] = {}
    for path in paths:
        match = _NAME.fullmatch(path.name.lower())
        if match is not None:
            prefix, part, what = match[1] or "", match[2], match[3]
            images, labels = four_names(prefix)["train" if part == "train" else "test"]
            name = images if what == "images" else labels
            sets.setdefault(prefix, {}).setdefault(name, []).append(path)
    return sets
