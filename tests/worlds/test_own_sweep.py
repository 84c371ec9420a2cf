"""A search over an option of one's own network, with pruning, killed and gone on with."""

from pathlib import Path

import optuna
import pytest

from tests.support.kills import Victim, runs_of
from tests.support.pages import FASHION, own_file
from tests.support.runs import output_of

GOOD, BAD = 0.01, 1e-9  # learning rates; with the second one nothing is learned
TRIALS = [(8, GOOD), (14, BAD), (14, GOOD), (8, BAD)]
ENQUEUED = ",".join(
    f"{{model.options.depth:{depth},optimizer.learning_rate:{rate}}}" for depth, rate in TRIALS
)
SWEEP = [
    "mnist_exp",
    "-m",
    "hydra/sweeper=optuna_study",
    "hydra/sweeper/pruner=median",
    "hydra.sweeper.pruner.n_startup_trials=1",
    "hydra.sweeper.study_name=depths",
    "hydra.sweeper.n_trials=4",
    "hydra.sweeper.n_workers=1",
    f"hydra.sweeper.enqueue=[{ENQUEUED}]",
    "model=own",
    "model.build=my_models:resnet",
    "+model.options.depth=8,14",
    "+model.options.width=4",
    f"optimizer.learning_rate={GOOD},{BAD}",
    "data=fashion_mnist",
    *FASHION,
    "data.train_limit=2000",
    "data.eval_limit=200",
    "schedule.batch_size=100",
    "schedule.epochs=3",
    "preflight=off",
]


@pytest.mark.slow
def test_a_killed_search_goes_on(workdir: Path) -> None:
    (workdir / "my_models.py").write_text(own_file())
    for moment in ("checkpoint written", "trial 1 claimed"):
        assert Victim(workdir, SWEEP, moment, "SIGKILL").ended().code == -9
    said = output_of(workdir, *SWEEP)
    assert "model.options.depth" in said

    trials = optuna.load_study(study_name="depths", storage=f"sqlite:///{workdir}/optuna.db").trials
    assert [
        (t.params["model.options.depth"], t.params["optimizer.learning_rate"]) for t in trials
    ] == TRIALS
    states = [t.state.name for t in trials]
    assert states[:2] == ["COMPLETE", "PRUNED"]
    assert states[2] in ("COMPLETE", "PRUNED")  # a deeper network may learn more slowly
    assert states[3] == "PRUNED"
    parent, *runs = runs_of(workdir)
    assert parent.info.status == "FINISHED"
    by_id = {run.info.run_id: run for run in runs}
    for trial in trials:
        run = by_id[trial.user_attrs["mlflow_run_id"]]
        assert run.data.params["model.options.depth"] == str(trial.params["model.options.depth"])
        assert run.data.tags["own_code.digest"]
