from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mnist_exp.outside.short_names import all_shortened, shortened


def test_both_ends_of_a_long_name_stay() -> None:
    assert shortened("lesser spotted woodpecker", 14) == "lesser sp…cker"
    assert shortened("Ankle boot", 14) == "Ankle boot"
    assert shortened("日本語の長い名前", 9) == "日本語…前"


@given(st.text(), st.integers(4, 30))
def test_a_name_takes_no_more_columns_and_one_line(name: str, columns: int) -> None:
    short = shortened(name, columns)
    assert cell_len(short) <= columns
    assert short.isprintable()


@given(st.lists(st.text(max_size=40), unique=True, max_size=30))
def test_short_names_differ(names: list[str]) -> None:
    alike = [f"{name} {'x' * 30} the end" for name in names]
    short = all_shortened(alike, 16)
    assert all(cell_len(name) <= 16 for name in short)
    assert len(set(short)) == len(short)
