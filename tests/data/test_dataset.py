from mnist_exp.data import Dataset
from mnist_exp.data.known_sets import FASHION_MNIST_SHA256
from tests.support.made_data import made


def test_what_a_run_calls_its_data() -> None:
    form, split = made((2, 2, 3), ("a", "b"), 4)
    other = Dataset(train=split, val=split, test=split, source="x", form=form)
    assert other.short_name == f"data{other.digest[:6]}"
    known = Dataset(train=split, val=split, test=split, source="x", sha256=FASHION_MNIST_SHA256)
    assert known.short_name == "fashion_mnist"
