"""Who may import whom and load which library; type-only imports and `__main__` modules count."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "mnist_exp"
# The packages and files from top to bottom, with the libraries that each loads. Two modules of
# preflight know the harness; the rest of it stands alone, as sweeper does.
ROOMS: dict[str, set[str]] = {
    "__main__": {"hydra", "omegaconf"},
    "__init__": set(),
    "api": {"keras", "pandas"},
    "reproduce": {"matplotlib", "numpy", "pandas", "rich", "scipy", "tensorflow"},
    "rerun": {"rich"},
    "predict": {"mlflow", "numpy", "pandas", "rich"},
    "explain": {"markupsafe", "matplotlib", "numpy", "pandas", "rich"},
    "sync": set(),
    "ui": {"mlflow"},
    "preflight.__main__": set(),
    "experiment": {"keras", "numpy", "pandas", "rich"},
    "studies": {"hydra", "mlflow", "omegaconf", "optuna", "rich"},
    "compare.__main__": set(),
    "tuning": {"markupsafe", "numpy", "pandas", "rich", "sklearn"},
    "compare": {"markupsafe", "numpy", "pandas", "rich", "scipy"},
    "tracking": {"keras", "mlflow", "numpy", "pandas", "sqlalchemy", "yaml"},
    "serving": {"keras", "mlflow", "numpy", "pandas", "PIL", "pillow_heif"},
    "figures": {"matplotlib", "numpy"},
    "preflight.harness": {"tensorflow"},
    "training": {"filelock", "keras", "numpy", "psutil", "tensorflow"},
    "preflight": {"keras", "numpy", "tensorflow"},
    "command": set(),
    "config": {"hydra", "omegaconf", "yaml"},
    "data": {"numpy", "PIL", "pyarrow"},
    "own_code": set(),
    "errors": set(),
    "outside": {"PIL", "jinja2", "markupsafe", "matplotlib", "mlflow", "numpy", "rich", "yaml"},
    "sweeper": {"filelock", "hydra", "joblib", "numpy", "omegaconf"}
    | {"optuna", "psutil", "rich", "sqlalchemy"},
}
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


def imports(module: str) -> set[str]:
    """Return the modules of mnist_exp and the top-level packages that a module imports anywhere."""
    path, imported = MODULES[module], set()
    parents = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = parents[: len(parents) + 1 - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{source}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else source for name in names]
        else:
            continue
        imported |= {name if name in MODULES else name.partition(".")[0] for name in names}
    return imported - sys.stdlib_module_names - {module}


def room(module: str) -> str:
    _, _, path = module.partition(".")
    return path if path in ROOMS else path.partition(".")[0] or "__init__"


def test_every_module_is_in_a_room() -> None:
    assert {room(module) for module in MODULES} == set(ROOMS)


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_imports_only_from_rooms_below_and_loads_only_its_libraries(name: str) -> None:
    below = [name] if name in ("preflight", "sweeper") else list(ROOMS)[list(ROOMS).index(name) :]
    own = {module: imports(module) for module in MODULES if room(module) == name}
    for module, imported in own.items():
        upward = {other for other in imported & set(MODULES) if room(other) not in below}
        assert not upward, module
        assert imported - set(MODULES) <= ROOMS[name], module
    libraries = set[str]().union(*own.values()) - set(MODULES)
    assert libraries == ROOMS[name], "take away what no module of the room loads"


def test_no_modules_import_each_other_in_a_circle() -> None:
    TopologicalSorter({module: imports(module) for module in MODULES}).prepare()


def test_the_picture_in_the_docs_shows_the_imports() -> None:
    below: dict[str, set[str]] = {}
    arrows: set[tuple[str, str]] = set()
    for name in reversed(ROOMS):
        own = [module for module in MODULES if room(module) == name]
        direct = {room(other) for m in own for other in imports(m) & set(MODULES)} - {name}
        indirect = set[str]().union(*(below[other] for other in direct))
        arrows |= {(name, other) for other in direct - indirect}  # indirect ways are not drawn
        below[name] = direct | indirect
    text = (PACKAGE.parent / "docs/architecture.md").read_text()
    drawn = re.findall(r"^    (\S+) --> (\S+)$", text, re.MULTILINE)
    assert set(drawn) == arrows, "change the arrows of the picture in docs/architecture.md"


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        ("compare.__main__ compare.page compare.table", "tensorflow keras hydra matplotlib"),
        ("reproduce.__main__", "tensorflow keras mlflow pandas matplotlib"),
        ("sweeper.plugin", "optuna"),  # Hydra imports every plugin, whatever the command
    ],
)
def test_what_starts_without_heavy_libraries(modules: str, absent: str) -> None:
    names = ", ".join(f"mnist_exp.{module}" for module in modules.split())
    code = f"import sys, {names}; print([name for name in {absent.split()} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
