"""Protects the only file that talks to ComfyUI: what it asks of it, and the stand-ins without it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from pstyle_pack.nodes import host

from pstyle.folders import Folders
from pstyle.learning import Progress


class Cancel(Exception):  # noqa: N818
    """Stands for ComfyUI's InterruptProcessingException."""


class Bar:
    """ComfyUI's ProgressBar, as far as it is used."""

    calls: list[tuple] = []

    def __init__(self, total: int, node_id: str | None = None) -> None:
        self.total = total

    def update_absolute(self, value: int, total: int | None = None, preview: object = None) -> None:
        self.calls.append((value, total, preview))


class Comfy:
    """A ComfyUI of this much: folders, devices, a cancel button."""

    def __init__(self, root: Path) -> None:
        self.canceled, self.freed = False, []
        self.folders = ModuleType("folder_paths")
        self.folders.models_dir = str(root / "models")
        self.folders.folder_names_and_paths = {}
        self.folders.get_folder_paths = lambda name: list(self.folders.folder_names_and_paths[name][0])
        self.folders.get_input_directory = lambda: str(root / "in")
        self.folders.get_output_directory = lambda: str(root / "out")
        management = ModuleType("comfy.model_management")
        management.InterruptProcessingException = Cancel
        management.throw_exception_if_processing_interrupted = self.check
        management.get_torch_device = lambda: torch.device("meta")
        management.intermediate_device = lambda: torch.device("cpu")
        management.free_memory = lambda size, device: self.freed.append((size, device))
        utils = ModuleType("comfy.utils")
        utils.ProgressBar = Bar
        comfy = ModuleType("comfy")
        comfy.model_management, comfy.utils = management, utils
        self.modules = {
            "folder_paths": self.folders,
            "comfy": comfy,
            "comfy.model_management": management,
            "comfy.utils": utils,
        }

    def check(self) -> None:
        if self.canceled:
            raise Cancel


@pytest.fixture
def comfy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Comfy:
    found = Comfy(tmp_path)
    for name, module in found.modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(Bar, "calls", [])
    return found


def load_host() -> ModuleType:
    """A second copy of the file, which finds the ComfyUI of this test."""
    spec = importlib.util.spec_from_file_location("pstyle_pack.nodes.host_inside", host.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def inside(comfy: Comfy) -> ModuleType:
    return load_host()


def progress(step: int) -> Progress:
    return Progress(step, 9, {"loss": 1.0}, torch.full((1, 3, 4, 6), 0.5))


def test_the_model_folder_lists_safetensors_only(inside: ModuleType, comfy: Comfy, tmp_path: Path) -> None:
    assert comfy.folders.folder_names_and_paths["pstyle"] == (
        [str(tmp_path / "models/pstyle")],
        {".safetensors"},
    )
    assert inside.model_folders() == [tmp_path / "models/pstyle"]
    assert inside.save_folder().is_dir()
    assert inside.input_folder() == tmp_path / "in"
    assert inside.output_folder() == tmp_path / "out" and (tmp_path / "out").is_dir()


def test_folders_of_the_users_own_are_kept_and_ours_is_written_to(comfy: Comfy, tmp_path: Path) -> None:
    comfy.folders.folder_names_and_paths["pstyle"] = (["/shared/styles"], set())
    assert load_host().model_folders() == [tmp_path / "models/pstyle", Path("/shared/styles")]
    assert load_host().model_folders() == [tmp_path / "models/pstyle", Path("/shared/styles")]


def test_progress_shows_every_step_and_few_pictures(
    inside: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=lambda: clock.now, now=0.0)
    monkeypatch.setattr(inside, "time", clock)
    watch = inside.Watch()
    for step in range(1, 10):  # a step takes a tenth of a second
        watch(progress(step))
        clock.now += 0.1
    assert [(value, total) for value, total, _ in Bar.calls] == [(step, 9) for step in range(1, 10)]
    shown = [preview for _, _, preview in Bar.calls]
    assert [preview is not None for preview in shown] == [True, False, False, False] * 2 + [True]
    kind, picture, size_px = shown[0]
    assert (kind, picture.size, picture.getpixel((0, 0)), size_px) == ("JPEG", (6, 4), (128, 128, 128), 256)


def test_a_cancel_stops_a_loop_at_once(inside: ModuleType, comfy: Comfy) -> None:
    watch = inside.Watch()
    watch(progress(1))
    comfy.canceled = True
    with pytest.raises(inside.Interrupted):
        watch(progress(2))
    done = []
    comfy.canceled = False
    with pytest.raises(Cancel):
        for item in inside.watched([1, 2, 3]):
            done.append(item)
            comfy.canceled = item == 2
    assert done == [1, 2] and inside.Interrupted is Cancel


def test_devices_are_comfyuis_and_a_borrowed_network_comes_home(inside: ModuleType, comfy: Comfy) -> None:
    assert inside.output_device() == torch.device("cpu") and inside.compute_device() == torch.device("meta")
    inside.make_room()
    assert comfy.freed == [(inside.TRAINING_BYTES, torch.device("meta"))]
    with inside.borrowed(None) as nothing:
        assert nothing is None
    moves = []
    network = torch.nn.Linear(1, 1)
    network.to = moves.append
    with pytest.raises(RuntimeError, match="in between"), inside.borrowed(network):
        raise RuntimeError("in between")
    assert moves == [torch.device("meta"), torch.device("cpu")]


def test_stand_ins_use_the_folders_of_the_run(folders: Folders) -> None:
    assert host.folder_paths is None, "this test runs without ComfyUI"
    assert host.model_folders() == [folders.style_models] and host.input_folder() == folders.input
    assert host.output_folder() == folders.output and folders.output.is_dir()
    assert host.Interrupted is KeyboardInterrupt
    assert host.output_device() == torch.device("cpu")
    host.register_models()
    host.make_room()
    host.Watch()(progress(1))
    assert list(host.watched("abc")) == ["a", "b", "c"]
