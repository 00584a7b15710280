"""Protects a score that is not ours: used where its parts lie on this machine, else named, never fetched."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn

from pstyle.evaluation import lpips
from pstyle.evaluation.lpips import Absent, load_lpips

WEIGHTS = "alexnet-owt-7be5be79.pth"


class LPIPS(nn.Module):
    """Stands for the package's network: as it, it fetches nothing only if the weights are there."""

    made: list[dict] = []

    def __init__(self, **settings: object) -> None:
        super().__init__()
        self.made.append(settings)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, output: torch.Tensor, content: torch.Tensor, normalize: bool = False) -> torch.Tensor:
        assert normalize and not self.training and output.shape == content.shape
        return self.scale * (output - content).abs().mean((1, 2, 3), keepdim=True)


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("lpips")
    module.LPIPS = LPIPS
    monkeypatch.setattr(LPIPS, "made", [])
    monkeypatch.setitem(sys.modules, "lpips", module)
    return module


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of torch, and a torchvision that knows the name of AlexNet's weights."""
    entry = SimpleNamespace(IMAGENET1K_V1=SimpleNamespace(url=f"https://somewhere/models/{WEIGHTS}"))
    monkeypatch.setattr(lpips, "import_torchvision_models", lambda: SimpleNamespace(AlexNet_Weights=entry))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_it_is_used_where_all_of_it_is_there(package, cache: Path, rng: torch.Generator) -> None:
    (cache / WEIGHTS).touch()
    a, b = torch.rand(2, 1, 3, 64, 80, generator=rng)
    with torch.inference_mode():  # as in ComfyUI
        distance = load_lpips()
    assert distance(a, b) == pytest.approx((a - b).abs().mean().item()) and distance(a, a) == 0
    assert LPIPS.made == [{"net": "alex", "verbose": False}]
    with pytest.raises(Absent, match="64 px"):
        distance(a[:, :, :63], b[:, :, :63])


def test_without_weights_it_is_not_even_made(package, cache: Path) -> None:
    with pytest.raises(Absent, match=f"put {WEIGHTS} into"):
        load_lpips()
    assert LPIPS.made == []


def test_without_the_package_it_is_absent(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    (cache / WEIGHTS).touch()
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(Absent, match="pip install lpips"):
        load_lpips()


def test_without_torchvision_it_is_absent(package, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("operator torchvision::nms\n does not exist")

    monkeypatch.setattr(lpips, "import_torchvision_models", fail)
    with pytest.raises(Absent, match="torchvision::nms does not exist"):
        load_lpips()


@pytest.mark.parametrize("error", [OSError("no network"), KeyError("lin0"), RuntimeError("bad magic")])
def test_weights_that_do_not_load_are_told(package, cache: Path, error: Exception) -> None:
    def fail(**settings: object) -> None:
        raise error

    (cache / WEIGHTS).touch()
    package.LPIPS = fail
    with pytest.raises(Absent, match="do not load"):
        load_lpips()


def test_the_cache_is_where_torch_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also where neither of its variables is set."""
    for variables in ({"TORCH_HOME": "a"}, {"XDG_CACHE_HOME": "b"}, {}):
        for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, folder in variables.items():
            monkeypatch.setenv(name, str(tmp_path / folder))
        assert lpips.alexnet_file() == Path(torch.hub.get_dir(), "checkpoints", WEIGHTS)
