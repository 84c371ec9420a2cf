"""The settings of `hydra.sweeper`, its samplers and pruners; keys as in the official plugin."""

from typing import Any

SWEEPER: dict[str, Any] = {
    "_target_": "mnist_exp.sweeper.plugin.OptunaStudySweeper",
    "defaults": [{"sampler": "tpe"}, {"pruner": "none"}],
    "direction": "minimize",  # or maximize, or a list of them
    "storage": None,  # null: sqlite:///optuna.db in the current folder
    "study_name": None,  # null: the job's name and a digest of what is searched
    "n_trials": 20,  # in all runs of the command; null: all that `enqueue` or a grid lists
    "n_jobs": None,  # another name for n_workers
    "n_workers": None,  # null: 2
    "timeout": None,  # seconds after which no trial begins
    "heartbeat": 60,  # seconds; a worker that misses two heartbeats is taken for dead
    "max_retries": 3,  # of a trial whose worker died
    "max_failure_rate": 0.0,  # share of n_trials that may fail before the sweep stops
    "enqueue": [],  # parameters to try first: a list of {KEY: VALUE}
    "params": None,
    "custom_search_space": None,  # a function (config, trial) that calls trial.suggest_*
    "hooks": None,  # a subclass of mnist_exp.sweeper.hooks.StudyHooks
}

SETTINGS = {"sampler", "pruner", *SWEEPER} - {"_target_", "defaults"}  # below hydra.sweeper


def _left_to_optuna(*names: str) -> dict[str, None]:
    """Return settings that are null, so that Optuna has its own default for each."""
    return dict.fromkeys(names)


_EVOLUTION: dict[str, Any] = {
    "population_size": 50,
    "crossover_prob": 0.9,
    "swapping_prob": 0.5,
    **_left_to_optuna("seed", "mutation_prob", "mutation", "crossover", "constraints_func"),
}
SAMPLERS: dict[str, dict[str, Any]] = {
    "tpe": {
        "_target_": "optuna.samplers.TPESampler",
        "n_startup_trials": 10,
        "n_ei_candidates": 24,
        "multivariate": False,
        "group": False,
        **_left_to_optuna("seed", "consider_prior", "prior_weight", "consider_magic_clip"),
        **_left_to_optuna("consider_endpoints", "warn_independent_sampling", "constant_liar"),
        **_left_to_optuna("constraints_func"),
    },
    "random": {"_target_": "optuna.samplers.RandomSampler", "seed": None},
    "grid": {"_target_": "optuna.samplers.GridSampler", "_partial_": True, "seed": None},
    "cmaes": {
        "_target_": "optuna.samplers.CmaEsSampler",
        "n_startup_trials": 1,
        "warn_independent_sampling": True,
        "consider_pruned_trials": False,
        "inc_popsize": -1,
        "use_separable_cma": False,
        "with_margin": False,
        "lr_adapt": False,
        **_left_to_optuna("seed", "x0", "sigma0", "independent_sampler", "restart_strategy"),
        **_left_to_optuna("popsize", "source_trials"),
    },
    "nsgaii": {"_target_": "mnist_exp.sweeper.samplers.create_nsgaii_sampler", **_EVOLUTION},
    "nsgaiii": {
        "_target_": "mnist_exp.sweeper.samplers.create_nsgaiii_sampler",
        "dividing_parameter": 3,
        **_EVOLUTION,
        **_left_to_optuna("reference_points"),
    },
    "motpe": {"_target_": "mnist_exp.sweeper.samplers.create_motpe_sampler"},
    "gp": {
        "_target_": "optuna.samplers.GPSampler",
        "n_startup_trials": 10,
        "deterministic_objective": False,
        "warn_independent_sampling": True,
        **_left_to_optuna("seed", "independent_sampler", "constraints_func"),
    },
    "qmc": {
        "_target_": "optuna.samplers.QMCSampler",
        "qmc_type": "sobol",
        "scramble": False,
        "warn_asynchronous_seeding": True,
        "warn_independent_sampling": True,
        **_left_to_optuna("seed", "independent_sampler"),
    },
}
PRUNERS: dict[str, dict[str, Any]] = {
    "none": {"_target_": "optuna.pruners.NopPruner"},
    "median": {
        "_target_": "optuna.pruners.MedianPruner",
        "n_startup_trials": 5,
        "n_warmup_steps": 0,
        "interval_steps": 1,
        "n_min_trials": 1,
    },
    "percentile": {
        "_target_": "optuna.pruners.PercentilePruner",
        "percentile": 25.0,
        "n_startup_trials": 5,
        "n_warmup_steps": 0,
        "interval_steps": 1,
        "n_min_trials": 1,
    },
    "hyperband": {
        "_target_": "optuna.pruners.HyperbandPruner",
        "min_resource": 1,
        "max_resource": "auto",
        "reduction_factor": 3,
        "bootstrap_count": 0,
    },
    "successive_halving": {
        "_target_": "optuna.pruners.SuccessiveHalvingPruner",
        "min_resource": "auto",
        "reduction_factor": 4,
        "min_early_stopping_rate": 0,
        "bootstrap_count": 0,
    },
    "threshold": {
        "_target_": "optuna.pruners.ThresholdPruner",
        "lower": None,
        "upper": None,
        "n_warmup_steps": 0,
        "interval_steps": 1,
    },
    "wilcoxon": {
        "_target_": "optuna.pruners.WilcoxonPruner",
        "p_threshold": 0.1,
        "n_startup_steps": 2,
    },
}
