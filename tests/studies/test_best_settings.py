"""What a study's parent run says of its best settings, where the study varies the seed."""

import json

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import create_trial

from benchmarks.fake_runs import FakeRuns
from mnist_exp.studies import hooks
from mnist_exp.studies.trial import RUN_ID


def test_the_mean_over_seeds_is_the_best_and_its_first_seed_stands_for_it(
    fake_runs: FakeRuns,
) -> None:
    parent, study = fake_runs.study("seeds"), optuna.create_study(direction="maximize")
    distributions: dict[str, BaseDistribution] = {
        "model": CategoricalDistribution(["softmax", "mlp"]),
        "seed": CategoricalDistribution([1, 2]),
    }
    for model, accuracies in {"softmax": (0.1, 0.9), "mlp": (0.6, 0.7)}.items():
        for seed, accuracy in enumerate(accuracies, start=1):
            study.add_trial(
                create_trial(
                    value=accuracy,
                    params={"model": model, "seed": seed},
                    distributions=distributions,
                    user_attrs={RUN_ID: f"run-{model}-{seed}"},
                )
            )
    best = hooks._log_best(fake_runs.client, parent, study)
    assert best is not None
    run = fake_runs.client.get_run(parent)
    assert round(run.data.metrics["study/best_value"], 6) == 0.65
    assert run.data.tags["best.run_id"] == "run-mlp-1"
    assert json.loads(run.data.tags["best.params"]) == {"model": "mlp", "seed": 1}
    words = hooks._in_words(best, ["val/accuracy"])
    assert words == "val/accuracy **0.65**, the mean over 2 seeds"
