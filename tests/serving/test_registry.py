from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import LoggedModelOutput, LoggedModelStatus

from mnist_exp.serving import package as model_package
from mnist_exp.serving.registry import Entry, legal_name, register


@pytest.fixture
def client(workdir: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")


def run_with_model(
    client: mlflow.MlflowClient, step: int = 3, status: LoggedModelStatus = LoggedModelStatus.READY
) -> str:
    run = client.create_run("0")
    model = client.create_logged_model("0", "model", source_run_id=run.info.run_id)
    client.log_outputs(run.info.run_id, [LoggedModelOutput(model.model_id, step)])
    client.finalize_logged_model(model.model_id, status)
    return run.info.run_id


def entry(variant: str, accuracy: float, images: int) -> Entry:
    return Entry(variant=variant, accuracy=accuracy, images=images)


def best(client: mlflow.MlflowClient, name: str) -> str:
    return str(client.get_model_version_by_alias(name, "best").run_id)


def test_best_and_latest(client: mlflow.MlflowClient) -> None:
    runs = [run_with_model(client) for _ in range(4)]
    for run, accuracy in zip(runs, (0.97, 0.99, 0.99, 0.98), strict=True):
        register(client, run, 3, entry("a", accuracy, 5000))
    assert best(client, "a") == runs[1]
    assert client.get_model_version_by_alias("a", "latest").run_id == runs[3]
    fewer = run_with_model(client)
    register(client, fewer, 3, entry("a", 1.0, 100))
    assert best(client, "a") == runs[1]  # a perfect score on a hundred images is no better
    register(client, run_with_model(client), 3, entry("b", 0.5, 5000))
    assert len(client.search_model_versions("name='b'")) == 1


def test_once_and_only_what_was_logged(client: mlflow.MlflowClient) -> None:
    run = run_with_model(client)
    for _ in range(2):
        register(client, run, 3, entry("a", 0.9, 5000))
    register(client, run, 4, entry("a", 0.9, 5000))
    assert len(client.search_model_versions("name='a'")) == 1
    register(client, client.create_run("0").info.run_id, 3, entry("none", 0.9, 5000))
    assert client.search_registered_models("name='none'") == []


def test_a_model_that_was_not_logged_to_the_end_is_not_registered(
    client: mlflow.MlflowClient,
) -> None:
    whole, half = run_with_model(client), run_with_model(client)
    register(client, whole, 3, entry("a", 0.9, 5000))
    register(client, half, 3, entry("a", 0.99, 5000))
    model = model_package.logged(client, half, 3)
    assert model is not None
    client.finalize_logged_model(
        model.model_id, LoggedModelStatus.PENDING
    )  # as a version of a half logged model was made once
    register(
        client, run_with_model(client, status=LoggedModelStatus.FAILED), 3, entry("a", 1.0, 5000)
    )
    register(
        client, run_with_model(client, status=LoggedModelStatus.PENDING), 3, entry("a", 1.0, 5000)
    )
    register(client, run_with_model(client), 3, entry("a", 0.8, 5000))
    assert len(client.search_model_versions("name='a'")) == 3
    assert best(client, "a") == whole


def test_runs_that_end_together_agree_on_the_best(client: mlflow.MlflowClient) -> None:
    runs = {run_with_model(client): 0.9 + i / 100 for i in (2, 0, 5, 1)}
    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda item: register(client, item[0], 3, entry("a", item[1], 5000)), runs.items()
            )
        )
    assert len(client.search_model_versions("name='a'")) == 4
    assert runs[best(client, "a")] == max(runs.values())


@pytest.mark.parametrize(
    ("variant", "name"),
    [
        ("cnn3x3-adam", "cnn3x3-adam"),
        ("a/b:c'd", "a_b_c_d"),
        ("..", "model"),
        ("x" * 400, "x" * 200),
    ],
)
def test_names_are_legal(client: mlflow.MlflowClient, variant: str, name: str) -> None:
    assert legal_name(variant) == name
    register(client, run_with_model(client), 3, entry(variant, 0.9, 5000))
    assert len(client.search_model_versions(f"name='{name}'")) == 1


SMALL = {"model.kind": "convnet", "model.kernel_size": "3", "data.digest": "d"}
LARGE = SMALL | {"model.kernel_size": "7"}


def run_of(client: mlflow.MlflowClient, program: dict[str, str]) -> str:
    """A run with a model, which has recorded its program."""
    run = run_with_model(client)
    for key, value in program.items():
        client.log_param(run, key, value)
    return run


def of(program: dict[str, str], accuracy: float) -> Entry:
    return Entry(variant="net", accuracy=accuracy, images=5000, program=program)


def versions(client: mlflow.MlflowClient, name: str) -> set[str]:
    return {str(version.run_id) for version in client.search_model_versions(f"name='{name}'")}


def test_another_program_gets_a_name_of_its_own(client: mlflow.MlflowClient) -> None:
    """Under a name that a user has chosen, or that the settings of other data lead to."""
    small = run_of(client, SMALL)
    register(client, small, 3, of(SMALL, 0.9))
    other = {}
    for program in (LARGE, SMALL | {"data.digest": "e"}):
        entry = of(program, 0.99)
        other[f"net-{entry.digest[:6]}"] = [run_of(client, program) for _ in range(2)]
        for run in [*other[f"net-{entry.digest[:6]}"], small]:
            register(client, run, 3, of(SMALL, 0.9) if run == small else entry)
    assert versions(client, "net") == {small}
    assert best(client, "net") == small
    assert len(other) == 2
    for name, runs in other.items():
        assert versions(client, name) == set(runs)
        assert best(client, name) == runs[0]


def test_a_setting_that_is_new_makes_no_other_program(client: mlflow.MlflowClient) -> None:
    """After an update of mnist_exp, `blog_cnn3x3` goes on under its name."""
    first, second = run_of(client, SMALL), run_of(client, SMALL | {"model.new": "0"})
    register(client, first, 3, of(SMALL, 0.9))
    register(client, second, 3, of(SMALL | {"model.new": "0"}, 0.95))
    assert versions(client, "net") == {first, second}
    assert best(client, "net") == second


def test_best_leaves_out_what_an_earlier_version_has_mixed_in(client: mlflow.MlflowClient) -> None:
    large, small = run_of(client, LARGE), run_of(client, SMALL)
    for run, accuracy in ((large, 0.999), (small, 0.97)):
        register(client, run, 3, entry("net", accuracy, 5000))  # it knew no programs
    assert best(client, "net") == large
    new = run_of(client, SMALL)
    register(client, new, 3, of(SMALL, 0.96))
    assert versions(client, "net") == {large, small, new}
    assert best(client, "net") == small


def test_a_name_that_others_use_is_left_to_them(client: mlflow.MlflowClient) -> None:
    client.create_registered_model("net")
    client.create_model_version("net", "somewhere", run_with_model(client))
    client.create_model_version("net", "elsewhere")
    client.set_registered_model_alias("net", "best", "1")
    run, new = run_of(client, SMALL), of(SMALL, 0.9)
    register(client, run, 3, new)
    assert client.get_model_version_by_alias("net", "best").version in (1, "1")
    assert versions(client, f"net-{new.digest[:6]}") == {run}
