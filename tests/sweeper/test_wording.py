import pytest

from mnist_exp.sweeper.wording import duration, first_line


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


def test_the_first_line_is_that_of_the_database_and_not_advice() -> None:
    advice = (
        "(raised as a result of Query-invoked autoflush; consider using a session.no_autoflush "
        "block if this flush is occurring prematurely)\n"
    )
    assert first_line(f"{advice}(sqlite3.OperationalError) no room\n[SQL: x]") == (
        "(sqlite3.OperationalError) no room"
    )
    assert first_line(ValueError(advice)) == first_line(ValueError()) == "ValueError"
