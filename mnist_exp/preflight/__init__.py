"""Find common mistakes in a model, loss, optimizer and data within seconds, before training.

report = check(model, loss, optimizer, images, labels)
for finding in report.findings: print(finding)

or check(model, x, y) for a compiled model, or model.fit(x, y, callbacks=[Preflight(x, y)]).
"""

from typing import TYPE_CHECKING, Any

from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.explanations import explain
from mnist_exp.preflight.report import Finding, PreflightReport

if TYPE_CHECKING:
    from mnist_exp.preflight.checking import check

__all__ = ["Finding", "PreflightError", "PreflightReport", "check", "explain"]


def __getattr__(name: str) -> Any:
    """`check` and `Preflight` bring TensorFlow with them: they are imported on first use."""
    if name == "check":
        from mnist_exp.preflight.checking import check

        return check
    if name == "Preflight":
        from mnist_exp.preflight.callback import Preflight

        return Preflight
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
