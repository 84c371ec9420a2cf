"""Settings: composed, checked, and read back from a record."""

from pathlib import Path

import pytest
import yaml
from hydra.core.object_type import ObjectType
from hydra.errors import HydraException

import mnist_exp
from mnist_exp.config import groups
from mnist_exp.config.groups import CONF_DIR, group_options
from mnist_exp.config.mistakes import USER_ERRORS, explain
from mnist_exp.config.settings import from_dict
from mnist_exp.config.sweeps_source import SweepsSource
from mnist_exp.config.tree import compose, refuse_sweep
from mnist_exp.errors import ConfigError

PACKAGE = Path(mnist_exp.__file__).parent


def test_only_conf_and_sweeps_are_searched() -> None:
    """A folder of the checkout or the package is no config group, whatever it is called."""
    folders = {
        path.name
        for parent in (CONF_DIR.parent, PACKAGE)
        for path in parent.iterdir()
        if path.is_dir()
    }
    source = SweepsSource("test", "mnist_exp://sweeps")
    assert source.list("", None) == source.list("", ObjectType.GROUP) == ["sweeps"]
    assert source.list("", ObjectType.CONFIG) == []
    assert "variants" in source.list("sweeps", ObjectType.CONFIG)
    assert [name for name in sorted(folders) if source.is_group(name)] == ["sweeps"]
    assert source.is_config("sweeps/variants")
    assert not any(
        map(source.is_config, ["sweeps", "sweeps/", "variants", "conf/config", "sweeps/nope"])
    )


def test_a_folder_of_the_user_that_hides_a_setting_is_named() -> None:
    error = HydraException(
        "Could not override 'seed'. No match in the defaults list.\nTo append to your ..."
    )
    assert explain(error).startswith(
        "seed: a folder of that name in --config-dir or hydra.searchpath hides"
    )
    error = HydraException("Could not override 'mine'. No match in the defaults list.\nuse +mine=x")
    assert explain(error) == "mine: no such setting"


def test_adam_has_tensorflow_1s_epsilon() -> None:
    assert compose(["optimizer=adam"]).config.optimizer.epsilon == 1e-8  # type: ignore[attr-defined]


def test_max_steps_replaces_the_default_epochs() -> None:
    assert compose(["schedule.max_steps=20000"]).config.schedule.epochs is None
    assert compose(["schedule.max_steps=20000", "schedule.epochs=2"]).config.schedule.epochs == 2
    assert compose([]).config.schedule.epochs == 15


NO_OTHER_RESULT = [
    "seed=5",
    "variant=v",
    "run_name=x",
    "+tags.course=ml",
    "tracking.experiment=other",
    "checkpoint.every_seconds=5",
    "evaluate.test=end",
    "resume=auto",
    "preflight=error",
    "reference=null",
]


def test_hash_ignores_seed_and_names_alone() -> None:
    base = compose([]).config.hash()
    for neutral in NO_OTHER_RESULT:
        assert compose([neutral]).config.hash() == base
    for telling in (
        "model.kernel_size=5",
        "data.train_limit=9",
        "loss.from_probabilities=true",
        "schedule.epochs=3",
    ):
        assert compose([telling]).config.hash() != base


def test_changes_are_the_overrides_with_another_result() -> None:
    telling = [
        "loss=self_entropy",
        "schedule.epochs=3",
        "++schedule.batch_size=10",
        "deterministic=false",
    ]
    settings = compose(["experiment=notebook_softmax", *NO_OTHER_RESULT, *telling])
    assert settings.changes == telling


def test_debug_modes_override_presets_and_go_to_their_own_experiment() -> None:
    for mode in group_options("debug"):
        c = compose(["experiment=notebook_cnn5x5", f"debug={mode}"]).config
        assert c.tracking.experiment == "mnist_exp_debug"
    fast = compose(["debug=fast", "schedule.batch_size=32"]).config
    assert (fast.data.train_limit, fast.data.eval_limit, fast.schedule.max_steps) == (64, 64, 2)


