"""The process of one competitor: see the package."""

import importlib
import json
import sys

from benchmarks import cases
from benchmarks.competitors import COMPETITORS, LIMITS
from benchmarks.rounds import answers, keep_to_cores
from mnist_exp import data

# A turn begins with a tenth as many steps that are not measured, because the caches of a process
# that waited are cold.
_WARM_UP = 10


def main() -> None:
    name, case, threads = sys.argv[1:]
    keep_to_cores(int(threads))
    with answers() as send:
        competitor = (COMPETITORS | LIMITS)[name]
        module = importlib.import_module(f"benchmarks.competitors.{competitor.module}")
        run = module.prepare(cases.config(case), data.load().train, **competitor.options)
        run(1)  # traces and compiles
        send("ready")
        for line in sys.stdin:
            steps = json.loads(line)
            run(-(-steps // _WARM_UP))
            send(run(steps))


if __name__ == "__main__":
    main()
