"""The command line: `python -m mnist_exp [GROUP=OPTION] [KEY=VALUE] ...`."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterable
from contextlib import closing, redirect_stdout
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from mnist_exp.command import answered, fail
from mnist_exp.config.command_line import read
from mnist_exp.config.earlier_files import refuse_job
from mnist_exp.config.groups import CONF_DIR, folders_in, use_folders
from mnist_exp.config.mistakes import FOREIGN_ERRORS, USER_ERRORS, composition_error, understood
from mnist_exp.config.schema import refuse_password
from mnist_exp.config.settings import Settings
from mnist_exp.config.tree import EXECUTION_WHITELIST, as_meant, refuse_sweep
from mnist_exp.errors import ConfigError, DataError, UnknownSetting, UserError
from mnist_exp.outside.full_disks import full_disk
from mnist_exp.outside.uris import masked
from mnist_exp.sweeper.lasting_stream import LastingStream

_SHOW_TRACEBACKS = os.environ.get("HYDRA_FULL_ERROR") == "1"

_started: list[bool] = []  # not empty once Hydra has composed a config and called _hydra_main


@hydra.main(
    config_path=str(CONF_DIR), config_name="config", execution_whitelist=EXECUTION_WHITELIST
)
def _hydra_main(composed: DictConfig) -> float | list[float]:
    """Train one run; return the objective of a sweep, or a list if `objective` names several."""
    _started.append(True)
    # hydra.job.chdir=true has changed the folder; relative paths mean the one of the command.
    os.chdir(HydraConfig.get().runtime.cwd)
    use_folders(_own_folders(HydraConfig.get().runtime.config_sources))  # in a sweep's worker, too
    from mnist_exp.experiment.console import Reporter

    reporter = Reporter()
    try:
        from mnist_exp.experiment.runner import run_experiment

        settings = Settings.from_hydra(composed, HydraConfig.get())
        objectives = run_experiment(settings, reporter=reporter).objectives()
        return objectives if len(objectives) > 1 else objectives[0]
    except USER_ERRORS as error:
        is_mistake = not isinstance(error, UserError) or isinstance(error, ConfigError | DataError)
        if is_mistake or reporter.run_id is None:  # there was no run
            refuse_job()
        # In a multirun Hydra first runs the other jobs; then main() answers.
        if HydraConfig.get().mode is RunMode.MULTIRUN or _SHOW_TRACEBACKS:
            raise
        fail(understood(error, sys.argv[1:]))


def _own_folders(sources: Iterable[Any]) -> list[str]:
    """Return the folders of the user's own options, of all that Hydra reads configs from."""
    folders = [source.path for source in sources if source.schema == "file"]
    return [folder for folder in folders if folder != str(CONF_DIR)]


def main() -> None:
    """Run Hydra; answer a user's mistake in one or two lines, as `command.answered` does."""
    with answered(*USER_ERRORS):
        # Hydra then raises its errors instead of printing them in its own way.
        os.environ["HYDRA_FULL_ERROR"] = "1"
        try:
            use_folders(folders_in(sys.argv[1:]))
            flags, arguments = read(sys.argv[1:])
            sys.argv[1:] = as_meant(arguments)
            _refuse_folder()
            _refuse_passwords()
            if flags.help or flags.hydra_help or flags.cfg or flags.info or flags.shell_completion:
                with redirect_stdout(LastingStream()) as output, closing(output):
                    _hydra_main()
            else:
                _refuse_sweep_without_multirun(flags)
                _hydra_main()
        except (*FOREIGN_ERRORS, UnknownSetting) as error:
            raise understood(error, sys.argv[1:]) from error
        except UserError:
            raise
        except Exception as error:
            mistake = _as_mistake(error)
            if mistake is None:
                raise
            raise mistake from error


def _as_mistake(error: Exception) -> UserError | None:
    """Return the user's mistake that made Hydra or Python raise this error; None if it is a bug."""
    if line := full_disk(error):
        return UserError(line)
    if _started or "mnist_exp.sweeper.run" in sys.modules:
        return None  # the settings were composed: they are no mistake
    return composition_error(error, sys.argv[1:])


def _refuse_sweep_without_multirun(given: Namespace) -> None:
    """Raise ConfigError if the command line sets up a sweep and asks for a single run."""
    is_multirun = given.multirun or any(
        text.lstrip("+").startswith("hydra.mode=") for text in given.overrides
    )
    if not is_multirun:
        refuse_sweep(given.overrides)


def _refuse_folder() -> None:
    """Raise ConfigError if Hydra or MLflow's database cannot store the current folder's name."""
    folder = os.getcwd()
    if "${" in folder or (not folder.isascii() and "\\udc" in ascii(folder)):
        reason = "holds ${, which Hydra would resolve" if "${" in folder else "is not UTF-8"
        shown = folder.encode(errors="replace").decode()
        raise ConfigError(f"{shown}: the folder's name {reason}; another name is needed")


def _refuse_passwords() -> None:
    """Raise ConfigError before Hydra writes the command line into its files."""
    for argument in sys.argv[1:]:
        key, _, value = argument.lstrip("+").partition("=")
        uri = value.replace("\\", "").strip("'\"")
        if masked(uri) == uri:
            continue
        if key == "tracking.uri":
            from mnist_exp.tracking.addresses import check_uri

            check_uri(uri)
        elif key != "hydra.sweeper.storage":
            refuse_password(key, uri)
        raise ConfigError(
            f"{key}={masked(uri)}: holds a password, and Hydra writes settings into its files\n"
            f"{key}='${{oc.env:NAME}}' takes it from the variable NAME; "
            "PostgreSQL also reads PGPASSWORD and ~/.pgpass"
        )


if __name__ == "__main__":
    main()
