from typing import Any

import pytest

from mnist_exp.outside.paging import all_pages


class Page(list[int]):
    """A part of what a search finds, with the token that asks for the next part."""

    token: str | None


@pytest.mark.parametrize("count", [0, 1, 3, 4, 10])
@pytest.mark.parametrize("last_token", [None, ""])
def test_all_results_come_page_by_page(count: int, last_token: str | None) -> None:
    asked: list[Any] = []

    def search(experiments: list[str], order_by: str, page_token: str | None = None) -> Page:
        asked.append((experiments, order_by))
        start = int(page_token or 0)
        page = Page(range(start, min(start + 3, count)))
        page.token = str(start + 3) if start + 3 < count else last_token
        return page

    assert list(all_pages(search, ["0"], order_by="time")) == list(range(count))
    assert asked == [(["0"], "time")] * max(1, -(-count // 3))


def test_the_next_page_is_asked_for_when_it_is_needed() -> None:
    tokens: list[str | None] = []

    def search(page_token: str | None) -> Page:
        tokens.append(page_token)
        page = Page([1, 2])
        page.token = "more"
        return page

    results = all_pages(search)
    assert [next(results), next(results)] == [1, 2]
    assert tokens == [None]
