"""Checks on a model, a loss, an optimizer and data that find common mistakes in seconds, before training.

report = check(model, loss, optimizer, images, labels)
for finding in report.findings: print(finding)
"""

from .checks import check
from .report import Finding, PreflightReport

__all__ = ["Finding", "PreflightReport", "check"]
