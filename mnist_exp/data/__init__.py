"""Images and labels: read, verified and split."""

from mnist_exp.data.dataset import Dataset, Split
from mnist_exp.data.form import MNIST, Form
from mnist_exp.data.known_sets import GZIPPED_SHA256, MNIST_SHA256, SHIPPED_DIR
from mnist_exp.data.reading import load, load_test, of_arrays

__all__ = [
    "GZIPPED_SHA256",
    "MNIST",
    "MNIST_SHA256",
    "SHIPPED_DIR",
    "Dataset",
    "Form",
    "Split",
    "load",
    "load_test",
    "of_arrays",
]
