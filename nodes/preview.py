"""Before and after: what web/before_after.js shows on a node that paints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from ..pstyle.core.activation_cache import digest
from ..pstyle.core.files import write_atomically
from ..pstyle.image.checks import split_alpha
from ..pstyle.image.resizing import resize_to
from ..pstyle.image.writing import encoded
from . import host

LARGEST_PX = 1024  # long side of what is shown
KEY = "pstyle_before_after"  # under which the page finds it


def before_after(before: Tensor, after: Tensor) -> dict[str, list[dict[str, Any]]]:
    """What a node gives the page to show: the first of its pictures (B, C, H, W) and of its paintings, as
    files in ComfyUI's temporary folder; nothing where there is no page.
    """
    folder = host.page_folder()
    if folder is None:
        return {}
    return {KEY: [{"before": _shown(folder, before), "after": _shown(folder, after)}]}


def _shown(folder: Path, pictures: Tensor) -> dict[str, str]:
    """A picture's file as ComfyUI's pages ask for it, named after its content: an unchanged one is there."""
    picture = split_alpha(pictures[:1])[0].cpu()
    height, width = picture.shape[2:]
    scale = min(1.0, LARGEST_PX / max(height, width))
    small = resize_to(picture, max(1, round(height * scale)), max(1, round(width * scale)))
    path = folder / f"pstyle_{digest(small).hex()[:32]}.jpg"
    if not path.exists():
        write_atomically(path, encoded(small, path.name), overwrite=True)
    return {"filename": path.name, "subfolder": "", "type": "temp"}
