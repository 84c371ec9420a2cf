"""The command line: `python -m mnist_exp [GROUP=OPTION] [KEY=VALUE] ...`."""

import errno
import os
import shutil
import signal
import sys
import tempfile
from typing import NoReturn

import hydra
from hydra._internal.utils import get_args
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from mnist_exp.command import let_others_warn, open_streams, require_folder
from mnist_exp.config import earlier_files, schema
from mnist_exp.config import tree as config
from mnist_exp.config.mistakes import USER_ERRORS, explain
from mnist_exp.errors import ConfigError, DataError, Killed, UserError
from mnist_exp.outside.printing import use_any_encoding
from mnist_exp.outside.uris import masked

_SHOW_TRACEBACKS = os.environ.get("HYDRA_FULL_ERROR") == "1"

_started: list[bool] = []  # whether Hydra has composed a config and called us


@hydra.main(
    config_path=str(config.CONF_DIR),
    config_name="config",
    execution_whitelist=config.EXECUTION_WHITELIST,
)
def _hydra_main(composed: DictConfig) -> float | list[float]:
    """The objective of a sweep: one number, or a list where the setting `objective` names several."""
    _started.append(True)
    os.chdir(
        HydraConfig.get().runtime.cwd
    )  # hydra.job.chdir=true has left it; paths are as seen from here
    try:
        from mnist_exp.experiment import runner as experiment

        settings = config.Settings.from_hydra(composed, HydraConfig.get())
        objectives = experiment.run_experiment(settings).objectives(settings.config.objective)
        return objectives if len(objectives) > 1 else objectives[0]
    except USER_ERRORS as error:
        if not isinstance(error, UserError) or isinstance(error, ConfigError | DataError):
            earlier_files.refuse_job()  # refused before there was a run
        if HydraConfig.get().mode is RunMode.MULTIRUN:
            raise  # Hydra first runs the other jobs; then main() answers
        _fail(error)


def main() -> None:
    """Run Hydra; answer a user's mistake in one or two lines. HYDRA_FULL_ERROR=1 shows the traceback instead."""
    use_any_encoding()
    os.environ["HYDRA_FULL_ERROR"] = (
        "1"  # Hydra then raises its errors instead of printing them its own way
    )
    open_streams()
    require_folder()
    let_others_warn()
    sys.argv[1:] = config.as_meant(sys.argv[1:])
    try:
        _refuse_folder()
        _refuse_passwords()
        _refuse_sweep_without_multirun()
        _hydra_main()
    except USER_ERRORS as error:
        _fail(error)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except Killed as killed:
        sys.exit(killed.exit_code)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            _fail(
                UserError(
                    f"{_full_folder()}: {error.strerror}; TMPDIR names the folder of temporary files"
                )
            )
        if (
            _started or "mnist_exp.sweeper.run" in sys.modules
        ):  # it began: no mistake in the settings
            raise
        _fail(config.composition_error(error))


def _refuse_sweep_without_multirun() -> None:
    """Raise ConfigError if the command line sets up a sweep and asks for a single run."""
    given = get_args()
    shows = given.help or given.hydra_help or given.cfg or given.info or given.shell_completion
    is_multirun = given.multirun or any(
        text.lstrip("+").startswith("hydra.mode=") for text in given.overrides
    )
    if not shows and not is_multirun:
        config.refuse_sweep(given.overrides)


def _refuse_folder() -> None:
    """Raise ConfigError for a folder whose name Hydra, or MLflow's database, cannot hold."""
    folder = os.getcwd()
    if "${" in folder or (not folder.isascii() and "\\udc" in ascii(folder)):
        reason = "holds ${, which Hydra would resolve" if "${" in folder else "is not UTF-8"
        raise ConfigError(
            f"{folder.encode(errors='replace').decode()}: the folder's name {reason}; another name is needed"
        )


def _full_folder() -> str:
    """The folder that a run writes to and that has the least space."""
    return min(
        (tempfile.gettempdir(), os.getcwd()), key=lambda folder: shutil.disk_usage(folder).free
    )


def _refuse_passwords() -> None:
    """Raise ConfigError before Hydra writes the command line into its files."""
    for argument in sys.argv[1:]:
        key, _, value = argument.lstrip("+").partition("=")
        uri = value.replace("\\", "").strip("'\"")
        if masked(uri) == uri:
            continue
        if key == "tracking.uri":
            from mnist_exp.tracking import store as mlflow_settings

            mlflow_settings.check_uri(uri)
        elif key != "hydra.sweeper.storage":
            schema.refuse_password(key, uri)
        raise ConfigError(
            f"{key}={masked(uri)}: holds a password, and Hydra writes settings into its files\n"
            f"{key}='${{oc.env:NAME}}' takes it from the variable NAME; PostgreSQL also reads PGPASSWORD and ~/.pgpass"
        )


def _fail(error: BaseException) -> NoReturn:
    if _SHOW_TRACEBACKS:
        raise error
    sys.exit(f"mnist_exp: {explain(error)}")


if __name__ == "__main__":
    main()
