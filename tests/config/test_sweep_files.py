"""What best_of takes over from a sweep's own file: the program, and not that trials are short."""

from pathlib import Path

import pytest

from mnist_exp.config.groups import use_config_dir, use_folders
from mnist_exp.config.recorded import recorded_sweep
from mnist_exp.config.sweep_files import program_of
from mnist_exp.config.tree import compose
from mnist_exp.errors import ConfigError

MINE = """# @package _global_
# My search.
defaults:
  - override /experiment: notebook_softmax
  - override /model: tiny
  - override /optimizer: sgd
preflight: "off"
model: {options: {depth: 3}}
data: {train_limit: 300, validation_size: 50, dir: /elsewhere}
schedule: {max_steps: 7, batch_size: 20}
hydra: {sweeper: {params: {model.options.width: "1,2"}}}
"""


@pytest.fixture
def my_search(tmp_path: Path) -> None:
    for name, text in {
        "sweeps/mine.yaml": MINE,
        "model/tiny.yaml": "defaults: [own]\nbuild: nets:tiny\noptions: {width: 4}\n",
    }.items():
        file = tmp_path / name
        file.parent.mkdir()
        file.write_text(text)
    use_config_dir(str(tmp_path))


@pytest.mark.usefixtures("my_search")
def test_the_program_of_the_file_is_taken_over_and_not_its_short_trials() -> None:
    trial = ["sweeps=mine", "optimizer=adam", "model.options.width=2"]
    program = program_of("mine", trial)
    assert program == [
        "experiment=notebook_softmax",
        "model=tiny",
        "data.validation_size=50",
        "model.options.depth=3",
        "schedule.batch_size=20",
    ]
    config = compose([*program, *trial[1:]]).config.to_dict()
    assert config["model"]["options"] == {"width": 2, "depth": 3}
    assert config["optimizer"]["kind"] == "adam"
    assert (config["data"]["train_limit"], config["schedule"]["max_steps"]) == (None, 1000)


@pytest.mark.slow
def test_a_length_of_the_file_gives_way_to_the_one_that_was_searched() -> None:
    assert program_of("speedrun", ["schedule.epochs=2"]) == [
        "experiment=speedrun",
        "schedule.max_steps=null",
    ]
    assert program_of("variants", ["experiment=notebook_cnn5x5", "seed=3"]) == []


@pytest.mark.usefixtures("my_search")
def test_the_file_of_a_recorded_sweep_must_be_here() -> None:
    assert recorded_sweep(["seed=1", "sweeps=mine"], "best_of=x") == "mine"
    assert recorded_sweep(["seed=1"], "best_of=x") is None
    use_folders([])
    for name in ("mine", "../mine"):
        with pytest.raises(ConfigError, match=f"best_of=x: its record has sweeps={name}, which is"):
            recorded_sweep([f"sweeps={name}"], "best_of=x")