def test_choices_name_the_options() -> None:
    choices = compose(["model=mlp", "debug=fast"]).choices
    assert choices == {
        "data": "mnist",
        "model": "mlp",
        "init": "blog",
        "loss": "cross_entropy",
        "optimizer": "adam",
        "schedule": "constant",
        "debug": "fast",
    }


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("schedule.epochs=0", "schedule.epochs=0: expected a whole number from 1 to 1000000000"),
        (
            "schedule.batch_size=0",
            "schedule.batch_size=0: expected a whole number from 1 to 1000000000",
        ),
        ("schedule.epochs=null", "expected schedule.epochs or schedule.max_steps"),
        ("optimizer.learning_rate=-1", "optimizer.learning_rate=-1.0: expected a number > 0"),
        ("optimizer.learning_rate=nan", "optimizer.learning_rate=nan: expected a number > 0"),
        ("optimizer.learning_rate=inf", "optimizer.learning_rate=inf: expected a number > 0"),
        ("optimizer.beta_1=1", "optimizer.beta_1=1.0: expected a number >= 0 and < 1"),
        ("model.filters=[]", "model.filters=\\[\\]: expected at least one"),
        ("model.filters=[8,0]", "model.filters=0: expected a whole number from 1 to 65536"),
        ("model.kernel_size=29", "model.kernel_size=29: expected a whole number from 1 to 28"),
        ("model.dropout=1", "model.dropout=1.0: expected a number >= 0 and < 1"),
        ("init.conv_kernel.stddev=null", "init.conv_kernel.stddev: expected a number"),
        ("init.readout_kernel.stddev=0.1", "has no effect with distribution=glorot_uniform"),
        ("data.train_limit=0", "data.train_limit=0: expected a whole number >= 1"),
        ("seed=-1", "seed=-1: expected"),
        ("tracking.experiment=' '", "tracking.experiment: expected a name"),
        (
            "model.kind=softmax",
            "model.kind=softmax: expected convnet; model=OPTION chooses another kind",
        ),
        ("optimizer.kind=-0.0", "optimizer.kind=-0.0: expected adam"),
        ("+foo=1", "foo: no such setting"),
        ("+model._target_=os.system", "model._target_: no such setting"),
    ],
)
def test_refused_values(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compose([override])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("epochs=3", "epochs: no such setting; did you mean schedule.epochs=3?"),
        ("kernel_size=5", "kernel_size: no such setting; did you mean model.kernel_size=5?"),
        ("model.batch_size=5", "model.batch_size: no such setting; did you mean schedule.batch_s"),
        ("stddev=0.1", "stddev: no such setting\n"),
        ("modl=mlp", "modl: no such setting; did you mean model=mlp?"),
    ],
)
def test_a_setting_is_found_by_the_last_part_of_its_name(override: str, message: str) -> None:
    with pytest.raises(USER_ERRORS) as caught:
        compose([override])
    assert explain(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("# a note", "# a note: cannot be read as SETTING=VALUE; the shell takes no comment here"),
        ("a b", "a b: cannot be read as SETTING=VALUE; it has no ="),
        ("model", "model: cannot be read as SETTING=VALUE; did you mean model=VALUE?"),
    ],
)
def test_what_is_no_override_is_named_without_hydras_own_words(override: str, message: str) -> None:
    with pytest.raises(USER_ERRORS) as caught:
        compose([override])
    said = explain(caught.value)
    assert said.startswith(message)
    assert "Exception" not in said


@pytest.mark.parametrize("group", ["data", "model", "init", "loss", "optimizer", "schedule"])
def test_a_group_that_is_taken_away_is_missed(group: str) -> None:
    with pytest.raises(USER_ERRORS) as caught:
        compose([f"~{group}"])
    assert explain(caught.value) == f"{group}: expected a value, found none"


def test_seed_zero_is_a_seed() -> None:
    assert compose(["seed=0"]).config.seed == 0


def leaf_files() -> list[Path]:
    return sorted([*CONF_DIR.rglob("*.yaml"), *(CONF_DIR.parent / "sweeps").glob("*.yaml")])


