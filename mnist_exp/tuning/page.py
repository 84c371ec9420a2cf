"""tuning.html: a study's page, one file that needs no network."""

from dataclasses import dataclass

from markupsafe import Markup

from mnist_exp.compare.glossary import TERMS
from mnist_exp.compare.labels import short_names
from mnist_exp.compare.scales import ScaleKind
from mnist_exp.compare.strips import ERROR_SCALE, Strips
from mnist_exp.outside import templates
from mnist_exp.outside.printing import command_line
from mnist_exp.sweeper import quoting
from mnist_exp.tuning import charts, words
from mnist_exp.tuning.importance import ROUNDS, SMALLEST, Importance, importances
from mnist_exp.tuning.trials import Study

_MOST_BEST = 10  # trials in the first table
_MOST_OTHERS = 100  # in the second
_SCALE_NOTES = {ScaleKind.LOG: "Log scale.", ScaleKind.ERROR: f"{ERROR_SCALE}."}


@dataclass(frozen=True, kw_only=True)
class Part:
    """What the page shows of one objective."""

    name: str
    importances: list[Importance]
    bars: Strips | None
    mattered: str  # which parameters are shown to matter, in words
    figures: list[tuple[str, Strips | Markup]]  # by parameter, the most important first
    scale_note: str


def importances_of(study: Study, objective: int = 0) -> list[Importance]:
    """Return the importance of the parameters for one objective, on the scale of the figures."""
    trials = study.comparable(objective)
    scale = charts.value_scale([value for _, value in trials], study.objectives[objective])
    values = [scale.at(value) for _, value in trials]
    return importances([trial.params for trial, _ in trials], values, study.parameters)


def _best_of(study_name: str, data_dir: str | None) -> str:
    """Return the command that trains a study's best settings on the images of its trials."""
    data = [] if data_dir is None else [quoting.override("data.dir", data_dir)]
    return command_line("python", "-m", "mnist_exp", quoting.override("best_of", study_name), *data)


def render(study: Study, written: str, data_dir: str | None = None) -> tuple[str, str]:
    """Return the page and its summary; `written` is when, as text.

    `data_dir` is where the trials' images are; it stands in the command that trains the best one.
    """
    best = study.best[:_MOST_BEST]
    shown = {trial.number for trial in best}
    others = [trial for trial in study.trials if trial.number not in shown]
    parts = [_part(study, i) for i in range(len(study.objectives))]
    drawn = charts.points(study, 0)
    one = len(study.objectives) == 1
    summary = words.summary(study, parts[0].importances)
    html = templates.render(
        "tuning/tuning.html",
        title=f"{study.objectives[0]}: study {study.name}",
        study=study,
        written=written,
        summary=summary,
        names=short_names(study.parameters),
        best=best,
        absent=any(name not in trial.params for trial in study.trials for name in study.parameters),
        best_of=_best_of(study.name, data_dir),
        others=others[:_MOST_OTHERS],
        hidden=max(0, len(others) - _MOST_OTHERS),
        history=charts.history(study, drawn) if one and drawn else "",
        courses=charts.courses(study) if one else None,
        fronts=[charts.pareto(study, drawn, i) for i in range(1, len(study.objectives))],
        parts=parts,
        key=charts.key_marks(),
        words=words,
        glossary=TERMS,
        terms=("Epoch", "Pruned", "Seed", "Setting", "Trial"),
        rounds=ROUNDS,
        smallest=SMALLEST,
    )
    return html, summary


def _part(study: Study, objective: int) -> Part:
    found = importances_of(study, objective)
    drawn = charts.points(study, objective)
    scale = charts.value_scale([point.value for point in drawn], study.objectives[objective])
    order = [one.parameter for one in found] or study.parameters
    figures = [(name, charts.against(study, drawn, name, objective, scale)) for name in order]
    return Part(
        name=study.objectives[objective],
        importances=found,
        bars=charts.importance_bars(found) if found else None,
        mattered=words.what_mattered(study, found),
        figures=figures if drawn else [],
        scale_note=_SCALE_NOTES.get(scale.kind, ""),
    )
