"""Options of a folder of one's own, and options of code: named, recorded and searched as others."""

from pathlib import Path

import pytest

from mnist_exp.config import recorded
from mnist_exp.config.groups import folders_in, group_options, use_config_dir, use_folders
from mnist_exp.config.lookup import hint
from mnist_exp.config.meanings import settings_of_group
from mnist_exp.config.mistakes import USER_ERRORS, explain
from mnist_exp.config.names import program_name
from mnist_exp.config.tree import as_meant, compose
from mnist_exp.config.used_settings import init_note, without_effect
from mnist_exp.errors import ConfigError
from mnist_exp.studies.hooks import StudyTracking
from mnist_exp.sweeper.space import SearchSpace
from mnist_exp.tracking.params import program

OWN = ["model=own", "model.build=my_models:resnet"]


@pytest.fixture
def my_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network, a loss and an optimizer; its options count."""
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "model/resnet.yaml": "# A small ResNet.\ndefaults: [own]\nbuild: nets:resnet\n"
        "options: {depth: 8, stem: {width: 16}}\n",
        "loss/old.yaml": "defaults: [/schema/loss/loss@_here_]\nkind: self_entropy\n"
        "reduction: sum\n",
        "optimizer/lion.yaml": "defaults: [keras]\nname: Lion\noptions: {beta_2: 0.95}\n",
        "data/small.yaml": "defaults: [mnist]\ntrain_limit: 500\n",
        "model/broken.yaml": "defaults: [own\n",
        "model/mlp.yaml": "defaults: [own]\nbuild: nets:mlp\n",
    }.items():
        file = tmp_path / "my_conf" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    use_config_dir("my_conf")
    return tmp_path / "my_conf"


@pytest.mark.usefixtures("my_conf")
def test_an_own_option_is_an_option_like_any_other() -> None:
    settings = compose(["model=resnet", "optimizer=lion", "data=small", "model.options.depth=20"])
    config = settings.config.to_dict()
    assert config["model"] == {
        "kind": "own",
        "build": "nets:resnet",
        "options": {"depth": 20, "stem": {"width": 16}},
    }
    assert config["optimizer"]["options"] == {"beta_2": 0.95}
    assert settings.choices["model"] == "resnet"
    assert "resnet" in group_options("model")
    (build,) = (one for one in settings_of_group("model") if one.key == "model.build")
    assert build.facts == "Text. Only with own and resnet. Default: none with own; nets:resnet " + (
        "with resnet."
    )
    kept = recorded.overrides(list(settings.overrides), config, "x")
    assert compose(kept).config == settings.config
    name = program_name(settings, None)
    assert name.startswith("nets.resnet-lion-")


@pytest.mark.usefixtures("my_conf")
def test_a_record_with_an_own_option_needs_the_folder_to_be_composed() -> None:
    settings = compose(["model=resnet"])
    use_folders([])
    given = ["model=resnet"], settings.config.to_dict(), "resume=x"
    with pytest.raises(ConfigError, match="is not an option here\n--config-dir FOLDER names"):
        recorded.overrides(*given)
    assert recorded.overrides(*given, are_composed=False) == ["model=resnet"]


@pytest.mark.usefixtures("my_conf")
def test_a_loss_of_before_still_starts_from_its_earlier_schema() -> None:
    assert compose(["loss=old"]).config.to_dict()["loss"]["kind"] == "self_entropy"


@pytest.mark.usefixtures("my_conf")
def test_a_file_that_is_called_like_an_option_of_this_project_is_named() -> None:
    with pytest.raises(ConfigError, match="my_conf/model/mlp.yaml: model=mlp is an option of this"):
        compose(["model=mlp"])


def test_folders_are_found_in_a_command_line() -> None:
    given = ["--config-dir", "a b", "seed=1", "-cd=c", "hydra.searchpath=[file:///d, 'pkg://e']"]
    assert folders_in(given) == ["a b", "c", "/d"]
    assert folders_in(["--config-dir"]) == [""]
    assert folders_in([]) == []
    with pytest.raises(ConfigError, match="--config-dir nope: no such folder"):
        use_config_dir("nope")


@pytest.mark.parametrize("sign", ["", "+", "++"])
def test_an_option_of_code_needs_no_sign_and_arrives_as_plain_python(sign: str) -> None:
    values = {
        "depth=8": 8,
        "rate=1e-3": 0.001,
        "bias=null": None,
        "act=relu": "relu",
        "wide=true": True,
        "text='1.10'": "1.10",
        "widths=[8,16,null]": [8, 16, None],
        "stem={width: 16, sizes: [3]}": {"width": 16, "sizes": [3]},
    }
    given = [*OWN, *(f"{sign}model.options.{text}" for text in values)]
    settings = compose(given)
    options = settings.config.to_dict()["model"]["options"]
    assert list(options.values()) == list(values.values())
    assert [type(value) for value in options.values()] == [type(value) for value in values.values()]
    assert not any(text.startswith("+") for text in settings.overrides)
    again = recorded.overrides(list(settings.overrides), settings.config.to_dict(), "x")
    assert compose(again).config == settings.config


@pytest.mark.parametrize("sign", ["", "+", "++"])
def test_a_study_has_an_option_of_code_under_one_name(sign: str) -> None:
    given = [*OWN, f"{sign}model.options.depth=8,20", f"{sign}loss.options.gamma=1,2"]
    space = SearchSpace.parse(StudyTracking().read_overrides(given))
    assert set(space.distributions) == {"model.options.depth", "loss.options.gamma"}
    assert as_meant([f"{sign}tags.x=1"])[0].startswith(f"{sign}tags.x=")


def test_two_programs_have_two_names() -> None:
    base = " ".join(OWN)
    loss = "loss=own loss.function=my_losses:focal"
    names = {
        "": "resnet-adam",
        f"optimizer=keras optimizer.name=Lion {loss}": "resnet-lion-focal",
        "+model.options.depth=8": "resnet-adam-depth8",
        f"{loss} +loss.options.gamma=2": "resnet-adam-focal-loss_gamma2",
        f"{loss} +model.options.gamma=2": "resnet-adam-focal-gamma2",
        "model.build=v2:resnet": "v2.resnet-adam",
        "model.build=my_models:mlp": "my_models.mlp-adam",
        "optimizer=keras optimizer.name=Adam": "resnet-keras_adam",
        "+model.options.lr=0.1": "resnet-adam-model_lr0.1",
        "optimizer.learning_rate=0.1": "resnet-adam-lr0.1",
        "loss=keras loss.name=Dice loss.reduction=sum": "resnet-adam-Dice-sum",
        "init=he": "resnet-adam",  # has no effect
    }
    for given, name in names.items():
        assert program_name(compose(f"{base} {given}".split()), None) == name
    texts = [program_name(compose([*OWN, f"model.options.a={x}"]), None) for x in ("8", "'8'")]
    assert len(set(texts)) == 2


def test_the_digest_of_a_tutorials_program_is_that_of_earlier_runs() -> None:
    assert compose(["experiment=blog_cnn3x3"]).config.hash() == "b181c2050c03"
    assert compose(["experiment=notebook_softmax_buggy"]).config.hash() == "eb2137516e90"
    assert "data.class_names" not in program(compose([]).config, "d")


def test_initial_weights_given_with_an_own_network_are_answered() -> None:
    own, other = compose(OWN).config.model, compose([]).config.model
    assert init_note(own, [*OWN, "init=he"]).startswith("init=he: has no effect with model")
    assert init_note(own, OWN) == init_note(other, ["init=he"]) == ""
    unused = without_effect({"model.kind": "own", "model.build": "a:b", "init.bias.value": None})
    assert unused == ["init.bias.value"]


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (["model=own"], "model.build: expected a value, found none"),
        ([*OWN, "model.options.a=nan"], "model.options.a=nan: expected a number, found none"),
        ([*OWN, "model.options.a={0:1}"], "model.options.a: 0 cannot be recorded as a name"),
        ([*OWN, "model.options={0:1}"], "model.options: 0 is no name"),
        ([*OWN, "model.depth=9"], "model.depth: no such setting; did you mean model.options.dep"),
        (["optimizer=lion"], "optimizer=lion: no such option; did you mean optimizer=keras opti"),
        (["optimizer=keras", "optimizer.name=lion"], "optimizer.name=lion: Keras has no such cl"),
        (["loss=focal"], "loss=focal: no such option; did you mean loss=keras loss.name=BinaryFo"),
        (["+loss.options.gamma=2"], "loss.options.gamma: no such setting; did you mean loss=ker"),
        (["model=own", "model.build=my_models.py:f"], "model.build=my_models.py:f: expected MOD"),
    ],
)
def test_what_is_no_option_of_code_is_answered(typed: list[str], answer: str) -> None:
    with pytest.raises(USER_ERRORS) as caught:
        compose(typed)
    assert explain(caught.value, typed).startswith(answer)
    assert len(explain(caught.value, typed).splitlines()) <= 2


def test_the_name_of_an_optimizer_here_leads_to_its_group() -> None:
    assert "did you mean optimizer=adam?" in hint("optimizer.name", "adam", [])


def test_the_choices_that_are_shown_are_those_with_an_effect() -> None:
    assert ("init", "blog") in compose([]).effective_choices
    shown = dict(compose([*OWN, "data.dir=here"]).effective_choices)
    assert "init" not in shown
    assert "data" not in shown
    assert shown["optimizer"] == "adam"
