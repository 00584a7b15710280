"""The wire types and the objects they carry, and conversion of pictures and masks to the library and back.

On a wire an IMAGE is (B, H, W, C) and a MASK (B, H, W); in the library both are (B, C, H, W). Inputs are
checked here, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..pstyle.image.checks import check_image, split_alpha
from ..pstyle.nets.discriminator import Discriminator
from ..pstyle.nets.generator import Generator
from ..pstyle.nets.vgg import VGG
from ..pstyle.style.style import Style
from ..pstyle.taste.stars import DISLIKED, USUAL_STARS, weights_from_stars
from . import host

VGG_WIRE = "PSTYLE_VGG"  # a VGG
GENERATOR_WIRE = "PSTYLE_GENERATOR"  # Networks
STYLE_WIRE = "PSTYLE_STYLE"  # BoundStyle
STYLE_SET_WIRE = "PSTYLE_STYLE_SET"  # a StyleSet
DISCRIMINATOR_WIRE = "PSTYLE_DISCRIMINATOR"  # Critic
FEATURES_WIRE = "PSTYLE_FEATURES"  # Features
DAMAGE_WIRE = "PSTYLE_DAMAGE"  # a DamageStyle
RESTORER_WIRE = "PSTYLE_RESTORER"  # a Restorer
HISTORY_WIRE = "PSTYLE_HISTORY"  # a History
LOSS_MAP_WIRE = "LOSS_MAP"  # ComfyUI's own: {"loss": [x, ...]}

History = list[dict[str, float]]  # a loop's records: {"step": 1, "loss": 0.5, ...}
NO_MASK_PX = 64  # LoadImage returns 64 x 64 zeros for a picture without transparency
NO_MASK_RULE = (
    "The empty 64 x 64 mask that Load Image outputs for a picture without transparency counts as no mask."
)

# Tooltips that several nodes share.
OTHER_GENERATOR = "The generator the style was learned with, if not the shipped one."
STYLE_JUDGE = (
    "The network that judges style. The ImageNet VGG-19 is best; by default the shipped one is used."
)
TOTAL_LOSS = "The total loss per step, for ComfyUI's loss graph."


class Rated(NamedTuple):
    """A style picture (1, 3, H, W) with its weight, and stars from 0, disliked, to 5."""

    picture: Tensor
    weight: float
    stars: int = USUAL_STARS


StyleSet = list[Rated]  # of pictures of any sizes


@dataclass(frozen=True, eq=False)
class Networks:
    """A generator and the VGG whose features it reads."""

    generator: Generator
    vgg: VGG

    @property
    def both(self) -> nn.ModuleList:
        """Both as one module, to move them together."""
        return nn.ModuleList([self.generator, self.vgg])


@dataclass(frozen=True, eq=False)
class BoundStyle:
    """A style with the networks it was learned with, unless they are the shipped ones."""

    style: Style
    networks: Networks | None = None


@dataclass(frozen=True, eq=False)
class Features:
    """Features (B, C, h, w) of pictures of height x width pixels, by layer name."""

    layers: dict[str, Tensor]
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class BoundDiscriminator:
    """A discriminator and the VGG whose features it reads."""

    discriminator: Discriminator
    vgg: VGG


def to_library(image: Tensor, what: str = "image") -> Tensor:
    """An IMAGE (B, H, W, C) as (B, C, H, W), C 1, 3 or 4: float32 on the CPU, usable in training.

    Raises ValueError like `pstyle.image.checks.check_image`.
    """
    if not isinstance(image, Tensor) or image.ndim != 4:
        got = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise ValueError(f"{what} must be an IMAGE (batch, height, width, channels), got {got}")
    return check_image(image.detach().cpu().movedim(-1, 1), what)


def to_rgb(image: Tensor, what: str = "image") -> Tensor:
    """An IMAGE as (B, 3, H, W), gray repeated, transparency dropped. Raises ValueError like `to_library`."""
    return split_alpha(to_library(image, what))[0]


def to_mask(mask: Tensor | None) -> Tensor | None:
    """A MASK (B, H, W) or (H, W) as (B, 1, H, W); None for 64 x 64 zeros (see NO_MASK_RULE).

    Raises ValueError for any other shape.
    """
    if mask is None:
        return None
    if not isinstance(mask, Tensor) or mask.ndim not in (2, 3):
        got = tuple(mask.shape) if isinstance(mask, Tensor) else type(mask).__name__
        raise ValueError(f"mask must be a MASK (batch, height, width), got {got}")
    masks = mask.detach().cpu()[None] if mask.ndim == 2 else mask.detach().cpu()  # (B, H, W)
    checked = check_image(masks[:, None], "mask")
    return checked if checked.any() or masks.shape[1:] != (NO_MASK_PX, NO_MASK_PX) else None


def liked(style_set: StyleSet) -> tuple[list[Tensor], list[float]]:
    """The liked pictures of a set, with weights from their weight inputs and stars.

    Raises ValueError if none is liked.
    """
    shares = weights_from_stars([one.stars for one in style_set])
    kept = [(one.picture, one.weight * share) for one, share in zip(style_set, shares, strict=True) if share]
    return [picture for picture, _ in kept], [weight for _, weight in kept]


def disliked(style_set: StyleSet) -> list[Tensor]:
    """The disliked pictures of a set."""
    return [one.picture for one in style_set if one.stars == DISLIKED]


def to_wire(image: Tensor) -> Tensor:
    """Pictures (B, C, H, W) as an IMAGE (B, H, W, C)."""
    return image.detach().to(host.output_device(), torch.float32).movedim(1, -1).contiguous()


def to_loss_map(history: History) -> dict[str, list[float]]:
    """A loop's total losses as a LOSS_MAP."""
    return {"loss": [record["loss"] for record in history]}


def to_history(losses: History | dict[str, list[float]]) -> History:
    """A HISTORY unchanged, or a LOSS_MAP as records."""
    if not isinstance(losses, dict):
        return losses
    return [{"step": step, "loss": loss} for step, loss in enumerate(losses.get("loss", ()), start=1)]
