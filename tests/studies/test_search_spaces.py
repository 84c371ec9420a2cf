import optuna
import pytest
from omegaconf import OmegaConf

from mnist_exp.config.tree import compose
from mnist_exp.studies import search_spaces


@pytest.mark.parametrize(
    ("optimizer", "own"),
    [
        ("adam", set()),
        ("adamw", {"optimizer.weight_decay"}),
        ("momentum", {"optimizer.momentum", "optimizer.nesterov"}),
        ("rmsprop", {"optimizer.rho"}),
    ],
)
def test_each_optimizer_has_its_own_parameters_and_they_are_settings(
    optimizer: str, own: set[str]
) -> None:
    trial = optuna.create_study().ask(
        {"optimizer": optuna.distributions.CategoricalDistribution([optimizer])}
    )
    search_spaces.optimizers(OmegaConf.create(), trial)
    assert trial.params.keys() - {"optimizer"} == own
    compose([f"{key}={value}" for key, value in trial.params.items()])
