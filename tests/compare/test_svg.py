"""Shapes are well-formed, and what others named is text in them."""

import xml.etree.ElementTree as ET

from markupsafe import Markup

from mnist_exp.compare import svg
from mnist_exp.compare.scales import Scale

EVIL = "<script>&\"'"


def test_an_element_escapes_its_text_and_attributes() -> None:
    drawn = svg.element("text", EVIL, Markup("<i/>"), class_="tick", text_anchor=EVIL)
    element = ET.fromstring(drawn)
    assert element.text == element.get("text-anchor") == EVIL
    assert element.get("class") == "tick"
    assert [child.tag for child in element] == ["i"]
    assert svg.element("rect", x=1) == '<rect x="1"/>'


def test_every_shape_is_one_element_with_the_names_as_text() -> None:
    scale = Scale(low=0, high=1)
    dot = svg.dot("50%", 3, EVIL)
    chart = svg.Chart(x=Scale(low=0.5, high=3), y=scale, x_label=EVIL)
    for shape in (
        svg.marker(3, 1, EVIL),
        svg.swatch(7),
        svg.strip([dot], scale, 30, zero=True),
        svg.strip_axis(scale),
        chart.draw([dot], EVIL, whole_x=True),
    ):
        assert isinstance(shape, Markup)
        assert "script" not in {element.tag for element in ET.fromstring(shape).iter()}
    ticks = [text.text for text in ET.fromstring(chart.draw([], "", whole_x=True)).iter("text")]
    assert ticks[-4:] == ["1", "2", "3", EVIL]
