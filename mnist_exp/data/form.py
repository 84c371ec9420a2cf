"""What the images of a data set are: their shape, and the names of their classes."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Form:
    """The form of a data set.

    image_shape: height and width in pixels, and 1 or 3 channels
    class_names: the names of the K classes, by label
    """

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]

    @property
    def num_classes(self) -> int:
        """The number of classes, K."""
        return len(self.class_names)

    @property
    def is_digits(self) -> bool:
        """Whether the images have the form of MNIST: 28x28 pixels, grey, classes 0 to 9."""
        return self == MNIST


MNIST = Form(image_shape=(28, 28, 1), class_names=tuple("0123456789"))
