"""Which settings decide a result, and which do not. Needs no Hydra."""

import re

# Top-level settings that change nothing that is trained or scored. The seed does, but is no part of a config's identity.
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


def _top_key(override: str) -> str:
    """`tags` of `+tags.course=ml`."""
    return re.split(r"[.=]", override.lstrip("+~"), maxsplit=1)[0]
