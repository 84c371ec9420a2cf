"""bug.md: what the notebook's wrong loss looks like, worded for the template of the same name."""

import math
from collections.abc import Callable, Sequence
from itertools import groupby

from mnist_exp.outside import templates
from mnist_exp.outside.plot_ticks import plain_number
from mnist_exp.outside.printing import listed, plural
from mnist_exp.reproduce.bug_cases import CNN, GLOROT, NORMAL, PRESET_RATE, ROUNDED, ZEROS
from mnist_exp.reproduce.bug_table import PAGE, runs
from mnist_exp.reproduce.bug_training import Trained
from mnist_exp.tracking import costs
from mnist_exp.tracking.code_digest import code_digest

_GUESS, _STILL = math.log(10), 0.01  # the entropy of ten equal classes, and how near is the same
_STANDING = 1.0  # a cost that has not fallen to zero
_RANDOM = (NORMAL, GLOROT, CNN)  # starts whose weights are random


def markdown(trained: Sequence[Trained], command: str) -> str:
    """Return the page; `command` is what wrote it."""
    wrong = [one for one in trained if not one.case.is_meant]
    ended = [one for one in wrong if one.broken_at is None]
    return templates.render(
        f"reproduce/{PAGE}",
        command=command,
        processor_time=costs.sentences(runs(trained)),
        count=plural(len(wrong), "training"),
        answers=_answers(ended),
        zeros=_of(ended, ZEROS),
        rounded=_of(ended, ROUNDED),
        random=[_of(ended, start) for start in _RANDOM if _has(ended, start)],
        likeness=span(
            [one.like_average for one in ended if one.case.start in (NORMAL, GLOROT)], "{:.2f}"
        ),
        looks=_looks(wrong),
        winners=_winners(ended),
        broken=_broken(wrong, trained),
        faces=_faces(trained),
        codes=_codes(trained),
        wrong_rows=_rows(wrong, trained),
        images=f"{sum(wrong[0].answers):,}",
        digest=code_digest(),
    )


def _has(ended: Sequence[Trained], start: str) -> bool:
    return any(one.case.start == start for one in ended)


def _answers(ended: Sequence[Trained]) -> dict[str, object]:
    """Say how many trainings give one answer to all images, and how right they are."""
    alike = [one for one in ended if one.is_one_answer]
    others = [one for one in ended if not one.is_one_answer]
    given = {one.answer: one.accuracy for one in alike}
    rarest, commonest = min(given, key=lambda k: given[k]), max(given, key=lambda k: given[k])
    return {
        "ended": len(ended),
        "alike": len(alike),
        "low": f"{given[rarest]:.4f}",
        "rarest": rarest,
        "high": f"{given[commonest]:.4f}",
        "commonest": commonest,
        "is_one": rarest == commonest,
        "others": span([one.accuracy for one in others], "{:.4f}") if others else "",
    }


def _looks(wrong: Sequence[Trained]) -> str:
    """Say what the costs do, and in how many trainings each."""
    last = [float(one.course[-1, 1]) for one in wrong if one.broken_at is None]
    still = sum(abs(cost - _GUESS) < _STILL for cost in last)
    high = sum(cost > _STANDING for cost in last)
    counts = {
        "stands still": still,
        "falls and stays high": high - still,
        "falls to zero as in the best of trainings": len(last) - high,
        "becomes NaN": len(wrong) - len(last),
    }
    *others, last_look = [f"{look} ({count})" for look, count in counts.items() if count]
    return ", or ".join([*filter(None, [", ".join(others)]), last_look])


def _winners(ended: Sequence[Trained]) -> dict[str, int]:
    """Return of how many random starts all trainings end in one class, or in NaN, at any rate."""
    classes: dict[tuple[str, int], set[int]] = {}
    for one in ended:
        if one.case.start in _RANDOM:
            classes.setdefault((one.case.start, one.seed), set()).add(one.answer)
    return {"starts": len(classes), "alike": sum(len(c) == 1 for c in classes.values())}


def _of(ended: Sequence[Trained], start: str) -> dict[str, object]:
    """Return the numbers of a start, over all its rates and seeds."""
    here = [one for one in ended if one.case.start == start]
    last = [float(one.course[-1, 1]) for one in here]
    classes = {sum(count > 0 for count in one.answers) for one in here}
    return {
        "start": start,
        "cost": span(last, "{:.4f}"),
        "lowest_cost": plain_number(float(f"{min(last):.1g}")),
        "highest_cost": plain_number(float(f"{max(last):.1g}")),
        "is_cnn": start == CNN,
        "confidence": span([one.confidence for one in here], "{:.4f}"),
        "has_moved": any(one.largest_change for one in here),
        "change": span([one.largest_change for one in here], "{:.2g}"),
        "kept": span([one.kept for one in here], "{:.2f}"),
        "keeps_all": all(one.kept == 1 for one in here),
        "shared_by": round(math.exp(min(last))),
        "entropy": f"{math.log(max(1, round(math.exp(min(last))))):.4f}",
        "is_one_answer": classes == {1},
    }