@pytest.mark.parametrize("path", leaf_files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_leaf_files_are_short_and_say_how_to_use_them(path: Path) -> None:
    text = path.read_text()
    lines = text.splitlines()
    assert len(lines) <= 60
    comment = [line for line in lines[:4] if line.startswith("#")]
    assert any("python -m mnist_exp" in line for line in comment)
    assert isinstance(yaml.safe_load(text), dict)


# What these options have no default for.
NEEDED = {
    "model=own": ["model.build=my_models:resnet", "+model.options.stem={width: 16, act: relu}"],
    "loss=own": ["loss.function=my_losses:focal", "+loss.options.weights=[1,2.5,null]"],
    "loss=keras": ["loss.name=Dice"],
    "optimizer=keras": ["optimizer.name=Lion", "optimizer.options.beta_2=0.99"],
}


def test_resolved_config_composes_to_the_same_hash() -> None:
    """What is logged as config/resolved.yaml says everything."""
    c = compose(["experiment=notebook_cnn5x5"]).config
    assert yaml.safe_load(yaml.safe_dump(c.to_dict())) == c.to_dict()


@pytest.mark.first_cases(8)
@pytest.mark.parametrize(
    "overrides",
    [
        *(
            [f"{group}={name}", *NEEDED.get(f"{group}={name}", [])]
            for group in ("experiment", "model", "init", "loss", "optimizer", "schedule", "debug")
            for name in group_options(group)
        ),
        ["+tags.x='a\\${b} c'", "run_name='\\${seed}'", "seed=3", "optimizer.learning_rate=1e-5"],
    ],
)
def test_a_config_comes_back_from_its_record(overrides: list[str]) -> None:
    original = compose(overrides).config
    record = yaml.safe_dump(original.to_dict(), sort_keys=False)
    returned = from_dict(yaml.safe_load(record))
    assert returned == original
    assert type(returned.optimizer) is type(original.optimizer)
    assert returned.hash() == original.hash()


def test_a_record_from_before_a_setting_existed_has_its_default() -> None:
    plain = compose(["model=mlp"]).config.to_dict()
    del plain["checkpoint"], plain["model"]["dropout"]
    assert from_dict(plain) == compose(["model=mlp"]).config


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": None}, "model: expected settings, found None"),
        (
            {"model": {"kind": "resnet"}},
            "model.kind=resnet: expected one of convnet, mlp, own, softmax",
        ),
        ({"model": {"kind": "mlp", "depth": 3}}, "model.depth: no such setting"),
        ({"seed": -1}, "seed=-1: expected a whole number from 0"),
        ({"seed": "x"}, "seed=x: expected a whole number"),
        ({"colour": "red"}, "colour: no such setting"),
    ],
)
def test_a_damaged_record_is_refused(changes: dict, said: str) -> None:
    plain = compose([]).config.to_dict()
    with pytest.raises(USER_ERRORS) as caught:
        from_dict({**plain, **changes})
    assert said in explain(caught.value)


@pytest.mark.parametrize(
    "override",
    [
        "sweeps=variants",
        "+sweeps=variants",
        "hydra.sweeper.n_trials=3",
        "++hydra.sweeper.sampler.seed=1",
        "hydra/sweeper=optuna_study",
        "hydra/sweeper/pruner=median",
        "hydra.sweeper={n_trials:3}",
    ],
)
def test_a_single_run_refuses_what_only_a_sweep_obeys(override: str) -> None:
    with pytest.raises(ConfigError, match="`-m` is missing") as error:
        refuse_sweep(["model=softmax", override])
    assert str(error.value).startswith(f"{override}: ")


def test_the_command_for_a_sweep_of_an_own_folder_names_the_folder(workdir: Path) -> None:
    (workdir / "conf ü,=").mkdir()
    groups.use_config_dir("conf ü,=")
    with pytest.raises(ConfigError) as error:
        refuse_sweep(["sweeps=mine"])
    assert "python -m mnist_exp --config-dir 'conf ü,=' -m sweeps=mine starts a" in str(error.value)


def test_a_single_run_may_say_that_there_is_no_sweep() -> None:
    refuse_sweep(
        ["sweeps=null", "~sweeps", "hydra.run.dir=a", "hydra/launcher=joblib", "hydra.sweepers=1"]
    )
