"""A filter that is read here means to MLflow what it means here; all others are left to MLflow."""

import json

import sqlparse.keywords
from hypothesis import example, given
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchUtils

from mnist_exp.tracking.sqlite_filters import condition_of

LETTERS = st.text("ab1_ .,;:'\"`()/*#%&|<>=!?@$^+-{}[]\\\té日\n", max_size=8)
WORDS = sorted(
    {
        word
        for name in dir(sqlparse.keywords)
        if name.startswith("KEYWORDS")
        for word in getattr(sqlparse.keywords, name)
    }
)
names = st.one_of(LETTERS, st.sampled_from(WORDS), st.sampled_from(WORDS).map(str.lower))
keys = st.one_of(names, names.map("`{}`".format), st.tuples(names, names).map(".".join))
values = st.one_of(LETTERS.map("'{}'".format), LETTERS.map('"{}"'.format), st.just("0.5"))
clauses = st.builds(
    "{}.{}{}{}".format,
    st.sampled_from(["params", "tags", "param", "metrics", "attributes"]),
    keys,
    st.sampled_from([" = ", "=", " != ", "  !=  ", " LIKE ", " == "]),
    values,
)
run_ids = st.lists(st.text("abc01", max_size=3), max_size=3).map(
    lambda ids: "attributes.run_id IN ({})".format(", ".join(f"'{word}'" for word in ids))
)
filters = st.lists(st.one_of(clauses, clauses, run_ids), max_size=3).flatmap(
    lambda parts: st.sampled_from([" and ", " AND ", "  AND ", " or ", ", "]).map(
        lambda between: between.join(parts)
    )
)


def meaning(text: str) -> list[tuple[str, str, str, object]]:
    """Return (table, key, sign, value) of each condition, as MLflow reads it."""
    return [
        (part["type"], part["key"], part["comparator"].upper(), part["value"])
        for part in SearchUtils.parse_search_filter(text)
    ]


def own_meaning(text: str) -> list[tuple[str, str, str, object]] | None:
    """Return the same of the SQL that is made of it here, None if it is left to MLflow."""
    condition = condition_of(text)
    if condition is None:
        return None
    values = list(condition.values)
    found: list[tuple[str, str, str, object]] = []
    for part in [] if condition.sql == "1" else condition.sql.split(" AND run_uuid"):
        if "json_each" in part:
            found.append(("attribute", "run_id", "IN", tuple(json.loads(values.pop(0)))))
            continue
        table = "parameter" if " params " in part else "tag"
        found.append((table, values.pop(0), "!=" if "!=" in part else "=", values.pop(0)))
    assert not values
    return found


@given(filters)
@example("params.a = 'x' and attributes.run_id IN ('0')")
@example("tags.study_name = \"it's one\" and params.model != ''")
@example("params.from = 'x'")
@example("params.a.in = 'x'")
def test_a_filter_means_what_mlflow_reads(text: str) -> None:
    own = own_meaning(text)
    if own is None:
        return
    try:
        assert own == meaning(text)
    except MlflowException as error:
        raise AssertionError(f"{text}: MLflow refuses it") from error


@given(st.sampled_from(WORDS), st.sampled_from(["params.{}", "tags.a.{}", "params.{}_x"]))
def test_words_of_sql_as_names(word: str, key: str) -> None:
    test_a_filter_means_what_mlflow_reads.hypothesis.inner_test(f"{key.format(word)} = 'x'")  # type: ignore[attr-defined]


def test_the_usual_filters_are_read_here() -> None:
    for text in (
        "",
        "tags.study_role = 'study'",
        'tags.study_name = "it\'s one"',
        "params.model = 'mlp'",
        "params.optimizer.learning_rate != '0.1' AND tags.`mlflow.user` = 'me'",
        "params.model = 'mlp' and attributes.run_id IN ('0a1', 'b2')",
    ):
        assert own_meaning(text) == meaning(text)


def test_others_are_left_to_mlflow() -> None:
    for text in (
        "metrics.x > 0.5",
        "params.model LIKE 'm%'",
        "params.model = 'it''s'",
        "params.model = mlp",
        "params.model = 'a' or params.model = 'b'",
        "params.model = 'a' and",
        "status = 'FINISHED'",
        "attributes.run_id IN ()",
        "params.model = '\ud800'",
    ):
        assert condition_of(text) is None
