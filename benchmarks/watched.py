"""Run as `python -m mnist_exp` does, and record the time of each run by phase.

    python -m benchmarks.watched [-m] OVERRIDES

A line of JSON for each run is appended to the file that the variable WATCHED_RUNS names.
"""

from omegaconf import DictConfig

from benchmarks import phases


@phases.as_command
def _task(composed: DictConfig) -> float | list[float]:
    return phases.run(composed)


if __name__ == "__main__":
    _task()
