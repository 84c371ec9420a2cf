"""Check that a change of the code left every number as it was, to the last bit.

Trains each preset, optimizer and schedule for a few steps on a slice of MNIST and writes
digests.json. For each it holds the config hash, the metrics of each epoch as MLflow has them, and a
digest of the final weights and optimizer state. With --against FILE it prints what differs from an
earlier digests.json of the same machine, and ends with exit code 1 if anything differs.

It imports only `run`, and reads the files that a run leaves in its folder. So it also runs on older
code.
"""

import argparse
import contextlib
import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_SMALL = (
    "data.train_limit=600",
    "data.eval_limit=200",
    "schedule.epochs=2",
    "schedule.max_steps=12",
    "preflight=off",
)
_PRESETS = (
    "notebook_softmax_buggy",
    "notebook_softmax",
    "notebook_cnn5x5",
    "blog_cnn3x3",
    "speedrun",
)
_OPTIMIZERS = ("sgd", "momentum", "adam", "adamw", "rmsprop", "adagrad")
_SCHEDULES = ("constant", "cosine", "one_cycle")
_TIMES = ("time/", "system/", "preflight/")  # these metrics differ from run to run


def programs() -> dict[str, list[str]]:
    """Return {name: overrides} of what is trained.

    These are the presets, and a small network with each optimizer and each schedule.
    """
    presets = {name: [f"experiment={name}", "schedule.batch_size=50"] for name in _PRESETS}
    pairs = {
        f"mlp {optimizer} {schedule}": [
            "model=mlp",
            "model.hidden_units=[32]",
            "model.dropout=0.3",
            f"optimizer={optimizer}",
            f"schedule={schedule}",
            "init=he",
        ]
        for optimizer in _OPTIMIZERS
        for schedule in _SCHEDULES
    }
    return presets | pairs


def digest_of(overrides: list[str]) -> dict[str, Any]:
    """Train in the current folder and return the run's digest.

    It has the config hash, the metrics {name: {step: value}} and the digest of the state.
    """
    import mlflow

    from mnist_exp import run

    result = run([*overrides, *_SMALL])
    client = mlflow.MlflowClient()
    tracked = client.get_run(result.run_id)
    metrics = {
        name: {str(m.step): repr(m.value) for m in client.get_metric_history(result.run_id, name)}
        for name in sorted(tracked.data.metrics)
        if not name.startswith(_TIMES)
    }
    newest = max(Path("outputs/checkpoints", result.run_id).glob("*/arrays.npz"))
    state = hashlib.sha256()
    with np.load(newest) as arrays:
        for name in arrays.files:
            state.update(
                f"{name} {arrays[name].dtype} {arrays[name].shape}".encode()
                + arrays[name].tobytes()
            )
    return {
        "config_hash": tracked.data.tags["config_hash"],
        "metrics": metrics,
        "state": state.hexdigest(),
    }


def differences(before: Mapping[str, Any], now: Mapping[str, Any], path: str = "") -> list[str]:
    """Return a line for each value that differs, or that only one of them has."""
    lines = []
    for key in sorted({*before, *now}):
        old, new = before.get(key, "absent"), now.get(key, "absent")
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            lines += differences(old, new, f"{path}{key}: ")
        elif old != new:
            lines.append(f"{path}{key}: {old} -> {new}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.digests",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--output", metavar="FOLDER", default=".", help="where the file is written; default: here"
    )
    parser.add_argument("--against", metavar="FILE", help="an earlier digests.json to compare with")
    given = parser.parse_args()
    output = Path(given.output).absolute() / "digests.json"
    if not output.parent.is_dir():
        parser.error(f"--output {given.output}: no such folder")
    earlier = json.loads(Path(given.against).read_text()) if given.against else None
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        digests = {name: digest_of(overrides) for name, overrides in programs().items()}
    output.write_text(json.dumps(digests, indent=1) + "\n")
    print(f"{output}: {len(digests)} programs")
    if earlier is not None:
        lines = differences(earlier, digests)
        print("\n".join(lines) or "every number is as it was")
        sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
