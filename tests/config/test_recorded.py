"""What is taken over from a record is text and settings, and nothing else.

Whoever can write to the store can write a record.
"""

import json
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_exp import run
from mnist_exp.config.groups import use_config_dir
from mnist_exp.config.recorded import overrides
from mnist_exp.config.tree import compose
from mnist_exp.errors import ConfigError, UserError
from mnist_exp.rerun.__main__ import rerun
from mnist_exp.training import checkpoint

SMALL = [
    "model=softmax",
    "data.train_limit=300",
    "data.eval_limit=${data.train_limit}",
    "schedule.epochs=1",
    "preflight=off",
]
HOSTILE = "${oc.env:LAB_TOKEN}"
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


@settings(max_examples=15)
@given(TEXT, st.floats(1e-9, 1), st.booleans())
def test_what_is_taken_over_gives_the_same_config(text: str, rate: float, uses_bias: bool) -> None:
    """Whatever the text is: the record's overrides are never read as Hydra's language."""
    resolved = {
        "optimizer": {"learning_rate": rate},
        "model": {"conv_bias": uses_bias},
        "tags": {"note": text},
        "run_name": text,
    }
    recorded = [
        "model=cnn3x3",
        "optimizer.learning_rate=${x}",
        "model.conv_bias=1",
        f"+tags.note={text}",
        "run_name=${oc.env:HOME}",
    ]
    config = compose(overrides(recorded, resolved, "x")).config
    assert config.optimizer.learning_rate == rate
    assert config.to_dict()["model"]["conv_bias"] == uses_bias
    assert (config.run_name, config.tags) == (text, {"note": text})


def test_an_interpolation_has_the_value_of_then() -> None:
    whole = compose([*SMALL, "run_name=${oc.env:USER,nobody}-${seed}", "seed=3"])
    resolved = whole.config.to_dict()
    taken = overrides(list(whole.overrides), resolved, "x")
    assert "data.eval_limit=300" in taken
    assert not any("$" in override for override in taken)
    assert compose(taken).config == whole.config


@pytest.mark.first_cases(4)
@pytest.mark.parametrize(
    "text",
    [
        "tracking.uri=http://elsewhere",
        "++tracking.uri=x",
        "+tracking.experiment=x",
        "tracking={uri: x}",
        "hydra.run.dir=/x",
        "+hydra.job.env_set.X=y",
        "hydra/launcher=ray",
        "data.dir=/x",
        "++data.dir=/x",
        "resume=auto",
        "+resume=x",
        "best_of=x",
        "sweeps=variants",
        "tracking.code=diff",
    ],
)
def test_what_is_the_readers_own_choice_is_not_taken_over(text: str) -> None:
    resolved = compose(SMALL).config.to_dict()
    assert overrides([text, "seed=0"], resolved, "x") == ["seed=0"]


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(
    "recorded",
    [
        5,
        None,
        "seed=1",
        {"seed": 1},
        [5],
        [None],
        [["seed=1"]],
        ["se ed=1"],
        ["seed"[:0]],
        ["model=../../../tmp/x"],
        ["model=nope"],
        ["+model@optimizer=softmax"],
        ["nope=1"],
        ["model.nope.deeper=1"],
        ["model=[softmax,mlp]"],
        ["model"],
        ["$(touch P)=1"],
        ["experiment=${oc.env:HOME}"],
        ["x" * 10**6],
        ["\x1b[31m=1"],
    ],
)
def test_a_record_of_another_shape_is_refused_in_a_line(recorded: Any) -> None:
    resolved = compose(SMALL).config.to_dict()
    with pytest.raises(ConfigError, match="^best_of=x: ") as caught:
        overrides(recorded, resolved, "best_of=x")
    first, *rest = str(caught.value).splitlines()
    assert first.isprintable()
    assert rest in ([], ["--config-dir FOLDER names the folder that has it"])
    assert len(str(caught.value)) < 400


def client() -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{Path('mlflow.db').absolute()}")


def study(name: str, best: str) -> None:
    """A study's parent run, as anybody can make one."""
    tags = {"study_role": "study", "study_name": name, "best.run_id": best}
    client().create_run(client().get_run(best).info.experiment_id, tags=tags)


def forge(run_id: str, recorded: Any, **resolved: Any) -> None:
    """Change a run's record as somebody can who writes to the store."""
    path = client().download_artifacts(run_id, "config/resolved.yaml")
    plain = yaml.safe_load(Path(path).read_text())
    client().log_text(run_id, yaml.safe_dump(plain | resolved), "config/resolved.yaml")
    client().log_text(run_id, yaml.safe_dump(recorded), "config/overrides.yaml")


