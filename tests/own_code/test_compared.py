"""A changed source of one's own is changed code for compare, the registry and a run's page."""

from pathlib import Path

import pytest

from benchmarks.fake_runs import FakeRuns
from mnist_exp.compare.comparison import compare
from mnist_exp.own_code.code import Own, OwnCode
from mnist_exp.serving.registry import Entry
from mnist_exp.tracking import description, params
from mnist_exp.tracking.runs import Selection, Store
from tests.support.jobs import a_job

SIZES = {"4": 0.7, "8": 0.9}


def code_of(size: str) -> OwnCode:
    return OwnCode(sources={"nets.py": f"SIZE = {size}\n".encode()}, folder="/x")


@pytest.fixture
def versions(fake_runs: FakeRuns) -> FakeRuns:
    """Runs of one config in three seeds with each of two sources of one's own."""
    for size, accuracy in SIZES.items():
        code = code_of(size)
        for seed in range(3):
            tags = {"own_code.digest": code.digest, "variant": "net"}
            run_id = fake_runs.add(seed, accuracy + seed / 100, tags=tags)
            folder = Path(fake_runs.client.get_run(run_id).info.artifact_uri) / "own_code"
            folder.mkdir()
            (folder / "nets.py").write_bytes(code.sources["nets.py"])
    return fake_runs


def test_runs_of_one_config_with_other_sources_are_two_groups(versions: FakeRuns) -> None:
    comparison = compare(Store(), Selection())
    labels = {row.group.label for row in comparison.rows}
    assert labels == {f"own_code.digest={code_of(size).digest}" for size in SIZES}
    assert {row.group.n for row in comparison.rows} == {3}
    warned = comparison.warnings
    digests = ", ".join(f"{code_of(size).digest} (3 runs)" for size in SIZES)
    assert f"your own code differs: {digests}" in warned
    assert 'your own nets.py: line 1 was "SIZE = 4" and is "SIZE = 8" (artifacts own_code/)' in (
        warned
    )


def test_the_registry_never_mixes_two_sources() -> None:
    config = a_job().settings.config
    entries = [
        Entry(
            variant="net", accuracy=0.9, images=1, program=params.program(config, "d", code_of(n))
        )
        for n in SIZES
    ]
    assert len({entry.digest for entry in entries}) == 2
    assert "own_code.digest" not in params.program(config, "d")


def test_a_runs_description_names_the_functions(tmp_path: Path) -> None:
    settings = ("model=own", "model.build=nets:net", "loss=own", "loss.function=nets:focal")
    code = code_of("4")
    text = description.markdown(a_job(*settings, own=Own(code=code)), "abc")
    assert (
        f"Code of your own: `model.build=nets:net` and `loss.function=nets:focal`, digest "
        f"`{code.digest}`; its source is in the artifacts `own_code/`."
    ) in text
    assert "Code of your own" not in description.markdown(a_job(), "abc")
