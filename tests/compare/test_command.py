"""The command as a user meets it, and the page it writes."""

import gc
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.fake_runs import FakeRuns, predicted, trial
from mnist_exp import data
from tests.support import foreign

Command = Callable[..., tuple[int, str, str]]
_EVIL = "<script>alert(1)</script>"


@pytest.fixture
def study(fake_runs: FakeRuns, mnist: data.Dataset) -> FakeRuns:
    """Study x: two losses, two rates, three seeds each, on the shipped images; one run failed."""
    labels, number = mnist.test.labels, 0
    for loss, base in (("cross_entropy", 0.9), ("self_entropy", 0.1)):
        for rate in ("0.01", "0.1"):
            for seed in range(3):
                tags = trial("x", number, "loss optimizer.learning_rate seed")
                wrong = np.arange(seed, 500 if base > 0.5 else 9000)
                fake_runs.add(
                    seed,
                    [base - 0.05, base + seed / 1000 + float(rate) / 100],
                    costs=[0.5, 0.2],
                    tags=tags,
                    settings={"loss": loss, "optimizer.learning_rate": rate},
                    predictions=predicted(labels, list(wrong)),
                )
                number += 1
    tags = trial("x", number, "loss optimizer.learning_rate seed", "FAIL") | {
        "failure_reason": _EVIL
    }
    fake_runs.add(7, 0.5, settings={"loss": _EVIL}, status="FAILED", tags=tags)
    return fake_runs


