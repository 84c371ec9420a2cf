"""Read a table of results that somebody else wrote: CSV with any separator, or Parquet."""

import csv
import gzip
import re
import warnings
import zlib
from itertools import islice, takewhile
from pathlib import Path
from typing import TextIO

import pandas as pd

from mnist_exp.errors import DataError
from mnist_exp.sweeper.foreign_text import clean

_PARQUET = (".parquet", ".pq")
_NOT_READ = (".xlsx", ".xls", ".ods", ".json", ".jsonl", ".feather", ".arrow", ".pkl", ".pickle")
# A number with a decimal comma, such as -1.234,5 or 0,3e-4; 0.912 has none and no thousands.
_COMMA_NUMBER = r"\s*[-+]?(?=[\d,])(\d*|[1-9]\d{0,2}(\.\d{3})+)(,\d+)?([eE][-+]?\d+)?(\s*%)?\s*"
# A number with a blank or an apostrophe between thousands, or with a typographer's minus sign.
_GAP = (
    "[ '\N{RIGHT SINGLE QUOTATION MARK}\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}]"
)
_GAP_NUMBER = (
    rf"\s*[-+\N{{MINUS SIGN}}]?(\d+|[1-9]\d{{0,2}}({_GAP}\d{{3}})+)"
    r"([.,]\d+)?([eE][-+]?\d+)?(\s*%)?\s*"
)
_QUOTED = re.compile(r'"[^"]*"')
_NO_POINT = r",|\..*\."  # with a comma or several dots, a number has no decimal point


def read_table(path: Path) -> pd.DataFrame:
    """Return the table in a file, each row's line number or position as its index.

    The separator of a CSV file is the one that its first line has most of: comma, semicolon, tab or
    bar. Its encoding is UTF-8 or UTF-16, or else Western European. Numbers may have blanks or
    apostrophes between thousands. Unless the file is separated by commas, they may have a decimal
    comma, and dots between thousands; a number's only dot is a decimal point in a column where no
    other number shows that dots are none. Raises DataError for a file that is no such table.
    """
    if not path.is_file():
        what = "is a folder, expected a file" if path.is_dir() else "no such file"
        raise DataError(f"--table {path}: {what}")
    if path.suffix.lower() in _NOT_READ:
        raise DataError(f"--table {path}: expected a CSV or Parquet file, found {path.suffix}")
    try:
        return _parquet(path) if _is_parquet(path) else _csv(path)
    except OSError as error:
        raise DataError(f"--table {path}: cannot be read ({error.strerror or error})") from error
    except (EOFError, zlib.error) as error:
        raise DataError(f"--table {path}: cannot be unpacked; is it complete?") from error


def _is_parquet(path: Path) -> bool:
    """Return whether it begins as a Parquet file does, whatever its name is."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1" or path.suffix.lower() in _PARQUET


def _parquet(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path)
    except (ValueError, TypeError, NotImplementedError) as error:  # pyarrow's are ValueErrors
        raise DataError(f"--table {path}: not a Parquet file that can be read") from error
    return table


def _csv(path: Path) -> pd.DataFrame:
    encoding = _encoding(path)
    with _opened(path, encoding) as file:
        above = [line for line in takewhile(_is_no_row, file)]
    with _opened(path, encoding) as file:
        head = next(islice(file, len(above), None), "")
    if above and _names_are_above(above[-1], head):
        head = above.pop()
    separator = _separator(head)
    try:
        names = next(csv.reader([_bare(head)], delimiter=separator), [])
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                path,
                sep=separator,
                encoding=encoding,
                skiprows=len(above),
                skip_blank_lines=False,
                index_col=False,
                low_memory=False,  # else each part of a long file has types of its own
            )
    except (ValueError, csv.Error, pd.errors.ParserWarning) as error:  # pandas' are ValueErrors
        raise DataError(f"--table {path}: {_problem(error)}") from error
    if len(names) == len(table.columns):
        _require_names(path, names, table, len(above) + 1)
        table.columns = [
            name.strip() for name in names
        ]  # pandas renames those that are there twice
    table.index = [f"line {i + len(above) + 2}" for i in range(len(table))]
    table = table.dropna(how="all").apply(_without_gaps)
    return table if separator == "," else table.apply(_with_decimal_points)


def _is_no_row(line: str) -> bool:
    """Return whether a line above the columns' names is blank, a comment, or Excel's `sep=;`."""
    is_comment = line.startswith("#") or not line.strip()
    return is_comment or re.match(r'"?sep=', line, re.IGNORECASE) is not None


def _separator(line: str) -> str:
    """Return the sign between the columns; those in quotes are part of a name."""
    return max(",;\t|", key=_QUOTED.sub("", line).count)


def _names_are_above(comment: str, line: str) -> bool:
    """Return whether a comment has the columns' names: those of `#,model` or `# model,seed`.

    Below it stands a row of values then, with as many columns, half of them numbers or more.
    """
    sign = _separator(line)
    names, values = (_QUOTED.sub("", text).split(sign) for text in (comment, line))
    numbers = sum(map(_is_number, values))
    is_row = 2 * numbers >= len(values) and not any(map(_is_number, names))
    return comment.startswith("#") and len(names) == len(values) > 1 and is_row


def _require_names(path: Path, names: list[str], table: pd.DataFrame, line: int) -> None:
    """Raise DataError if the names are a row of values: a number, and what its column has."""
    decimal = [name for name in names if re.fullmatch(r"\s*-?\d*\.\d+([eE][-+]?\d+)?\s*", name)]
    others = [i for i, name in enumerate(names) if name not in decimal]
    if decimal and any(names[i].strip() in set(table.iloc[:, i].astype(str)) for i in others):
        raise DataError(
            f"--table {path}: expected names of columns in line {line}, found "
            f"{clean(decimal[0], 50)}"
        )


def _bare(head: str) -> str:
    """Return the line of names without what makes it a comment; a column may be named `#`."""
    return head.removeprefix("#").lstrip(" ") if re.match("#[^,;\t|]", head) else head


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\s*[-+]?\d[\d.,]*([eE][-+]?\d+)?\s*%?\s*", text) is not None


def _opened(path: Path, encoding: str) -> TextIO:
    """Return the file's text, unpacked if its name ends in .gz, as pandas does it, too."""
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding=encoding)
    return path.open(encoding=encoding)


