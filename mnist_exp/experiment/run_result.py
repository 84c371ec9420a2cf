"""What `mnist_exp.run` returns: a run's numbers as tables, its figures, and its trained model."""

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mnist_exp.config.identity import flatten
from mnist_exp.config.schema import Config, ReferenceConfig
from mnist_exp.data import Form, Split
from mnist_exp.experiment import outcome
from mnist_exp.outside import plot_style, templates
from mnist_exp.outside.printing import plural
from mnist_exp.tracking import metric_names
from mnist_exp.tracking.links import Places
from mnist_exp.training.confusion import confusion_counts
from mnist_exp.training.results import EpochResult, best_epoch, final_test

if TYPE_CHECKING:
    import keras

    from mnist_exp.figures.figure import Figure
    from mnist_exp.preflight import PreflightReport


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class RunResult:
    """What a run ended with. Tables are made anew each time, so that they can be changed."""

    run_id: str
    run_name: str
    epochs: tuple[EpochResult, ...]
    conclusion: str
    """A sentence if the run learned nothing, or was to learn its images by heart; else empty."""
    uri: str
    """The store that has the run."""
    places: Places
    """Where the run is seen in MLflow's pages."""
    preflight: "PreflightReport | None"
    """What was found before training; None if nothing was looked for."""
    settings: Config
    reference: ReferenceConfig | None
    """What the tutorial reports for this program."""
    test: Split
    """The test images, in the order of the files."""
    form: Form
    """The shape of the images and the names of the classes."""
    probabilities: NDArray[np.float32]
    """Of the test images, [N, K]."""
    network: "keras.Model"

    @property
    def test_accuracy(self) -> float:
        """The fraction in [0, 1] of the test images that are right after the last epoch."""
        return final_test(self.epochs).accuracy

    @property
    def val_accuracy(self) -> float:
        """The fraction in [0, 1] of the validation images that are right after the last epoch."""
        return self.epochs[-1].val.accuracy

    @property
    def history(self) -> pd.DataFrame:
        """A row for each epoch, from 1, with all its metrics as MLflow has them, and its step."""
        rows = [
            {"epoch": one.epoch, "step": one.step, **metric_names.of_epoch(one, self.reference)}
            for one in self.epochs
        ]
        return pd.DataFrame(rows).set_index("epoch")

    @property
    def predictions(self) -> pd.DataFrame:
        """A row for each test image: label and prediction, 0 to K-1, and K probabilities.

        The probability of the class NAME is in the column `p(NAME)`.
        """
        answers = {"label": self.test.labels, "prediction": self.probabilities.argmax(axis=1)}
        names = [f"p({name})" for name in self.form.class_names]
        table = pd.DataFrame(self.probabilities, columns=names).assign(**answers)
        return table[[*answers, *names]].rename_axis("image")

    @property
    def confusion(self) -> pd.DataFrame:
        """Counts of test images by label (rows) and prediction (columns), named by the classes."""
        names, answers = list(self.form.class_names), self.probabilities.argmax(axis=1)
        counts = confusion_counts(self.test.labels, answers, len(names))
        table = pd.DataFrame(counts, index=names, columns=names)
        return table.rename_axis(index="label", columns="prediction")

    @property
    def config(self) -> dict[str, Any]:
        """Every setting by its name on the command line, such as `optimizer.learning_rate`."""
        return flatten(self.settings.to_dict())

    def model(self) -> "keras.Model":
        """Return the trained network: float images [N, H, W, C] in [0, 1] -> logits [N, K]."""
        return self.network

    @plot_style.plain()
    def figures(self) -> "dict[str, Figure]":
        """Return the run's matplotlib figures by name, as they are among its artifacts."""
        return outcome.drawn_figures(
            self.settings.seed,
            self.test,
            self.form,
            self.probabilities,
            self.epochs,
            self.reference,
        )

    def objectives(self) -> list[float]:
        """Return the values that a sweep optimises, which the setting `objective` names."""
        return outcome.objectives(self.settings.objective, self.epochs)

    def __repr__(self) -> str:
        return (
            f"RunResult({self.run_name}: test accuracy {self.test_accuracy:.4f}, validation "
            f"accuracy {self.val_accuracy:.4f}, {plural(len(self.epochs), 'epoch')}, "
            f"run {self.run_id})"
        )

    def _repr_html_(self) -> str:
        """Return the run for a notebook: its numbers, its curves, and where more is seen."""
        last, best = self.epochs[-1], best_epoch(self.epochs)
        claim = None if self.reference is None else self.reference.test_accuracy
        if self.settings.data.eval_on_train:
            accuracies = [("accuracy on the training images", f"{self.test_accuracy:.4f}")]
        else:
            accuracies = [
                ("test accuracy", f"{self.test_accuracy:.4f}"),
                *([] if claim is None else [("the tutorial's", f"{claim:g}")]),
                ("validation accuracy", f"{self.val_accuracy:.4f}"),
            ]
            if best.epoch != last.epoch:
                accuracies.append((f"its best, epoch {best.epoch}", f"{best.val.accuracy:.4f}"))
        found = self.preflight
        return templates.render(
            "experiment/run_result.html",
            name=self.run_name,
            rows=[*accuracies, ("cost of the last epoch", f"{last.cost:.4g}")],
            length=f"{plural(len(self.epochs), 'epoch')}, {plural(last.step, 'step')}",
            seconds=f"{sum(one.seconds for one in self.epochs):.0f}",
            conclusion=self.conclusion,
            findings=[] if found is None else [(one.severity, one.code) for one in found.findings],
            curves=self._curves(),
            places=self.places,
            run_id=self.run_id,
        )

    def _curves(self) -> str:
        """Return the learning curves as a PNG file in base64."""
        with plot_style.plain():
            from mnist_exp.figures.curves import learning_curves

            picture = learning_curves(self.epochs, self.reference)._repr_png_()
        return base64.b64encode(picture).decode()
