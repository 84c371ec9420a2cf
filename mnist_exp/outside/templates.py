"""Fill in the package's Jinja2 templates: the HTML pages and Markdown files that commands write."""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_PACKAGE = Path(__file__).parent.parent


def render(template: str, **values: object) -> str:
    """Return the text of one of this package's templates, such as `compare/compare.html`.

    In an `.html` template every value is escaped, unless it is a `markupsafe.Markup`; in others
    none is. A template may extend or include another by its path below `mnist_exp/`. Raises
    `jinja2.UndefinedError` if the template asks for a value that is not given.
    """
    return _environment().get_template(template).render(values)


@cache
def _environment() -> "Environment":
    """Import Jinja2 on first use: a command that writes no page does not need it."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(_PACKAGE),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["breakable"] = _breakable
    return environment


def _breakable(text: str) -> "Markup":
    """Return a name or value as HTML in which a line may break.

    It breaks between the parts of a list if it can, and else after `_`, `=` and `/`, and between
    the parts of a dotted name.
    """
    from markupsafe import Markup, escape

    within = r"([_=/]|(?<=[a-z])\.(?=[a-z]))"
    parts = re.sub(within, r"\1<wbr>", str(escape(text))).split(", ")
    if len(parts) == 1:
        return Markup(parts[0])
    return Markup(", ").join(Markup(f'<span class="part">{part}</span>') for part in parts)
