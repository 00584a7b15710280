"""A ComfyUI for tests: a checkout's server on the CPU, with folders of its own, asked as a page asks it."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from PIL import Image

from tests.host.websocket import WebSocket

START_SECONDS = 300  # 10 on an idle machine
SILENCE_SECONDS = 300  # the longest wait for a next event
ENDS = ("execution_success", "execution_error", "execution_interrupted")
# Without the first, a first visit opens a dialog; the map would cover nodes.
SETTINGS = {"Comfy.TutorialCompleted": True, "Comfy.Locale": "en", "Comfy.Minimap.Visible": False}


class Refused(Exception):  # noqa: N818
    """The server did not take a prompt; `answer` says why."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(json.dumps(answer))
        self.answer = answer


@dataclass
class Run:
    """What came of a prompt: how it ended, every event in its order, what output nodes showed."""

    end: str
    details: dict[str, Any]  # of the last event
    events: list[tuple[str, Any]]
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)  # by node id

    def of(self, event: str) -> list[Any]:
        """The data of all events of this kind."""
        return [data for kind, data in self.events if kind == event]


def python_of(checkout: Path) -> Path:
    """The interpreter of the checkout's environment. Raises FileNotFoundError where there is none."""
    places = [checkout / folder / "bin" / "python" for folder in (".venv", "venv")]
    for place in places:
        if place.exists():
            return place
    raise FileNotFoundError(f"no environment: neither {places[0]} nor {places[1]} is there")


class Comfy:
    """A running server. `base` holds its folders: input, output, temp, models, user, custom_nodes."""

    def __init__(self, checkout: Path, base: Path, pack: Path) -> None:
        self.checkout, self.base, self.python = checkout, base, python_of(checkout)
        for folder in ("input", "custom_nodes", "user/default"):
            (base / folder).mkdir(parents=True)
        (base / "custom_nodes" / "pstyle").symlink_to(pack)
        (base / "user" / "default" / "comfy.settings.json").write_text(json.dumps(SETTINGS))
        self.port = free_port()
        self.log = (base / "server.log").open("wb")
        command = [str(self.python), "main.py", "--cpu", "--listen", "127.0.0.1", "--port", str(self.port)]
        command += ["--base-directory", str(base), "--database-url", f"sqlite:///{base / 'comfy.db'}"]
        command += ["--disable-api-nodes", *shlex.split(os.environ.get("COMFYUI_ARGS", ""))]
        self.process = subprocess.Popen(command, cwd=checkout, stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def models(self) -> Path:
        """The folder of this pack's model files."""
        return self.base / "models" / "pstyle"

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def ask(self, path: str, body: Any = None) -> Any:
        """The JSON that GET, or with a body POST, answers. Raises Refused where the server says 400."""
        text = self.read(path, body)
        return json.loads(text) if text else None

    def read(self, path: str, body: Any = None) -> bytes:
        """The bytes of the same answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            data = None if body is None else json.dumps(body)
            connection.request("GET" if data is None else "POST", path, data)
            answer = connection.getresponse()
            text, status = answer.read(), answer.status
        finally:
            connection.close()
        if status == 400:
            raise Refused(json.loads(text))
        if status != 200:
            raise ConnectionError(f"{path} gives HTTP status {status}")
        return text

    def run(self, prompt: dict[str, Any], on_event: Callable[[str, Any], None] = lambda *_: None) -> Run:
        """Queue a prompt in API format and wait for its end; `on_event` is told each event as it comes."""
        pages = WebSocket(self.port, client := f"test-{time.monotonic_ns()}", SILENCE_SECONDS)
        try:
            answer = self.ask("/prompt", {"prompt": prompt, "client_id": client})
            if answer["node_errors"]:  # part of it was dropped, and the rest runs
                raise Refused(answer)
            events = []
            for event, data in pages:
                events.append((event, data))
                on_event(event, data)
                if event == "executing" and data["node"] is None:  # sent once the history is written
                    break
        finally:
            pages.close()
        end, details = next(found for found in reversed(events) if found[0] in ENDS)
        history = self.ask(f"/history/{answer['prompt_id']}")
        return Run(end, details, events, history[answer["prompt_id"]]["outputs"])

    def pictures(self, run: Run, node: str) -> list[Image.Image]:
        """The pictures that a node saved or shows."""
        shown = run.outputs[node]["images"]
        return [
            Image.open(self.base / entry["type"] / entry["subfolder"] / entry["filename"]) for entry in shown
        ]

    def _wait(self) -> None:
        """Until the server answers."""
        limit = time.monotonic() + START_SECONDS
        while time.monotonic() < limit and self.process.poll() is None:
            try:
                self.ask("/system_stats")
                return
            except OSError:
                time.sleep(0.5)
        raise RuntimeError("ComfyUI did not start:\n" + (self.base / "server.log").read_text()[-2000:])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
