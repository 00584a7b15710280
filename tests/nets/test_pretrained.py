"""Protects the fetching of VGG-19: what has no right hash is not opened, what is no tensor is not read."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from pstyle.core.checkpoint import BadFile, read_metadata
from pstyle.nets import pretrained
from pstyle.nets.pretrained import get_vgg
from pstyle.nets.vgg import VGG, load_vgg

CHANNELS = {0: (3, 64), 2: (64, 64), 5: (64, 128), 7: (128, 128), 10: (128, 256)}
CHANNELS |= {index: (256, 256) for index in (12, 14, 16)} | {19: (256, 512)}
CHANNELS |= {index: (512, 512) for index in (21, 23, 25, 28, 30, 32, 34)}  # torchvision's vgg19().features
SLIM = 16  # all but one of the tests fetch a VGG-19 of so many times fewer channels


def vgg19(slim: int = SLIM) -> dict[str, torch.Tensor]:
    """A state of VGG-19's shapes in a few kilobytes: one number per tensor, another one in each, expanded."""
    state = {}
    for index, (before, after) in CHANNELS.items():
        before, after = before if before == 3 else before // slim, after // slim
        state[f"features.{index}.weight"] = torch.tensor([index / 64 + 0.25]).expand(after, before, 3, 3)
        state[f"features.{index}.bias"] = torch.tensor([-index / 64]).expand(after)
    state["classifier.6.weight"] = torch.ones(1).expand(1000, 4096)
    return state


def as_bytes(state: object, **settings: object) -> bytes:
    file = io.BytesIO()
    torch.save(state, file, **settings)
    return file.getvalue()


def name_of(data: bytes) -> str:
    return f"vgg19-{hashlib.sha256(data).hexdigest()[:8]}.pth"


