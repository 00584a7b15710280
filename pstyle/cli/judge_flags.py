"""`--vgg` of the scoring commands: the network that judges."""

from __future__ import annotations

from pathlib import Path

from ..core.folders import current_folders
from ..nets.pretrained import NAME as IMAGENET
from ..nets.vgg import VGG
from .flags import Parser
from .inputs import SHIPPED_VGGS, find_vgg


def add_judge(parser: Parser) -> None:
    parser.add_argument(
        "--vgg",
        metavar="NAME",
        help="network that judges: loss or slim (both shipped), a .safetensors in the model folder, or the "
        f"path of one (default {IMAGENET} if `get-vgg` has fetched it, else loss)",
    )


def find_judge(name: str | None) -> tuple[str, VGG]:
    """The network that judges, and its name."""
    if name is None:
        fetched = current_folders().style_models / f"{IMAGENET}.safetensors"
        name = IMAGENET if fetched.is_file() else "loss"
    return f"{name} (shipped)" if name in SHIPPED_VGGS else Path(name).stem, find_vgg(name)
