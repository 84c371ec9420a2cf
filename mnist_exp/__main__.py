"""The command line: `python -m mnist_exp [GROUP=OPTION] [KEY=VALUE] ...`."""

import os
import sys

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from mnist_exp import config
from mnist_exp.messages import USER_ERRORS, explain

_SHOW_TRACEBACKS = os.environ.get("HYDRA_FULL_ERROR") == "1"

config.register()


@hydra.main(
    config_path=str(config.CONF_DIR), config_name="config", execution_whitelist=config.EXECUTION_WHITELIST
)
def _hydra_main(composed: DictConfig) -> float:
    try:
        from mnist_exp import experiment

        return experiment.run_experiment(
            experiment.Settings.from_hydra(composed, HydraConfig.get())
        ).val_accuracy
    except USER_ERRORS as error:
        if HydraConfig.get().mode is RunMode.MULTIRUN:
            raise  # Hydra first runs the other jobs; then main() answers
        return _fail(error)


def main() -> None:
    """Run Hydra; answer a user's mistake in one or two lines. HYDRA_FULL_ERROR=1 shows the traceback instead."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises its errors instead of printing them its own way
    try:
        _hydra_main()
    except USER_ERRORS as error:
        _fail(error)
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(error: BaseException) -> float:
    if _SHOW_TRACEBACKS:
        raise error
    sys.exit(f"mnist_exp: {explain(error)}")


if __name__ == "__main__":
    main()