class Shelf:
    """A server on this machine only: what lies on it, its address, and what was asked of it."""

    def __init__(self, address: str) -> None:
        self.address, self.files, self.asked = address, {}, []

    def put(self, data: bytes, name: str | None = None) -> str:
        """Lay a file on the shelf, under its honest name if none is given; returns its address."""
        name = name or name_of(data)
        self.files[f"/models/{name}"] = data
        return f"{self.address}/models/{name}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(handler.path)
        data = self.files.get(handler.path)
        if data is None:
            return handler.send_error(404)
        if handler.path.startswith("/models/garbled"):
            handler.wfile.write(b"what?\r\n\r\n")
            return None
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[: len(data) // 2] if handler.path.startswith("/models/cut") else data)


@pytest.fixture(scope="module")
def shelf() -> Iterator[Shelf]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 (the server's name for it)
            found.answer(self)

        def log_message(self, *_: object) -> None:
            """Tests keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Shelf(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def slim_and_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(pretrained, "VGG", partial(VGG, 1 / SLIM))


@pytest.fixture(scope="module")
def fetched(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """One good run, at full width, into a folder that did not exist."""
    folder, stages = tmp_path_factory.mktemp("models") / "pstyle", []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "127.0.0.1")
        patch.setattr(pretrained, "VGG", VGG)
        path = get_vgg(folder, shelf.put(as_bytes(vgg19(slim=1))), on_progress=stages.append)
    return SimpleNamespace(path=path, folder=folder, stages=stages)


def refusal(folder: Path, url: str, **settings: object) -> str:
    """The one line with which `get_vgg` refuses, having left the folder as it was."""
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(BadFile) as refused:
        get_vgg(folder, url, **settings)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    message = str(refused.value)
    assert "\n" not in message
    return message


# --- what is kept


def test_the_convolutions_are_kept_and_nothing_else(fetched: SimpleNamespace) -> None:
    assert [path.name for path in fetched.folder.iterdir()] == ["vgg19_imagenet.safetensors"]
    assert fetched.path.parent == fetched.folder
    kept, state = load_file(fetched.path), vgg19(slim=1)
    assert set(kept) == {f"features.{index}.{part}" for index in CHANNELS for part in ("weight", "bias")}
    assert all(kept[name].dtype == torch.float32 and torch.equal(kept[name], state[name]) for name in kept)


def test_the_file_says_what_it_is(fetched: SimpleNamespace) -> None:
    metadata = read_metadata(fetched.path)
    assert metadata["format"] == "pstyle.vgg"
    assert "IMAGENET1K_V1" in metadata["made_from"]


def test_the_file_loads_as_a_vgg(fetched: SimpleNamespace) -> None:
    vgg, state = load_vgg(fetched.path), vgg19(slim=1)
    assert vgg.width == 1.0
    assert all(torch.equal(value, state[name]) for name, value in vgg.state_dict().items())


def test_every_stage_is_told_in_order(fetched: SimpleNamespace) -> None:
    assert [stage.split()[0] for stage in fetched.stages] == ["fetching", "checking", "writing"]


# --- what is refused


def test_a_wrong_hash_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    url = shelf.put(as_bytes(vgg19()), "vgg19-00000000.pth")
    assert "SHA-256" in refusal(tmp_path, url)


def test_a_download_that_was_cut_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    data = as_bytes(vgg19())
    assert "SHA-256" in refusal(tmp_path, shelf.put(data, f"cut{name_of(data)}"))


@pytest.mark.parametrize("name", ["vgg19.pth", "vgg19-.pth", "vgg19-dcbb.pth", "vgg19-dcbb9e9d.pth/", ""])
def test_an_address_that_promises_no_hash_is_refused(shelf: Shelf, tmp_path: Path, name: str) -> None:
    asked = len(shelf.asked)
    assert "vgg19-dcbb9e9d.pth" in refusal(tmp_path, f"{shelf.address}/models/{name}")
    assert len(shelf.asked) == asked


class Bomb:
    """Unpickled, it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable, tuple]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("save", [as_bytes, partial(pickle.dumps, protocol=2)], ids=["torch file", "bare"])
def test_a_pickle_with_an_honest_hash_runs_nothing(shelf: Shelf, tmp_path: Path, save: Callable) -> None:
    folder, marker = tmp_path / "models", tmp_path / "ran"
    folder.mkdir()
    data = save({**vgg19(), "features.0.bias": Bomb(marker)})
    assert "plain tensors" in refusal(folder, shelf.put(data))
    assert not marker.exists()


@pytest.mark.parametrize(
    ("state", "named"),
    [
        ({name: value for name, value in vgg19().items() if name != "features.34.bias"}, "features.34.bias"),
        (vgg19() | {"features.5.weight": torch.zeros(8, 4, 3)}, "features.5.weight"),
        (vgg19() | {"features.7.bias": torch.zeros(8, dtype=torch.float16)}, "features.7.bias"),
        (vgg19() | {"features.2.bias": torch.full((4,), float("nan"))}, "features.2.bias"),
        (vgg19() | {"features.10.bias": [0.0] * 16}, "features.10.bias"),
        ([1, 2, 3], "features.0.weight"),
    ],
    ids=["missing", "shape", "dtype", "NaN", "a list", "no state at all"],
)
def test_what_is_no_vgg19_is_refused_by_name(shelf: Shelf, tmp_path: Path, state: object, named: str) -> None:
    assert named in refusal(tmp_path, shelf.put(as_bytes(state)))


# --- the network and its absence


def test_offline_names_the_file_and_the_folder_to_put_it_into(tmp_path: Path) -> None:
    message = refusal(tmp_path, "http://127.0.0.1:9/models/vgg19-dcbb9e9d.pth")  # nobody listens at 9
    assert "vgg19-dcbb9e9d.pth" in message
    assert repr(str(tmp_path)) in message


@pytest.mark.parametrize("name", ["vgg19-12345678.pth", "garbled-12345678.pth"], ids=["404", "no HTTP"])
def test_a_server_that_has_it_not_is_told_like_offline(shelf: Shelf, tmp_path: Path, name: str) -> None:
    shelf.files["/models/garbled-12345678.pth"] = b"x"
    assert repr(str(tmp_path)) in refusal(tmp_path, f"{shelf.address}/models/{name}")


@pytest.mark.parametrize("url", [f"{start}vgg19-dcbb9e9d.pth" for start in ("", "file:///", "https:/")])
def test_what_is_no_address_of_the_web_is_refused(tmp_path: Path, url: str) -> None:
    assert f"{url!r} must be like https://" in refusal(tmp_path, url)


def test_a_file_put_into_the_folder_needs_no_network_and_stays(tmp_path: Path) -> None:
    data = as_bytes(vgg19(), _use_new_zipfile_serialization=False)  # the form of the original, of 2017
    archive = tmp_path / name_of(data)
    archive.write_bytes(data)
    path = get_vgg(tmp_path, f"http://127.0.0.1:9/{archive.name}")
    assert archive.read_bytes() == data
    with safe_open(path, "pt") as kept:
        assert torch.equal(kept.get_tensor("features.34.weight"), vgg19()["features.34.weight"])


def test_a_damaged_file_in_the_folder_is_refused_and_left_to_its_owner(tmp_path: Path) -> None:
    data = as_bytes(vgg19())
    (tmp_path / name_of(data)).write_bytes(data[:-1])
    assert "delete it" in refusal(tmp_path, f"http://127.0.0.1:9/{name_of(data)}")


# --- files of the person


def test_an_existing_file_is_kept_unless_asked(shelf: Shelf, tmp_path: Path) -> None:
    old = tmp_path / "vgg19_imagenet.safetensors"
    old.write_bytes(b"mine")
    url, asked = shelf.put(as_bytes(vgg19())), len(shelf.asked)
    assert "exists already" in refusal(tmp_path, url)
    assert len(shelf.asked) == asked  # told before 548 MiB are on their way
    assert load_file(get_vgg(tmp_path, url, overwrite=True)).keys() < vgg19().keys()


def test_cancelling_leaves_nothing(shelf: Shelf, tmp_path: Path) -> None:
    class Cancelled(BaseException):
        pass

    def cancel(stage: str) -> None:
        if stage.startswith("checking"):
            raise Cancelled

    with pytest.raises(Cancelled):
        get_vgg(tmp_path, shelf.put(as_bytes(vgg19())), on_progress=cancel)
    assert list(tmp_path.iterdir()) == []


# --- torchvision, which knows the address

INIT = """
import torch
@torch.library.register_fake("torchvision::nms")
def nms(dets, scores, iou_threshold): ...
@torch.library.register_fake("torchvision::qnms")
def qnms(dets, scores, iou_threshold): ...
"""
MODELS = """
from types import SimpleNamespace
VGG19_Weights = SimpleNamespace(IMAGENET1K_V1=SimpleNamespace(url={url!r}))
"""


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Installs a stand-in for torchvision, of two sources, for one test."""
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)

    def write(init: str, models: str) -> None:
        package = tmp_path / "site" / "torchvision"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(init)
        (package / "models.py").write_text(models)
        monkeypatch.syspath_prepend(package.parent)
        for name in ("torchvision", "torchvision.models"):  # so that the stand-in goes with the test
            monkeypatch.setitem(sys.modules, name, None)
            del sys.modules[name]

    return write


@pytest.mark.parametrize("init", ["", INIT], ids=["whole", "compiled for another torch"])
def test_torchvision_is_asked_for_the_address(
    shelf: Shelf, tmp_path: Path, install: Callable[[str, str], None], init: str
) -> None:
    url = shelf.put(as_bytes({"features.0.weight": torch.zeros(1)}))
    install(init, MODELS.format(url=url))
    folder = tmp_path / "models"
    folder.mkdir()
    assert "not a VGG-19" in refusal(folder, None)
    assert shelf.asked[-1] == url.removeprefix(shelf.address)


def test_the_definitions_lent_to_torchvision_are_taken_back(install: Callable[[str, str], None]) -> None:
    install(INIT, MODELS.format(url="x"))
    pretrained.import_torchvision_models()
    assert not hasattr(torch.ops.torchvision, "qnms")


@pytest.mark.parametrize("models", [None, "import missing_part", "VGG19_Weights = None"])
def test_without_torchvision_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, install: Callable[[str, str], None], models: str | None
) -> None:
    if models is None:
        monkeypatch.setitem(sys.modules, "torchvision", None)
    else:
        install("", models)
    folder = tmp_path / "models"
    folder.mkdir()
    message = refusal(folder, None)
    assert "pip install torchvision" in message
    assert repr(str(folder)) in message


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is None, reason="torchvision is not installed")
def test_the_real_torchvision_knows_the_address(tmp_path: Path) -> None:
    assert pretrained.torchvision_url(tmp_path).endswith("/vgg19-dcbb9e9d.pth")
