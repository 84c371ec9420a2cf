"""What a test needs of this machine: a free port, an optional program."""

import os
import socket

import pytest


def free_port() -> int:
    """Of 127.0.0.1, free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def skip_unless_required(marker: str, reason: str) -> None:
    """Skip a test of this marker; an error instead if TESTS_MUST_RUN has the marker."""
    if marker in os.environ.get("TESTS_MUST_RUN", "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)
