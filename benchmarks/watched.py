"""`python -m benchmarks.watched [-m] OVERRIDES`: as `python -m mnist_exp`, and a line of JSON for each run, with the
seconds it spent in each phase, at the end of the file that the variable WATCHED_RUNS names.
"""

from benchmarks import phases


@phases.as_command
def _task(composed: phases.DictConfig) -> float | list[float]:
    return phases.run(composed)


if __name__ == "__main__":
    _task()
