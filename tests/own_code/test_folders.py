"""What Python remembers of folders, forgotten by several threads at once."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from mnist_exp.own_code.folders import look_again


def test_threads_that_look_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = dict(sys.path_importer_cache)
    monkeypatch.setattr(sys, "path_importer_cache", cache)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            for turn in range(50):
                cache.update({f"/no folder {turn} {number}": None for number in range(200)})
                calls = [threads.submit(look_again) for _ in range(4)]
                assert [call.result() for call in calls] == [None] * 4
    finally:
        sys.setswitchinterval(interval)
    assert None not in cache.values()