def _encoding(path: Path) -> str:
    """Return UTF-8 or UTF-16 by the file's first bytes, or Western European if it is not UTF-8.

    Raises DataError for what is no text in any of them, such as a compressed table or a workbook.
    """
    with _opened(path, "latin-1") as text:
        marked = text.read(2) in ("\xff\xfe", "\xfe\xff")
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252"):
        try:
            with _opened(path, encoding) as text:
                if not any("\0" in part for part in iter(lambda: text.read(2**20), "")):
                    return encoding
        except UnicodeError:
            continue
    raise DataError(
        f"--table {path}: no text in UTF-8, UTF-16 or Western European; expected a CSV or Parquet "
        "file\nA spreadsheet program saves one as 'CSV UTF-8'."
    )


def _problem(error: Exception) -> str:
    """Return why pandas cannot read it, in this project's words."""
    if found := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error)):
        return f"line {found[2]} has {found[3]} values, expected {found[1]} as in the first line"
    if isinstance(error, pd.errors.ParserWarning):
        return "its rows have more values than its first line has names"
    if isinstance(error, pd.errors.EmptyDataError):
        return "is empty"
    return f"not CSV that can be read ({clean(error, 100)})"


def _without_gaps(column: pd.Series) -> pd.Series:
    """Return a column of texts without blanks and apostrophes between thousands.

    Blanks stand between others than thousands, too: in 128 128, and in telephone numbers. They are
    taken for such where the column has a fraction.
    """
    if pd.api.types.is_numeric_dtype(column):
        return column
    texts = column.dropna().astype(str)
    if not texts.str.contains(f"{_GAP}\\d|\N{MINUS SIGN}", regex=True).any():
        return column
    is_blank = texts.str.contains(r"\d \d").any() and not texts.str.contains(r"[.,]\d").any()
    if is_blank or not texts.str.fullmatch(_GAP_NUMBER).all():
        return column
    plain = texts.str.replace(_GAP, "", regex=True).str.replace("\N{MINUS SIGN}", "-")
    numbers = pd.to_numeric(plain, errors="coerce")
    return (plain if numbers.isna().any() else numbers).reindex(column.index)


def _with_decimal_points(column: pd.Series) -> pd.Series:
    """Return numbers for a column of texts in which decimals, if any, have a comma.

    97.512 % may be meant with a decimal point unless another text is 97,5 % or 1.234.567.
    """
    if pd.api.types.is_numeric_dtype(column):
        return column
    texts = column.dropna().astype(str)
    has_no_points = texts.str.contains(_NO_POINT).any()
    if not has_no_points or not texts.str.fullmatch(_COMMA_NUMBER).all():
        return column
    points = column.astype(str).str.replace(".", "").str.replace(",", ".").where(column.notna())
    return points if texts.str.contains("%").any() else points.astype(float)