@pytest.mark.slow
@pytest.mark.usefixtures("bare_runs")
def test_a_hostile_record_gives_nothing_away(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """best_of, rerun and resume read no variable, and no store or folder that the record names."""
    monkeypatch.setenv("LAB_TOKEN", "canary")
    done = run(SMALL)
    elsewhere = f"sqlite:///{workdir}/elsewhere.db"
    hostile = [
        *SMALL,
        f"+tags.note={HOSTILE}",
        f"tracking.uri={elsewhere}",
        f"run_name={HOSTILE}",
        "hydra.run.dir=/nope",
    ]
    tracking = {"uri": elsewhere, "experiment": HOSTILE, "code": "diff"}
    forge(done.run_id, hostile, tags={"note": HOSTILE}, run_name=HOSTILE, tracking=tracking)
    study("s", done.run_id)
    best = run(["best_of=s"])
    again = rerun(done.run_id).second
    record = checkpoint.run_folder(done.run_id)
    (folder,) = record.glob("0*")
    state = json.loads((folder / "state.json").read_text())
    state["record"]["overrides"] = hostile
    state["record"]["config"] |= {
        "tags": {"note": HOSTILE},
        "run_name": HOSTILE,
        "tracking": tracking,
    }
    (folder / "state.json").write_text(json.dumps(state))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["state.json"] = checkpoint._sha256(folder / "state.json")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    longer = run([f"resume={done.run_id}", "schedule.epochs=2"])
    for run_id in (best.run_id, again.run_id, longer.run_id):
        new = client().get_run(run_id)
        assert new.info.experiment_id == "1"
        artifacts = Path(client().download_artifacts(run_id, "config"))
        everything = "".join(path.read_text() for path in artifacts.rglob("*.yaml"))
        assert "canary" not in str(new.data) + everything
        assert new.data.tags.get("note", HOSTILE) == HOSTILE
    assert not (workdir / "elsewhere.db").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("bare_runs")
def test_records_that_best_of_cannot_use(workdir: Path, idx_folder: Path) -> None:
    small = ["model=softmax", "schedule.epochs=1", "preflight=off", "data.validation_size=50"]
    done = run([*small, f"data.dir={idx_folder}"])
    client().create_run("1", tags={"study_role": "study"})  # without a name
    study("own", done.run_id)
    with pytest.raises(
        ConfigError, match=f"best_of=own: its trials read data.dir={idx_folder}, and no folder"
    ) as caught:
        run(["best_of=own"])
    assert len(str(caught.value).splitlines()) == 2
    assert run(["best_of=own", f"data.dir={idx_folder}"]).test_accuracy == done.test_accuracy
    laughs = "a: &a [1]\nb: [*a]\n"
    for name, text in (
        ("overrides", "5"),
        ("overrides", laughs),
        ("resolved", "[" * 10**5),
        ("resolved", "- 1"),
        ("resolved", "x" * 2**21),
    ):
        client().log_text(done.run_id, text, f"config/{name}.yaml")
        with pytest.raises(
            ConfigError, match="best_of=own: the record of its best trial, run .* cannot be used: "
        ) as caught:
            run(["best_of=own"])
        assert len(str(caught.value).splitlines()) == 1
        assert len(str(caught.value)) < 500
    bare = client().create_run("1").info.run_id
    study("bare", bare)
    with pytest.raises(ConfigError, match="its artifact config/overrides.yaml is missing"):
        run(["best_of=bare"])
    study("gone", done.run_id)
    client().set_tag(
        client().search_runs(["1"], "tags.study_name = 'gone'")[0].info.run_id,
        "best.run_id",
        "no/such",
    )
    with pytest.raises(UserError):
        run(["best_of=gone"])


@pytest.mark.slow
@pytest.mark.usefixtures("bare_runs")
def test_a_folder_is_read_again_only_for_the_recorded_data(workdir: Path, idx_folder: Path) -> None:
    """A record without a digest would make a rerun train on whatever its folder holds."""
    done = run(
        [
            "model=softmax",
            "schedule.epochs=1",
            "preflight=off",
            "data.validation_size=50",
            f"data.dir={idx_folder}",
        ]
    )
    client().delete_tag(done.run_id, "data.digest")
    with pytest.raises(UserError, match="data.digest was not recorded"):
        rerun(done.run_id)


@pytest.mark.slow
@pytest.mark.usefixtures("bare_runs")
def test_best_of_trains_the_program_that_the_sweeps_own_file_chose(workdir: Path) -> None:
    file = workdir / "mine" / "sweeps" / "mine.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("# @package _global_\ndefaults: [override /model: softmax]\n")
    use_config_dir("mine")
    done = run(SMALL)
    forge(done.run_id, ["sweeps=mine", *SMALL[1:]])
    study("s", done.run_id)
    best = run(["best_of=s"])
    assert client().get_run(best.run_id).data.params["model.kind"] == "softmax"
    assert best.test_accuracy == done.test_accuracy
