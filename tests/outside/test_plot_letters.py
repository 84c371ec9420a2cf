import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from mnist_exp.outside import plot_letters
from mnist_exp.outside.plot_letters import drawable, written


def test_matplotlibs_own_letters_need_no_other_font() -> None:
    before = mpl.rcParams["font.family"]
    with written(["Tür", "собака", "$x$"]) as names:
        assert names == ["Tür", "собака", "$x$"]
        assert mpl.rcParams["font.family"] == ["DejaVu Sans"]
        assert not Figure().text(0, 0, "$x$").get_parse_math()
    assert mpl.rcParams["font.family"] == before


def test_letters_that_no_font_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine with matplotlib's own font alone."""
    own = {"DejaVu Sans": plot_letters._files()["DejaVu Sans"]}
    monkeypatch.setattr(plot_letters, "_files", lambda: own)
    plot_letters._fonts.cache_clear()
    assert drawable("a $b$ 狐 Tür.png") == "a $b$ ? Tür.png"
    with written(["きつね", "собака"]) as names:
        assert names == ["class 0", "собака"]
    plot_letters._fonts.cache_clear()


@pytest.mark.filterwarnings("error")
def test_every_name_can_be_drawn(caplog: pytest.LogCaptureFixture) -> None:
    """A letter that no font has would be a warning; `\U0010fffe` is in none."""
    figure = Figure()
    with written(["きつね", "🦊", "हाथी", "\U0010fffe", "e\u0301"], "狐") as names:
        for name in names:
            figure.text(0, 0, name)
    figure.savefig("/dev/null", format="png")
    assert names[3] == "class 3"
    assert not caplog.records