def _broken(wrong: Sequence[Trained], trained: Sequence[Trained]) -> dict[str, object]:
    found = [one for one in wrong if one.broken_at is not None]
    where = dict.fromkeys((one.case.start, one.case.rate) for one in found)
    places = [
        f"{start} at a learning rate of {rate:g} ({_share(found, wrong, rate, start)})"
        for start, rate in where
    ]
    steps = [int(one.broken_at or 0) for one in found]
    meant = [one for one in trained if one.case.is_meant and one.broken_at is not None]
    missed = [one for one in meant if not one.codes]
    return {
        "count": len(found),
        "trainings": plural(len(found), "training"),
        "where": listed(places),
        "steps": span(steps, "{:,}") if steps else "",
        "meant": plural(len(meant), "training"),
        "missed": len(missed),
        "missed_rates": listed(
            [
                f"{_share(missed, meant, rate)} at learning rate {rate:g}"
                for rate in dict.fromkeys(one.case.rate for one in missed)
            ]
        ),
    }


def _share(some: Sequence[Trained], every: Sequence[Trained], rate: float, start: str = "") -> str:
    """Return `2 of 3`: how many there are at a rate, or at a rate and a start."""

    def at(trained: Sequence[Trained]) -> int:
        return sum(one.case.rate == rate and start in ("", one.case.start) for one in trained)

    return f"{at(some)} of {at(every)}"


def _faces(trained: Sequence[Trained]) -> list[dict[str, str]]:
    """Return the terminal's last lines for each of the looks, of the lowest seed."""
    looks: dict[str, Callable[[Trained], bool]] = {
        "Nothing happens": lambda one: one.case.start == ZEROS,
        "A perfect training": lambda one: one.case.start == GLOROT and one.broken_at is None,
        "The same in the CNN": lambda one: one.case.start == CNN,
        "NaN": lambda one: one.broken_at is not None,
    }
    wrong = [one for one in trained if not one.case.is_meant]
    faces = []
    for title, is_so in looks.items():
        found = [one for one in wrong if is_so(one)]
        own = [one for one in found if one.case.rate == PRESET_RATE[one.case.start]]
        for one in (own or found)[:1]:
            settings = " ".join((*one.case.overrides, f"seed={one.seed}"))
            faces.append(
                {"title": title, "command": f"python -m mnist_exp {settings}", "seen": one.seen}
            )
    return faces


def _codes(trained: Sequence[Trained]) -> list[list[str]]:
    """Return rows of what preflight finds in each start, with each loss."""

    def kind(one: Trained) -> tuple[str, bool]:
        return one.case.start, one.case.is_meant

    rows = []
    for (start, is_meant), group in groupby(trained, key=kind):
        each = list(group)
        rows.append([start, "meant" if is_meant else "**the notebook's**", _found(each)])
    return rows


def _found(each: Sequence[Trained]) -> str:
    """Return `CODE in all, CODE at learning rate 1 in 2 of 3`, or `nothing`."""
    codes = dict.fromkeys(code for one in each for code in one.codes)
    said = []
    for code in codes:
        having = [one for one in each if code in one.codes]
        text = f"`{code}`"
        if len(having) < len(each):
            rates = ", ".join(f"{r:g}" for r in dict.fromkeys(one.case.rate for one in having))
            text += f" ({len(having)} of {len(each)}: learning rate {rates})"
        said.append(text)
    return ", ".join(said) or "nothing"


def _rows(wrong: Sequence[Trained], trained: Sequence[Trained]) -> list[list[str]]:
    """Return the rows of the table of all starts and rates."""
    rows = []
    for case, group in groupby(wrong, key=lambda one: one.case):
        each = list(group)
        meant = [
            one
            for one in trained
            if one.case.is_meant and (one.case.start, one.case.rate) == (case.start, case.rate)
        ]
        rows.append([case.start, f"{case.rate:g}", *_cells(each), _accuracies(meant)])
    return rows


def _cells(each: Sequence[Trained]) -> list[str]:
    ended = [one for one in each if one.broken_at is None]
    broken = [one for one in each if one.broken_at is not None]
    if not ended:
        end = f"NaN after step {span([int(one.broken_at or 0) for one in broken], '{:,}')}"
        return [end, "\N{EN DASH}", "\N{EN DASH}", "\N{EN DASH}"]
    last = [float(one.course[-1, 1]) for one in ended]
    cost = span(last, "{:.4f}" if min(last) > _STANDING else "{:.2g}")
    if broken:
        cost += f"; NaN in {len(broken)} of {len(each)}"
    confidence = span([one.confidence for one in ended], "{:.4f}")
    return [cost, _given(ended), confidence, _accuracies(ended)]


def _given(ended: Sequence[Trained]) -> str:
    """Return `all 3; all 6; all 0`: which class the images get, seed by seed."""
    return "; ".join(
        f"all {one.answer}"
        if one.is_one_answer
        else f"{sum(count > 0 for count in one.answers)} classes"
        for one in ended
    )


def _accuracies(each: Sequence[Trained]) -> str:
    known = [f"{one.accuracy:.4f}" if one.broken_at is None else "NaN" for one in each]
    return "; ".join(known) or "\N{EN DASH}"


def span(values: Sequence[float], form: str) -> str:
    """Return `0.1 to 0.2`, or one number if both ends look the same."""
    ends = dict.fromkeys(form.format(end) for end in (min(values), max(values)))
    return " to ".join(ends)
