"""Samplers and pruners from their configs, which have the names that the official plugin uses."""

import contextlib
import importlib.util
import warnings
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import optuna
from omegaconf import DictConfig, ListConfig, OmegaConf
from optuna.study import StudyDirection

from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.foreign_text import short
from mnist_exp.sweeper.hooks import call
from mnist_exp.sweeper.space import SearchSpace
from mnist_exp.sweeper.wording import first_line

_TRUSTED = ("optuna.samplers.*", "optuna.pruners.*", "mnist_exp.sweeper.samplers.*")
# Only of these targets is it known what a setting means.
_KNOWN = ("optuna.", "mnist_exp.sweeper.samplers.")
_GETTERS = tuple(f"hydra.utils.get_{what}" for what in ("class", "method", "object"))
_GRID = "optuna.samplers.GridSampler"
# These take their points from one sequence; a seed for each trial would break it.
_ONE_SEQUENCE = (optuna.samplers.QMCSampler,)
# Packages that Optuna does not install. It imports them when needed, perhaps after many trials.
_NEEDED = {optuna.samplers.CmaEsSampler: "cmaes", optuna.samplers.GPSampler: "torch"}

_KINDS: dict[str, type] = {
    "sampler": optuna.samplers.BaseSampler,
    "pruner": optuna.pruners.BasePruner,
}

# Settings of samplers and pruners that are whole numbers, with the smallest value of each.
_LEAST = {
    **dict.fromkeys(("seed", "n_startup_trials", "n_warmup_steps", "n_startup_steps"), 0),
    **dict.fromkeys(("bootstrap_count", "min_early_stopping_rate"), 0),
    **dict.fromkeys(("n_ei_candidates", "interval_steps", "n_min_trials", "dividing_parameter"), 1),
    **dict.fromkeys(("min_resource", "max_resource"), 1),
    **dict.fromkeys(("population_size", "reduction_factor"), 2),
}
_LARGEST_SEED = 2**32 - 1
_AUTOMATIC = {"min_resource", "max_resource"}  # `auto` is left to Optuna
# Settings that are numbers from 0 to a largest value.
_MOST = {"mutation_prob": 1, "crossover_prob": 1, "swapping_prob": 1, "percentile": 100}
_FLAGS = {
    "multivariate",
    "group",
    "constant_liar",
    "consider_endpoints",
    "consider_magic_clip",
    "warn_independent_sampling",
    "consider_pruned_trials",
    "use_separable_cma",
    "with_margin",
    "lr_adapt",
    "deterministic_objective",
    "scramble",
    "warn_asynchronous_seeding",
}

# Functions that the official plugin's configs name -> our functions with the same settings.
_OFFICIAL = {
    f"hydra_plugins.hydra_optuna_sweeper.{theirs}": f"mnist_exp.sweeper.samplers.{ours}"
    for theirs, ours in {
        "_impl.create_nsgaii_sampler": "create_nsgaii_sampler",
        "_impl.create_nsgaiii_sampler": "create_nsgaiii_sampler",
        "config.raise_motpe_removed": "create_motpe_sampler",
    }.items()
}


def is_grid(config: DictConfig) -> bool:
    """Return True if the config of a sampler asks for a grid."""
    return str(config.get("_target_")) == _GRID


def build_sampler(
    config: DictConfig, trial_number: int, allowed: Sequence[str] | None = None
) -> optuna.samplers.BaseSampler:
    """Return the sampler for one trial.

    With a seed, what it draws depends on the seed, the trial's number and the trials that ended
    before it. `allowed` are the targets that may be called beside Optuna's own; without it, all
    that the config names may be called: in a worker, whose parent has checked them before.
    """
    settings = dict(OmegaConf.to_container(config, resolve=True))  # type: ignore[arg-type]
    settings = {key: value for key, value in settings.items() if value is not None}
    if is_grid(config):
        _check_values("sampler", settings)
        # All cells wait with their parameters; it draws what a custom search space adds.
        return optuna.samplers.RandomSampler(seed=_own_seed(settings, trial_number))
    settings["_target_"] = _OFFICIAL.get(settings["_target_"], settings["_target_"])
    sampler: optuna.samplers.BaseSampler = _build("sampler", settings, allowed)
    own = _own_seed(settings, trial_number)
    if own is None:
        return sampler
    if not isinstance(sampler, _ONE_SEQUENCE):
        sampler = _build("sampler", {**settings, "seed": own}, allowed)
    elif settings["_target_"].startswith("optuna."):
        # What it has no points of, such as a conditional parameter, is drawn anew in each trial.
        random = {"_target_": "optuna.samplers.RandomSampler", "seed": own}
        sampler = _build("sampler", {"independent_sampler": random, **settings}, allowed)
    return sampler


def _own_seed(settings: Mapping[str, Any], trial_number: int) -> int | None:
    """Return the seed of one trial; None without a seed of the sweep."""
    seed = settings.get("seed")
    return None if seed is None else zlib.crc32(f"{seed}/{trial_number}".encode())


