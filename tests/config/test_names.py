"""A program's name follows from what it is."""

from pathlib import Path

import pytest

from mnist_exp.config.groups import use_config_dir, use_folders
from mnist_exp.config.names import program_name
from mnist_exp.config.tree import compose
from mnist_exp.tracking.params import program
from tests.support.runs import only_run, output_of

NAMES = {
    "": "blog_cnn3x3",
    "experiment=speedrun": "speedrun",
    # What makes no other program.
    "experiment=notebook_softmax seed=3 preflight=off threads=1 tracking.code=off run_name=x": (
        "notebook_softmax"
    ),
    # A network is called after its kernels, and not after the option that was chosen.
    "model.kernel_size=7": "cnn7x7-adam",
    "model=cnn5x5 model.kernel_size=7 model.conv_bias=false model.dense_units=null "
    "model.dropout=0": "cnn7x7-adam",
    "model.kernel_size=7 model.filters=[16,32]": "cnn7x7-adam-filters16-32",
    "model=cnn3x3 model.kernel_size=5": "cnn5x5-adam-nobias-nodense-dropout0",
    "model=cnn5x5": "cnn5x5-adam",
    "model=mlp model.hidden_units=[256,128]": "mlp-adam-units256-128",
    # A changed preset says what was changed.
    "schedule.epochs=3": "blog_cnn3x3-3epochs",
    "experiment=blog_cnn3x3 schedule.epochs=1": "blog_cnn3x3-1epoch",
    "experiment=notebook_cnn5x5 model.dropout=0": "notebook_cnn5x5-dropout0",
    "optimizer.learning_rate=0.01": "blog_cnn3x3-lr0.01",
    "optimizer.beta_2=0.95": "blog_cnn3x3-beta_2-0.95",
    "init=he": "blog_cnn3x3-he",
    "loss=cross_entropy_sum": "blog_cnn3x3-cross_entropy_sum",
    "model.conv_bias=true": "blog_cnn3x3-bias",
    "model=cnn3x3 optimizer=sgd schedule=cosine": "cnn3x3-sgd-cosine",
    "schedule=one_cycle schedule.warmup_fraction=0.1": ("blog_cnn3x3-one_cycle-warmup_fraction0.1"),
    "data.train_limit=5000": "blog_cnn3x3-5000images",
    "data.validation_size=10000": "blog_cnn3x3-validation10000",
    "debug=overfit model.kernel_size=7": "cnn7x7-adam-overfit",
    "schedule.epochs=3 variant=mine": "mine",
}


@pytest.mark.parametrize(("overrides", "name"), NAMES.items())
def test_a_name_says_what_the_program_is(overrides: str, name: str) -> None:
    assert program_name(compose(overrides.split()), None) == name


def test_other_data_is_another_program() -> None:
    settings = compose(["model.kernel_size=7"])
    assert program_name(settings, "data012345") == "cnn7x7-adam-data012345"
    fashion = compose(["model.kernel_size=7", "data=fashion_mnist"])
    assert program_name(fashion, "fashion_mnist") == "cnn7x7-adam-fashion_mnist"


LONG = (
    "init=he optimizer=adamw schedule.batch_size=50 schedule.epochs=4 model.dropout=0.5 "
    "optimizer.learning_rate=0.00345678"
)


def test_a_long_name_ends_in_a_digest_of_the_settings() -> None:
    names = {
        program_name(compose([*LONG.split(), change]), None)
        for change in ("seed=1", "seed=2", "optimizer.beta_1=0.8", "init.bias.stddev=null")
    }
    assert len(names) == 2
    for name in names:
        assert name.startswith("cnn3x3-adamw-he-dropout0.5-")
        assert len(name) == len("cnn3x3-adamw-he-dropout0.5-") + 6


def test_settings_without_short_words_have_a_digest() -> None:
    name = program_name(compose(["init.readout_bias.stddev=2"]), None)
    assert name.startswith("blog_cnn3x3-")
    assert len(name) == len("blog_cnn3x3-") + 6


def test_the_folder_of_the_data_does_not_tell_programs_apart(tmp_path: Path) -> None:
    here, there = (compose([f"data.dir={tmp_path / name}", "seed=1"]) for name in "ab")
    assert program_name(here, None) == program_name(there, None) == "blog_cnn3x3"
    assert program(here.config, "d") == program(there.config, "d") != program(there.config, "e")
    assert program(here.config, "d") != program(compose(["schedule.epochs=3"]).config, "d")


@pytest.mark.slow
def test_a_preset_of_a_users_own_folder(workdir: Path) -> None:
    folder = workdir / "mine" / "experiment"
    folder.mkdir(parents=True)
    (folder / "thin.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /model: softmax\n"
        "variant: my_thin\nschedule: {max_steps: 2}\n"
    )
    small = ["--config-dir", "mine", "experiment=thin", "preflight=off", "seed=7"]
    output_of(workdir, "mnist_exp", *small)
    assert only_run(workdir).info.run_name == "my_thin-s7"
    output_of(workdir, "mnist_exp", *small, "optimizer.learning_rate=0.1", "tracking.experiment=b")
    assert only_run(workdir, "b").info.run_name == "my_thin-lr0.1-s7"


def test_a_rerun_does_without_the_folder_of_a_preset(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "thin.yaml").write_text(
        "# @package _global_\ndefaults: [override /model: softmax]\nvariant: my_thin\n"
    )
    use_config_dir(str(tmp_path))
    thin = compose(["experiment=thin", "optimizer.learning_rate=0.1"])
    assert program_name(thin, None).startswith("my_thin-")
    use_folders([])
    assert "my_thin" not in program_name(thin, None)
