"""Trials get every text as it was given, also one that Hydra would read as something else."""

from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from omegaconf import DictConfig, OmegaConf

from mnist_exp.sweeper.hooks import StudyHooks
from mnist_exp.sweeper.quoting import escaped, quoted
from tests.support.sweeps import apps
from tests.sweeper.conftest import Sweep
from tests.sweeper.test_quoting import EXAMPLES

# In what a user writes as an override, `${` and `???` are Hydra's.
TEXTS = [text for text in EXAMPLES if "${" not in text and "???" not in text]
# Of 1 and True only one can be here: Optuna cannot tell them apart.
SUGGESTED: list[Any] = [None, *EXAMPLES, 2.5, True, [1, "1"]]
SHORT = (
    "hydra/sweeper/sampler=grid",
    "hydra.sweeper.n_trials=3",
    f"hydra.sweeper.hooks={__name__}.Sees",
)
_composed: list[Any] = []
_run: list[Any] = []


class Sees(StudyHooks):
    def check_config(self, config: DictConfig) -> None:
        container: Any = OmegaConf.to_container(config)
        _composed.append(container["extra"])


def task(cfg: DictConfig) -> float:
    container: Any = OmegaConf.to_container(cfg, resolve=True)
    _run.append(container["extra"])
    return 0.0


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    _composed.clear()
    _run.clear()


def same(left: list[Any], right: list[Any]) -> bool:
    return [(type(value), value) for value in left] == [(type(value), value) for value in right]


def configure(folder: Path, **sweeper: Any) -> None:
    """A config file with these settings of the sweeper."""
    config = {**yaml.safe_load(apps.CONFIG), "hydra": {"sweeper": sweeper}}
    OmegaConf.save(OmegaConf.create(config), folder / "config.yaml")


@pytest.mark.slow
def test_choices_on_the_command_line(sweep: Sweep) -> None:
    choices = ",".join(
        map(
            quoted,
            ["a=b", "it's", "1", *(text for text in TEXTS if text not in ("a=b", "it's", "1"))],
        )
    )
    sweep(task, f"extra=choice({choices},1,1.0,true)", *SHORT)
    assert set(map(repr, _composed)) == set(map(repr, [*TEXTS, 1, 1.0, True]))
    assert len(_run) == 3
    assert same(_run, ["a=b", "it's", "1"])
    assert [text in sweep.output for text in ("extra='a=b'", r"extra='it\'s'", "extra='1'")] == [
        True
    ] * 3
    for number, written in enumerate(["extra='a=b'", r"extra='it\'s'", "extra='1'"]):
        (file,) = sweep.folder.glob(f"multirun/**/{number}/.hydra/overrides.yaml")
        assert yaml.safe_load(file.read_text()) == [written]


def test_choices_without_a_function_and_in_lists(sweep: Sweep) -> None:
    texts = ["a=b", "it's", "#", "ünï", "1", "a,b"]
    written = ",".join(map(quoted, texts))
    sweep(task, f"extra=[{written}],null,{written}", *SHORT)
    assert same(_composed, [texts, None, *texts])
    assert same(_run, [texts, None, "a=b"])


def test_params_and_enqueue_in_a_file(sweep: Sweep) -> None:
    values = [*reversed(TEXTS[-10:]), 1, 2.5, True]
    params = {
        "extra": f"choice({','.join(map(quoted, TEXTS))},1,2.5,true)",
        "items": ["it's", "1", None, {"a": ["#"]}],
    }
    configure(sweep.folder, params=params, enqueue=[{"extra": value} for value in values])
    sweep(task, *SHORT[1:])
    assert same(_composed, values)
    assert same(_run, values[:3])
    assert (
        sweep.study.user_attrs["sweeper:search_space"]["items"] == r"['it\'s','1',null,{a:['#']}]"
    )


def suggest(config: DictConfig, trial: optuna.Trial) -> None:
    trial.suggest_categorical("extra", SUGGESTED)


@pytest.mark.slow
def test_what_a_custom_search_space_suggests(sweep: Sweep) -> None:
    """Here `${` and `???` are text as well."""
    values = [
        None,
        "1",
        "a=b",
        "${x}",
        "\\???",
        [1, "1"],
        "[1]",
        *(v for v in EXAMPLES if v not in ("1", "a=b", "${x}", "[1]", "???")),
    ]
    listed = [{"extra": escaped(value)} for value in values[:14]]
    configure(sweep.folder, custom_search_space=f"{__name__}.suggest", enqueue=listed)
    sweep(task, SHORT[2], n_trials=6)
    assert same(_run, values[:6])


@pytest.mark.slow
def test_what_cannot_be_read_unquoted_is_shown_in_quotes(sweep: Sweep) -> None:
    configure(sweep.folder, params={"extra": "it#s,b"})
    message = sweep.refused(task)
    assert "extra=it#s,b: cannot be read; text is written in quotes: extra='it#s,b'" in message
    configure(sweep.folder, params={"extra": [{"ü": 1}]})
    message = sweep.refused(task)
    assert (
        "hydra.sweeper.params: 'ü' is a key of a dict that no override of Hydra can set" in message
    )
    configure(sweep.folder, params={"model": {"lr": "interval(0,1)"}})
    assert "expected one value; settings within are written model.NAME: VALUE" in sweep.refused(
        task
    )
