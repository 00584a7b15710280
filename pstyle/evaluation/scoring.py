"""All that can be told of a painted picture in numbers, for nodes, the command line and reports alike.

Distances alone say little; two pictures that everybody can make place them on a scale: the content picture as
it is, and the one that pixel by pixel optimization makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from ..core.config import check_settings, setting
from ..core.progress import OnStep
from ..image.pictures import resize_to
from ..losses.perceptual import perceptual_with
from ..nets.vgg import VGG, load_vgg
from ..training.optimize import OptimizeConfig, optimize
from .copying import copied_share
from .lpips import NO_ART_FID, Absent, load_lpips
from .metrics import score

SCALED = ("style", "patch_swd")  # the scores that are placed on the scale
PERCENT = "_percent"  # ends the name of a score's place on the scale
SCALE = (
    "0 % is the content picture itself, 100 % what optimizing its pixels for the style reaches; "
    "below 0 is farther from the style than the content, above 100 nearer than optimization"
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
    """Scores by name; and for those whose parts are not on this machine, what would bring them."""

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
    """The scores of `metrics.score`, `copied`, `lpips` if it is present, and with `scale` two places on it.

    output, content and each style are (1, 3, H, W) in [0, 1]. To be called outside inference mode if `scale`
    is asked for. Raises ValueError as `metrics.score`, or for a side under 32 px.
    """
    c = config or ScaleConfig()
    scores = score(output, content, styles, vgg)
    scores["copied"] = copied_share(output, styles)
    absent = {"art_fid": NO_ART_FID}
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
    """Where scores lie between those of the content (0 %) and of the content optimized for the style (100 %).

    content and each style are (1, 3, H, W) in [0, 1].
    """
    settings = OptimizeConfig(steps=steps, size_px=min(*content.shape[2:], 4096))
    loss = perceptual_with(load_vgg().to(content.device), vgg)
    best = optimize(content, styles, loss, settings, on_step=on_step).to(content.device)
    start, end = (score(image, content, styles, vgg) for image in (content, best))
    return {name + PERCENT: place(scores[name], start[name], end[name]) for name in SCALED}


def place(value: float, start: float, end: float) -> float:
    """Percent of the way from `start` to `end`; 0 where there is no way to go."""
    return 100 * (start - value) / (start - end) if start != end else 0.0


def mean_of(found: Sequence[Scored]) -> Scored:
    """Several pictures' scores averaged; a score that one of them lacks is absent."""
    names = [name for name in found[0].scores if all(name in one.scores for one in found)]
    means = {name: sum(one.scores[name] for one in found) / len(found) for name in names}
    return Scored(means, {name: reason for one in found for name, reason in one.absent.items()})


def score_lines(found: Scored, judge: str) -> list[str]:
    """A line for each score, each absent one, and what a person must know to read them."""
    lines = [f"{name}: {_shown(name, value)}" for name, value in found.scores.items()]
    lines += [f"{name}: absent ({reason})" for name, reason in found.absent.items()]
    lines += [f"judge: {judge}"]
    lines += [f"scale: {SCALE}"] if any(name.endswith(PERCENT) for name in found.scores) else []
    return lines


def _shown(name: str, value: float) -> str:
    return f"{value:.0f} %" if name.endswith(PERCENT) else f"{value:.4f}"
