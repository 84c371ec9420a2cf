"""Send what the tracking server could not take while runs in this folder went on: `python -m mnist_exp.sync`."""

import sys

from mnist_exp.command import answered
from mnist_exp.errors import UserError
from mnist_exp.outside.printing import say
from mnist_exp.outside.uris import masked
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking.unsent import pending


def warn(text: str) -> None:
    print(f"warning: {clean(text)}", file=sys.stderr)


def main() -> None:
    if sys.argv[1:]:
        sys.exit("usage: python -m mnist_exp.sync    (in the folder where the runs were started)")
    waiting = pending()
    if not waiting:
        say("Nothing waits to be sent.")
        return
    from mnist_exp.tracking import delivery

    failed = False
    with answered():
        for queue in waiting:
            try:
                say(
                    f"run {queue.run_id}: {delivery.sync(queue, warn)} records sent to {masked(queue.uri)}"
                )
            except UserError as error:
                print(f"mnist_exp: {clean(error)}", file=sys.stderr)
                failed = True
            except KeyboardInterrupt:
                print(
                    f"mnist_exp: interrupted; the rest of {queue.folder} waits for the next sync",
                    file=sys.stderr,
                )
                raise
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
