"""Results of several machines, put together into one page."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from mnist_exp.errors import UserError
from mnist_exp.reproduce import __main__ as command
from mnist_exp.tracking import costs

PUBLISHED = Path(__file__).parents[2] / "docs/results/results.csv"
BLOG = "blog_cnn3x3"


def machine(name: str, seeds: set[int], code: str = "0123456789abcdef") -> Path:
    """Write what `reproduce --only blog` leaves on a machine that trained these seeds."""
    folder = Path(name)
    folder.mkdir()
    table = pd.read_csv(PUBLISHED, dtype=str)
    of_seeds = table["seed"].isin([f"{seed}.0" for seed in seeds])
    lines = table[(table["preset"] == BLOG) & of_seeds]
    lines = lines.assign(run_id=name + "-" + lines["run_id"], n=len(seeds))
    lines.to_csv(folder / "results.csv", index=False)
    runs = lines[["seed", "run_id"]].drop_duplicates()
    numbers = dict.fromkeys(("steps", "training_seconds", "processor_seconds", "resumed"), 1)
    costs_here = runs.assign(
        page="results.md", program=BLOG, code_digest=code, machine=f"the {name}", **numbers
    )
    costs_here[list(costs.COLUMNS)].to_csv(folder / costs.FILE, index=False)
    where = f"- **Where**: {len(runs)} runs on the {name}.\n"
    (folder / "results.md").write_text(where, encoding="utf-8")
    return folder


def accuracies(folder: str) -> dict[int, tuple[str, float]]:
    """Return {seed: (the start of the run's id, test accuracy)}."""
    table = pd.read_csv(Path(folder) / "results.csv")
    scored = table[table["quantity"] == "test/accuracy"]
    starts = scored["run_id"].str.split("-").str[0]
    return dict(zip(scored["seed"], zip(starts, scored["value"], strict=True), strict=True))


def test_a_page_of_the_runs_of_two_machines(workdir: Path) -> None:
    machine("laptop", {0, 1, 2})
    machine("my server (2)", {2, 3, 4})
    machine("everything", {0, 1, 2, 3, 4})
    command.run(["--rewrite", "laptop", "my server (2)", "--output", "both"])
    command.run(["--rewrite", "everything", "--output", "all"])
    both, whole = accuracies("both"), accuracies("all")
    assert {seed: value for seed, (_, value) in both.items()} == {
        seed: value for seed, (_, value) in whole.items()
    }
    assert [both[seed][0] for seed in range(5)] == ["laptop"] * 3 + ["my server (2)"] * 2
    numbers = pd.read_csv("both/results.csv"), pd.read_csv("all/results.csv")
    assert numbers[0].drop(columns="run_id").equals(numbers[1].drop(columns="run_id"))
    lines = costs.read(Path("both"))
    assert set(lines["run_id"]) == set(pd.read_csv("both/results.csv")["run_id"])
    page = Path("both/results.md").read_text(encoding="utf-8")
    assert "Put together of 2 folders. 3 runs on the laptop. 3 runs on the my server" in page
    assert "Machine: the laptop; the my server (2)." in page
    # The page that was put together is one like any other.
    command.run(["--rewrite", "--output", "both"])
    assert Path("both/results.md").read_text(encoding="utf-8") == page


@pytest.mark.slow
def test_the_numbers_of_the_wrong_loss_stay_those_of_their_machine(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another processor rounds in another way: nothing of the page is computed again."""
    shutil.copytree(PUBLISHED.parent, "published")
    laptop = machine("laptop", {0, 1, 2})

    def computed(*_: object) -> None:
        raise AssertionError("nothing is trained or measured")

    monkeypatch.setattr(command, "_bug", computed)
    command.run(["--rewrite", "published", "--output", "again"])
    before, after = (Path(name) for name in ("published", "again"))
    assert (after / "results.csv").read_bytes() == (before / "results.csv").read_bytes()
    for name in ("bug.png", "two_losses.png"):
        assert (after / name).read_bytes() == (before / name).read_bytes()
        assert f"({name})" in (after / "results.md").read_text(encoding="utf-8")
    explained = [
        page.read_text(encoding="utf-8").partition("## Why exactly 0.098")[2].partition("\n## ")[0]
        for page in (before / "results.md", after / "results.md")
    ]
    assert explained[0] == explained[1] != ""
    lines = (before / "results.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (before / "results.csv").write_text("".join(lines[:-1]), encoding="utf-8")
    with pytest.raises(
        UserError, match=r"published/results\.csv is not whole: numbers of the wrong"
    ):
        command.run(["--rewrite", "published", "--output", "again"])
    command.run(["--rewrite", str(laptop), "--output", "alone"])
    assert "Why exactly" not in Path("alone/results.md").read_text(encoding="utf-8")


def test_runs_that_do_not_belong_together(workdir: Path) -> None:
    machine("laptop", {0, 1})
    machine("older", {2, 3}, code="f" * 16)
    with pytest.raises(UserError, match=r"of the same code.* laptop is 0123456789abcdef; .* ffff"):
        command.run(["--rewrite", "laptop", "older", "--output", "both"])
    Path("older/runs.csv").unlink()
    with pytest.raises(UserError, match="that of older is not recorded"):
        command.run(["--rewrite", "laptop", "older", "--output", "both"])
    table = pd.read_csv("older/results.csv").assign(shortened=True)
    table.to_csv("older/results.csv", index=False)
    with pytest.raises(UserError, match=f"some runs of {BLOG} are shortened, and others are not"):
        command.run(["--rewrite", "laptop", "older", "--output", "both"])
    with pytest.raises(UserError, match=r"there is no nowhere/results\.csv"):
        command.run(["--rewrite", "laptop", "nowhere", "--output", "both"])
    assert not Path("both").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", "", None),
        (r"(?m)^(blog_cnn3x3,test/accuracy,,1\.0),[\d.]+", r"\1,abc", "line 3: value is abc"),
        (r"(?m)^(blog_cnn3x3,test/accuracy,,1\.0),[\d.]+", r"\1,inf", "line 3: value is inf"),
        (r"(?m)^(blog_cnn3x3,test/accuracy,,1\.0),[\d.]+", r"\1,nan", "line 3: has no value"),
        (r"(?m)^(blog_cnn3x3,test/accuracy,,)1\.0", r"\1", "line 3: has no seed"),
        (r"(?m)^(blog_cnn3x3,train/cost,)2\.0,1\.0", r"\1,1.0", ": has no step"),
        (r"(?m)^(blog_cnn3x3,test/accuracy,,)1\.0", r"\1x", "line 3: seed is x; expected a number"),
        (r"(?m)^(blog_cnn3x3,test/accuracy,,)1\.0", r"\g<1>0.0", "line 3: the same preset"),
        (r"(?m)^(blog_cnn3x3,test/accuracy,,)1\.0", r"\g<1>1.5", "line 3: seed is 1.5; expected"),
        (r"(?m)^(blog_cnn3x3,test/accuracy,,1\.0),[\d.]+", r"\1,98.7", "line 3: value is 98.7"),
        (r"(?m)^(blog_cnn3x3,test/accuracy,,1\.0),[\d.]+", r"\1,-0.1", "line 3: value is -0.1"),
        (r"(?m)^blog_cnn3x3,test/accuracy.*\n", "", "has no test/accuracy of blog_cnn3x3"),
        (r"(?ms)\n.*", "\n", "is not whole: it has no test/accuracy"),
        (r"(?s)(\nblog_cnn3x3,test/accuracy,,1\.0,0\.\d).*", r"\1", "ends in the middle of a line"),
        (r"(?m)^blog_cnn3x3,test/accuracy,,1\.0.*\n", "", "it has 2 values of test/accuracy of bl"),
        (r"(?m)^blog_cnn3x3,train/cost,2\.0,1\.0.*\n", "", "has 2 values of train/cost at step 2"),
    ],
)
def test_a_damaged_file_is_left_as_it_is(
    workdir: Path, old: str, new: str, message: str | None
) -> None:
    """Each would have been rewritten as a page of fewer runs, or ended in a traceback."""
    folder = machine("laptop", {0, 1, 2})
    file = folder / "results.csv"
    file.write_text(re.sub(old, new, file.read_text()) if old else file.read_text())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    if message is None:
        command.run(["--rewrite", "--output", "laptop"])
        return
    with pytest.raises(UserError, match=r"^--rewrite: laptop/results\.csv") as refused:
        command.run(["--rewrite", "--output", "laptop"])
    assert message in str(refused.value)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
