"""Send results that were kept on disk while the server was down: `python -m mnist_exp.sync`."""

import sys
from collections.abc import Sequence

from mnist_exp.command import Parser, main
from mnist_exp.errors import UserError
from mnist_exp.outside.printing import plural, say
from mnist_exp.outside.uris import masked
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking.unsent import pending

_DESCRIPTION = """Send results that were kept on disk while the tracking server was down.

Run it in the folder where the runs were started."""
_EXIT_CODE = "exit code: 0, or 1 if the results of a run still cannot be sent"


def warn(text: str) -> None:
    """Print a warning on standard error."""
    print(f"warning: {clean(text)}", file=sys.stderr)


def run(arguments: Sequence[str]) -> int:
    """Send each queue of the current folder; return 0, or 1 if one could not be sent."""
    Parser("mnist_exp.sync", _DESCRIPTION, _EXIT_CODE, usage="", store=False).parse_args(arguments)
    waiting = pending()
    if not waiting:
        say("Nothing waits to be sent.")
        return 0
    from mnist_exp.tracking import delivery

    failed = 0
    for queue in waiting:
        try:
            count = delivery.sync(queue, warn)
            say(f"run {queue.run_id}: {plural(count, 'record')} sent to {masked(queue.uri)}")
        except UserError as error:
            print(f"mnist_exp: {clean(error)}", file=sys.stderr)
            failed = 1
        except KeyboardInterrupt:
            print(
                f"mnist_exp: interrupted; the rest of {queue.folder} waits for the next sync",
                file=sys.stderr,
            )
            raise
    return failed


if __name__ == "__main__":
    main(run)
