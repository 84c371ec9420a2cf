"""The drawing page's server, for the tests of its answers and of the page in a browser."""

from collections.abc import Iterator

import pytest

from mnist_exp.predict import drawing
from mnist_exp.predict.trained_models import Models, TrainedModel
from tests.support.runs import Trained
from tests.support.servers import served


@pytest.fixture(scope="module")
def models(trained: Trained) -> list[TrainedModel]:
    """The same run twice, as two are shown side by side."""
    return [Models(trained.uri).load(trained.run_id)] * 2


@pytest.fixture
def server(models: list[TrainedModel], trained: Trained) -> Iterator[drawing.Server]:
    with served(models, Models(trained.uri).roles()) as server:
        yield server
