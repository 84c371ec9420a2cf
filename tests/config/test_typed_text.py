import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_exp.config.tree import as_meant, compose
from mnist_exp.config.typed_text import as_typed
from tests.support.runs import Started

TYPED = [
    "1e5",
    "1234567e8",
    "1.10",
    "2024_01",
    "007",
    "0x10",
    "true",
    "False",
    "yes",
    "off",
    "nan",
    "-inf",
    "1.",
    "+5",
    "[a]",
    "[a, 'b']",
    "{a:b}",
    "{a: 1e5}",
    "1:30",
    "None",
    "12345e67",
    "[]",
    "{}",
    "1_000",
    "-0",
    "00",
    "1e5 x",
]


@pytest.mark.first_cases(6)
@pytest.mark.parametrize("typed", TYPED)
def test_text_settings_hold_what_was_typed(typed: str) -> None:
    keys = [
        "run_name",
        "tracking.experiment",
        "resume",
        "best_of",
        "variant",
        "data.dir",
        "tracking.uri",
    ]
    composed = compose(
        [f"{key}={typed}" for key in keys] + [f"+tags.a={typed}", f"++tags.b={typed}"]
    ).config
    assert [
        composed.run_name,
        composed.tracking.experiment,
        composed.resume,
        composed.best_of,
        composed.variant,
        composed.data.dir,
        composed.tracking.uri,
        composed.tags["a"],
        composed.tags["b"],
    ] == [typed] * 9


def test_a_record_of_typed_text_composes_to_the_same() -> None:
    first = compose(["run_name=1e5", "+tags.sha=1234567e8", "seed=3"])
    assert compose(first.overrides).config == first.config


def test_null_unsets_a_setting_and_is_text_in_a_tag() -> None:
    composed = compose(["run_name=null", "+tags.branch=null", "variant='null'"]).config
    assert (composed.run_name, composed.tags, composed.variant) == (
        None,
        {"branch": "null"},
        "null",
    )


@pytest.mark.parametrize(
    ("override", "tags"),
    [
        (
            "+tags={a: 1e5, b: [x], c: 'q,r', d: true}",
            {"a": "1e5", "b": "[x]", "c": "q,r", "d": "true"},
        ),
        ("++tags={a:1.10}", {"a": "1.10"}),
        ("tags={}", {}),
        ("+tags.x='quoted 1e5'", {"x": "quoted 1e5"}),
        ('+tags.x="1e5"', {"x": "1e5"}),
        ("+tags.x=1e5_${seed}", {"x": "1e5_0"}),
        ("+tags.x=[${seed}]", {"x": "[0]"}),
        ("+tags.x=a\\,b", {"x": "a,b"}),
        ("+tags.x= 5 ", {"x": "5"}),
        ("+tags.x=", {"x": ""}),
    ],
)
def test_tags(override: str, tags: dict[str, str]) -> None:
    assert compose([override]).config.tags == tags


@pytest.mark.parametrize(
    ("argument", "meant"),
    [
        ("run_name=1e5,1.10, x", "run_name='1e5','1.10',x"),
        ("run_name=choice(1e5,'1,2',null)", "run_name='1e5','1,2',null"),
        ("+tags.x=choice(1e5,null)", "+tags.x='1e5','null'"),
        ("run_name=choice(a,b)", "run_name=choice(a,b)"),
        ("hydra.run.dir=2024_01", "hydra.run.dir='2024_01'"),
        ("hydra.sweeper.study_name=1e5", "hydra.sweeper.study_name='1e5'"),
        ("experiment=2024_01", "experiment='2024_01'"),
        ("experiment=[a,b]", "experiment=[a,b]"),
        ("debug=null", "debug=null"),
        ("run_name=range(1,3)", "run_name=range(1,3)"),
        ("run_name=[1", "run_name=[1"),  # for Hydra to refuse
        ("seed=1e5", "seed=1e5"),
        ("model.filters=[8,16]", "model.filters=[8,16]"),
        ("--config-dir=1e5", "--config-dir=1e5"),
        ("1e5", "1e5"),
        ("hydra.searchpath=[file:///x]", "hydra.searchpath=[mnist_exp://sweeps,file:///x]"),
        (
            "hydra.searchpath=[file:///x,mnist_exp://sweeps]",
            "hydra.searchpath=[file:///x,mnist_exp://sweeps]",
        ),
    ],
)
def test_arguments(argument: str, meant: str) -> None:
    assert as_meant([argument]) == [meant]
    assert as_meant([meant]) == [meant]


