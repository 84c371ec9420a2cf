"""The settings of `hydra.sweeper`, its samplers and pruners; keys as in the official plugin."""

from typing import Any

SWEEPER: dict[str, Any] = {
    "_target_": "mnist_exp.sweeper.plugin.OptunaStudySweeper",
    "defaults": [{"sampler": "tpe"}, {"pruner": "none"}],
    "direction": "minimize",
    "storage": None,
    "study_name": None,
    "n_trials": 20,
    "n_jobs": None,
    "n_workers": None,
    "timeout": None,
    "heartbeat": 60,
    "max_retries": 3,
    "max_failure_rate": 0.0,
    "enqueue": [],
    "params": None,
    "custom_search_space": None,
    "hooks": None,
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

# What a person reads of each setting in --help: kind of value, meaning, and what null is.
MEANINGS: dict[str, tuple[str, str, str]] = {
    "n_trials": (
        "Whole number, 1 or more",
        "the number of trials that end well, over all starts of the same command",
        "all that a grid or enqueue lists",
    ),
    "direction": (
        "One of maximize, minimize; a list for several objectives",
        "which values of the objective are better",
        "",
    ),
    "n_workers": (
        "Whole number, 1 or more",
        "the number of processes that take trials; they share the machine's cores",
        "2",
    ),
    "n_jobs": ("Whole number, 1 or more", "another name for n_workers", "not set"),
    "storage": (
        "Text",
        "the address of the database that keeps the study",
        "sqlite:///optuna.db, a file in the current folder",
    ),
    "study_name": (
        "Text",
        "the study's name; the same name goes on with the same study",
        "made from what is searched",
    ),
    "timeout": ("Number above 0", "the seconds after which no trial begins", "no limit"),
    "max_failure_rate": (
        "Number from 0 to 1",
        "the share of n_trials that may fail before the sweep stops",
        "",
    ),
    "max_retries": (
        "Whole number, 0 or more",
        "how often a trial is tried again after its worker died",
        "",
    ),
    "heartbeat": (
        "Whole number, 1 or more",
        "the seconds between a worker's signs of life; one that misses two is taken for dead",
        "",
    ),
    "enqueue": ("A list of {SETTING: VALUE}", "combinations to try first", "none"),
    "params": (
        "{SETTING: VALUES}",
        "what is searched, as written in a file of sweeps/",
        "what the command line searches",
    ),
    "custom_search_space": (
        "MODULE.FUNCTION",
        "a function (config, trial) that suggests settings which depend on others",
        "none",
    ),
    "hooks": (
        "MODULE.CLASS",
        "a class that is called when a study or trial begins and ends",
        "none",
    ),
}
SUMMARIES: dict[str, dict[str, str]] = {
    "sampler": {
        "tpe": "Tree-structured Parzen estimator: prefers values near those that did well.",
        "random": "Random values.",
        "grid": "Every combination, once each.",
        "cmaes": "Covariance matrix adaptation, for numbers; needs the package cmaes.",
        "nsgaii": "Genetic algorithm, for several objectives.",
        "nsgaiii": "Genetic algorithm, for more than three objectives.",
        "gp": "Gaussian process, for few trials; needs the package torch.",
        "qmc": "Values that fill the space evenly.",
    },
    "pruner": {
        "none": "All trials run to their end.",
        "median": "Ends a trial that is worse than the median of the others after as many epochs.",
        "percentile": "As median, with another percentile (25 unless set).",
        "hyperband": "Successive halving with several lengths of the first round.",
        "successive_halving": "Only the best quarter goes on, again and again.",
        "threshold": "Ends a trial whose value is below lower or above upper.",
        "wilcoxon": "Ends a trial that a signed-rank test shows to be worse than the best.",
    },
}
