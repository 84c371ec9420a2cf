"""Well-known data sets: told by the SHA-256 of their files, or by what their files are called."""

import string
from collections.abc import Mapping
from pathlib import Path

MNIST, FASHION_MNIST = "mnist", "fashion_mnist"
SHIPPED_DIR = Path(__file__).parent.parent / "datasets" / "mnist"
# SHA-256 of the unpacked files as published by Yann LeCun.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
# SHA-256 of MNIST's files as the package has them, gzipped: gzip's header must not change either.
GZIPPED_SHA256 = {
    "train-images-idx3-ubyte": "71524e2cd1ad2968737f7f2f2ff69cbfc32df8ccddff51593f7cb2d4e0eb5b64",
    "train-labels-idx1-ubyte": "fe03b8bd7915f70bf5aa08be480aa413fbd85afcaa58b35d230d335f284fd88e",
    "t10k-images-idx3-ubyte": "5634745efa576a17e7d4cf5cd9d09123c75e6538e5114267c2d156edaf519341",
    "t10k-labels-idx1-ubyte": "ae18e77e031ccde52407f794d123116439864147d33ac992975f85dd4dc42af6",
}
# SHA-256 of Zalando's unpacked files, computed from Debian's package dataset-fashion-mnist.
FASHION_MNIST_SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
_FASHION = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"
_KNOWN = {
    MNIST: (MNIST_SHA256, tuple(string.digits)),
    FASHION_MNIST: (FASHION_MNIST_SHA256, tuple(_FASHION.split(","))),
}

# EMNIST's files are called emnist-NAME-train-... Small letters that look like the capitals are
# merged with them in the sets of 47 classes.
_BY_CLASS = tuple(string.digits + string.ascii_uppercase + string.ascii_lowercase)
_MERGED = tuple(name for name in _BY_CLASS if name not in "cijklmopsuvwxyz")
_EMNIST = {
    "emnist-digits": tuple(string.digits),
    "emnist-mnist": tuple(string.digits),
    "emnist-letters": tuple(string.ascii_lowercase),
    "emnist-balanced": _MERGED,
    "emnist-bymerge": _MERGED,
    "emnist-byclass": _BY_CLASS,
}


def known_set(sha256: Mapping[str, str]) -> tuple[str, tuple[str, ...]] | None:
    """Return name and class names of the data set with these files; None if it is not known."""
    for name, (published, class_names) in _KNOWN.items():
        if sha256 == published:
            return name, class_names
    return None


def names_by_prefix(prefix: str) -> tuple[str, ...] | None:
    """Return the class names of the set whose files' names begin so; None if it is not known."""
    return _EMNIST.get(prefix)