def check_sampler(
    config: DictConfig,
    space: SearchSpace,
    directions: Sequence[StudyDirection],
    allowed: Sequence[str] | None = None,
) -> None:
    """Raise SweepError for a sampler that cannot be built or sample, or that lacks a package."""
    sampler = build_sampler(config, 0, allowed)
    for kind, package in _NEEDED.items():
        if isinstance(sampler, kind) and importlib.util.find_spec(package) is None:
            raise SweepError(
                f"hydra.sweeper.sampler: {kind.__name__} needs the package {package}, which is not "
                f"installed; `pip install {package}` installs it"
            )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            study = optuna.create_study(sampler=sampler, directions=list(directions))
            study.ask(dict(space.distributions))
    except Exception as error:
        raise SweepError(
            f"hydra.sweeper.sampler: {type(sampler).__name__} cannot sample this study: "
            f"{first_line(error)}"
        ) from error


def check_pruner(
    config: DictConfig | None,
    directions: Sequence[StudyDirection],
    allowed: Sequence[str] | None = None,
) -> None:
    """Raise SweepError for a pruner that cannot be built, or would never prune."""
    pruner = build_pruner(config, allowed)
    if len(directions) > 1 and not isinstance(pruner, optuna.pruners.NopPruner):
        raise SweepError(
            f"hydra.sweeper.pruner: {type(pruner).__name__} does nothing in a study of "
            f"{len(directions)} objectives, which Optuna cannot prune; "
            "expected hydra/sweeper/pruner=none"
        )


def build_pruner(
    config: DictConfig | None, allowed: Sequence[str] | None = None
) -> optuna.pruners.BasePruner:
    """Return the pruner of a config, without one a pruner that does nothing.

    `allowed` as in `build_sampler`.
    """
    if config is None:
        return optuna.pruners.NopPruner()
    pruner: optuna.pruners.BasePruner = _build(
        "pruner", OmegaConf.to_container(config, resolve=True), allowed
    )
    return pruner


def create_nsgaii_sampler(**settings: Any) -> optuna.samplers.NSGAIISampler:
    """Return Optuna's NSGA-II sampler; the official plugin has a function of this name."""
    return optuna.samplers.NSGAIISampler(**settings)


def create_nsgaiii_sampler(
    reference_points: list[list[float]] | None = None, **settings: Any
) -> optuna.samplers.NSGAIIISampler:
    """Return Optuna's NSGA-III sampler.

    `reference_points` [points, objectives] becomes the array that Optuna expects.
    """
    import numpy as np

    points = None if reference_points is None else np.asarray(reference_points, dtype=float)
    return optuna.samplers.NSGAIIISampler(reference_points=points, **settings)


def create_motpe_sampler(**_: Any) -> NoReturn:
    """Raise ValueError, which says what took the place of the sampler that Optuna 4 removed."""
    raise ValueError(
        "Optuna has no motpe any more; expected hydra/sweeper/sampler=tpe, "
        "which takes several objectives"
    )


def targets(node: Any) -> list[str]:
    """Return every `_target_` of a node and of the nodes in it, and what Hydra's getters get."""
    if isinstance(node, DictConfig | ListConfig):
        return targets(OmegaConf.to_container(node, resolve=True))
    if isinstance(node, dict):
        own = [str(node["_target_"])] if "_target_" in node else []
        if own and own[0] in _GETTERS and "path" in node:
            own.append(str(node["path"]))
        return own + [target for item in node.values() for target in targets(item)]
    return [target for item in node for target in targets(item)] if isinstance(node, list) else []


def _build(kind: str, settings: Any, allowed: Sequence[str] | None) -> Any:
    permitted = [*_TRUSTED, *(targets(settings) if allowed is None else allowed)]
    is_known = str(settings.get("_target_")).startswith(_KNOWN)
    if is_known:
        _check_values(kind, settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        try:
            built = call(kind, settings, permitted)
        except SweepError:
            wrong = _wrong_setting(kind, settings, permitted) if is_known else None
            if wrong is None:
                raise
            # This raises again, with the name of the setting.
            built = call(f"{kind}.{wrong}={short(settings[wrong])}", settings, permitted)
    if not isinstance(built, _KINDS[kind]):
        raise SweepError(f"hydra.sweeper.{kind}: {settings.get('_target_')} is no {kind} of Optuna")
    return built


def _check_values(kind: str, settings: Mapping[str, Any]) -> None:
    """Raise SweepError for a value that Optuna accepts silently, or refuses without its name."""
    for key, value in settings.items():
        where = f"hydra.sweeper.{kind}.{key}={short(value)}"
        if value is None or (key in _AUTOMATIC and value == "auto"):
            continue
        if key in _LEAST and (type(value) is not int or value < _LEAST[key]):
            raise SweepError(f"{where}: expected a whole number >= {_LEAST[key]}")
        if key == "seed" and value > _LARGEST_SEED:
            raise SweepError(f"{where}: expected a whole number <= {_LARGEST_SEED}")
        if key in _MOST and not (type(value) in (int, float) and 0 <= value <= _MOST[key]):
            raise SweepError(f"{where}: expected a number from 0 to {_MOST[key]}")
        if key in _FLAGS and type(value) is not bool:
            raise SweepError(f"{where}: expected true or false")


def _wrong_setting(kind: str, settings: Mapping[str, Any], permitted: Sequence[str]) -> str | None:
    """Return the setting without which the sampler or pruner can be built."""
    for key in filter(lambda key: key != "_target_", settings):
        with contextlib.suppress(SweepError):
            call(kind, {name: settings[name] for name in settings if name != key}, permitted)
            return key
    return None
