import pytest

from mnist_exp.sweeper.wording import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.34, "0.3 s"),
        (9.94, "9.9 s"),
        (42, "42 s"),
        (59.6, "1:00 min"),
        (140, "2:20 min"),
        (3599.6, "1:00:00"),
        (3723, "1:02:03"),
        (90000, "25:00:00"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
