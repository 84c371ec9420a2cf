"""Python source as a text in which only what it computes counts."""

import ast

_NO_MEANING = ("ctx", "kind", "type_comment")  # fields of a syntax tree


def computed(node: object, *, imports: bool) -> str:
    """Return a text for a syntax tree that is the same for all trees that compute the same.

    Comments, docstrings and layout do not count, nor do import statements without `imports`.
    `ast.dump` names fields that only some versions of Python have; empty fields are left out here.
    """
    if isinstance(node, list):
        counted = [computed(item, imports=imports) for item in node if _computes(item, imports)]
        return f"[{','.join(counted)}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    texts = []
    for name in node._fields:
        value = getattr(node, name, None)
        if value is None or name in _NO_MEANING:
            continue
        if name == "values" and isinstance(node, ast.JoinedStr):
            # Python 3.12 ends some f-strings with an empty text.
            empty = "Constant(value='')"
            value = [part for part in value if computed(part, imports=imports) != empty]
        text = computed(value, imports=imports)
        if text != "[]":
            texts.append(f"{name}={text}")
    return f"{type(node).__name__}({','.join(texts)})"


def _computes(node: object, imports: bool) -> bool:
    """Return False for docstrings and other statements that change no number."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
        inner = [*node.body, *node.orelse]
        only_imports = not any(_computes(statement, imports=False) for statement in inner)
        return not (node.test.id == "TYPE_CHECKING" and only_imports)
    is_import = isinstance(node, ast.Import | ast.ImportFrom)
    return not isinstance(node, ast.Pass) and (imports or not is_import)
