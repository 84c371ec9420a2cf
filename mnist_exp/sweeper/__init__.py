"""A Hydra sweeper on Optuna whose workers share one study: `hydra/sweeper=optuna_study`.

A task function reports to the running trial with `report(value, step)`; outside a sweep that call
does nothing. The package needs Hydra and Optuna, and nothing else of this project.
"""

from mnist_exp.sweeper.trial import RunningTrial, current, is_pruned, report

__all__ = ["RunningTrial", "current", "is_pruned", "report"]
