"""A module that is put off is executed when it is used, and then is as ever."""

import sys
from pathlib import Path

import pytest

from mnist_exp.outside import lazy_imports


def test_a_module_that_is_put_off_waits_until_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slow_one.py").write_text("print('executed')\nANSWER = 42\n")
    (tmp_path / "other_one.py").write_text("print('other')\n")
    monkeypatch.syspath_prepend(tmp_path)
    finders = list(sys.meta_path)
    with lazy_imports.put_off(["slow_one", "no_such_one"]):
        import slow_one

        __import__("other_one")
        with pytest.raises(ModuleNotFoundError, match="no_such_one"):
            __import__("no_such_one")
    assert sys.meta_path == finders
    assert capsys.readouterr().out == "other\n"
    assert slow_one.ANSWER == 42
    assert capsys.readouterr().out == "executed\n"
    from slow_one import ANSWER

    assert (ANSWER, capsys.readouterr().out) == (42, "")
