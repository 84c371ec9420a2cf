"""A real kernel of a notebook, whose cells a test runs and interrupts."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.support.waiting import LIMIT


@dataclass
class Cell:
    """What a person sees below a cell: each display once, as it is now."""

    displays: dict[str, dict[str, Any]] = field(default_factory=dict)
    updates: int = 0
    """How often displays were written anew."""
    streams: dict[str, str] = field(default_factory=dict)
    error: str = ""

    @property
    def texts(self) -> list[str]:
        """The plain text of each display."""
        return [shown["text/plain"] for shown in self.displays.values()]


class Kernel:
    """Runs cells in a folder."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self._manager, self._client = manager, client

    def run(self, source: str, on_change: Callable[[Cell], None] = lambda cell: None) -> Cell:
        """Run a cell to its end; `on_change` is given the cell at each change of its outputs."""
        cell, asked = Cell(), self._client.execute(source)
        while True:
            message = self._client.get_iopub_msg(timeout=LIMIT)
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return cell
            self._take(cell, kind, content)
            on_change(cell)

    def interrupt(self) -> None:
        """Do what the button of a notebook does."""
        self._manager.interrupt_kernel()

    @staticmethod
    def _take(cell: Cell, kind: str, content: dict[str, Any]) -> None:
        if kind == "stream":
            name = content["name"]
            cell.streams[name] = cell.streams.get(name, "") + content["text"]
        elif kind in ("display_data", "execute_result", "update_display_data"):
            known = content.get("transient", {}).get("display_id", str(len(cell.displays)))
            cell.displays[known] = content["data"]
            cell.updates += kind == "update_display_data"
        elif kind == "error":
            cell.error = "\n".join(content["traceback"])


@contextmanager
def kernel(folder: Path) -> Iterator[Kernel]:
    """Start a kernel in the folder, and end it after the block."""
    manager = KernelManager()
    manager.start_kernel(cwd=str(folder), env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=LIMIT)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
