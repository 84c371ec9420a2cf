"""Images of any size, channels and classes: what a model is given, and what it answers."""

import base64
import io
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from PIL import Image

from mnist_exp import data
from mnist_exp.data.pictures import decoded
from mnist_exp.serving import calibration, contents
from mnist_exp.serving.form import Form
from mnist_exp.serving.inputs import images
from mnist_exp.serving.model import ServedModel, as_picture
from mnist_exp.serving.network import features_and_logits, outputs
from mnist_exp.serving.picture_files import PictureError
from mnist_exp.serving.resizing import from_bytes
from tests.support.made_data import made
from tests.support.pictures import encoded, png_header

GREY = Form(image_shape=(4, 6, 1), class_names=("a", "b"))
COLOUR = Form(image_shape=(4, 6, 3), class_names=("a", "b"))
PIXELS = np.random.default_rng(0).integers(0, 256, size=(4, 6, 3)).astype(np.uint8)
PICTURE = Image.fromarray(PIXELS)


def with_opacity() -> Image.Image:
    return Image.fromarray(np.dstack([PIXELS, np.arange(24, dtype=np.uint8).reshape(4, 6)]))


FILES = {
    "colour": encoded(PICTURE),
    "grey": encoded(PICTURE.convert("L")),
    "a palette": encoded(PICTURE.quantize(8)),
    "transparent": encoded(with_opacity()),
    "JPEG": encoded(PICTURE, "JPEG"),
    "CMYK": encoded(PICTURE.convert("CMYK"), "JPEG"),
    "black and white": encoded(PICTURE.convert("1")),
    "WebP": encoded(PICTURE, "WEBP", lossless=True),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_picture_of_the_networks_size_is_what_it_would_be_in_the_training_data(kind: str) -> None:
    trained = decoded(FILES[kind])
    seen = from_bytes(FILES[kind], (4, 6, 3))
    assert (seen == (trained if trained.shape[2] == 3 else np.repeat(trained, 3, axis=2))).all()
    if trained.shape[2] == 1:
        assert (from_bytes(FILES[kind], (4, 6, 1)) == trained).all()


def turned(picture: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # show it turned by 90 degrees clockwise
    return encoded(picture.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)


def test_the_whole_picture_is_scaled_whatever_its_ratio_and_nothing_is_inverted() -> None:
    left = Image.new("RGB", (300, 100), "white")
    left.paste("black", (0, 0, 150, 100))
    for content in (encoded(left), encoded(left, "BMP"), turned(left), encoded(left, "JPEG")):
        seen = from_bytes(content, (4, 6, 1))[:, :, 0]
        assert seen.shape == (4, 6)
        assert seen[:, :2].max() < 30  # dark stays dark, as light stays light
        assert seen[:, 4:].min() > 225
    tall = from_bytes(encoded(left.transpose(Image.Transpose.ROTATE_270)), (4, 6, 3))
    assert tall[0].max() < 30
    assert tall[3].min() > 225


def test_fine_patterns_become_grey_and_no_other_pattern() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (400, 200))
    assert from_bytes(encoded(Image.fromarray(stripes)), (4, 6, 1)).std() < 10


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"text", "not a picture in PNG"),
        (FILES["colour"][:60], "the file is damaged"),
        (png_header(30_000, 30_000), "at most 64,000,000 are read"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_line(content: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=reason) as refused:
        from_bytes(content, (4, 6, 3))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("form", [GREY, COLOUR], ids=["grey", "colour"])
def test_arrays_and_pictures_of_any_form_are_the_same_images(form: Form) -> None:
    channels = form.image_shape[2]
    batch = np.stack([PIXELS, 255 - PIXELS])[..., :channels]
    expected = batch.astype(np.float32) / 255
    texts = [as_picture(image) for image in batch]
    forms: list[object] = [
        batch,
        batch / 255,
        batch.tolist(),
        {"image": batch},
        pd.DataFrame({"image": batch.tolist()}),
        texts,
        pd.DataFrame({"image": [base64.b64decode(text) for text in texts]}),
    ]
    for given in [*forms, batch[..., 0]] if channels == 1 else forms:
        assert images(given, form) == pytest.approx(expected)
    for one in [batch[0], batch[0].tolist()] if channels == 3 else [batch[0, :, :, 0]]:
        assert images(one, form) == pytest.approx(expected[:1])


@pytest.mark.parametrize(
    ("form", "given", "reason"),
    [
        (COLOUR, np.zeros((2, 4, 6)), r"numbers \[N, 4, 6, 3\]; found float64 \[2, 4, 6\]"),
        (COLOUR, np.zeros((2, 6, 4, 3)), r"found float64 \[2, 6, 4, 3\]"),
        (COLOUR, np.zeros((1, 28, 28)), r"found float64 \[1, 28, 28\]"),
        (GREY, np.zeros((2, 4, 6, 3)), r"\[N, 4, 6\] or \[N, 4, 6, 1\]; found"),
        (GREY, [[[1, 2], [3]]], "found list of different shapes"),
        (GREY, np.full((1, 4, 6), 256), "of all in 0..255; found 256 to 256"),
        (GREY, ["x"], "image 0: expected a picture's file in base64"),
        (GREY, [base64.b64encode(b"text").decode()], "image 0: not a picture in PNG"),
    ],
    ids=str,
)
def test_what_is_no_image_is_the_clients_mistake(form: Form, given: object, reason: str) -> None:
    with pytest.raises(MlflowException, match=reason) as refused:
        images(given, form)
    assert refused.value.get_http_status_code() == 400


def dataset(classes: int, count: int) -> data.Dataset:
    form, split = made((5, 4, 3), tuple(f"class {i}" for i in range(classes)), count)
    return data.Dataset(train=split, val=split, test=split, source="made here", form=form)


def network(classes: int) -> keras.Model:
    keras.utils.set_random_seed(0)
    images = keras.Input((5, 4, 3))
    flat = keras.layers.Dense(16, activation="relu")(keras.layers.Flatten()(images))
    return keras.Model(images, keras.layers.Dense(classes)(flat))


@pytest.mark.parametrize(("classes", "count"), [(2, 2), (3, 7), (26, 300), (1000, 3000)])
def test_a_rule_for_any_number_of_classes_and_images(
    classes: int, count: int, tmp_path: Path
) -> None:
    whole = dataset(classes, count)
    contents.write(tmp_path, network(classes), whole)
    answer = ServedModel(tmp_path).predict(whole.test.images[:50], {"return_pixels": True})
    assert (np.array(answer["pixels"].tolist()) == whole.test.images[:50]).all()
    assert answer["confidence"].between(0, 1).all()
    assert set(answer["name"]) <= set(whole.form.class_names)
    for label, name, probabilities in zip(
        answer["label"], answer["name"], answer["probabilities"], strict=True
    ):
        assert len(probabilities) == classes
        assert whole.form.class_names[label] == name
        assert label == int(np.argmax(probabilities))


def test_images_unlike_the_training_images_are_doubted() -> None:
    """A network that has learned its images is sure of those, and not of noise."""
    whole, model = dataset(10, 1000), network(10)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(whole.train.images / np.float32(255), whole.train.labels, 20, 5, verbose=0)
    rule = calibration.judgement_of(model, whole)
    assert rule.labels.max() == 9
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, size=(200, 5, 4, 3)).astype(np.uint8)
    compute = outputs(model)
    sure = [
        rule.judge(*features_and_logits(compute, some.astype(np.float32) / 255))[1]
        for some in (whole.test.images[:200], noise)
    ]
    assert sure[0].mean() > 0.9
    assert sure[1].mean() < 0.3


def test_an_example_is_a_picture_of_the_data() -> None:
    for image in (PIXELS, PIXELS[:, :, :1], PIXELS[:, :, 0]):
        with Image.open(io.BytesIO(base64.b64decode(as_picture(image)))) as picture:
            assert (np.asarray(picture) == image.squeeze()).all()
