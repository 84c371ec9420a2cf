"""Tables that somebody else wrote, read or refused in a line."""

import gzip
import math
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from mnist_exp.compare.frames import to_runs
from mnist_exp.compare.table_files import read_table
from mnist_exp.errors import DataError

LINES = ["model,seed,acc", "a,0,0.9", "a,1,0.91", "b,0,0.8", "b,1,0.85"]
GOOD = "\n".join(LINES) + "\n"
NO_TEXT = (
    "no text in UTF-8, UTF-16 or Western European; expected a CSV or Parquet file\n"
    "A spreadsheet program saves one as 'CSV UTF-8'."
)
SEMICOLONS = GOOD.replace(",", ";").replace(".", ",")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GOOD, "utf-8"),
        (GOOD, "utf-8-sig"),
        (GOOD, "utf-16"),
        (GOOD.replace("\n", "\r\n"), "utf-8"),
        (GOOD.replace("\n", "\r"), "utf-8"),  # an old Mac's
        (GOOD.replace("\n", "\n\n"), "utf-8"),
        (GOOD.replace(",", "\t"), "utf-8"),
        (GOOD.replace(",", "|"), "utf-8"),
        (GOOD.replace(",", " , "), "utf-8"),
        ("# made by hand\n# 2026-03-01\n" + GOOD, "utf-8"),
        (SEMICOLONS, "cp1252"),
        ("sep=;\n" + SEMICOLONS, "utf-8"),  # Excel's
        (GOOD.replace(",", ";"), "utf-8"),  # decimal points all the same
    ],
)
def test_tables_of_many_programs(text: str, encoding: str, tmp_path: Path) -> None:
    folder = tmp_path / "my runs (2)"
    folder.mkdir()
    file = folder / "Größen, März.csv"
    file.write_bytes(text.encode(encoding))
    table = read_table(file)
    assert list(table.columns) == ["model", "seed", "acc"]
    assert [str(model).strip() for model in table["model"]] == ["a", "a", "b", "b"]
    assert table["seed"].tolist() == [0, 1, 0, 1]
    assert table["acc"].tolist() == [0.9, 0.91, 0.8, 0.85]


def test_infinities_as_many_programs_write_them(tmp_path: Path) -> None:
    file = tmp_path / "results.csv"
    file.write_text("model,acc\na,Infinity\na,-Infinity\na,inf\na,NaN\na,n/a\na,0.5\n")
    found = read_table(file)["acc"].fillna(-1).tolist()
    assert found == [math.inf, -math.inf, math.inf, -1, -1, 0.5]


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1.234,50", "999,5", "-2.000.000"], [1234.5, 999.5, -2e6]),
        (["0,3e-4", ",5", "7"], [0.3e-4, 0.5, 7]),
        (["97,50 %", "98,00 %", "7%"], ["97.50 %", "98.00 %", "7%"]),
        (["1.234", "12", "1.234.567"], [1234, 12, 1234567]),
        (["1.234%", "1.234,5%"], ["1234%", "1234.5%"]),
        (["97.512%", "98.001%"], None),
        (["97.512", "98.001", "best"], None),
        (["0.912", "0,9", "1"], None),  # a point before three digits is no sign of thousands here
        ([",", "1", "2"], None),
    ],
)
def test_numbers_as_german_spreadsheets_write_them(
    texts: list[str], numbers: list[object] | None, tmp_path: Path
) -> None:
    file = tmp_path / "results.csv"
    file.write_text("seed;x\n" + "".join(f"{i};{text}\n" for i, text in enumerate(texts)))
    assert read_table(file)["x"].tolist() == (numbers or texts)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_number_means_the_same_with_any_separator_decimals_and_sign(
    separator: str, tmp_path: Path
) -> None:
    values = [97.5128, 98.0012, 3.25]
    file = tmp_path / "results.csv"
    for decimals, sign, point in product(range(5), ("", "%", " %"), ".,"):
        if point != separator:
            texts = [f"{value:.{decimals}f}{sign}".replace(".", point) for value in values]
            rows = [f"{i}{separator}{text}\n" for i, text in enumerate(texts)]
            file.write_text("".join([f"seed{separator}accuracy\n", *rows]))
            runs, _ = to_runs(read_table(file), "accuracy", "results.csv")
            expected = [float(f"{value:.{decimals}f}") for value in values]
            assert runs.metrics["accuracy"].tolist() == expected, texts


def test_a_row_is_called_by_its_line(tmp_path: Path) -> None:
    file = tmp_path / "results.csv"
    file.write_text("# by hand\n" + GOOD)
    assert list(read_table(file).index) == ["line 3", "line 4", "line 5", "line 6"]


def test_a_packed_table(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(SEMICOLONS, encoding="utf-16")
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(SEMICOLONS.encode("utf-16")))
    assert read_table(tmp_path / "x.csv.gz").equals(read_table(tmp_path / "x.csv"))


