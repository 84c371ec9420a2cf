"""Programs of a session that differ in a value have other texts, and a repeated one the same."""

import os
import subprocess
import sys

import pytest

from mnist_exp.own_code.session_source import source_text
from tests.support.notebook import Notebook

USE = "\ndef build(shape, classes):\n    return V\n"
WITH_CLASS = "class A:\n    def __init__(self, x): self.x = x\n    def m(self): return self.x\n"
WRAPPER = """import functools
def twice(f):
    @functools.wraps(f)
    def wrapped(*given): return 2 * f(*given)
    return wrapped
@twice
def V(n): return n
"""
VALUES = [  # of the global V: its cell, what is changed there, and into what
    ("V = {'w': 8, 'f': [1, {3}]}", "3", "4"),
    ("V = {'a', 'b'}", "'b'", "'c'"),
    ("V = list(range(5000))", "5000", "5001"),
    ("V = 'x' * 5000", "'x'", "'y'"),
    ("V = []; V.append(V); V.append(1)", "1", "2"),
    ("V = None\nfor i in range(40): V = [V, i]", "40", "41"),
    ("import numpy\nV = [numpy.ones(3), numpy.zeros(2)]", "zeros(2)", "zeros((2, 1))"),
    ("import numpy\nV = numpy.zeros(2, 'float32')", "float32", "int32"),
    ("import numpy\nV = numpy.array([{'a': 1}, None])", "1", "2"),
    ("import numpy\nV = numpy.float32(1.5)", "1.5", "2.5"),
    ("import pandas\nV = pandas.DataFrame({'a': [1], 'b': ['x']})", "'x'", "'y'"),
    ("import collections\nV = collections.defaultdict(list, a=[1])", "1", "2"),
    ("import collections\nV = collections.deque([1])", "1", "2"),
    ("import pathlib\nV = pathlib.Path('a')", "'a'", "'b'"),
    ("from numpy import sin as V", "sin", "cos"),
    ("from numpy import mean as V", "mean", "median"),
    ("import numpy\nV = numpy.vectorize(lambda x: x * 2)", "* 2", "* 3"),
    ("max = 1\nV = lambda: max", "= 1", "= 2"),
    (WITH_CLASS + "V = A([A(A(1))])", "A(1)", "A(2)"),
    (WITH_CLASS + "V = A(1).m", "A(1)", "A(2)"),
    (WITH_CLASS + "V = A(1)", "return self.x", "return -self.x"),
    (WITH_CLASS + "V = A; A.rate = 1", "= 1", "= 2"),
    ("N = 1\nclass V:\n    def m(self, n=N): return n", "1", "2"),
    ("N = 1\nclass V:\n    @property\n    def m(self): return N", "1", "2"),
    ("class V:\n    __slots__ = ('x',)\n    def m(self): ...\nV = V(); V.x = 1", "x = 1", "x = 2"),
    ("import enum\nclass A(enum.Enum): X, Y = 1, 2\nV = A.X", "A.X", "A.Y"),
    ("import typing\nclass A(typing.NamedTuple): x: int\nV = A(1)", "A(1)", "A(2)"),
    ("import dataclasses\n@dataclasses.dataclass\nclass A: x: list\nV = A([1])", "[1]", "[2]"),
    ("def V(): return V.width\nV.width = 1", "1", "2"),
    ("def block(n): return lambda x: n\nV = [block(1), block(2), block(1)]", "1)]", "2)]"),
    ("import functools\n@functools.cache\ndef V(n): return n * 2", "2", "3"),
    ("import functools\nN = 1\n@functools.cache\ndef V(n): return n * N", "1", "2"),
    ("import functools\nV = [functools.partial(max, [1])]", "1", "2"),
    (WRAPPER, "2 *", "3 *"),
    ("import tensorflow as tf\n@tf.function\ndef V(x): return x * 2", "2", "3"),
    ("import tensorflow as tf\nV = tf.constant([1, 2])", "2", "3"),
    ("import tensorflow as tf\nV = tf.Variable([1, 2])", "2", "3"),
    ("import keras\nV = keras.layers.Dense(3)", "3", "4"),
    ("import keras\nV = keras.initializers.HeNormal(seed=1)", "1", "2"),
    (
        "import keras\nV = keras.Sequential([keras.layers.RandomFlip('vertical')])",
        "vert",
        "horizont",
    ),
    ("import keras, numpy\nV = keras.layers.Rescaling(1.0)\nV(numpy.ones(2))", "1.0", "2.0"),
    ("import keras, numpy\nV = keras.layers.Normalization()\nV.adapt(numpy.eye(3))", "(3)", "(4)"),
    ("import scipy.sparse\nV = scipy.sparse.csr_array([[1, 0]])", "1", "2"),
    (
        (
            "import keras\nclass A(keras.layers.Layer):\n    def __init__(self, f):\n"
            "        super().__init__()\n        self.f = f\nV = A(keras.ops.relu)"
        ),
        "relu",
        "tanh",
    ),
]


@pytest.mark.first_cases(8)
@pytest.mark.parametrize(("cell", "before", "after"), VALUES)
@pytest.mark.parametrize("is_known", [True, False])
def test_a_value_that_differs_changes_the_text(
    cell: str, before: str, after: str, is_known: bool
) -> None:
    assert before in cell
    first, same, other = (
        text_of(text + USE, is_known) for text in (cell, cell, cell.replace(before, after))
    )
    assert first == same != other


def text_of(cell: str, is_known: bool = True) -> str:
    session = Notebook()
    session.run(cell, is_known=is_known)
    return source_text(session["build"])


@pytest.mark.parametrize(
    ("cell", "use"),
    [
        ("import logging\nV = logging.getLogger('of a test')", "V.warning('x'); V.setLevel(5)"),
        ("import random\nV = random.Random(0)", "V.gauss(0, 1)"),
        ("import numpy\nV = numpy.random.default_rng()", "V.normal()"),
        ("import functools\n@functools.cache\ndef V(n): return n", "V(1)"),
        ("import tensorflow as tf\n@tf.function\ndef V(x): return x", "V(1)"),
        ("import keras\nV = keras.layers.Rescaling(2.0)", "import numpy; V(numpy.ones(2))"),
        (
            "import keras\nV = keras.Sequential([keras.layers.RandomFlip()])",
            "import numpy; V(numpy.ones((1, 4, 4, 1)), training=True)",
        ),
        ("import threading\nV = [threading.Lock(), open('/dev/null'), object()]", ""),
        ("import threading\nV = [threading.Lock(), open('/dev/null'), object()]", "V[0].acquire()"),
    ],
)
def test_neither_its_use_nor_making_it_anew_changes_a_value(cell: str, use: str) -> None:
    session = Notebook()
    session.run(cell + USE)
    before = source_text(session["build"])
    session.run(use)
    assert source_text(session["build"]) == before == text_of(cell + USE)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("is_known", [True, False])
def test_another_process_has_the_same_text(is_known: bool) -> None:
    cell = "V = [{'a', 'b', 'c'}, frozenset('abc'), {print, len, abs}, object()]" + USE
    cell = cell.replace("return V", "return V if shape in {'a', 'b', 'c'} else None")
    code = f"import {__name__} as test; print(test.text_of({cell!r}, {is_known}))"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
