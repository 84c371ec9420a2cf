"""The page's server over HTTP; `test_drawing_page` has the page in a browser."""

import http.client
import json
import socket
import struct
from typing import Any

import pytest
from PIL import Image

from mnist_exp import data
from mnist_exp.predict import drawing
from tests.support.pictures import dark_on_light, encoded, large
from tests.support.runs import Trained
from tests.support.waiting import LIMIT


def ask(
    server: drawing.Server, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=LIMIT)
    kind = {"Content-Type": "image/png"} if method == "POST" else {}
    connection.request(
        method, path, body or None, kind | {k.replace("_", "-"): v for k, v in headers.items()}
    )
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    is_json = answer.headers["Content-Type"] == "application/json"
    return answer.status, json.loads(content) if is_json else content.decode()


def test_the_page_needs_no_network(server: drawing.Server) -> None:
    status, page = ask(server, "GET", "/")
    assert status == 200
    assert server.url == f"http://127.0.0.1:{server.server_port}/"
    assert "http:" not in page
    assert "https:" not in page
    status, script = ask(server, "GET", "/drawing.js")
    assert status == 200
    assert "//" not in page + script.replace("// ", "").replace("  //", "")


def test_each_run_answers(server: drawing.Server, trained: Trained, mnist: data.Dataset) -> None:
    status, runs = ask(server, "GET", "/models")
    assert (status, [run["id"] for run in runs]) == (200, [trained.run_id] * 2)
    assert runs[0]["name"] == f"{trained.variant}-s0"
    assert runs[0]["roles"] == ["latest", "best"]
    assert runs[0]["accuracies"][1] == f"test {trained.test_accuracy:.4f}"
    assert runs[0]["settings"] == "CNN, 3x3 kernels, 16 and 32 filters; adam at 0.006; 2 epochs"
    picture = encoded(dark_on_light(large(mnist.test.images[0, :, :, 0])))
    status, answers = ask(server, "POST", "/classify", picture)
    assert status == 200
    assert [answer["digit"] for answer in answers] == [7, 7]
    assert sum(answers[0]["probabilities"]) == pytest.approx(1)
    assert len(answers[0]["pixels"]) == 784


def test_what_is_no_drawing_is_told(server: drawing.Server) -> None:
    assert ask(server, "POST", "/classify", encoded(Image.new("L", (50, 50)))) == (
        200,  # the browser would report any other status as an error
        {
            "error": "the page is empty: there is no ink that stands out from the paper, or it is "
            "too small for its page"
        },
    )
    status, answer = ask(server, "POST", "/classify", b"text")
    assert (status, list(answer)) == (200, ["error"])


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {"Host": "evil.example"}, 403),
        ("GET", "/", {"Host": "127.0.0.1:1"}, 403),
        ("POST", "/classify", {"Host": "evil.example:80"}, 403),
        ("POST", "/classify", {"Origin": "http://evil.example"}, 403),
        ("POST", "/classify", {"Origin": "null"}, 403),
        ("POST", "/classify", {"Content_Length": str(drawing.MOST_BYTES + 1)}, 413),
        ("POST", "/classify", {"Content_Length": "9" * 5000}, 413),
        ("POST", "/classify", {"Content_Length": "-1"}, 411),
        ("POST", "/classify", {"Transfer_Encoding": "chunked"}, 411),
        ("POST", "/classify", {"Content_Type": "text/plain"}, 415),
        ("POST", "/", {}, 404),
        ("GET", "/../predict.py", {}, 404),
        ("PUT", "/classify", {}, 501),
    ],
)
def test_others_are_refused(
    server: drawing.Server, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=LIMIT)
    connection.putrequest(method, path, skip_host="Host" in headers)
    sent = {"Content_Length": "0", "Content_Type": "image/png"} | headers
    if "Transfer_Encoding" in headers:
        del sent["Content_Length"]
    for name, value in sent.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


def test_this_machine_alone_is_answered(server: drawing.Server) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"


def test_who_leaves_before_the_answer_is_no_error(
    server: drawing.Server, mnist: data.Dataset, capfd: pytest.CaptureFixture[str]
) -> None:
    server.one_at_a_time.acquire()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=LIMIT)
    picture = encoded(large(mnist.test.images[0, :, :, 0]))
    connection.request("POST", "/classify", picture, {"Content-Type": "image/png"})
    assert connection.sock is not None
    connection.sock.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )  # closed by a reset
    connection.close()
    server.one_at_a_time.release()
    assert ask(server, "POST", "/classify", picture)[0] == 200
    assert capfd.readouterr().err == ""
