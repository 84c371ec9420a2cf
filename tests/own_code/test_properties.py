"""Facts about one's own code that hold for every tree of modules and every change of a source."""

import ast
import subprocess
import sys
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_exp.own_code.changes import changes
from mnist_exp.own_code.code import digest_of
from mnist_exp.own_code.finding import find
from mnist_exp.own_code.loading import load
from mnist_exp.own_code.names import parse

NAMES = ["a", "b", "p.a", "p.c", "p.q.a", "q.a", "random", "json.a"]
PACKAGES = ["p", "p.q", "q", "json"]
FORMS = [  # of an import of the module {name}, whose parent is {parent} and last part {last}
    "import {name} as {alias}",
    "from {parent} import {last} as {alias}",
    "def _(): pass\nimport {name} as {alias}",
]


@st.composite
def trees(draw: st.DrawFn) -> dict[str, str]:
    """Sources by their paths: each module has a number, and imports modules that come after it."""
    # Without __init__.py, Python's own json comes before it.
    packages = draw(st.sets(st.sampled_from(PACKAGES))) | {"json"}
    files = {f"{name.replace('.', '/')}/__init__.py": "" for name in packages}
    for position, name in enumerate(NAMES):
        lines = [f"SEEN = [{position}]"]
        for later in draw(st.lists(st.sampled_from(NAMES[position + 1 :] or ["a"]), unique=True)):
            if NAMES.index(later) <= position:
                continue
            parent, _, last = later.rpartition(".")
            form = draw(st.sampled_from(FORMS if parent else [FORMS[0], FORMS[2]]))
            alias = f"m{NAMES.index(later)}"
            lines += [form.format(name=later, parent=parent, last=last, alias=alias)]
            lines += [f"SEEN += {alias}.SEEN"]
        files[f"{name.replace('.', '/')}.py"] = "\n".join(lines) + "\n"
    files["a.py"] += "def build(a, b):\n    return SEEN\n"
    return files


@settings(max_examples=30)  # each takes a process
@given(trees())
def test_imports_lead_where_python_leads(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        code = find([parse("model.build", "a:build")], folder)
        assert code is not None
        expected = _of_python(folder)
        assert expected["seen"] == load("a:build", "model.build", code)(0, 0)
        assert {*code.sources} == {*expected["files"]}
        code.modules.release()


def _of_python(folder: Path) -> dict[str, list[object]]:
    """What Python itself imports there: in a process, since its modules stay."""
    script = (
        f"import sys, os; sys.path.insert(0, {str(folder)!r}); before = {{*sys.modules}}\n"
        "for name in ('json', 'random'): sys.modules.pop(name, None)\n"
        "import a\n"
        f"files = [getattr(m, '__file__', None) or '' for m in [*sys.modules.values()]]\n"
        f"found = [os.path.relpath(f, {str(folder)!r}) for f in files if f.startswith("
        f"{str(folder)!r})]\n"
        "sys.stdout.write(repr((a.build(0, 0), found)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )
    seen, files = ast.literal_eval(done.stdout)
    return {"seen": seen, "files": files}


LINES = [
    "x = 1",
    "y = x + 2",
    "def f(a):\n    return a * x",
    "class C:\n    z = [1, 2]",
    "import os",
]
HARMLESS = ["", "# a comment", '"""A text."""', "'a text'"]


@given(st.lists(st.sampled_from(LINES), min_size=1), st.data())
def test_what_is_written_about_the_code_never_counts(lines: list[str], data: st.DataObject) -> None:
    before = "\n".join(lines).encode()
    changed = list(lines)
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(changed)))
        changed.insert(place, data.draw(st.sampled_from(HARMLESS)))
    ending = data.draw(st.sampled_from(["\n", "\r\n"]))
    mark = data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    after = mark + ending.join("\n".join(changed).split("\n")).encode()
    assert digest_of({"m.py": before}) == digest_of({"m.py": after})
    assert changes({"m.py": before}, {"m.py": after}) == []


@given(st.lists(st.sampled_from(LINES), min_size=1), st.data())
def test_every_other_change_counts_and_is_named(lines: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(lines) - 1))
    other = [*lines[:place], "y = x + 3", *lines[place + 1 :]]
    before, after = ("\n".join(text).encode() for text in (lines, other))
    assert digest_of({"m.py": before}) != digest_of({"m.py": after})
    (line,) = changes({"m.py": before}, {"m.py": after})
    assert line.startswith("m.py: line")
    assert changes({"m.py": before}, {}) == ["m.py is not used any more"]
    assert changes({}, {"m.py": before}) == ["m.py is new"]


@given(st.binary(max_size=60))
def test_any_bytes_have_a_digest(source: bytes) -> None:
    assert len(digest_of({"m.py": source})) == 16
    assert digest_of({"m.py": source}) == digest_of({"m.py": source})
    assert changes({"m.py": source}, {"m.py": source}) == []
