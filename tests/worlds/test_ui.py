"""MLflow's own UI on our runs, as a newcomer meets it: README's words and a fresh browser."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import mlflow
import pytest

from mnist_exp import RunResult, run
from tests.support import browser
from tests.support.runs import output_of
from tests.support.surroundings import free_port
from tests.support.waiting import LIMIT

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
WIDTH, HEIGHT = 1280, 800
RUNS = (
    ["experiment=notebook_softmax_buggy"],
    ["experiment=notebook_softmax"],
    ["model=softmax", "optimizer=adam", "schedule.epochs=3"],
    ["model=mlp", "optimizer=adam", "schedule.epochs=3"],
)
STUDY = (
    *("-m", "hydra/sweeper=optuna_study", "hydra.sweeper.study_name=rates"),
    *("hydra.sweeper.n_trials=3", "model=softmax", "schedule.epochs=2"),
    *("optimizer.learning_rate=tag(log, interval(1e-3,1e-1))", "data.train_limit=5000"),
)
ACCURACY = "[col-id='metrics.`test/accuracy`']"
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A folder with runs of four programs and a study of three trials."""
    there = tmp_path_factory.mktemp("ui")
    (there / "mlflow.db").write_bytes(empty_store.read_bytes())
    output_of(there, "mnist_exp", *STUDY)
    return there


@pytest.fixture(scope="module")
def results(folder: Path) -> list[RunResult]:
    with chdir(folder):
        return [run([*settings, "preflight=warn"]) for settings in RUNS]


@pytest.fixture
def page() -> "Iterator[Page]":
    """A page of a browser that has never seen MLflow."""
    with browser.page(WIDTH, HEIGHT) as opened:
        yield opened


def documented_command() -> list[str]:
    """The command by which README, or the page that it names, shows the runs."""
    pages = [ROOT / "README.md", ROOT / "docs/howto/see_the_runs.md"]
    text = "\n".join(path.read_text() for path in pages)
    found = re.search(r"^    python (-m mnist_exp\.ui)$", text, re.MULTILINE)
    assert found is not None
    return found[1].split()


@contextmanager
def ui(folder: Path, *options: str) -> Iterator[str]:
    """Run the documented command, as where there is no display; give the address it prints."""
    command = [sys.executable, *documented_command(), "--port", str(free_port()), *options]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    try:
        yield next(line.strip() for line in process.stdout if line.startswith("http"))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)


def is_on_the_screen(found: "Locator") -> bool:
    """Whether it can be seen without scrolling."""
    box = found.bounding_box()
    return (
        box is not None and box["x"] + box["width"] <= WIDTH and box["y"] + box["height"] <= HEIGHT
    )


def tidy(page: "Page") -> None:
    """Close what a person closes once: the Assistant, and MLflow's note on shared views."""
    for name in ("Close", "Hide banner"):
        page.get_by_role("button", name=name, exact=True).first.click()


def row(page: "Page", name: str) -> "Locator":
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True)).first


def test_a_newcomer_sees_the_test_accuracy_of_all_runs_at_once(
    folder: Path, results: list[RunResult], page: "Page", pictures: Path
) -> None:
    with ui(folder) as address:
        page.goto(address, wait_until="commit")
        cells = page.locator(ACCURACY)
        page.get_by_role("link", name=results[0].run_name, exact=True).first.wait_for()
        assert cells.first.inner_text() == "test/accuracy"
        assert all(is_on_the_screen(cells.nth(number)) for number in range(len(RUNS) + 1))
        shown = {float(text) for text in cells.all_inner_texts()[1:] if text.strip("-")}
        assert {round(result.test_accuracy, 6) for result in results} <= shown
        tidy(page)
        page.locator("[col-id='tags.`result`']").nth(1).wait_for()
        page.screenshot(path=pictures / "mlflow_runs.png")

        page.goto(f"{address}&compareRunsMode=CHART", wait_until="commit")
        page.locator(".js-plotly-plot").nth(1).wait_for()
        for name in ("test/accuracy", "val/accuracy"):
            assert is_on_the_screen(page.get_by_text(name, exact=True).first)
        page.screenshot(path=pictures / "mlflow_charts.png")


def test_a_studys_address_shows_its_trials_alone(
    folder: Path, results: list[RunResult], page: "Page"
) -> None:
    with ui(folder, "--study", "rates") as address:
        page.goto(address, wait_until="commit")
        page.get_by_text("3 matching runs").first.wait_for()
        cells = page.locator("[col-id='params.`optimizer.learning_rate`']")
        assert is_on_the_screen(page.locator(ACCURACY).nth(3))
        assert len({float(text) for text in cells.all_inner_texts()[1:]}) == 3
        for result in results:
            assert page.get_by_role("link", name=result.run_name, exact=True).count() == 0


def test_a_run_and_two_runs_side_by_side(
    folder: Path, results: list[RunResult], page: "Page", pictures: Path
) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment, pair = client.get_run(results[0].run_id).info.experiment_id, results[2:]
    with ui(folder) as address:
        page.goto(address, wait_until="commit")
        for result in pair:
            page.get_by_role("link", name=result.run_name, exact=True).first.wait_for()
            row(page, result.run_name).get_by_role("checkbox").first.check()
        tidy(page)
        page.get_by_role("button", name="Compare", exact=True).click()
        page.get_by_text("Comparing 2 Runs").first.wait_for()
        page.locator("a[href*='#/metric?']").first.wait_for()
        page.wait_for_function(FIND_METRIC, arg="test/accuracy", polling=200)
        # Where the link leads: while MLflow still draws its table, a click may be lost.
        link = page.get_by_role("link", name="test/accuracy", exact=True).first
        page.goto(urljoin(page.url, str(link.get_attribute("href"))))
        for result in pair:
            page.get_by_text(f"{result.run_name} (test/accuracy)", exact=True).first.wait_for()
        page.locator(".js-plotly-plot").first.wait_for()
        drawn = page.evaluate(DRAWN)  # MLflow draws a line twice: the original of a smoothed one
        assert {tuple(curve) for curve in drawn} == {
            tuple(epoch.test.accuracy for epoch in result.epochs if epoch.test is not None)
            for result in pair
        }

        server = address.partition("/#")[0]
        one = f"{server}/#/experiments/{experiment}/runs/{results[0].run_id}"
        page.goto(f"{one}?workflowType=machine_learning", wait_until="commit")
        description = page.get_by_text(f"python -m mnist_exp.rerun {results[0].run_id}").first
        description.wait_for()
        page.screenshot(path=pictures / "mlflow_run.png")
        page.goto(f"{one}/model-metrics?workflowType=machine_learning", wait_until="commit")
        page.locator(".js-plotly-plot").first.wait_for()
        first = page.get_by_test_id("experiment-view-compare-runs-section-header").first
        assert first.inner_text().startswith("test")
