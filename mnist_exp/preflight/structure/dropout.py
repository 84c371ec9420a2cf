"""Check that dropout lies where a network can bear it."""

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.random_draws import Noise
from mnist_exp.preflight.program.tasks import Task


def check_dropout(checkup: Checkup, program: Program) -> None:
    """Check for DROPOUT_MISPLACED: on the outputs, on the inputs, near 1, or again and again."""
    for noise in program.noise:
        if noise.on_outputs:
            _find_on_outputs(checkup, noise)
    # An autoencoder may get inputs of which much is missing.
    bearable = program.target.task == Task.AUTOENCODER
    drops = [
        (noise.rate, noise)
        for noise in program.noise
        if noise.rate is not None and not noise.on_outputs and not (noise.on_inputs and bearable)
    ]
    rate, worst = max(drops, key=lambda pair: pair[0], default=(0.0, None))
    checkup.measure("dropout.rate", rate)
    if worst and rate >= thresholds.DROPOUT_HIGH:
        checkup.find(
            "DROPOUT_MISPLACED",
            f"{worst.layer} sets {rate:.0%} of its inputs to 0 in every step.",
            {"rate": rate, "layer": worst.layer},
            case="nearly all" if rate >= thresholds.DROPOUT_NEAR_ONE else "most",
        )
    for rate, noise in drops:
        if noise.on_inputs and rate >= thresholds.DROPOUT_HEAVY:
            checkup.find(
                "DROPOUT_MISPLACED",
                f"{noise.layer} sets {rate:.0%} of the model's inputs to 0 in every step.",
                {"rate": rate, "layer": noise.layer},
                case="inputs",
            )
    most = max((noise.heavy for _, noise in drops), default=0)
    checkup.measure("dropout.layers", most)
    if most >= thresholds.DROPOUT_LAYERS:
        checkup.find(
            "DROPOUT_MISPLACED",
            f"{most} dropouts of at least {thresholds.DROPOUT_HEAVY:.0%} follow each other: "
            "little of a signal gets through all of them.",
            {"dropouts": most},
            case="often",
        )


def _find_on_outputs(checkup: Checkup, noise: Noise) -> None:
    if noise.rate is None:
        checkup.find(
            "DROPOUT_MISPLACED",
            f"{noise.layer} adds noise to the outputs in every step, with no weights behind it.",
            {"layer": noise.layer},
            case="noise on outputs",
        )
        return
    checkup.find(
        "DROPOUT_MISPLACED",
        f"{noise.layer} sets {noise.rate:.0%} of the outputs to 0 in every step, whatever they "
        "should be.",
        {"rate": noise.rate, "layer": noise.layer},
        case="outputs",
    )
