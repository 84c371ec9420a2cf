"""Settings that name something in Python."""

import pytest
from hydra.utils import execution_whitelist
from omegaconf import DictConfig, OmegaConf

from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.hooks import StudyHooks, build_hooks, load_function, permitted


def test_without_hooks_nothing_is_done() -> None:
    assert type(build_hooks(None)) is StudyHooks


class Own(StudyHooks):
    pass


def search(config: object, trial: object) -> None:
    pass


@pytest.mark.filterwarnings("error")
def test_hooks_and_functions_by_their_path() -> None:
    assert type(build_hooks(f"{__name__}.Own")).__name__ == "Own"
    assert load_function("custom_search_space", f"{__name__}.search")("config", "trial") is None
    assert type(build_hooks("")) is StudyHooks


def test_what_is_of_another_kind_is_refused() -> None:
    with pytest.raises(
        SweepError, match="hooks=collections.Counter: expected a subclass of .*StudyHooks"
    ):
        build_hooks("collections.Counter")
    with pytest.raises(
        SweepError, match=r"custom_search_space=os.getcwd: expected a function \(config, trial\)"
    ):
        load_function("custom_search_space", "os.getcwd")


def test_the_command_line_may_name_what_the_whitelist_of_the_application_lacks() -> None:
    def config(*overrides: str) -> DictConfig:
        return OmegaConf.create({"hydra": {"overrides": {"hydra": list(overrides)}}})

    assert permitted(config(), ["a.f", "a.g"]) == ("a.f", "a.g")
    with execution_whitelist(["mine.*"]):
        assert permitted(config("hydra.sweeper.hooks=a.f"), ["a.f", "a.g"]) == ("a.f",)
        target = f"{__name__}.search"
        with pytest.raises(
            SweepError, match=r"not in the Hydra execution whitelist.*; on the command line you may"
        ):
            load_function("custom_search_space", target, permitted(config(), [target]))
        allowed = permitted(config(f"hydra.sweeper.custom_search_space={target}"), [target])
        assert load_function("custom_search_space", target, allowed)("config", "trial") is None


@pytest.mark.parametrize(
    "target", ["no_such_module.Hooks", "mnist_exp.sweeper.hooks.NoSuchHooks", "nodots", "os.system"]
)
def test_hooks_that_cannot_be_had_are_refused_in_one_line(target: str) -> None:
    with pytest.raises(
        SweepError, match=rf"^hydra.sweeper.hooks={target}: cannot be used \([^\n]+\)$"
    ):
        build_hooks(target)
