"""Run single checks on small programs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mnist_exp.preflight import Finding
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.program import Program
from tests.support.zoo import losses, models, optimizers, programs


def make_program(
    model: Any = None, loss: Any = losses.mean, optimizer: Any = None, **changes: Any
) -> Program:
    """Return a program on 64 images: an MLP with Adam, but for what is given."""
    images, labels = programs.sample(0, 64)
    arguments = {"images": images, "labels": labels} | changes
    inputs = np.asarray(arguments["images"], np.float32)
    return Program(
        model or models.mlp("glorot", 0),
        loss,
        optimizer or optimizers.adam(),
        inputs,
        arguments["labels"],
        penalised=arguments.get("penalised", False),
    )


def findings(check: Callable[..., Any], *arguments: Any, **named: Any) -> list[Finding]:
    """Return what one check finds."""
    checkup = Checkup()
    check(checkup, *arguments, **named)
    return checkup.findings


def codes(check: Callable[..., Any], *arguments: Any) -> list[str]:
    """Return the codes of what one check finds."""
    return [finding.code for finding in findings(check, *arguments)]
