"""runs.csv: what is read of a store, kept of a file, and said of both."""

from pathlib import Path

import pandas as pd
import pytest
from mlflow.entities import Metric

from benchmarks.fake_runs import FakeRuns
from mnist_exp.errors import UserError
from mnist_exp.tracking import costs
from mnist_exp.tracking.runs import Selection, Store


def line(**changed: object) -> dict[str, object]:
    known = {
        "page": "results.md",
        "program": "blog_cnn3x3",
        "seed": "0",
        "run_id": "a",
        "code_digest": "d",
        "steps": 8250.0,
        "training_seconds": 90.0,
        "processor_seconds": 180.0,
        "resumed": 0.0,
        "machine": "a *fast* one, 2 cores",
    }
    return known | changed


def lines(*each: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(list(each), columns=list(costs.COLUMNS))


def test_a_run_is_summed_over_its_epochs_and_an_unrecorded_number_is_none(workdir: Path) -> None:
    store = FakeRuns(workdir)
    new = store.add(0, 0.9, tags={"code_digest": "d", "resumed": "2"})
    old = store.add(1, 0.9)
    points = [Metric("time/epoch_seconds", 2.0, 0, epoch) for epoch in (1, 2)]
    points += [Metric("train/step_cost", 1.0, 0, step) for step in (550, 1100)]
    store.client.log_batch(new, metrics=points)
    store.client.log_batch(old, metrics=points)
    spent = [Metric("time/processor_seconds", 3.5, 0, epoch) for epoch in (1, 2)]
    store.client.log_batch(new, metrics=spent)
    store.client.log_batch(old, metrics=spent[1:])  # the first epoch is of older code
    found = costs.table(Store(), Store().select(Selection()), {new: "p", old: "q"}, "results.md")
    one, other = found.to_dict("records")
    assert one["program"] == "p"
    assert (one["steps"], one["training_seconds"], one["processor_seconds"]) == (1100, 4.0, 7.0)
    assert (one["code_digest"], one["resumed"]) == ("d", 2)
    assert other["training_seconds"] == 4.0
    assert pd.isna(other["processor_seconds"])
    assert pd.isna(other["resumed"])


def test_a_page_takes_the_place_of_its_own_lines_alone(tmp_path: Path) -> None:
    first = lines(line(), line(page="explain.md", run_id="b", resumed=float("nan")))
    (tmp_path / costs.FILE).write_text(costs.to_csv(first))
    both = costs.with_other_pages(tmp_path, lines(line(run_id="c")))
    assert list(both["run_id"]) == ["b", "c"]
    (tmp_path / costs.FILE).write_text(costs.to_csv(both))
    assert costs.read(tmp_path, "explain.md")["resumed"].isna().all()
    assert list(costs.read(tmp_path)["processor_seconds"]) == [180.0, 180.0]
    assert '8250,90.0,180.0,,"a *fast* one' in (tmp_path / costs.FILE).read_text()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_cut_anywhere_is_refused_or_has_lost_whole_runs_alone(
    tmp_path: Path, encoding: str
) -> None:
    whole = costs.to_csv(lines(line(run_id="a"), line(run_id="b")))
    header, *records = whole.splitlines(keepends=True)
    file = tmp_path / costs.FILE
    known = []
    for length in range(1, len(whole) + 1):
        file.write_text(whole[:length], encoding=encoding, newline="")
        try:
            known.append((length, list(costs.read(tmp_path)["run_id"])))
        except UserError as error:
            assert str(error).startswith(f"{file}: ")
            assert str(error).endswith("; mend it: without the file, what other pages cost is lost")
    ends = [len(header), len(header + records[0]), len(whole)]
    assert known == [(end, ["a", "b"][:count]) for count, end in enumerate(ends)]


@pytest.mark.parametrize("content", [b"", "page,program\n".encode("utf-16"), b"page\n\xff"])
def test_another_file_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / costs.FILE
    file.write_bytes(content)
    with pytest.raises(
        UserError, match="mend it: without the file, what other pages cost is lost"
    ) as raised:
        costs.read(tmp_path)
    assert str(raised.value).startswith(f"{file}: ")


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([], ""),
        (
            [line(), line(processor_seconds=2 * 3600.0)],
            (
                "2 runs took 2.0 hours of processor time, all cores added up, with "
                "evaluation; their training alone took 3 minutes by the clock. None of them was "
                "interrupted. Machine: a \\*fast\\* one, 2 cores."
            ),
        ),
        (
            [line(resumed=2.0), line(resumed=1.0), line(resumed=float("nan"))],
            "2 of them were stopped and continued from a checkpoint, 3 times in all;",
        ),
        ([line(resumed=float("nan"))], "Of 1 run it is not recorded whether they were continued."),
        (
            [line(), line(processor_seconds=float("nan"))],
            "1 of them took 3 minutes of processor time, all cores added up; the others did not",
        ),
        ([line(processor_seconds=float("nan"))], "Their processor time is not recorded."),
    ],
)
def test_what_is_said(runs: list[dict[str, object]], said: str) -> None:
    assert said in costs.sentences(lines(*runs))
    assert bool(said) == bool(runs)
