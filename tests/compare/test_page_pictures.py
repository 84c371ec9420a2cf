"""The pictures in README and docs of compare.html, from the four programs of the tutorials."""

from pathlib import Path

import pytest

from tests.support import browser
from tests.support.runs import output_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]
STUDY = ("sweeps=variants", "schedule.epochs=1", "hydra.sweeper.study_name=variants")
COMPARE = ("--study", "variants", "--baseline", "variant=blog_cnn3x3")


def photograph(page_file: Path, pictures: Path) -> None:
    """The page down to its figures, as wide as a laptop and as a phone."""
    with browser.page() as page:
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(page_file.as_uri())
            box = page.locator("section#paired-differences").bounding_box()
            assert box is not None
            height = box["y"] + box["height"] + 16
            page.screenshot(
                path=pictures / f"compare_{width}.png",
                full_page=True,
                clip={"x": 0, "y": 0, "width": width, "height": height},
            )


def test_the_tutorials_programs_on_the_page(
    request: pytest.FixtureRequest, workdir: Path, pictures: Path
) -> None:
    """On all images only for the docs: that takes minutes."""
    small = ["data.train_limit=2000", "data.eval_limit=1000", "preflight=off"]
    size = [] if request.config.getoption("--pictures") else small
    output_of(workdir, "mnist_exp", "-m", *STUDY, "tracking.code=off", *size, limit=7200)
    words = " ".join(output_of(workdir, "mnist_exp.compare", *COMPARE).split())
    assert "Of 3 groups compared with blog_cnn3x3" in words
    assert "warning" not in words
    photograph(workdir / "compare.html", pictures)
