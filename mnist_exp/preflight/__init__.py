"""Checks on a model, a loss, an optimizer and data that find common mistakes in seconds, before training.

report = check(model, loss, optimizer, images, labels)
for finding in report.findings: print(finding)
"""

from typing import TYPE_CHECKING, Any

from .report import Finding, PreflightReport

if TYPE_CHECKING:
    from .checks import check

__all__ = ["Finding", "PreflightReport", "check"]


def __getattr__(name: str) -> Any:
    """`check` brings TensorFlow with it, so it is imported on first use."""
    if name == "check":
        from .checks import check

        return check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
