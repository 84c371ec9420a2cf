"""Which settings decide a result, and which do not. Needs no Hydra."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

# Top-level settings that do not affect the result. They are left out of the config hash; so is the
# seed, which does affect it.
NEUTRAL = (
    "variant",
    "run_name",
    "tags",
    "tracking",
    "checkpoint",
    "evaluate",
    "resume",
    "best_of",
    "preflight",
    "trust_code",
    "threads",
    "objective",
    "bridge",
    "reference",
)

# What runs from before there were these settings did. With these values a program has the hash that
# it had then.
BEFORE: Mapping[str, Any] = {"precision": "float32"}

# The MLflow experiment of runs with a `debug` option, and of others that prove nothing.
DEBUG_EXPERIMENT = "mnist_exp_debug"

# How long a run is: when it goes on it may become longer, everything else stays.
LENGTH = ("schedule.epochs", "schedule.max_steps")


def top_key(override: str) -> str:
    """Return the top-level setting that an override sets: `tags` of `+tags.course=ml`."""
    return re.split(r"[.=]", override.lstrip("+~"), maxsplit=1)[0]


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings with dotted keys; a list stays one value.

    Nothing is left of `tags` and `options` that hold none, but `{}` as an option is a value.
    """
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and (value or prefix.count(".") < 2):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def digest_of(settings: Mapping[str, Any]) -> str:
    """Return 12 hex digits over the settings."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]
