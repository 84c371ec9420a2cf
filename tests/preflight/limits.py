"""Write how far good and broken programs lie from each threshold into docs/preflight.md.

    python -m tests.preflight.limits FILE...

Each FILE is what `confusion run` or `collection_table run` wrote: the zoo's, then those of the
halves of the collection. "Good" is the worst of the good programs, "caught" the mildest of the
programs that have the mistake and lie beyond the limit.
"""

import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_exp.preflight import thresholds

Row = dict[str, Any]

PAGE = Path(__file__).parents[2] / "docs" / "preflight.md"
BEGIN = "<!-- written by python -m tests.preflight.limits -->"
END = "<!-- end of what it writes -->"
NOTHING = "-"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A threshold that decides a finding.

    code: of the finding. statistic: the number of a report that is compared with it.
    above: True if what is larger is found.
    """

    code: str
    statistic: str
    value: float
    above: bool = True

    def beyond(self, value: float) -> bool:
        """Return True if a program with this number gets the finding."""
        if self.above:
            return value >= self.value
        return value < self.value or value == self.value == 0

    @property
    def shown(self) -> str:
        """Return the limit for the table, such as ">= 0.5"."""
        sign = ">=" if self.above else "<" if self.value else "="
        return f"{sign} {self.value:g}"


def _below(code: str, statistic: str, value: float) -> Limit:
    return Limit(code=code, statistic=statistic, value=value, above=False)


def _above(code: str, statistic: str, value: float) -> Limit:
    return Limit(code=code, statistic=statistic, value=value)


LIMITS: Sequence[Limit] = (
    _above("CLASS_IMBALANCE", "data.largest_class", thresholds.LARGEST_CLASS),
    _below("LABELS_UNRELATED", "data.probe_sigmas", thresholds.PROBE_SIGMAS),
    _below("LABELS_UNRELATED", "data.own_sigmas", thresholds.PROBE_SIGMAS),
    _above("INPUT_SCALE", "input.rms", thresholds.INPUT_RMS_HIGH),
    _below("INPUT_SCALE", "input.rms", thresholds.INPUT_RMS_LOW),
    _above("INPUT_SCALE", "input.units_gain", thresholds.UNITS_GAIN),
    _above("INPUT_SCALE", "tokens.lost", 1 - thresholds.TOKENS_KEPT),
    _above("TARGET_SCALE", "target.units_gain", thresholds.UNITS_GAIN),
    _above("INPUT_CONSTANT", "input.same_share", thresholds.SAME_SHARE),
    _above("LABELS_NOISY", "data.wrong_labels", thresholds.NOISE_SHARE),
    _above("LABEL_LEAK", "data.leak_gap", thresholds.LEAK_GAP),
    _above("LABEL_LEAK", "data.leak_gap_exact", thresholds.LEAK_GAP_EXACT),
    _above("SPLITS_OVERLAP", "split.overlap", thresholds.OVERLAP_SHARE),
    _above("SPLIT_SCALE", "split.ratio", thresholds.SPLIT_RATIO),
    _above("SPLIT_SCALE", "split.shift", thresholds.SPLIT_SHIFT),
    _above("SPLIT_SCALE", "split.series_ratio", thresholds.SPLIT_RATIO_SERIES),
    _above("SPLIT_SCALE", "split.series_shift", thresholds.SPLIT_SHIFT_SERIES),
    _above("SPLIT_SCALE", "split.target_ratio", thresholds.SPLIT_TARGET_RATIO),
    _above("SPLIT_SCALE", "split.new_classes", thresholds.NEW_CLASSES),
    _above("EXAMPLES_LEAK", "loss.leak", thresholds.LOSS_LEAK),
    _above("EXAMPLES_LEAK", "loss.leak_of_batch", thresholds.LOSS_LEAK_OF_BATCH),
    _above("EXAMPLES_LEAK", "output.leak", thresholds.OUTPUT_LEAK),
    _below("LOSS_IGNORES_LABELS", "loss.gradient_change", thresholds.LABEL_SENSITIVITY),
    _below("LOSS_NOT_MINIMISED", "loss.alignment", thresholds.ALIGNMENT),
    _below("LOSS_NOT_MINIMISED", "run.downhill", thresholds.UPHILL),
    _above("INITIAL_LOSS_UNEXPECTED", "loss.deviation", thresholds.UNIFORM_LOSS),
    _above("INITIAL_LOSS_UNEXPECTED", "loss.initial", thresholds.INITIAL_LOSS_HIGH),
    _above("OUTPUT_ALREADY_PROBABILITIES", "output.floor", thresholds.FLOOR),
    _above("OUTPUT_ACTIVATION", "output.range_lost", thresholds.RANGE_LOST),
    _above("OUTPUT_UNITS", "output.per_class", thresholds.UNITS_PER_CLASS),
    _above("DEAD_UNITS", "units.dead_share", thresholds.DEAD_SHARE_WARNING),
    _above("SATURATED_ACTIVATIONS", "units.saturated_share", thresholds.SATURATED_SHARE),
    _above("SYMMETRIC_INIT", "units.twin_share", thresholds.TWIN_SHARE),
    _above("DROPOUT_MISPLACED", "dropout.rate", thresholds.DROPOUT_HIGH),
    _above("DROPOUT_MISPLACED", "dropout.layers", thresholds.DROPOUT_LAYERS),
    _above("TRAIN_EVAL_MISMATCH", "eval.noise", thresholds.EVALUATION_NOISE),
    _above("MOVING_AVERAGES_FIXED", "averages.left", thresholds.AVERAGES_LEFT),
    _below("GRADIENT_ZERO", "gradient.smallest", 0.0),
    _below("GRADIENT_ZERO", "gradient.fall_without", thresholds.LEARNS_WITHOUT),
    _below("INPUT_IGNORED", "run.input_spread", thresholds.INPUT_SPREAD),
    _below("PENALTY_DOMINATES", "penalty.left", thresholds.HINDERED),
    _below("WEIGHT_DECAY_TOO_HIGH", "decay.left", thresholds.HINDERED),
    _below("MOMENTUM_TOO_HIGH", "momentum.usual_over_own", thresholds.RECOVERS),
    _below("SCHEDULE_COLLAPSES", "schedule.held_over_own", thresholds.HOLDS),
    _below("LEARNING_RATE_TOO_HIGH", "run.slower_over_own", thresholds.RECOVERS),
    _below("LEARNING_RATE_TOO_LOW", "run.reached", thresholds.REACHED),
    _below("CANNOT_OVERFIT", "overfit.skill", thresholds.KNOWS_LITTLE),
)


def table(collections: dict[str, list[Row]]) -> Iterator[str]:
    """Yield a line for each limit, with two cells for each collection: the good, the caught.

    collections: the rows of each by its name.
    """
    names = [f"{name}: {part}" for name in collections for part in ("good", "caught")]
    yield f"| code | statistic | limit | {' | '.join(names)} |"
    yield f"|---|---|--:|{'--:|' * len(names)}"
    for limit in LIMITS:
        cells = [cell for rows in collections.values() for cell in _margin(limit, rows)]
        yield f"| {limit.code} | `{limit.statistic}` | {limit.shown} | {' | '.join(cells)} |"


def _margin(limit: Limit, rows: list[Row]) -> tuple[str, str]:
    """Return the good program nearest to a limit, and the caught one that is nearest beyond it."""
    good = [v for row in rows if not _codes(row) for v in _values(row, limit.statistic)]
    wrong = [
        v
        for row in rows
        if limit.code in _codes(row) and limit.code in row["findings"]
        for v in _values(row, limit.statistic)
        if limit.beyond(v)
    ]
    worst, mildest = (max, min) if limit.above else (min, max)
    return (
        f"{worst(good):.3g}" if good else NOTHING,
        f"{mildest(wrong):.3g}" if wrong else NOTHING,
    )


def _codes(row: Row) -> list[str]:
    """Return the codes that name a program's mistake; none for a good or repaired one."""
    if "kind" in row:
        return list(row["codes"]) if row["kind"] == "faulty" else []
    return [row["expected"]] if row["expected"] else []


def _values(row: Row, statistic: str) -> list[float]:
    """Return the value of a statistic, or nothing if the run has none."""
    value = float(row.get("statistics", {}).get(statistic, math.nan))
    return [] if math.isnan(value) else [value]


def write(page: Path, lines: Iterator[str]) -> None:
    """Put the table between its marks."""
    before, rest = page.read_text().split(BEGIN)
    page.write_text("\n".join([before + BEGIN, "", *lines, "", END + rest.split(END)[1]]))


def main(files: list[str]) -> None:
    """Read the rows of every collection, and write the table into the page."""
    collections: dict[str, list[Row]] = {}
    for file in files:
        rows = [json.loads(line) for line in Path(file).read_text().splitlines()]
        name = str(rows[0].get("half", "zoo")).replace("_", " ")
        collections[name] = rows
    write(PAGE, table(collections))


if __name__ == "__main__":
    main(sys.argv[1:])
