"""The before-after preview that web/before_after.js shows on nodes that paint."""

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

LARGEST_PX = 1024  # long side of the preview, at most
KEY = "pstyle_before_after"  # of the preview in a node's ui data


def before_after(before: Tensor, after: Tensor) -> dict[str, list[dict[str, Any]]]:
    """The ui data of a preview: the first of pictures (B, C, H, W) and of paintings as temporary files.

    Empty without ComfyUI.
    """
    folder = host.page_folder()
    if folder is None:
        return {}
    return {KEY: [{"before": _shown(folder, before), "after": _shown(folder, after)}]}


def _shown(folder: Path, pictures: Tensor) -> dict[str, str]:
    """Write a picture's file, named by content and so only once, and describe it for ComfyUI's page."""
    picture = split_alpha(pictures[:1])[0].cpu()
    height, width = picture.shape[2:]
    scale = min(1.0, LARGEST_PX / max(height, width))
    small = resize_to(picture, max(1, round(height * scale)), max(1, round(width * scale)))
    path = folder / f"pstyle_{digest(small).hex()[:32]}.jpg"
    if not path.exists():
        write_atomically(path, encoded(small, path.name), overwrite=True)
    return {"filename": path.name, "subfolder": "", "type": "temp"}
