"""The notebook's wrong loss from other starts, at other rates, and in the CNN: what is trained."""

from dataclasses import dataclass

from mnist_exp.reproduce.presets import BLOG, BUGGY

SOFTMAX_RATES = (0.001, 0.01, 0.1, 1.0)
CNN_RATES = (0.0001, 0.001, 0.01)
CNN_STEPS, QUICK_CNN_STEPS = 550, 20  # 550 are an epoch
SEEDS, QUICK_SEEDS = 3, 1

ZEROS, ROUNDED, NORMAL, GLOROT, CNN = (
    "zeros",
    "zeros, other rounding",
    "the notebook's random weights",
    "Glorot's random weights",
    "the blog's CNN",
)
STARTS = (ZEROS, ROUNDED, NORMAL, GLOROT, CNN)
PRESET_RATE = {**dict.fromkeys(STARTS, 0.01), CNN: 0.001}  # the tutorials' own


@dataclass(frozen=True, kw_only=True)
class Case:
    """A program, but for its seed."""

    start: str  # one of STARTS
    is_meant: bool  # whether its loss sees the labels
    rate: float
    overrides: tuple[str, ...]  # of `python -m mnist_exp`

    @property
    def name(self) -> str:
        """Return it in words, as runs.csv has it."""
        loss = "the loss that was meant" if self.is_meant else "the notebook's loss"
        return f"{self.start}, {loss}, learning rate {self.rate:g}"


def cases(*, quick: bool) -> list[Case]:
    """Return all that is trained, in the order of the page."""
    inits = {ZEROS: "zeros", ROUNDED: "zeros", NORMAL: "notebook", GLOROT: "glorot"}
    steps = QUICK_CNN_STEPS if quick else CNN_STEPS
    found = []
    for start in STARTS:
        for is_meant in (False, True):
            if start == ROUNDED and is_meant:
                continue  # the loss that was meant hardly depends on its rounding
            for rate in CNN_RATES if start == CNN else SOFTMAX_RATES:
                if start == CNN:
                    program = _cnn(steps, is_meant=is_meant)
                else:
                    literal = start != ROUNDED
                    program = _softmax(inits[start], literal=literal, is_meant=is_meant)
                overrides = (*program, f"optimizer.learning_rate={rate:g}")
                found.append(Case(start=start, is_meant=is_meant, rate=rate, overrides=overrides))
    return found


def _softmax(init: str, *, literal: bool, is_meant: bool) -> tuple[str, ...]:
    """Return the notebook's program with other weights, and the same rounding for both losses."""
    loss = ("loss=cross_entropy_sum",) if is_meant else ()
    rounding = f"loss.from_probabilities={str(literal).lower()}"
    return (f"experiment={BUGGY}", f"init={init}", *loss, rounding)


def _cnn(steps: int, *, is_meant: bool) -> tuple[str, ...]:
    """Return the blog's program for so many steps; its loss is a mean."""
    loss = () if is_meant else ("loss=self_entropy", "loss.reduction=mean")
    return (f"experiment={BLOG}", *loss, "schedule.epochs=null", f"schedule.max_steps={steps}")
