"""MLflow's searches answer one page at a time."""

from collections.abc import Callable, Iterator
from typing import Any


def all_pages(search: Callable[..., Any], *arguments: Any, **options: Any) -> Iterator[Any]:
    """Yield all results of a search of an MlflowClient, asking for page after page."""
    token = None
    while True:
        page = search(*arguments, **options, page_token=token)
        yield from page
        token = page.token
        if not token:
            return