class Page(HTMLParser):
    """Tags must close in order; collects what a browser would load, and ids of figures."""

    VOID = frozenset({"meta", "img", "br", "wbr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.seen: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.loads += [
            value or ""
            for name, value in attrs
            if name in ("src", "href", "xlink:href", "srcset", "action")
        ]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_table_csv_and_page(study: FakeRuns, command: Command) -> None:
    code, out, err = command("--study", "x")
    assert (code, err) == (0, "")
    assert "cross_entropy" in out
    assert "better" in out
    assert "1 run not counted: 1 failed" in out
    assert len(pd.read_csv("compare.csv")) == 13
    text = Path("compare.html").read_text()
    page = Page(text)
    assert page.open == []
    inside = {source for source in page.loads if source.startswith("#")}
    assert {source[1:] for source in inside} <= set(page.ids)
    links = {source for source in page.loads if source.startswith("http://127.0.0.1:5000/#/")}
    assert len(links) == 4  # one a group; nothing of them is loaded
    pictures = set(page.loads) - inside - links
    assert pictures
    assert all(source.startswith("data:image/png;base64,") for source in pictures)
    assert text.count("http") == len(links)
    assert "@import" not in text
    assert page.seen.count("script") == 3  # the page's own: figures, groups, tables
    for heading in (
        "Groups",
        "Seeds",
        "Paired differences",
        "Learning curves",
        "Effect of each setting",
        "Test images",
        "Settings that differ",
        "Not counted",
        "Methods",
        "Words",
    ):
        anchor = heading.lower().replace(" ", "-")
        assert f'<section id="{anchor}"><h2>{heading}<a class="anchor" href="#{anchor}"' in text
    assert "nan" not in re.sub(r"base64,[^\"]*", "", text).lower().replace("nonfinite", "")
    for picture in re.findall(r"(?:cx|x1|x2|x)=\"(-?[\d.]+)%\"", text):
        assert -0.01 <= float(picture) <= 100.01


def test_one_group_of_one_run(fake_runs: FakeRuns, command: Command) -> None:
    fake_runs.add(0, 0.9)
    code, out, _ = command("--experiment", "mnist_exp")
    assert code == 0
    assert "nothing to compare it with" in re.sub(r"\s+", " ", out)
    assert "Paired differences" not in Path("compare.html").read_text()


def test_two_groups_without_a_common_seed(fake_runs: FakeRuns, command: Command) -> None:
    fake_runs.add(0, 0.9)
    fake_runs.add(1, 0.8, settings={"model": "mlp"})
    code, out, _ = command("--experiment", "mnist_exp")
    assert code == 0
    text = re.sub(r"\s+", " ", out)
    assert "Too few runs to decide" in text
    assert "no seed in common with the baseline. Compared as independent runs, the interval" in text
    page = Path("compare.html").read_text()
    assert "too few seeds" in page
    assert "no difference shown" not in page


def test_another_store_another_folder(study: FakeRuns, command: Command, tmp_path: Path) -> None:
    uri = f"tracking.uri=sqlite:///{study.folder}/mlflow.db"
    output = tmp_path / "elsewhere"
    output.mkdir()
    assert command("--study", "x", uri, "--output", str(output))[0] == 0
    assert sorted(path.name for path in output.iterdir()) == ["compare.csv", "compare.html"]


def test_a_margin(fake_runs: FakeRuns, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two models one differs by nearly nothing, the other by as much as its noise."""
    monkeypatch.setenv("COLUMNS", "80")
    for seed, noise in enumerate((0.001, -0.002, 0.0005, 0.003)):
        for model, by in (("softmax", 0), ("mlp", noise / 20), ("cnn", noise)):
            fake_runs.add(seed, 0.9 + seed / 900 + by, settings={"model": model})
    arguments = ("--experiment", "mnist_exp", "--margin", "0.002", "--baseline", "model=softmax")
    code, out, err = command(*arguments)
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines()[:-2])) <= 80
    assert re.search(r"mlp +4 .*equivalent within 0\.002", out)
    text = re.sub(r"\s+", " ", out)
    assert "Seeds that would show a difference of 0.002 with 80% power: cnn 11 (95%" in text
    verdicts = pd.read_csv("compare.csv").groupby("group")["verdict"].first()
    assert (verdicts["mlp"], verdicts["cnn"]) == ("equivalent", "no difference shown")
    page = Path("compare.html").read_text()
    assert "equivalent within 0.002</" in page
    section = page.partition('<section id="margin">')[2].partition("</section>")[0]
    assert set(
        re.findall(r'<td data-value="[\d.]+">(11 \(95% interval 5 to 118\)|3)</td>', section)
    ) == {"11 (95% interval 5 to 118)", "3"}
    assert 'href="#word-equivalent"' in section
    assert "nan" not in section.lower()
    assert Page(page).open == []
    command(*arguments[:2], *arguments[4:])
    without = Path("compare.html").read_text()
    assert 'id="margin"' not in without
    assert "Schuirmann" not in without


def test_a_table_in_a_folder_with_spaces(workdir: Path, command: Command) -> None:
    folder = workdir / "my runs (2)"
    folder.mkdir()
    foreign.table(folder / "W&B export.csv")
    arguments = ["--table", f"{folder}/W&B export.csv", "--metric", "val_acc", "--output"]
    code, out, err = command(*arguments, str(folder), "--margin", "0.02")
    assert (code, err) == (0, "")
    text = re.sub(r"\s+", " ", out)
    assert "W&B export.csv" in (folder / "compare.html").read_text().replace("&amp;", "&")
    assert "model=cnn, lr=0.1" in text
    assert "Taken for names, times or results, not for settings" in text
    assert "Test images: left out: a table has no predictions" in text
    assert "MLflow: " not in out  # there is nothing to open there
    assert len(pd.read_csv(folder / "compare.csv")) == 20
    page = Page((folder / "compare.html").read_text())
    assert page.open == []
    assert not any(source.startswith("http") for source in page.loads)


@pytest.mark.first_cases(4)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--table", "x.csv", "--study", "x"],
            "--table: expected alone, without --study, --experiment, --filter or runs",
        ),
        (["--table", "x.csv"], "--table x.csv: no such file"),
        ([], "nothing to compare: give --study, --experiment, --filter, --table or run ids"),
        (["--study", "y"], "--study y: no such study"),
        (["--stdy", "x"], "unrecognized arguments: --stdy"),
        (
            ["--study", "x", "--metric", "test/acuracy"],
            "--metric test/acuracy: no selected run has it; did you mean test/accuracy?",
        ),
        (
            ["--study", "x", "--group-by", "modle"],
            "--group-by modle: the runs have no such setting or tag; did you mean model?",
        ),
        (["--study", "x", "--baseline", "loss=z"], "--baseline loss=z: no group has that"),
        (["--study", "x", "--margin", "0,002"], "--margin 0,002: expected a number, such as"),
        (["--study", "x", "--margin", "-0.002"], "--margin -0.002: expected a difference in test"),
        (["--study", "x", "--output", "nowhere"], "--output nowhere: no such folder"),
        (
            ["--study", "x", "tracking.uri=sqlite:///nowhere.db"],
            "no runs here: there is no database ",
        ),
        (["--study", "x", "model=mlp"], "model=mlp: expected a run id, or tracking.uri=URI"),
        (["--filter", "metrics.x <"], "--filter metrics.x <: MLflow cannot use it"),
        (["0123456789abcdef"], "0123456789abcdef: no such run in sqlite:"),
    ],
)
def test_mistakes_get_a_short_answer_and_leave_nothing(
    study: FakeRuns, command: Command, arguments: list[str], message: str
) -> None:
    code, out, err = command(*arguments)
    assert code == 1
    assert err.startswith(f"mnist_exp: {message}")
    assert len(err.splitlines()) <= 2
    assert out == ""
    assert not list(Path().glob("compare.*"))


def test_many_groups_keep_the_terminal_short(fake_runs: FakeRuns, command: Command) -> None:
    for i in range(40):
        fake_runs.add(0, 0.5 + i / 100, settings={"optimizer.learning_rate": f"{(i + 1) / 1000}"})
    _, out, _ = command("--experiment", "mnist_exp")
    assert "and 9 groups more, all in compare.csv and compare.html" in out


@pytest.mark.parametrize("width", [80, 100])
def test_no_letter_of_the_table_is_cut(
    fake_runs: FakeRuns, command: Command, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for variant, model, accuracy in (("short", "mlp", 0.8), ("a_name_that_is_long", "x", 0.9)):
        for seed in range(2):
            tags = {"variant": f"{variant}, learning_rate=0.00123"}
            fake_runs.add(seed, accuracy + seed / 900, settings={"model": model}, tags=tags)
    _, out, _ = command("--experiment", "mnist_exp")
    table = out.partition("The lines of a cell")[0]
    assert max(map(len, out.splitlines()[:-1])) <= width
    for text in ("verdict", "Holm", "too few seeds", "a_name_that_is_long,", "0.00123"):
        assert text in table


def test_what_all_names_end_in_is_said_once_and_the_rest_breaks_between_words(
    fake_runs: FakeRuns, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name, accuracy in (("blog_cnn3x3", 0.8), ("a_very_long_notebook_softmax_buggy", 0.9)):
        for seed in range(3):
            tags = {"variant": f"{name}-1epoch-2000images"}
            fake_runs.add(seed, accuracy + seed / 900, settings={"model": name}, tags=tags)
    code, out, _ = command("--experiment", "mnist_exp", "--baseline", "variant=blog_cnn3x3")
    assert code == 0
    assert out.count("-1epoch-2000images") == 1
    assert "The names of all groups end in -1epoch-2000images" in out
    assert re.search(r"^ ?a_very_long_notebook_ .*better", out, re.MULTILINE)
    assert re.search(r"^ ?softmax_buggy ", out, re.MULTILINE)
    assert set(pd.read_csv("compare.csv")["group"]) == {
        "blog_cnn3x3-1epoch-2000images",
        "a_very_long_notebook_softmax_buggy-1epoch-2000images",
    }
    assert Path("compare.html").read_text().count("-1epoch-2000images") <= 4  # settings, once said


def test_the_garbage_collector_is_on_again_afterwards(command: Command) -> None:
    """The next command in the same process, or the next test, has a collector again."""
    assert gc.isenabled()
    assert command("--study", "x")[0] == 1
    assert gc.isenabled()


def test_help_names_every_option(command: Command) -> None:
    code, out, _ = command("--help")
    assert code == 0
    options: Any = re.findall(r"--[a-z-]+", out)
    assert {"--study", "--experiment", "--filter", "--group-by", "--metric", "--baseline"} <= set(
        options
    )
