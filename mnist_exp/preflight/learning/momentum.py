"""Judge how long an optimizer remembers the gradients of earlier steps."""

from typing import Any

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.learning.schedules import Plan
from mnist_exp.preflight.learning.short_runs import fresh_run
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.steps import core

STEPS = 60
# For each setting of Keras' optimizers: the lowest and the highest that need no trial, and what is
# usual.
USUAL = {
    "momentum": (0.0, 0.95, 0.9),
    "beta_1": (0.0, 0.95, 0.9),
    "beta_2": (0.9, 0.9999, 0.999),
    "rho": (0.5, 0.99, 0.9),
}


def check_momentum(checkup: Checkup, program: Program, plan: Plan, seed: int) -> None:
    """Check for MOMENTUM_TOO_HIGH: settings far from the usual ones, which do much better.

    Adam with beta_1 above beta_2 divides a mean over many steps by the size of the last few: it is
    proved to converge only where beta_1**2 < sqrt(beta_2) (Kingma and Ba, 2015, theorem 4.1), and
    may go wrong long after a few steps.
    """
    optimizer = core(program.optimizer)
    odd: dict[str, float] = {}
    for name, (low, high, _) in USUAL.items():
        value = getattr(optimizer, name, None)
        if isinstance(value, (int, float)) and not low <= value <= high:
            odd[name] = float(value)
    if not odd:
        return
    steps = min(STEPS, plan.steps)
    own = fresh_run(program, seed, program.steps.own.start(), steps)
    usual: dict[str, Any] = {name: USUAL[name][2] for name in odd}
    other = fresh_run(program, seed, program.steps.changed(**usual).start(), steps)
    checkup.measure("momentum.usual_over_own", other.lowest / max(own.lowest, 1e-12))
    endless = max(odd.values()) >= 1
    better = other.fall >= thresholds.LEARNS and other.lowest < thresholds.RECOVERS * own.lowest
    exchanged = "beta_1" in odd and odd["beta_1"] > getattr(optimizer, "beta_2", 1.0)
    if not (endless or better or exchanged):
        return
    said = ", ".join(f"{name} {value:g} (usual: {USUAL[name][2]:g})" for name, value in odd.items())
    checkup.find(
        "MOMENTUM_TOO_HIGH",
        f"The optimizer has {said}; after {steps} steps the loss is {own.lowest:.3g}, and "
        f"{other.lowest:.3g} with the usual.",
        {**odd, "loss": own.lowest, "loss_with_usual": other.lowest},
        case="" if endless or better else "exchanged",
    )
