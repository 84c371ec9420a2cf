"""Which settings decide a result, and which do not. Needs no Hydra."""

import re

# Top-level settings that do not affect the result. They are left out of the config hash; so is the
# seed, which does affect it.
NEUTRAL = (
    "variant",
    "run_name",
    "tags",
    "tracking",
    "checkpoint",
    "resume",
    "best_of",
    "preflight",
    "threads",
    "objective",
    "bridge",
    "reference",
)

# How long a run is: when it goes on it may become longer, everything else stays.
LENGTH = ("schedule.epochs", "schedule.max_steps")


def top_key(override: str) -> str:
    """Return the top-level setting that an override sets: `tags` of `+tags.course=ml`."""
    return re.split(r"[.=]", override.lstrip("+~"), maxsplit=1)[0]
