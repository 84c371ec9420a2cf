"""What others wrote into the store is shown as text, and read only within limits."""

import gzip
import io
import re
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fake_runs import FakeRuns, predicted, trial
from mnist_exp import data
from mnist_exp.explain.contributions import explain
from mnist_exp.tracking.environment import read_hardware
from mnist_exp.tracking.runs import Store

Command = Callable[..., tuple[int, str, str]]
HOSTILE = [
    "[/x/y] no such folder",
    "[link=http://evil]here[/link]",
    "[red]",
    "[/]",
    "\x1b[31mred\x1b]0;title\x07",
    "a\nidentical: yes",
    "\u202egnp\u202c",
    "'; touch P; '",
    "` | $(touch P) |",
    "x\x00y",
    "\r\x1b[2K",
    "=cmd|' /C calc'!A0",
    ":smile: \\",
    "   ",
    "\ud83d\ude00",
]
HOSTILE = [text.encode("utf-16", "surrogatepass").decode("utf-16") for text in HOSTILE]


def add_hostile(runs: FakeRuns) -> None:
    number = 0
    for text in HOSTILE:
        for seed in range(3):
            state = "FAIL" if seed == 2 else "COMPLETE"
            tags = trial("x", number, "loss seed", state) | {
                "failure_reason": f"OSError: {text}",
                "variant": text,
                text.replace("\x00", "")[:40] or "t": text,
            }
            tags = {key: value.replace("\x00", "") for key, value in tags.items() if key.strip()}
            settings = {"loss": text.replace("\x00", ""), "init": text.replace("\x00", "")}
            tags.pop("=cmd|' /C calc'!A0", None)
            runs.add(
                seed,
                0.9 + number / 1000,
                settings=settings,
                tags={
                    k: v for k, v in tags.items() if k.replace("_", "").replace(".", "").isalnum()
                },
                status="FAILED" if seed == 2 else "FINISHED",
                packages=f"numpy=={text}\n",
            )
            number += 1


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_compare_shows_what_others_wrote_as_text(
    fake_runs: FakeRuns, command: Command, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_hostile(fake_runs)
    for arguments in (
        ["--study", "x"],
        ["--study", "x", "--group-by", "loss"],
        ["--study", "x", "--group-by", "variant,init"],
    ):
        code, out, err = command(*arguments)
        assert (code, err) == (0, "")
        assert all(line.isprintable() for line in out.split("\n"))
        assert not any(line.startswith("identical") for line in out.splitlines())
        assert "[/x/y] no such folder" in " ".join(out.split())
        assert r"\x1b[31mred" in out.replace("\n", "")
    csv = Path("compare.csv").read_text()
    assert all(line.isprintable() for line in csv.splitlines())
    assert "'=cmd" in csv
    assert ",=cmd" not in csv
    page = Path("compare.html").read_text()
    assert "\x1b" not in page


@pytest.mark.slow
def test_mistakes_name_what_others_wrote_in_a_line(fake_runs: FakeRuns, command: Command) -> None:
    add_hostile(fake_runs)
    for text in HOSTILE:
        fake_runs.study(text.replace("\x00", ""))
    fake_runs.client.create_run(fake_runs.experiment, tags={"study_role": "study"})
    for arguments in (
        ["--study", "nope"],
        ["--experiment", "nope"],
        ["--study", "x", "--metric", "nope"],
        ["--study", "x", "--baseline", "loss=nope"],
        ["--study", "'; touch P; '"],
    ):
        code, _, err = command(*arguments)
        assert code == 1
        assert len(err.splitlines()) <= 2
        assert all(line.isprintable() for line in err.splitlines())
    _, _, err = command("--study", "'; touch P; '")
    assert err == "mnist_exp: --study '; touch P; ': no trial of this study has begun"


def test_a_study_whose_name_has_both_quotes(fake_runs: FakeRuns, command: Command) -> None:
    name = """it's "x" or tags.study_name != 'y"""
    fake_runs.add(0, 0.9, tags=trial(name, 0, "seed"))
    fake_runs.add(0, 0.5, tags=trial("y", 0, "seed"))
    code, out, err = command("--study", name)
    assert (code, err) == (0, "")
    assert "0.9000" in out
    assert "0.5000" not in out


LABELS = np.arange(100) % 10


def bomb() -> bytes:
    """A gigabyte of zeros in a megabyte."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("label.npy", "w", force_zip64=True) as member,
    ):
        header = (
            b"{'descr': '<i8', 'fortran_order': False, 'shape': (134217728,)}".ljust(117) + b"\n"
        )
        member.write(b"\x93NUMPY\x01\x00\x76\x00" + header)
        for _ in range(1024):
            member.write(bytes(2**20))
    return file.getvalue()


@pytest.mark.slow
def test_predictions_of_another_shape_are_left_out(fake_runs: FakeRuns, command: Command) -> None:
    good = predicted(LABELS, [1, 2])
    other = {
        "objects": good | {"label": LABELS.astype(object)},
        "floats": good | {"prediction": LABELS.astype(float)},
        "classes": good | {"probability": np.ones((100, 7)) / 7},
        "flat": good | {"probability": np.ones(100)},
        "negative": good | {"prediction": LABELS - 5},
        "large": good | {"label": LABELS + 10**9},
        "nan": good | {"probability": good["probability"] * np.nan},
        "short": good | {"label": LABELS[:50]},
        "none": {},
    }
    for number, (name, predictions) in enumerate(other.items()):
        fake_runs.add(number, 0.8, settings={"loss": name}, predictions=predictions)
        fake_runs.add(number, 0.9, predictions=good)
    run_id = fake_runs.add(50, 0.9, settings={"loss": "bomb"}, predictions=good)
    (path,) = fake_runs.folder.glob(f"mlruns/*/{run_id}/artifacts/predictions/test.npz")
    path.write_bytes(bomb())
    tracemalloc.start()
    started = time.process_time()
    code, out, err = command("--experiment", "mnist_exp", "--group-by", "loss")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (code, err) == (0, "")
    lacking = re.search(
        r"(\d+) of \d+ runs have no predictions/test.npz that can be read", " ".join(out.split())
    )
    assert lacking is not None
    assert int(lacking[1]) >= 6  # of the groups that are shown
    assert peak < 200 * 2**20
    assert time.process_time() - started < 30


def test_a_folder_that_a_record_names_is_not_read(
    fake_runs: FakeRuns, command: Command, idx_folder: Path, mnist: data.Dataset
) -> None:
    labels = mnist.test.labels[:100]
    for seed in range(2):
        for loss, wrong in (("a", [1, 2]), ("b", [3])):
            settings = {"loss": loss, "data.dir": str(idx_folder)}
            fake_runs.add(seed, 0.9, settings=settings, predictions=predicted(labels, wrong))
    code, _, err = command("--experiment", "mnist_exp", "--data-dir", str(idx_folder))
    assert (code, err) == (0, "")
    assert "data:image/png" in Path("compare.html").read_text()
    for path in idx_folder.iterdir():  # what is read of it would be noticed
        path.unlink()
    (idx_folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(2**24)))
    code, _, err = command("--experiment", "mnist_exp")
    assert (code, err) == (0, "")
    assert "data:image/png" not in Path("compare.html").read_text()


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"5",
        b"[" * 10**5,
        b"{",
        b"\xff",
        b"x" * 2**21,
        b'{"cpu": {"a": [1]}}',
        b'{"cpu": "\\u001b[31m"}',
    ],
)
def test_a_machine_recorded_in_another_shape(
    fake_runs: FakeRuns, command: Command, content: bytes
) -> None:
    for seed in range(2):
        run_id = fake_runs.add(seed, 0.9)
    (path,) = fake_runs.folder.glob(f"mlruns/*/{run_id}/artifacts/env/hardware.json")
    path.write_bytes(content)
    code, out, err = command("--experiment", "mnist_exp")
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    assert "\x1b" not in str(read_hardware(content))


def test_artifacts_that_are_no_files(fake_runs: FakeRuns, command: Command) -> None:
    import os

    run_id = fake_runs.add(0, 0.9, predictions=predicted(LABELS, [1]))
    (folder,) = fake_runs.folder.glob(f"mlruns/*/{run_id}/artifacts")
    (folder / "predictions" / "test.npz").unlink()
    os.mkfifo(folder / "predictions" / "test.npz")
    (folder / "env" / "packages.txt").unlink()
    (folder / "env" / "packages.txt").symlink_to("/dev/zero")
    (folder / "env" / "hardware.json").unlink()
    (folder / "env" / "hardware.json").mkdir()
    assert command("--experiment", "mnist_exp")[0] == 0


def test_explain_refuses_runs_of_another_shape(fake_runs: FakeRuns) -> None:
    from mnist_exp.config import bridge
    from mnist_exp.errors import UserError

    for text in ("three", "1e999", "nan", ""):
        study = f"bridge{text}"
        point = {d.key: str(d.blog) for d in bridge.differences(3, None)}
        fake_runs.add(
            0,
            0.9,
            settings=point | {"bridge.epochs": text, "data.train_limit": "1"},
            tags=trial(study, 0, "seed"),
        )
        with pytest.raises(UserError) as caught:
            explain(Store(), study)
        assert str(caught.value).startswith(f"study {study}: ")
