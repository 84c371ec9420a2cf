"""What is said of an edited file."""

from mnist_exp.own_code.changes import changes


def test_of_a_long_line_the_part_that_changed_is_shown() -> None:
    before, now = (b"a = 1\nx = [" + b"1, " * 60 + end + b"]\n" for end in (b"20", b"30"))
    (line,) = changes({"nets.py": before}, {"nets.py": now})
    assert line.startswith('nets.py: line 2 was "... , 1, 1, ')
    assert '1, 20]" and is "... ' in line
    assert line.endswith('1, 30]"')


def test_a_short_line_is_shown_whole() -> None:
    (line,) = changes({"nets.py": b"filters = 16\n"}, {"nets.py": b"filters = 32\n"})
    assert line == 'nets.py: line 1 was "filters = 16" and is "filters = 32"'
