"""Provenance of a style or damage file: the run that made it."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import torch
from torch import Tensor

from .. import __version__
from ..core.config import check_settings, setting, text


@dataclass(frozen=True)
class Provenance:
    """The pictures and settings of a run, in numbers; never the names of files or people."""

    pictures: int = setting(0, 0, 10_000, "number of style pictures")
    sizes_px: str = text("", 2000, "their sizes, such as 640x480")
    seed: int = setting(0, 0, 2**63 - 1, "random seed of the training")
    steps: int = setting(0, 0, 10_000_000, "steps done")
    settings: str = text("{}", 8000, "settings of the training as JSON")
    date: str = text("", 40, "date of the training, ISO 8601")
    versions: str = text("", 200, "versions of pstyle and torch")
    note: str = text("", 2000, "how it was made, in words")

    def __post_init__(self) -> None:
        check_settings(self)


def provenance_of(
    pictures: Sequence[Tensor], seed: int, steps: int, settings: str, note: str = ""
) -> Provenance:
    """The provenance of a run on pictures, each (1, 3, H, W), that ends now."""
    return Provenance(
        pictures=len(pictures),
        sizes_px=", ".join(f"{picture.shape[3]}x{picture.shape[2]}" for picture in pictures),
        seed=seed,
        steps=steps,
        settings=settings,
        date=date.today().isoformat(),
        versions=f"pstyle {__version__}, torch {torch.__version__}, python {platform.python_version()}",
        note=note,
    )
