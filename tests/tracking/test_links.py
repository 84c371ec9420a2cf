"""Addresses in MLflow's UI; tests/worlds/test_ui.py opens them."""

import json
from urllib.parse import parse_qs, urlsplit

from mnist_exp.tracking import links


def test_the_runs_that_an_address_compares_can_be_read_from_it() -> None:
    runs = ["0" * 32, "f" * 32]
    address = links.comparison_page("https://me:secret@host/mlflow/", ["1", "22"], runs)
    start, _, rest = address.partition("#")
    assert start == "https://host/mlflow/"
    query = parse_qs(urlsplit(rest).query)
    assert urlsplit(rest).path == "/compare-runs"
    assert json.loads(query["runs"][0]) == runs
    assert json.loads(query["experiments"][0]) == ["1", "22"]
    assert query["workflowType"] == ["machine_learning"]


def test_a_single_run_has_its_page() -> None:
    uri = "sqlite:////tmp/mlflow.db"
    assert links.comparison_page(uri, ["1"], ["abc"]) == links.run_page(uri, "1", "abc")
    assert links.run_page(uri, "1", "abc").startswith(
        "http://127.0.0.1:5000/#/experiments/1/runs/abc?"
    )
