"""Within another Hydra application, and in threads, the settings are this project's own."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hydra
import mlflow
import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig

from mnist_exp import run
from mnist_exp.config.tree import compose

FOREIGN = {
    "config.yaml": "defaults: [{model: cnn3x3}, _self_]\nseed: 99\npreflight: error\n"
    "hydra: {job: {chdir: true}}",
    "model/cnn3x3.yaml": "layers: 3",
    "experiment/blog_cnn3x3.yaml": "seed: 98",
    "seed/x.yaml": "y: 1",
}

APPLICATION = """
import json, sys
import hydra
import mlflow
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

store = ConfigStore.instance()
store.store("config", {"lr": 1})
store.store("cnn3x3", {"layers": 4}, group="model")
store.store("blog_cnn3x3", {"seed": 97}, group="experiment")

@hydra.main(config_path="FOREIGN", config_name="config")
def app(config):
    import os
    from mnist_exp import run
    mine, settings = GlobalHydra.instance().hydra, OmegaConf.to_yaml(HydraConfig.get())
    small = ["data.train_limit=200", "data.eval_limit=100", "schedule.max_steps=2", "preflight=off"]
    results = [run(["model=softmax", f"seed={seed}", "run_name=1e5", *small]) for seed in (3, 4)]
    assert GlobalHydra.instance().hydra is mine
    assert OmegaConf.to_yaml(HydraConfig.get()) == settings
    assert hydra.compose("config").seed == 99
    print(json.dumps([result.run_name for result in results]))
    return 0.5

app()
"""


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    folder = tmp_path / "foreign"
    for name, text in FOREIGN.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def check() -> None:
    """What a foreign config would change."""
    composed = compose(["experiment=blog_cnn3x3", "seed=3"]).config
    assert (composed.seed, composed.preflight, composed.model.kind) == (3, "warn", "convnet")
    assert compose([]).config.seed == 0


def test_initialize(foreign: Path) -> None:
    check()
    with hydra.initialize_config_dir(str(foreign)):
        before = GlobalHydra.instance().hydra
        check()
        assert GlobalHydra.instance().hydra is before
        assert hydra.compose("config").seed == 99
        assert not HydraConfig.initialized()
    check()
    assert not GlobalHydra.instance().is_initialized()


@pytest.mark.slow
def test_many_threads_compose() -> None:
    def composed(seed: int) -> tuple[int, str]:
        config = compose([f"seed={seed}", f"model={'mlp' if seed % 2 else 'cnn5x5'}"]).config
        return config.seed, config.model.kind

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(composed, range(24))) == [
            (s, "mlp" if s % 2 else "convnet") for s in range(24)
        ]


@pytest.mark.slow
def test_a_run_within_another_application(foreign: Path, workdir: Path) -> None:
    (workdir / "app.py").write_text(APPLICATION.replace("FOREIGN", str(foreign)))
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=workdir, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == '["1e5", "1e5"]'


@pytest.mark.slow
def test_runs_of_two_threads_are_what_they_are_alone(
    workdir: Path, bare_runs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = [
        "model=softmax",
        "data.train_limit=200",
        "data.eval_limit=100",
        "schedule.max_steps=3",
        "preflight=off",
    ]
    overrides = [
        [*small, "seed=1"],
        [*small, "seed=2", "tracking.experiment=other"],
        [*small, "seed=3"],
    ]
    with ThreadPoolExecutor(3) as pool:
        together = [job.result() for job in [pool.submit(run, given) for given in overrides]]
    alone = [run(given) for given in overrides]
    assert [result.epochs[-1].test for result in together] == [
        result.epochs[-1].test for result in alone
    ]
    client = mlflow.MlflowClient()
    for result, seed in zip(together, (1, 2, 3), strict=True):
        stored = client.get_run(result.run_id)
        assert (stored.info.status, stored.data.params["seed"]) == ("FINISHED", str(seed))
        assert stored.info.run_name == f"softmax-adam-3steps-200images-eval100-s{seed}"
    assert mlflow.active_run() is None