@given(st.text(alphabet="01aeE.+-_x[]{}:, '\"\\n", max_size=8))
def test_what_is_read_as_something_else_is_kept_and_all_else_unchanged(value: str) -> None:
    changed = as_typed(f"k={value}", {"k"})
    assert as_typed(changed, {"k"}) == changed
    assert as_typed(f"k={value}", {"other"}) == f"k={value}"


YAML = """# @package _global_
variant: 1.10
run_name: 2024_01
seed: 10
tracking: {experiment: 1e5}
data: {dir: 0x10}
tags: {sha: 1234567e8, flag: yes, quoted: "1.10", text: abc, time: 1:30, git.branch: 1.0}
"""


def test_text_in_yaml_stays_as_it_stands_there(tmp_path: Path) -> None:
    """In a preset of the user's, on the command line and with overrides after it."""
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    (tmp_path / "mine" / "experiment" / "2024_01.yaml").write_text(YAML)
    code = (
        "import sys, json; from mnist_exp import __main__\n"
        "from mnist_exp.experiment import runner\n"
        "class Result:\n    objectives = lambda self: [0.0]\n"
        "def show(settings, reporter):\n"
        "    print(json.dumps(settings.config.to_dict())); return Result()\n"
        "runner.run_experiment = show\n__main__.main()"
    )
    arguments = ["--config-dir", "mine", "experiment=2024_01", "++tags.text=1e3"]
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    config = json.loads(done.stdout)
    assert (config["variant"], config["run_name"], config["seed"]) == ("1.10", "2024_01", 10)
    assert (config["tracking"]["experiment"], config["data"]["dir"]) == ("1e5", "0x10")
    assert config["tags"] == {
        "sha": "1234567e8",
        "flag": "yes",
        "quoted": "1.10",
        "text": "1e3",
        "time": "1:30",
        "git.branch": "1.0",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "sweeper",
    [["hydra/sweeper=basic"], ["hydra/sweeper=optuna_study", "hydra/sweeper/sampler=grid"]],
)
def test_choices_of_a_sweep_are_recorded_as_typed(
    start: Callable[..., Started], sweeper: list[str]
) -> None:
    params = ["run_name=choice(1e5,1.10)", "+tags.sha=1234567e8", "+tags.branch=null,true"]
    if "hydra/sweeper=basic" not in sweeper:
        params = [
            "+hydra.sweeper.params={run_name: 'choice(1e5,1.10)'}",
            "hydra.sweeper.n_trials=null",
            *params[1:],
        ]
    started = start(
        "-m", "mnist_exp", "-m", *sweeper, *params, "debug=fast", "model=softmax", "preflight=off"
    )
    exit_code, _, errors = started.output()
    assert exit_code == 0, errors
    client = mlflow.MlflowClient(f"sqlite:///{started.folder}/mlflow.db")
    runs = [
        run
        for run in client.search_runs(["1"])
        if "trial_number" in run.data.tags or len(sweeper) == 1
    ]
    assert sorted((run.info.run_name, run.data.tags["branch"]) for run in runs) == [
        ("1.10", "null"),
        ("1.10", "true"),
        ("1e5", "null"),
        ("1e5", "true"),
    ]
    assert {run.data.tags["sha"] for run in runs} == {"1234567e8"}
    assert {run.data.params["tags.sha"] for run in runs} == {"1234567e8"}
