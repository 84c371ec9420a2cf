"""`python -m mnist_exp.ui`: start MLflow's UI on the runs here, and open it on their results."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mnist_exp.command import Parser, main
from mnist_exp.errors import UserError
from mnist_exp.experiment import interrupts
from mnist_exp.outside.browsers import open_page
from mnist_exp.outside.printing import say

if TYPE_CHECKING:
    from argparse import Namespace

    from mlflow import MlflowClient

_DESCRIPTION = """See the runs of this folder in MLflow's UI, a page in your browser.

Starts MLflow's own server and opens its page on the accuracy of all runs. The server answers this
machine only. If the store is an MLflow server already, its page is opened."""
_EXAMPLES = """examples:
  python -m mnist_exp.ui
  python -m mnist_exp.ui --study variants
  python -m mnist_exp.ui --no-browser --port 5001

exit code: 130 when it is ended with Ctrl-C, 0 for an MLflow server, or 1 for a mistake"""
_LARGEST_PORT = 65535
_OWN = "tags.config_hash LIKE '%'"  # runs of this project


def _parser() -> Parser:
    parser = Parser("mnist_exp.ui", _DESCRIPTION, _EXAMPLES)
    what = parser.add_mutually_exclusive_group()
    text = "open on the runs of this MLflow experiment; default: that of mnist_exp's newest run"
    what.add_argument("--experiment", metavar="NAME", help=text)
    what.add_argument("--study", metavar="NAME", help="open on the trials of this study")
    text = "the server's port; default: 5000, or a free one if that is taken"
    parser.add_argument("--port", type=int, metavar="N", help=text)
    text = "print the address, and open no browser"
    parser.add_argument("--no-browser", action="store_true", help=text)
    return parser


def run(arguments: Sequence[str]) -> None:
    """Serve the UI until Ctrl-C. Raises UserError for what a user can get wrong."""
    options = _parser().parse_args(arguments)
    if options.port is not None and not 1 <= options.port <= _LARGEST_PORT:
        raise UserError(f"--port {options.port}: expected a number from 1 to {_LARGEST_PORT}")
    from mnist_exp.tracking import links, ui_note
    from mnist_exp.tracking.addresses import shortened
    from mnist_exp.tracking.store import opened, uri_to_read
    from mnist_exp.ui import server

    with opened(uri_to_read(options.uri)) as client:
        uri = client.tracking_uri
        before, page = links.server(uri), _page(client, options)
    if links.is_server(uri):
        _show(page, options)
        return
    port = server.choose_port(options.port)
    with interrupts.raised(), server.running(uri, port) as started:
        say(f"Starting MLflow's server on {shortened(uri)}; this can take a minute ...")
        usual = server.USUAL_PORT
        if port != usual and options.port is None:
            say(f"Port {usual} is taken by another program; port {port} is free.")
        if port != usual:
            is_known = ui_note.port_of(uri) == port
            which = (
                "links that were printed before" if is_known else "the links of runs and compare"
            )
            say(f"In {which}, write {port} instead of {usual}.")
        started.wait_until_it_answers()
        _show(page.replace(before, started.address, 1), options)
        say("Ctrl-C ends it.")
        started.wait_until_it_ends()


def _show(page: str, options: "Namespace") -> None:
    """Print the address, and open it in a browser unless that is not wanted."""
    say(page)
    if not options.no_browser:
        open_page(page)


def _page(client: "MlflowClient", options: "Namespace") -> str:
    """Return the address on which the UI opens. Raises UserError."""
    from mnist_exp.tracking.links import runs_page
    from mnist_exp.tracking.studies import find_study, study_name
    from mnist_exp.tracking.views import results_page

    if options.study is None:
        experiment_id, is_own = _experiment(client, options.experiment)
        if not is_own:  # other programs have other metrics, and the experiment stays as it is
            return runs_page(client.tracking_uri, experiment_id)
        return results_page(client, experiment_id)
    parent = find_study(client, options.study, "--study")
    keys = parent.data.tags.get("sweep.keys", "").split()
    return results_page(client, parent.info.experiment_id, study_name(parent), keys)


def _experiment(client: "MlflowClient", name: str | None) -> tuple[str, bool]:
    """Return the id of the experiment of this name, or of the newest run, and if it has own runs.

    Of all runs those of this project come first. Raises UserError.
    """
    from mnist_exp.tracking.addresses import ELSEWHERE, shortened
    from mnist_exp.tracking.experiment_ids import experiment_id, experiment_ids

    ids = list(experiment_ids(client).values()) if name is None else [experiment_id(client, name)]
    if (own := _newest(client, ids, _OWN)) is not None:
        return own, True
    if name is not None:
        return ids[0], False
    if (newest := _newest(client, ids, "")) is None:
        raise UserError(f"no runs here: {shortened(client.tracking_uri)} has none\n{ELSEWHERE}")
    return newest, False


def _newest(client: "MlflowClient", experiment_ids: list[str], condition: str) -> str | None:
    """Return the experiment of the newest run that meets MLflow's condition, or None."""
    runs = client.search_runs(
        experiment_ids, condition, order_by=["attributes.start_time DESC"], max_results=1
    )
    return str(runs[0].info.experiment_id) if runs else None


if __name__ == "__main__":
    main(run)
