"""Conditions in MLflow's words as SQL, where both mean exactly the same; the rest is MLflow's."""

import json
import re
from dataclasses import dataclass

# Words of SQL that MLflow does not take for a name without quotes.
_NAME = r"(?!(?i:as|case|from|in|using|values)\b)[A-Za-z_]\w*"
_KEY = rf"(?P<key>{_NAME}(?:\.{_NAME})*|`[^`'\"\\]+`)"
_TEXT = r"(?:'(?P<text>[^'\"`\\]*)'|\"(?P<text_in_double_quotes>[^\"`\\]*)\")"
_CLAUSE = re.compile(
    rf"(?P<table>params|tags)\.{_KEY} *(?P<sign>=|!=) *{_TEXT}"
    r"|attributes\.run_id IN \((?P<ids>'\w*'(?:, '\w*')*)\)",
    re.ASCII,
)
_AND = re.compile(r" +(?:AND|and) +")


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A condition on the rows of MLflow's table `runs`, and the values of its question marks."""

    sql: str
    values: tuple[str, ...]


def condition_of(text: str) -> Condition | None:
    """Return the SQL of a filter of `search_runs`, None for a filter that is left to MLflow."""
    if not text:
        return Condition(sql="1", values=())
    if not text.isprintable():
        return None
    clauses = []
    position = 0
    while (found := _CLAUSE.match(text, position)) is not None:
        clauses.append(_clause(found))
        if found.end() == len(text):
            return Condition(
                sql=" AND ".join(clause.sql for clause in clauses),
                values=tuple(value for clause in clauses for value in clause.values),
            )
        between = _AND.match(text, found.end())
        if between is None:
            return None
        position = between.end()
    return None


def _clause(found: re.Match[str]) -> Condition:
    """Return one clause; a run without the key meets no condition on it, not even `!=`."""
    if found["ids"] is not None:
        ids = json.dumps(found["ids"].replace("'", "").split(", "))
        return Condition(sql="run_uuid IN (SELECT value FROM json_each(?))", values=(ids,))
    query = f"SELECT run_uuid FROM {found['table']} WHERE key = ? AND value {found['sign']} ?"
    text = found["text"] if found["text"] is not None else found["text_in_double_quotes"]
    return Condition(sql=f"run_uuid IN ({query})", values=(found["key"].strip("`"), text))
