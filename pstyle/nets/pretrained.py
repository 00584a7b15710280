"""ImageNet's VGG-19 (Simonyan & Zisserman, arXiv 1409.1556), downloaded once and kept as safetensors.

It is published as a pickle, which is opened only here: after its SHA-256 matches the digits in its name, as
plain tensors, by the same `torch.hub` call as in torchvision's `get_state_dict`. Only the convolutions are
kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http.client import HTTPException
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core.checkpoint import BadFile, path_in, save
from ..core.files import sha256_of
from .vgg import VGG

NAME = "vgg19_imagenet"
LAST = "relu5_4"
HASHED_NAME = re.compile(r"[\w.]+-([0-9a-f]{8,64})\.pth")  # torchvision's names hold the start of the SHA-256
PROVENANCE = {
    "format": "pstyle.vgg",
    "width": "1.0",
    "last": LAST,
    "made_from": "torchvision VGG19_Weights.IMAGENET1K_V1, convolutions only",
}
# Operators torchvision expects to exist, even if its compiled part was built for another torch.
MISSING_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def get_vgg(
    folder: str | Path,
    url: str | None = None,
    on_progress: Callable[[str], None] | None = None,
    overwrite: bool = False,
) -> Path:
    """Download VGG-19 (548 MiB), verify it, keep its convolutions (76 MiB) in `folder`; returns their path.

    `url` defaults to torchvision's. If the folder already holds a file of that name, it is used instead of a
    download and kept. `on_progress` receives one line per stage and may cancel by raising; with it,
    `torch.hub` draws its progress bar on stderr. Raises BadFile, with advice, if the result exists, or if the
    file cannot be downloaded or does not match its name; nothing is then left behind.
    """
    folder = Path(folder)
    say = on_progress or (lambda line: None)
    target = path_in(folder, NAME, ".safetensors")
    if target.exists() and not overwrite:
        raise BadFile(f"{str(target)!r} exists already: use it, or ask to overwrite it")
    url = url or torchvision_url(folder)
    archive = folder / hashed_name(url)
    folder.mkdir(parents=True, exist_ok=True)
    lay_there = archive.exists()
    try:
        if not lay_there:
            say(f"fetching {url}")
            download(url, archive, progress=on_progress is not None)
        say(f"checking {archive.name}")
        check_hash(archive)
        tensors = convolutions_of(read_archive(url, folder))
        say(f"writing {target}")
        save(target, tensors, PROVENANCE, overwrite=overwrite)
    finally:
        if not lay_there:
            archive.unlink(missing_ok=True)
    return target


def hashed_name(url: str) -> str:
    """The file name at the end of `url`. Raises BadFile if it has no hash, or `url` is not a web address."""
    start, _, name = url.partition("?")[0].rpartition("/")
    if not start.startswith(("https://", "http://")) or not HASHED_NAME.fullmatch(name):
        raise BadFile(f"{url!r} must be like https://HOST/vgg19-dcbb9e9d.pth, with the start of its SHA-256")
    return name


def torchvision_url(folder: Path) -> str:
    """torchvision's URL of ImageNet's VGG-19. Raises BadFile, naming `folder`, if it cannot be imported."""
    try:
        return import_torchvision_models().VGG19_Weights.IMAGENET1K_V1.url
    except (ImportError, RuntimeError, AttributeError) as error:
        raise BadFile(
            f"torchvision 0.13 or newer, which has the URL of VGG-19, cannot be imported ({error}): "
            f"`pip install torchvision`, or put a VGG-19 as .safetensors into {str(folder)!r}"
        ) from error


def import_torchvision_models() -> Any:
    """The module torchvision.models, even if torchvision was compiled for another torch."""
    try:
        return import_module("torchvision.models")
    except RuntimeError:  # "operator torchvision::nms does not exist", when it was built for another torch
        library = torch.library.Library("torchvision", "DEF")  # definitions last until the function returns
        for operator in MISSING_OPERATORS:
            library.define(operator)
        return import_module("torchvision.models")


def download(url: str, archive: Path, progress: bool = False) -> None:
    """Download `url` to the file `archive`. On failure, BadFile says where to put it by hand."""
    try:
        torch.hub.download_url_to_file(url, str(archive), progress=progress)
    except (OSError, HTTPException) as error:  # no network, a refusal, a full disk
        raise BadFile(
            f"VGG-19 could not be downloaded from {url} ({error}): "
            f"download that file elsewhere, put it into {str(archive.parent)!r}, and try again"
        ) from error


def check_hash(archive: Path) -> None:
    """Raise BadFile unless the SHA-256 of the file begins with the digits in its name."""
    found, promised = sha256_of(archive), HASHED_NAME.fullmatch(archive.name)[1]
    if not found.startswith(promised):
        raise BadFile(
            f"{str(archive)!r} is damaged or not the original: its SHA-256 is {found[:16]}... "
            f"and should begin with {promised}; delete it if it is still there, and try again"
        )


def read_archive(url: str, folder: Path) -> Mapping[str, Tensor]:
    """Load the tensors of the verified file in `folder` with the name in `url`. Raises BadFile."""
    try:
        return torch.hub.load_state_dict_from_url(
            url, str(folder), map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except Exception as error:  # of any kind: the file is bad
        raise BadFile(f"{url} holds no plain tensors ({type(error).__name__})") from error


def convolutions_of(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The 16 convolutions of VGG-19 under torchvision's keys `features.N.weight` and `.bias`.

    Raises BadFile naming the first tensor that is missing or has another shape or type.
    """
    with torch.device("meta"):
        expected = VGG(last=LAST).state_dict()
    for name, like in expected.items():
        found = state.get(name) if isinstance(state, Mapping) else None
        if not isinstance(found, Tensor) or (found.shape, found.dtype) != (like.shape, like.dtype):
            raise BadFile(f"this is not a VGG-19: tensor {name!r} must be {tuple(like.shape)} {like.dtype}")
    return {name: state[name] for name in expected}
