from mnist_exp.data import MNIST
from mnist_exp.tracking.form_words import in_words, quoted
from tests.support.made_data import made, names


def test_few_classes_are_named_and_many_counted() -> None:
    form, _ = made((32, 32, 3), ("cat", "dog"), 2)
    assert in_words(form) == "2 classes (cat and dog), colour images of 32x32 pixels"
    form, _ = made((8, 4, 1), names(1000), 2)
    assert in_words(form) == (
        "1,000 classes (T-shirt/top, no $x$ crack, a <b> & 'c' and 997 more), grey images of 4x8 "
        "pixels (width x height)"
    )


def test_a_class_within_a_sentence() -> None:
    assert quoted(MNIST, 7) == "7"
    form, _ = made((8, 4, 1), names(2), 2)
    assert quoted(form, 0) == '"T-shirt/top"'
