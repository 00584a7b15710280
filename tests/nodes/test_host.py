"""Protects the only file that talks to ComfyUI: what it asks of it, and the stand-ins without it."""

from __future__ import annotations

import importlib.util
import sys
import weakref
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from pstyle_pack.nodes import host

from pstyle.core.folders import Folders
from pstyle.core.memory import InsufficientMemory
from pstyle.core.progress import Progress


class Cancel(Exception):  # noqa: N818
    """Stands for ComfyUI's InterruptProcessingException."""


class Bar:
    """ComfyUI's ProgressBar, as far as it is used."""

    calls: list[tuple] = []

    def __init__(self, total: int, node_id: str | None = None) -> None:
        self.total = total

    def update_absolute(self, value: int, total: int | None = None, preview: object = None) -> None:
        self.calls.append((value, total, preview))


class ModelPatcher:
    """ComfyUI's handle of a model, as far as moving whole models goes: its names, signatures and counters."""

    def __init__(self, model, load_device, offload_device, size=0, weight_inplace_update=False) -> None:
        self.size, self.model = size, model
        if not hasattr(model, "device"):
            model.device = offload_device
        self.load_device, self.offload_device = load_device, offload_device
        self.model.model_loaded_weight_memory = 0
        self.model_size()

    def model_size(self) -> int:
        if self.size <= 0:
            self.size = sum(value.nbytes for value in self.model.state_dict().values())
        return self.size

    def loaded_size(self) -> int:
        return self.model.model_loaded_weight_memory

    def partially_load(self, device_to, extra_memory=0, force_patch_weights=False) -> None:
        self.model.to(device_to)
        self.model.device, self.model.model_loaded_weight_memory = device_to, self.size

    def partially_unload(self, device_to, memory_to_free=0) -> int:
        raise AssertionError("a network was taken apart")

    def detach(self, unpatch_all=True) -> torch.nn.Module:
        self.model.to(self.offload_device)
        self.model.device, self.model.model_loaded_weight_memory = self.offload_device, 0
        return self.model


class Comfy:
    """A ComfyUI of this much: folders, devices, a cancel button, models that come and go."""

    def __init__(self, root: Path) -> None:
        self.canceled, self.freed, self.loaded, self.room, self.emptied = False, [], [], [], 0
        self.folders = ModuleType("folder_paths")
        self.folders.models_dir = str(root / "models")
        self.folders.folder_names_and_paths = {}
        self.folders.get_folder_paths = lambda name: list(self.folders.folder_names_and_paths[name][0])
        self.folders.get_input_directory = lambda: str(root / "in")
        self.folders.get_output_directory = lambda: str(root / "out")
        self.folders.get_temp_directory = lambda: str(root / "temp")
        management = ModuleType("comfy.model_management")
        management.InterruptProcessingException = Cancel
        management.throw_exception_if_processing_interrupted = self.check
        management.get_torch_device = lambda: torch.device("meta")
        management.intermediate_device = lambda: torch.device("cpu")
        management.free_memory = lambda size, device: self.freed.append((size, device))
        management.unet_offload_device = lambda: torch.device("cpu")
        management.load_models_gpu = self.load_models_gpu
        management.soft_empty_cache = self.soft_empty_cache
        management.OOM_EXCEPTION = torch.OutOfMemoryError
        patcher = ModuleType("comfy.model_patcher")
        patcher.ModelPatcher = ModelPatcher
        utils = ModuleType("comfy.utils")
        utils.ProgressBar = Bar
        comfy = ModuleType("comfy")
        comfy.model_management, comfy.utils, comfy.model_patcher = management, utils, patcher
        self.modules = {
            "folder_paths": self.folders,
            "comfy": comfy,
            "comfy.model_management": management,
            "comfy.model_patcher": patcher,
            "comfy.utils": utils,
        }

    def check(self) -> None:
        if self.canceled:
            raise Cancel

    def load_models_gpu(
        self,
        models,
        memory_required=0,
        force_patch_weights=False,
        minimum_memory_required=None,
        force_full_load=False,
    ) -> None:
        self.room.append(memory_required)
        for model in models:
            model.partially_load(model.load_device)
            self.loaded = [model, *(one for one in self.loaded if one is not model)]

    def unload_all_models(self, memory_to_free: int | None = None) -> None:
        for model in self.loaded:  # as LoadedModel.model_unload does it
            in_part = memory_to_free is not None and memory_to_free < model.loaded_size()
            if in_part and model.partially_unload(model.offload_device, memory_to_free) >= memory_to_free:
                continue
            model.detach(True)
        self.loaded = []

    def soft_empty_cache(self, force=False) -> None:
        self.emptied += 1


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
    assert inside.page_folder() == tmp_path / "temp" and (tmp_path / "temp").is_dir()


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
    with inside.borrowed(None) as nothing:
        assert nothing is None
    moves = []
    network = torch.nn.Linear(1, 1)
    network.to = moves.append
    with pytest.raises(RuntimeError, match="in between"), inside.borrowed(network):
        raise RuntimeError("in between")
    assert moves == [torch.device("meta"), torch.device("cpu")]