def test_parquet_whatever_its_name(tmp_path: Path) -> None:
    frame = pd.DataFrame({"model": ["a", "b"], "acc": [0.9, 0.8]})
    frame.to_parquet(tmp_path / "results")
    assert read_table(tmp_path / "results").equals(frame)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.csv", None, "no such file"),
        ("x.csv", b"", "is empty"),
        ("x.csv", b"a,b\n1,2\n1,2,3,4\n", "line 3 has 4 values, expected 2 as in the first line"),
        ("x.csv", b"a\n1,2\n", "its rows have more values than its first line has names"),
        ("x.xlsx", b"PK\x03\x04", "expected a CSV or Parquet file, found .xlsx"),
        ("x.csv", b"PK\x03\x04\x14\x00\x06\x00", NO_TEXT),  # a workbook that was renamed
        (
            "x.csv.gz",
            gzip.compress(GOOD.encode(), mtime=0)[:-20],
            "cannot be unpacked; is it complete?",
        ),
        ("x.csv.gz", GOOD.encode(), "cannot be read (Not a gzipped file (b'mo'))"),
        ("x.csv", GOOD.encode("utf-16-le"), NO_TEXT),  # without the mark that tells UTF-16
        ("x.csv", GOOD.encode("utf-16")[:-1], NO_TEXT),
        ("x.csv", GOOD.replace("a", "\u0179r\xf3d\u0142o").encode("cp1250"), NO_TEXT),
        ("x.csv", GOOD.replace("model", "\u30fc").encode("shift_jis"), NO_TEXT),
        ("x.parquet", b"PAR1 and no more", "not a Parquet file that can be read"),
        ("x.parquet", GOOD.encode(), "not a Parquet file that can be read"),
    ],
)
def test_a_file_that_is_no_table(
    name: str, content: bytes | None, message: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError) as told:
        read_table(file)
    assert str(told.value) == f"--table {file}: {message}"
    with pytest.raises(DataError, match="is a folder, expected a file"):
        read_table(tmp_path)


@pytest.mark.parametrize(
    "header",
    ["#,model,seed,acc", "# n,model,seed,acc", "\n\n#,model,seed,acc", "# by me\n#,model,seed,acc"],
)
def test_a_header_behind_a_hash(tmp_path: Path, header: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "\n".join([header, *(f"{i},{line}" for i, line in enumerate(LINES[1:]))]) + "\n"
    )
    table = read_table(path)
    assert list(table)[1:] == ["model", "seed", "acc"]
    assert table["acc"].tolist() == [0.9, 0.91, 0.8, 0.85]


def test_a_table_without_names_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join(LINES[1:]))
    with pytest.raises(DataError, match=r"expected names of columns in line 1, found 0.9"):
        read_table(path)


@pytest.mark.parametrize("text", ["128 128", "555 123 456", "000'123"])
def test_blanks_between_what_are_no_thousands(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"hidden,acc\n{text},0.9\n{text},0.8\n")
    assert set(read_table(path)["hidden"]) == {text}


def test_names_of_columns_may_be_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("# by me, of run 3, on, MNIST, today\nmodel,seed,acc,0.5,0.9\na,0,1,2,3\n")
    assert list(read_table(path)) == ["model", "seed", "acc", "0.5", "0.9"]


def test_a_long_comment_is_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("# " + 200_000 * "a" + "\n" + GOOD)
    assert list(read_table(path)) == ["model", "seed", "acc"]


@pytest.mark.parametrize("gap", [" ", "'", "\u2019", "\u00a0", "\u202f", "\u2009"])
@pytest.mark.parametrize(("separator", "point"), [(",", "."), (";", ",")])
def test_thousands_that_a_blank_or_an_apostrophe_keeps_apart(
    tmp_path: Path, gap: str, separator: str, point: str
) -> None:
    path = tmp_path / "t.csv"
    rows = [
        f"a{separator}{value}"
        for value in (f"12{gap}345{point}5", f"\u22121{gap}234{point}25", "7")
    ]
    path.write_text("\n".join([f"model{separator}score", *rows]), encoding="utf-8")
    assert read_table(path)["score"].tolist() == [12345.5, -1234.25, 7]


def test_a_long_column_has_one_type(tmp_path: Path) -> None:
    """pandas tells the types of a long file's columns part by part, unless it is asked not to."""
    path = tmp_path / "t.csv"
    padding = ",0" * 300
    names = ",".join(f"c{i}" for i in range(300))
    rows = ["1e-3" + padding] * 3_000 + ["auto" + padding]
    path.write_text("\n".join([f"lr,{names}", *rows]))
    assert set(read_table(path)["lr"]) == {"1e-3", "auto"}


def test_signs_in_quotes_separate_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('model;"acc, mean, of, all";seed\na;0,9;1\n')
    assert list(read_table(path)) == ["model", "acc, mean, of, all", "seed"]
