"""The sentence below a run's summary."""

import dataclasses

import numpy as np
import pytest

from mnist_exp.data import Dataset, Split
from mnist_exp.experiment.conclusion import conclusion
from mnist_exp.experiment.console import Reporter
from mnist_exp.tracking import description
from mnist_exp.tracking.job import Job
from mnist_exp.training.results import Evaluation
from tests.support.jobs import a_job
from tests.support.made_data import made, names
from tests.support.results import an_epoch

LABELS = np.array([1] * 30 + [2] * 20 + [3] * 50, np.int32)
SPLIT = Split(np.zeros((100, 28, 28, 1), np.uint8), LABELS)
OVERFIT = ("data.eval_on_train=true", "schedule.batch_size=100")


def job(*overrides: str) -> Job:
    data = Dataset(train=SPLIT, val=SPLIT, test=SPLIT, source="made up")
    return dataclasses.replace(a_job(*overrides), dataset=data)


def said(
    accuracy: float, *overrides: str, in_training: float = 0.5, in_validation: float = 0.5
) -> str:
    test, val = (Evaluation(0.1, share) for share in (accuracy, in_validation))
    last = an_epoch(62, step=62, test=test, val=val, train_accuracy=in_training)
    return conclusion(job(*overrides), [last])


@pytest.mark.parametrize("accuracy", [0.1, 0.5])
def test_one_answer_for_all_images_would_be_as_good(accuracy: float) -> None:
    assert said(accuracy) == (
        "That is chance: the answer 3 for every image would have a test accuracy of 0.5000. "
        "Nothing was learned in 62 steps."
    )


def test_of_few_images_more_may_be_right_by_luck() -> None:
    assert said(0.64) == (
        "That may be chance: the answer 3 for every image would have a test accuracy of 0.5000, "
        "and on 100 test images the difference may be luck. Perhaps nothing was learned in 62 "
        "steps."
    )


def test_chance_depends_on_the_classes_of_the_data() -> None:
    form, split = made((4, 4, 3), names(300), 3000)
    data = Dataset(train=split, val=split, test=split, source="made up", form=form)
    of_many = dataclasses.replace(a_job(), dataset=data)
    results = [
        [an_epoch(1, step=5, test=one, val=one, train_accuracy=1 / 300)]
        for one in (Evaluation(5, share) for share in (1 / 300, 0.05))
    ]
    assert conclusion(of_many, results[0]) == (
        'That is chance: the answer "T-shirt/top" for every image would have a test accuracy of '
        "0.0033. Nothing was learned in 5 steps."
    )
    assert conclusion(of_many, results[1]) == ""


def test_what_was_learned_in_training_alone_is_not_nothing() -> None:
    assert said(0.5, in_training=0.9) == (
        "That may be chance: the answer 3 for every image would have a test accuracy of 0.5000. In "
        "training the last epoch had 0.9000, though: with batch normalisation, whose averages "
        "follow slowly, 62 steps may be too few; else the images were learned by heart."
    )


@pytest.mark.parametrize("accuracy", [0.01, 0.5, 0.6])
def test_what_validation_images_show_is_no_chance_and_not_learned_by_heart(accuracy: float) -> None:
    assert said(accuracy, in_training=0.9, in_validation=0.8) == (
        "That is no better than chance: the answer 3 for every image would have a test accuracy of "
        "0.5000. The validation accuracy is 0.8000, though: look whether the test images, or their "
        "labels, are prepared as the others are."
    )


def few(test: list[int], accuracy: float, *, val: float = 0.5, train: float = 0.5) -> str:
    """What is said of a few test images with these labels; half of the others are of class 3."""
    images = np.zeros((len(test), 28, 28, 1), np.uint8)
    few_images = Split(images, np.array(test, np.int32))
    data = Dataset(train=SPLIT, val=SPLIT, test=few_images, source="made up")
    last = an_epoch(
        1, step=5, test=Evaluation(0.1, accuracy), val=Evaluation(0.1, val), train_accuracy=train
    )
    return conclusion(dataclasses.replace(a_job(), dataset=data), [last])


def test_few_test_images_that_are_all_right_are_no_failure() -> None:
    """Of such images no number of right answers exceeds what luck may give."""
    assert few([7], 1.0, val=0.98) == few([7, 2, 1], 1.0, val=0.98) == ""
    assert few([1] * 19 + [2], 1.0, val=1.0) == ""
    assert few([1, 1, 1, 2, 2, 2], 1.0, train=0.99) == (
        "That may be chance: the answer 1 for every image would have a test accuracy of 0.5000, "
        "and 6 test images cannot tell."
    )
    assert "by heart" in few([1, 1, 1, 2, 2, 2], 1 / 6, train=0.99)
    assert "look whether the test images" in few([1] * 6, 0.0, val=0.98)


def test_less_than_chance_is_not_nothing() -> None:
    assert few([*range(10)] * 50, 0.01, val=0.01, train=0.1).startswith(
        "That is less than chance: the answer 0 for every image would have a test accuracy of "
        "0.1000. Something else than these labels was learned: look whether they are shifted"
    )
    assert few([*range(10)] * 50, 0.08, val=0.08, train=0.1).startswith("That is chance:")


def test_test_images_of_one_class_show_nothing() -> None:
    assert few([3] * 40, 1.0) == (
        "The test images cannot show whether anything was learned: the answer 3 for every image "
        "would have a test accuracy of 1.0000."
    )


def test_a_run_that_learned_something_needs_no_sentence() -> None:
    assert said(0.66) == ""


def test_a_batch_learned_by_heart() -> None:
    assert said(1.0, *OVERFIT) == "Can it learn one batch of 100 images by heart? Yes, in 62 steps."
    question = "Can it learn its 100 images by heart?"
    assert said(1.0, *OVERFIT[:1], "schedule.batch_size=99").startswith(question)


def test_a_batch_that_is_not_learned() -> None:
    assert said(0.93, *OVERFIT) == (
        "Can it learn one batch of 100 images by heart? Not in 62 steps: it gets 93 of them "
        "right. More steps or another learning rate may help; else look for a mistake."
    )


def test_nothing_that_is_shown_calls_the_training_images_test_images(
    capsys: pytest.CaptureFixture[str],
) -> None:
    scores = Evaluation(0.1, 0.5)
    scored, epochs = job(*OVERFIT), [an_epoch(1, val=scores, test=scores)]
    reporter = Reporter()
    reporter.start(scored, [])
    reporter.epoch(epochs[0], None, seconds_left=1)
    reporter.summary(scored, epochs)
    out = capsys.readouterr().out
    assert "made up; 100 training images, on which the model is also scored" in out
    assert "  accuracy on the training images 0.5000  " in out
    assert "\n  accuracy on the training images  0.5000\n" in out
    note = description.markdown(scored, "abc", (), epochs)
    assert "accuracy **0.5000** on its own training images." in note
    for text in (out, note):
        assert "test" not in text
        assert "validation" not in text
    assert description.columns(scored, epochs)["result"] == "0.5000 (on its training images)"
