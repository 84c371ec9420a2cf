import json

import numpy as np
from mlflow.data.schema import TensorDatasetSchema

from mnist_exp import data
from mnist_exp.tracking.dataset_record import records
from tests.support.data_forms import some_images


def test_each_split_has_its_shape_and_its_classes() -> None:
    arrays = some_images(40, (8, 9, 3))
    read = data.of_arrays(arrays, class_names=["cat", "dog", "owl"], validation_size=5)
    found = dict(records(read))
    assert {context: json.loads(each["profile"])["images"] for context, each in found.items()} == {
        "train": 35,
        "validation": 5,
        "test": 10,
    }
    test = found["test"]
    assert json.loads(test["profile"])["class names"] == "cat, dog, owl"
    schema = TensorDatasetSchema.from_dict(json.loads(test["schema"]))
    assert schema.features.inputs[0].shape == (-1, 8, 9, 3)
    assert schema.features.inputs[0].type == np.uint8
    assert (test["name"], test["digest"]) == ("custom", read.test.digest[:32])


def test_the_names_of_very_many_classes_are_cut_off(mnist: data.Dataset) -> None:
    names = tuple(f"class number {number}" for number in range(1000))
    form = data.Form(image_shape=(28, 28, 1), class_names=names)
    many = data.Dataset(
        train=mnist.train.first(1),
        val=mnist.val.first(1),
        test=mnist.test.first(1),
        source="",
        form=form,
    )
    _, fields = next(records(many))
    assert json.loads(fields["profile"])["classes"] == 1000
    assert len(fields["profile"]) < 1200
