"""Scores of 360 pictures and stereo pairs: seams, pinched poles, agreement of the eyes. None is optimized."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.config import check_settings, choice
from ..image.colors import luma
from .disparity import Match, match_eyes, warp_by_disparity
from .sphere import check_panorama
from .sphere_parts import NORTH, SOUTH, Cap
from .stereo import LAYOUTS, StereoConfig, split_eyes

KINDS = ("360", "stereo", "stereo 360")
NEAR_POLE = math.radians(25)  # radius of the area scored around a pole
EPS = 1e-6


@dataclass(frozen=True)
class SeamConfig:
    """Settings of the scores: the kind of the pictures."""

    kind: str = choice(
        "360", KINDS, "what the pictures are: a full sphere, a flat stereo pair, or a stereo pair of spheres"
    )
    layout: str = choice(
        "side-by-side", tuple(LAYOUTS), "how the eyes of stereo pictures are arranged, the left one first"
    )

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class SeamScores:
    """Scores of one picture; those that its kind lacks are 0."""

    seam: float = 0.0
    pole: float = 0.0
    eyes: float = 0.0
    eyes_ratio: float = 0.0


@torch.inference_mode()
def seam_scores(image: Tensor, config: SeamConfig, content: Tensor | None = None) -> SeamScores:
    """Scores of a picture (1, 3, H, W); `content` is the picture before it was painted.

    Raises ValueError for pictures that are not of the kind.
    """
    if config.kind == "360":
        check_panorama(image)
        return SeamScores(seam_ratio(image), pole_ratio(image))
    around = config.kind == "stereo 360"
    layout = StereoConfig(config.layout, panorama=around)
    left, right = split_eyes(image, layout)
    before = (left, right) if content is None else split_eyes(content, layout)
    if before[0].shape != left.shape:
        raise ValueError(f"content and picture must have one size, got {_size(content)} and {_size(image)}")
    match = match_eyes(*before, around)
    eyes, own = (eyes_error(*pair, match, around) for pair in ((left, right), before))
    seam, pole = (max(map(one, (left, right))) if around else 0.0 for one in (seam_ratio, pole_ratio))
    return SeamScores(seam, pole, eyes, 0.0 if content is None else eyes / max(own, EPS))


def seam_ratio(panorama: Tensor) -> float:
    """The difference across the seam of a picture (1, 3, H, W), relative to neighboring columns.

    It is 1 if the picture closes.
    """
    steps = (panorama.roll(-1, 3) - panorama).abs().mean((0, 1, 2))  # (W,): to the next column, around
    return (steps[-1] / ((steps[0] + steps[-2]) / 2).clamp_min(EPS)).item()


def pole_ratio(panorama: Tensor) -> float:
    """Slopes around the poles of an equirectangular picture (1, 3, H, W), relative to slopes toward them.

    Both are measured on the sphere: about 1 if nothing is pinched, more if strokes become rays.
    """
    height = panorama.shape[2]
    radius = NEAR_POLE * height / math.pi
    around, toward = 0.0, 0.0
    for pole in (NORTH, SOUTH):
        face = luma(Cap(height, 0, 0, 2 * math.ceil(radius) + 4, pole).of(panorama))[0, 0]
        middle = (face.shape[0] - 1) / 2
        down, right = (torch.arange(side, dtype=torch.float32) - middle for side in face[1:-1, 1:-1].shape)
        down, right = torch.meshgrid(down + 1, right + 1, indexing="ij")
        distance = torch.hypot(down, right)
        inside = (distance > 1) & (distance < radius)
        slopes = (face[2:, 1:-1] - face[:-2, 1:-1], face[1:-1, 2:] - face[1:-1, :-2])
        turned = (slopes[0] * right - slopes[1] * down) / distance
        straight = (slopes[0] * down + slopes[1] * right) / distance
        around += turned[inside].abs().mean().item()
        toward += straight[inside].abs().mean().item()
    return around / max(toward, EPS)


def eyes_error(left: Tensor, right: Tensor, match: Match, around: bool = False) -> float:
    """Mean absolute difference of both eyes (1, 3, H, W) where both see the same, the left one warped."""
    difference = (warp_by_disparity(left, match.shift, around) - right).abs().mean(1, keepdim=True)
    return ((difference * match.seen).sum() / match.seen.sum().clamp_min(1)).item()


def mean_scores(found: list[SeamScores]) -> SeamScores:
    """The mean of several pictures' scores."""
    names = ("seam", "pole", "eyes", "eyes_ratio")
    return SeamScores(**{name: sum(getattr(one, name) for one in found) / len(found) for name in names})


def score_lines(scores: SeamScores, config: SeamConfig, has_content: bool) -> list[str]:
    """The scores as text, one per line, with their meaning."""
    lines = []
    if config.kind != "stereo":
        lines += [f"seam: {scores.seam:.3f} (1 closes; above 1.05 is seen)"]
        lines += [f"poles: {scores.pole:.3f} (1 is not pinched; rays are above 1)"]
    if config.kind != "360":
        lines += [f"eyes: {scores.eyes:.4f} (mean difference of what both see, of 1)"]
        lines += [f"eyes over content: {scores.eyes_ratio:.3f} (1 is as before)"] if has_content else []
    return lines


def _size(image: Tensor) -> str:
    return f"{image.shape[3]}x{image.shape[2]} px"
