"""Studies made of a few numbers."""

from collections.abc import Mapping, Sequence

from mnist_exp.tuning.trials import State, Study, Trial


def a_trial(
    number: int, params: Mapping[str, object], *values: float, state: State = State.COMPLETE,
    course: Mapping[int, float] | None = None, reason: str = "", is_feasible: bool = True,
) -> Trial:  # fmt: skip
    return Trial(
        number=number,
        state=state,
        params=params,
        values=values,
        course=course or {},
        seconds=2.5,
        reason=reason,
        is_feasible=is_feasible,
    )


def a_study(
    trials: Sequence[Trial], objectives: Mapping[str, bool] | None = None, name: str = "rates"
) -> Study:
    """A study that maximises `val/accuracy`, or the objectives that are True and not the others."""
    names = {"val/accuracy": True} if objectives is None else objectives
    return Study(
        name=name,
        objectives=tuple(names),
        maximised=tuple(names.values()),
        logarithmic=frozenset({"optimizer.learning_rate"}),
        trials=tuple(trials),
    )
