"""What the images of a run are, in words: their classes, colours and size."""

from mnist_exp.data import Form
from mnist_exp.outside.printing import listed
from mnist_exp.outside.short_names import shortened

_NAMED = 4  # classes
_NAME = 30  # columns of text


def in_words(form: Form) -> str:
    """Return `26 classes (a, b, c and 23 more), grey images of 28x28 pixels`."""
    height, width, channels = form.image_shape
    named = form.class_names if form.num_classes <= _NAMED else form.class_names[: _NAMED - 1]
    names = [shortened(name, _NAME) for name in named]
    if len(named) < form.num_classes:
        names.append(f"{form.num_classes - len(named):,} more")
    color = "grey" if channels == 1 else "colour"
    size = f"{width}x{height} pixels{'' if width == height else ' (width x height)'}"
    return f"{form.num_classes:,} classes ({listed(names)}), {color} images of {size}"


def quoted(form: Form, label: int) -> str:
    """Return the name of a class within a sentence: 7, or "Ankle boot"."""
    name = form.class_names[label]
    return name if name.isdecimal() else f'"{shortened(name, _NAME)}"'
