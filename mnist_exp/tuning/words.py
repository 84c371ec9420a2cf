"""What a study found, in sentences, and its numbers as text."""

from collections import Counter
from collections.abc import Mapping, Sequence

from mnist_exp.compare import words
from mnist_exp.compare.labels import tidy
from mnist_exp.outside.printing import plural
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.wording import duration
from mnist_exp.tuning.importance import SMALLEST, Importance
from mnist_exp.tuning.trials import State, Study, Trial

_MOST_NAMED = 4  # settings of the best trial in the summary


def summary(study: Study, found: Sequence[Importance]) -> str:
    """Return the answer in a few sentences: the best settings, and which setting mattered."""
    if not study.trials:
        return "This study has no trial yet."
    sentences = [_best(study)]
    if len(study.objectives) == 1 and study.complete:
        sentences.append(what_mattered(study, found))
    if len(study.complete) > 1:
        sentences.append(
            "The best of many trials looks better than it is: train its settings again with other "
            "seeds before you believe the number."
        )
    return " ".join(sentences)


def _best(study: Study) -> str:
    broken = _broken(study)
    ended = plural(len(study.trials) - broken, "trial")
    if broken:
        ended += " that broke no constraint"
    if not study.complete:
        which = "that counts" if study.of_state(State.COMPLETE) else "yet"
        return f"No value {which}: of {plural(len(study.trials), 'trial')}, {counts(study)}."
    if len(study.objectives) > 1:
        front, names = len(study.best), " and ".join(study.objectives)
        return (
            f"{front} of {ended} {'is' if front == 1 else 'are'} on the Pareto front of {names}: "
            "no other trial is better in one of them and as good in the rest."
        )
    best, name = study.best[0], study.objectives[0]
    kept = {key: best.params[key] for key in study.parameters if key in best.params}
    with_settings = f", with {settings(kept)}" if len(kept) <= _MOST_NAMED and kept else ""
    direction = "highest" if study.maximised[0] else "lowest"
    if len(study.complete) == 1:
        shown = words.value(best.values[0], name)
        return f"Trial {best.number}, the only one that counts, has {name} {shown}{with_settings}."
    return (
        f"Trial {best.number} has the {direction} {name} of {ended}, "
        f"{words.value(best.values[0], name)}{with_settings}."
    )


def what_mattered(study: Study, found: Sequence[Importance]) -> str:
    """Return which parameters are shown to matter, or why that cannot be said."""
    if not study.parameters and len(study.trials) > 1:
        return "Nothing was searched: all trials have the same settings."
    valued = len(study.comparable())
    if valued < SMALLEST:
        return (
            f"{plural(valued, 'trial')} with a value cannot show which setting matters: it takes "
            f"{SMALLEST} or more."
        )
    if not found:
        return "All trials have the same value, so that no setting matters."
    shown = [one for one in found if one.is_shown]
    if not shown:
        return f"{plural(valued, 'trial')} do not show that any setting matters."
    parts = [f"{one.parameter} ({share(one)} of the differences)" for one in shown[:3]]
    step = study.common_step
    early = "" if step is None else f" after epoch {step}, which all trials reached"
    rest = "; of the others it is not shown" if len(shown) < len(found) else ""
    return f"What is shown to matter{early}: {', '.join(parts)}{rest}."


def share(one: Importance) -> str:
    """Return a share with its range: `71%, 52 to 88%`."""
    low, middle, high = (
        f"{100 * min(max(value, 0.0), 1.0):.0f}" for value in (one.low, one.share, one.high)
    )
    return f"{middle}%, {low} to {high}%"


def settings(params: Mapping[str, object]) -> str:
    """Return settings as they would be written on the command line."""
    return ", ".join(f"{key}={setting(value)}" for key, value in params.items())


def setting(value: object) -> str:
    """Return a parameter's value as a config file has it, a number with four digits."""
    return tidy(str(value))


def counts(study: Study) -> str:
    """Return how many trials ended how: `9 complete, 3 pruned`."""
    numbers = Counter(trial.state for trial in study.trials)
    parts = [f"{numbers[state]} {state}" for state in State if numbers[state]]
    broken = _broken(study)
    of_them = f" ({broken} of them {'breaks' if broken == 1 else 'break'} a constraint)"
    return ", ".join(parts) + (of_them if broken else "")


def _broken(study: Study) -> int:
    """Return how many complete trials break a constraint."""
    return sum(not trial.is_feasible for trial in study.of_state(State.COMPLETE))


def failures(study: Study) -> list[tuple[str, list[int]]]:
    """Return each reason why trials failed with their numbers, the most frequent first."""
    reasons: dict[str, list[int]] = {}
    for trial in study.of_state(State.FAILED):
        reasons.setdefault(clean(trial.reason or "for an unknown reason", 200), []).append(
            trial.number
        )
    return sorted(reasons.items(), key=lambda item: -len(item[1]))


def values(trial: Trial, study: Study) -> list[str]:
    """Return a trial's values; of one without, `0.8412 after 2` if it reported something."""
    if trial.values:
        return [words.value(v, n) for v, n in zip(trial.values, study.objectives, strict=True)]
    if trial.last_report is None:
        return [""] * len(study.objectives)
    step, reported = trial.last_report
    shown = f"{words.value(reported, study.objectives[0])} in epoch {step}"
    return [shown, *[""] * (len(study.objectives) - 1)]


def state(trial: Trial) -> str:
    """Return how a trial ended; one that breaks a constraint is no candidate for the best."""
    return trial.state if trial.is_feasible else f"{trial.state}, breaks a constraint"


def took(trial: Trial) -> str:
    """Return how long a trial took, or nothing if it has not ended."""
    return "" if trial.seconds is None else duration(trial.seconds)
