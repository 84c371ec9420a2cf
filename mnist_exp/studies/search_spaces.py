"""Parameters that exist only for some values of others.

`hydra.sweeper.custom_search_space` names a function here.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import optuna
    from omegaconf import DictConfig


def optimizers(config: "DictConfig", trial: "optuna.Trial") -> None:
    """Suggest the settings that only the chosen optimizer has, in the group `optimizer`."""
    match trial.params["optimizer"]:
        case "momentum":
            trial.suggest_float("optimizer.momentum", 0.5, 0.99)
            trial.suggest_categorical("optimizer.nesterov", [False, True])
        case "rmsprop":
            trial.suggest_float("optimizer.rho", 0.8, 0.99)
        case "adamw":
            trial.suggest_float("optimizer.weight_decay", 1e-4, 0.3, log=True)
