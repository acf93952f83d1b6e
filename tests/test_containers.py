import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from service.settings import Settings

CHECKOUT = Path(__file__).parents[1]
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text()
COMPOSE = (CHECKOUT / "docker-compose.yml").read_text()


class Health(BaseHTTPRequestHandler):
    """An API that is alive and has nothing else."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Write nothing."""


@pytest.fixture
def health_port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Health) as server:
        serving = threading.Thread(target=server.serve_forever, args=[0.02])
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


def health_check(port: int) -> int:
    """The exit status of the image's health check against an API on `port`."""
    words = re.search(r"HEALTHCHECK .*\\\n +CMD (\[.*\])", DOCKERFILE)
    assert words is not None
    _, *arguments = json.loads(words[1])
    checked = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        env={**os.environ, "GRADSERVE_PORT": str(port)},
        capture_output=True,
    )
    return checked.returncode


def test_the_health_check_passes_when_the_api_answers(health_port: int) -> None:
    assert health_check(health_port) == 0


def test_the_health_check_fails_when_nobody_listens(free_port: int) -> None:
    assert health_check(free_port) != 0


def test_what_the_image_copies_exists_and_is_sent_to_the_builder() -> None:
    sent = (CHECKOUT / ".dockerignore").read_text().splitlines()
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = line.split()
        for source in sources:
            assert (CHECKOUT / source).exists(), source
            assert f"!{source}" in sent, source


@pytest.mark.parametrize("document", [DOCKERFILE, COMPOSE], ids=["image", "compose"])
def test_every_variable_that_is_set_is_a_setting(document: str) -> None:
    variables = re.findall(r"^ +GRADSERVE_([A-Z_]+)[=:]", document, re.MULTILINE)
    assert variables
    assert {name.lower() for name in variables} <= Settings.model_fields.keys()
