"""The pictures in README and docs of compare.html, from two studies."""

from pathlib import Path

import pytest

from tests.support import browser
from tests.support.runs import output_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]
STUDY = ("sweeps=variants", "schedule.epochs=1", "hydra.sweeper.study_name=variants")
COMPARE = ("--study", "variants", "--baseline", "variant=blog_cnn3x3")
FIFTEEN = [
    "hydra/sweeper=optuna_study",
    "hydra/sweeper/sampler=grid",
    "hydra.sweeper.n_trials=null",
    "hydra.sweeper.study_name=fifteen",
    "model=softmax",
    "optimizer=adam",
    "optimizer.learning_rate=0.0001,0.001,0.01,0.03,0.1",
    "loss=cross_entropy,cross_entropy_sum,self_entropy",
    "data.train_limit=2000",
    "data.eval_limit=1000",
]
IS_CUT = "all => all.some(box => box.scrollWidth > box.clientWidth)"


def photograph(page_file: Path, pictures: Path, name: str) -> None:
    """The page down to its figures, as wide as a laptop and as a phone, by day and by night."""
    with browser.page() as page:
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.goto(page_file.as_uri())
                assert not page.locator(".scroll:has(.groups)").evaluate_all(IS_CUT)
                assert page.evaluate("document.documentElement.scrollWidth") == width
                box = page.locator("section#paired-differences").bounding_box()
                assert box is not None
                height = box["y"] + box["height"] + 16
                page.screenshot(
                    path=pictures / f"{name}_{width}{'_dark' * (scheme == 'dark')}.png",
                    full_page=True,
                    clip={"x": 0, "y": 0, "width": width, "height": height},
                )


def test_the_tutorials_programs_on_the_page(
    request: pytest.FixtureRequest, workdir: Path, pictures: Path
) -> None:
    """On more images for the docs: that takes minutes."""
    small = ["data.train_limit=2000", "data.eval_limit=1000"]
    size = ["data.train_limit=10000"] if request.config.getoption("--pictures") else small
    sweep = (*STUDY, "tracking.code=off", "preflight=off")
    output_of(workdir, "mnist_exp", "-m", *sweep, *size, limit=7200)
    words = " ".join(output_of(workdir, "mnist_exp.compare", *COMPARE).split())
    assert "Of 3 groups compared with blog_cnn3x3" in words
    assert "warning" not in words
    photograph(workdir / "compare.html", pictures, "compare")


def test_fifteen_groups_on_the_page(
    request: pytest.FixtureRequest, workdir: Path, pictures: Path
) -> None:
    small = ["schedule.epochs=1", "seed=0,1"]
    size = ["schedule.epochs=5", "seed=range(0,5)"]
    chosen = size if request.config.getoption("--pictures") else small
    sweep = (*FIFTEEN, "tracking.code=off", "preflight=off")
    output_of(workdir, "mnist_exp", "-m", *sweep, *chosen, limit=7200)
    output_of(workdir, "mnist_exp.compare", "--study", "fifteen")
    photograph(workdir / "compare.html", pictures, "compare_15")
