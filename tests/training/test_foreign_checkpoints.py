"""Checkpoints that somebody else has written: whatever their files hold, one warning says so."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_exp.training import checkpoint
from tests.training.test_checkpoint import state, warnings_of


def forged(folder: Path, **members: bytes) -> Path:
    """Write a checkpoint with these files, and the checksums that belong to them."""
    checkpoint.save(state(5), folder)
    (written,) = folder.glob("0*")
    for name, content in members.items():
        (written / name.replace("_", ".")).write_bytes(content)
    manifest = {
        name: hashlib.sha256((written / name).read_bytes()).hexdigest()
        for name in ("arrays.npz", "state.json")
    }
    if "manifest_json" not in members:
        (written / "manifest.json").write_text(json.dumps(manifest))
    return written


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


PLAIN: dict[str, Any] = {
    "progress": {"epoch": 1, "step": 5, "examples": 50, "batch_accuracies": []},
    "results": [],
    "num_weights": 1,
    "record": {},
}


@pytest.mark.parametrize(
    "members",
    [
        {"manifest_json": b"[]"},
        {"manifest_json": b"5"},
        {"manifest_json": b"[" * 10**5},
        {"manifest_json": b'{"arrays.npz": 5, "state.json": []}'},
        {"state_json": b"[]"},
        {"state_json": b"null"},
        {"state_json": b"[" * 10**5},
        {"state_json": b"\xff"},
        {"state_json": json.dumps(PLAIN | {"progress": 5}).encode()},
        {"state_json": json.dumps(PLAIN | {"num_weights": "x"}).encode()},
        {"state_json": json.dumps(PLAIN | {"record": 5}).encode()},
        {"state_json": json.dumps(PLAIN | {"results": [5]}).encode()},
        {"state_json": json.dumps(PLAIN | {"progress": {"step": "\x1b[31m"}}).encode()},
        {"arrays_npz": b""},
        {"arrays_npz": npz(a=np.zeros(3))},
        {"arrays_npz": npz(arr_0=np.array([None]))},
        {"arrays_npz": npz(arr_0=np.array(["text"]))},
        {"arrays_npz": npz(arr_0=np.zeros(10**7))},
    ],
    ids=range(18),
)
def test_a_checkpoint_of_another_shape_is_one_warning(
    tmp_path: Path, members: dict[str, bytes]
) -> None:
    """Although its checksums are right."""
    forged(tmp_path, **members)
    loaded, warnings = warnings_of(tmp_path)
    assert loaded is None
    assert len(warnings) == 1
    assert warnings[0].isprintable()
    assert len(warnings[0]) < 500