@pytest.mark.parametrize("needed_bytes", [None, 1])
def test_networks_come_and_go_whole_with_what_is_kept(
    inside: ModuleType, comfy: Comfy, monkeypatch: pytest.MonkeyPatch, needed_bytes: int | None
) -> None:
    monkeypatch.setattr(inside, "compute_device", lambda: torch.device("cpu"))  # which leaves numbers alone
    kept = [torch.zeros(25)]
    with torch.inference_mode(False):
        networks = [torch.nn.Linear(3, 4), torch.nn.Linear(2, 2)]
    weights = 4 * (12 + 4 + 4 + 2)
    managed = inside.Managed(networks, kept.clear, lambda: sum(one.nbytes for one in kept))
    with torch.inference_mode():
        managed.load(5000)
        assert comfy.room == [5000] and comfy.loaded[0].model_size() == comfy.loaded[0].loaded_size()
        assert comfy.loaded[0].loaded_size() == weights + 100
        patcher = comfy.loaded[0]
        comfy.unload_all_models(needed_bytes)
    assert kept == [] and patcher.loaded_size() == 0 and patcher.model_size() == weights
    with torch.inference_mode(False):
        networks[0](torch.ones(1, 3)).sum().backward()  # can still be trained
    managed.load(1)
    assert comfy.loaded == [patcher] and patcher.loaded_size() == weights


def test_layers_that_the_host_leaves_behind_are_moved(inside: ModuleType, comfy: Comfy) -> None:
    network = torch.nn.Linear(2, 2)
    managed = inside.Managed([network], lambda: None, lambda: 0)
    managed._patcher.partially_load = lambda *_, **__: None
    managed.load(0)
    assert network.weight.device == torch.device("meta")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no room"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        InsufficientMemory("reduce it"),
    ],
)
def test_memory_that_runs_out_is_what_comfyui_calls_so(inside: ModuleType, error: Exception) -> None:
    with pytest.raises(torch.OutOfMemoryError, match=str(error)), inside.painting():
        raise error
    with pytest.raises(type(error)), host.painting():  # without ComfyUI it stays what it is
        raise error


@pytest.mark.parametrize("error", [ValueError("strength"), Cancel(), KeyboardInterrupt()])
def test_other_errors_stay_what_they_are(inside: ModuleType, error: BaseException) -> None:
    with pytest.raises(type(error)) as raised, inside.painting():
        raise error
    assert raised.value is error


def test_what_a_training_made_is_gone_after_it_also_where_it_fails(inside: ModuleType, comfy: Comfy) -> None:
    made = []

    def train(fails: bool) -> None:
        weight = torch.nn.Parameter(torch.ones(3))
        graph = weight.square().sum()
        made.extend([weakref.ref(weight), weakref.ref(graph)])
        assert graph.requires_grad  # although nodes run under inference mode
        if fails:
            raise Cancel

    with inside.training():
        train(False)
    with pytest.raises(Cancel) as raised, inside.training():
        train(True)
    assert raised.value.__traceback__ is not None and [one() for one in made] == [None] * 4
    assert comfy.freed == [(inside.TRAINING_BYTES, torch.device("meta"))] * 2 and comfy.emptied == 2


def test_stand_ins_use_the_folders_of_the_run(folders: Folders) -> None:
    assert host.folder_paths is None, "this test runs without ComfyUI"
    assert host.model_folders() == [folders.style_models] and host.input_folder() == folders.input
    assert host.output_folder() == folders.output and folders.output.is_dir()
    assert host.Interrupted is KeyboardInterrupt
    assert host.output_device() == torch.device("cpu")
    host.register_models()
    with host.training():
        assert torch.ones(1, requires_grad=True).sum().requires_grad
    host.Managed([], lambda: None, lambda: 0).load(1)
    assert host.page_folder() is None
    host.Watch()(progress(1))
    assert list(host.watched("abc")) == ["a", "b", "c"]
