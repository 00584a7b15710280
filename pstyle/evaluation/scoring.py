"""All scores of a painted picture, for nodes, the command line and reports.

A distance alone says little, so it can be placed on a scale between two reference pictures: the content
picture itself (0 %), and its pixels optimized for the style (100 %).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from ..core.config import check_settings, setting
from ..core.progress import OnStep
from ..image.resizing import resize_to
from ..losses.perceptual import perceptual_with
from ..nets.vgg import VGG, load_vgg
from ..training.optimize import OptimizeConfig, optimize
from .copying import copied_share
from .lpips import Absent, load_lpips
from .metrics import score

SCALED = ("style", "patch_swd")  # the scores that are placed on the scale
PERCENT = "_percent"  # ends the name of a score's place on the scale
SCALE = (
    "0 % is the content picture itself, 100 % the content with its pixels optimized for the style; "
    "below 0 % is farther from the style than the content, above 100 % closer than the optimized pixels"
)


@dataclass(frozen=True)
class ScaleConfig:
    """Settings of the scale."""

    scale: bool = setting(
        False,
        help="also optimize the content's pixels for the style, which takes minutes, and report where the "
        "painted picture lies between the content (0 %) and that result (100 %)",
    )
    scale_steps: int = setting(40, 1, 10_000, "steps of that optimization at each of its sizes")

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class Scored:
    """Scores by name, and the reason for each score that this machine cannot compute."""

    scores: dict[str, float]
    absent: dict[str, str] = field(default_factory=dict)


def score_all(
    output: Tensor,
    content: Tensor,
    styles: Sequence[Tensor],
    vgg: VGG,
    config: ScaleConfig | None = None,
    on_step: OnStep = lambda progress: None,
) -> Scored:
    """The scores of `metrics.score`, `copied`, `lpips` if installed, and with `config.scale` two percentages.

    output, content and each style are (1, 3, H, W) in [0, 1]. With `config.scale`, call it outside inference
    mode. Raises ValueError as `metrics.score` does, or for a side under 32 px.
    """
    c = config or ScaleConfig()
    scores = score(output, content, styles, vgg)
    scores["copied"] = copied_share(output, styles)
    absent = {}
    try:
        scores["lpips"] = load_lpips()(resize_to(output, *content.shape[2:]), content)
    except Absent as reason:
        absent["lpips"] = str(reason)
    if c.scale:
        scores |= places(scores, content, styles, vgg, c.scale_steps, on_step)
    return Scored(scores, absent)


def places(
    scores: Mapping[str, float],
    content: Tensor,
    styles: Sequence[Tensor],
    vgg: VGG,
    steps: int,
    on_step: OnStep = lambda progress: None,
) -> dict[str, float]:
    """Places of scores between the content's (0 %) and those of its optimized pixels (100 %).

    content and each style are (1, 3, H, W) in [0, 1].
    """
    settings = OptimizeConfig(steps=steps, size_px=min(*content.shape[2:], 4096))
    loss = perceptual_with(load_vgg().to(content.device), vgg)
    best = optimize(content, styles, loss, settings, on_step=on_step).to(content.device)
    start, end = (score(image, content, styles, vgg) for image in (content, best))
    return {name + PERCENT: place(scores[name], start[name], end[name]) for name in SCALED}


def place(value: float, start: float, end: float) -> float:
    """Percent of the way from `start` to `end`; 0 if they are equal."""
    return 100 * (start - value) / (start - end) if start != end else 0.0


def mean_of(found: Sequence[Scored]) -> Scored:
    """Scores averaged over pictures; a score that any picture lacks is absent."""
    names = [name for name in found[0].scores if all(name in one.scores for one in found)]
    means = {name: sum(one.scores[name] for one in found) / len(found) for name in names}
    return Scored(means, {name: reason for one in found for name, reason in one.absent.items()})


def score_lines(found: Scored, judge: str) -> list[str]:
    """A line for each score and each absent one, then the judging network and the meaning of the scale."""
    lines = [f"{name}: {_shown(name, value)}" for name, value in found.scores.items()]
    lines += [f"{name}: absent ({reason})" for name, reason in found.absent.items()]
    lines += [f"judge: {judge}"]
    lines += [f"scale: {SCALE}"] if any(name.endswith(PERCENT) for name in found.scores) else []
    return lines


def _shown(name: str, value: float) -> str:
    return f"{value:.0f} %" if name.endswith(PERCENT) else f"{value:.4f}"
