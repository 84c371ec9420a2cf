"""A user's mistake in Python: an exception with the two lines that the command would print."""

import os
from collections.abc import Sequence

from mnist_exp.config.mistakes import USER_ERRORS, explain, understood
from mnist_exp.errors import UserError
from mnist_exp.outside.full_disks import full_disk


class InTwoLines:
    """A block in which a user's mistake, or a full disk, is raised as a UserError of two lines.

    Its traceback ends at the block, and no other errors are shown with it. `overrides` are what was
    typed. With the variable HYDRA_FULL_ERROR=1 errors stay as they are.
    """

    def __init__(self, overrides: Sequence[str] = ()) -> None:
        self._overrides = overrides

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        # Not a generator: contextlib would give the error its long traceback back.
        if line := full_disk(error):
            error = UserError(line)
        if not isinstance(error, USER_ERRORS) or os.environ.get("HYDRA_FULL_ERROR") == "1":
            return
        mistake = understood(error, self._overrides)
        mistake.args = (explain(mistake, self._overrides),)
        raise mistake.with_traceback(None) from None
