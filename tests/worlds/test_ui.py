"""MLflow's own UI on our runs, in a browser."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import pytest

from mnist_exp import run
from tests.support import browser
from tests.support.surroundings import free_port
from tests.support.waiting import answers, until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SMALL = [
    "model=softmax",
    "data.train_limit=500",
    "data.eval_limit=200",
    "preflight=off",
    "schedule.epochs=3",
]
# MLflow opens on its pages for language models and shows its assistant, until a person closes it.
SETTINGS = {
    "mlflow.workflowType_v1": '"machine_learning"',
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
    "mlflow.assistant.panelOpen_v1": "false",
}
# A long table draws only the rows in view: the link, or None after scrolling on.
FIND_METRIC = """name => {
    const links = [...document.querySelectorAll("a[href*='#/metric?']")]
    const found = links.find(link => link.textContent.trim() === name)
    if (found) { found.scrollIntoView(); return true }
    let box = links.at(-1)
    while (box && !(box.scrollHeight > box.clientHeight + 1
                    && getComputedStyle(box).overflowY !== "visible"))
        box = box.parentElement
    if (box) box.scrollTop += box.clientHeight / 2
    return false
}"""

DRAWN = (
    "[...document.querySelectorAll('.js-plotly-plot')]"
    ".flatMap(plot => plot.data.map(line => [...line.y]))"
)


@pytest.fixture
def page() -> "Iterator[Page]":
    with browser.page() as opened:
        opened.add_init_script(f"Object.assign(localStorage, {json.dumps(SETTINGS)})")
        yield opened


@pytest.fixture
def server(workdir: Path) -> Iterator[str]:
    """`mlflow ui` on the current folder's store; its address."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "ui", "--workers", "1", "--port", str(port)]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true"}
    with (workdir / "server.log").open("w") as log:
        process = subprocess.Popen(
            command, env=os.environ | quiet, stdout=log, stderr=log, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for_server(address, process)
        yield address
    finally:
        os.killpg(
            process.pid, signal.SIGKILL
        )  # there is nothing to save, and SIGTERM waits for open connections
        process.wait()


def wait_for_server(address: str, process: "subprocess.Popen[bytes]") -> None:
    until(lambda: answers(f"{address}/health") or process.poll() is not None, "the MLflow UI")
    assert process.poll() is None, Path("server.log").read_text()


def row(page: "Page", name: str) -> "Locator":
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True)).first


@pytest.mark.usefixtures("bare_runs")
def test_two_runs_are_compared_in_the_ui(workdir: Path, page: "Page", server: str) -> None:
    results = [run([*SMALL, f"seed={seed}"]) for seed in (1, 2)]
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    experiment = client.get_run(results[0].run_id).info.experiment_id
    page.goto(f"{server}/#/experiments/{experiment}/runs", wait_until="commit")
    for result in results:
        page.get_by_role("link", name=result.run_name, exact=True).first.wait_for()
        row(page, result.run_name).get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Compare", exact=True).click()

    page.get_by_text("Comparing 2 Runs").first.wait_for()
    for result in results:
        page.get_by_text(result.run_name, exact=True).first.wait_for()
    page.locator("a[href*='#/metric?']").first.wait_for()
    page.wait_for_function(FIND_METRIC, arg="test/accuracy", polling=200)
    page.get_by_role("link", name="test/accuracy", exact=True).first.click()

    for result in results:
        page.get_by_text(f"{result.run_name} (test/accuracy)", exact=True).first.wait_for()
    page.locator(".js-plotly-plot").first.wait_for()
    drawn = page.evaluate(
        DRAWN
    )  # MLflow draws a line twice, once as the original of a smoothed one
    assert {tuple(curve) for curve in drawn} == {
        tuple(epoch.test.accuracy for epoch in result.epochs) for result in results
    }

    page.goto(f"{server}/#/experiments/{experiment}/runs/{results[0].run_id}", wait_until="commit")
    page.get_by_text(f"python -m mnist_exp.rerun {results[0].run_id}").first.wait_for()
