"""Style transfer by optimizing the picture itself (Gatys et al., arXiv 1508.06576), a bound for painters.

Coarse to fine, as crowsonkb's style-transfer-pytorch does it. We differ in how the picture converges: Adam's
learning rate decays along a cosine, where that keeps an average of the iterates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.config import check_settings, choice, setting
from ..core.progress import OnStep, Progress
from ..image.crops import single_pictures
from ..image.resizing import resize_short_side, resize_to
from ..losses.perceptual import Perceptual, weighted
from ..losses.style_content import content_distance, content_loss, style_distance, total_loss, total_variation
from ..nets.moments import Moments, mix_by_layer, moments_by_layer
from .guarded_optimizer import GuardedOptimizer, NotFinite, cosine
from .optimizers import BETAS

MIN_PX = 32  # below it the deepest features have too few pixels for statistics
GROWTH = 2**0.5  # ratio of one scale to the one before


@dataclass(frozen=True)
class OptimizeConfig:
    """Settings of optimizing a picture."""

    loss: str = choice(
        "relative",
        ("relative", "gatys"),
        "loss to minimize: relative combines style, content and smoothness as learning does; gatys is alpha "
        "L_c + beta L_s, unscaled",
    )
    optimizer: str = choice(
        "adam", ("adam", "lbfgs"), "optimization algorithm; lbfgs takes larger steps than adam"
    )
    steps: int = setting(200, 1, 10_000, "optimization steps per scale")
    size_px: int = setting(
        512, MIN_PX, 4096, "short side of the result in pixels; larger pictures are scaled down to it"
    )
    first_px: int = setting(
        128,
        MIN_PX,
        4096,
        "short side of the coarsest scale in pixels; each following scale is 1.41 times larger",
    )
    style_weight: float = setting(
        12.0, 0.0, 1e4, "weight of the style in the relative loss; the content has weight 1"
    )
    gram_weight: float = setting(
        0.5, 0.0, 10.0, "weight of Gram matrices relative to means and standard deviations"
    )
    smooth_weight: float = setting(
        0.1, 0.0, 100.0, "weight of total variation; higher values give calmer surfaces"
    )
    alpha: float = setting(1.0, 0.0, 1e12, "weight of L_c in the gatys loss")
    beta: float = setting(1e6, 0.0, 1e12, "weight of L_s in the gatys loss")
    lr: float = setting(0.03, 1e-6, 1.0, "peak learning rate of adam, with cosine decay")

    def __post_init__(self) -> None:
        check_settings(self)


class Target(NamedTuple):
    """The targets of the optimization: content features and style moments by layer."""

    content: dict[str, Tensor]
    style: dict[str, Moments]


Measure = Callable[[Tensor], "dict[str, Tensor]"]


def optimize(
    content: Tensor,
    styles: Sequence[Tensor],
    perceptual: Perceptual,
    config: OptimizeConfig | None = None,
    weights: Sequence[float] | None = None,
    on_step: OnStep = lambda progress: None,
) -> Tensor:
    """Optimize the content picture (1, C, H, W); returns (1, 3, h, w) in [0, 1], on the CPU.

    Its short side becomes `size_px`, or stays if smaller. Styles are (B, C, H, W) of any sizes, resized to
    the content's short side and mixed by `weights`. Each step reports the loss, its terms, and L_c and L_s
    averaged over layers. Raises ValueError if a picture is missing or too small or if there are several
    contents, and NotFinite if the loss is not finite.
    """
    c = config or OptimizeConfig()
    contents = single_pictures([content], "content picture", MIN_PX)
    if len(contents) > 1:
        raise ValueError(f"one content picture is optimized at a time, got a batch of {len(contents)}")
    singles = single_pictures(styles, "style picture", MIN_PX)
    shares = [1.0] * len(singles) if weights is None else weights
    device = next(perceptual.parameters()).device
    image = original = contents[0].to(device)
    sizes_px = scales(min(original.shape[2:]), c)
    step = 0
    for size_px in sizes_px:
        seen = resize_short_side(original, size_px)
        target = aim(
            seen, [resize_short_side(single, size_px).to(device) for single in singles], shares, perceptual
        )
        image = resize_to(image, *seen.shape[2:]).clone().requires_grad_()
        for terms in STEPS[c.optimizer](image, lambda x, aimed=target: measure(x, aimed, perceptual, c), c):
            step += 1
            losses = {name: value.item() for name, value in terms.items()}
            on_step(Progress(step, c.steps * len(sizes_px), losses, image.detach().clamp(0, 1)))
        image = image.detach().clamp(0, 1)
    return image.cpu()


def scales(own_px: int, config: OptimizeConfig) -> list[int]:
    """Short sides from coarse to fine for a picture of short side `own_px`; the last is the final size."""
    last_px = min(own_px, config.size_px)
    count = 1 + max(0, math.floor(math.log(last_px / config.first_px, GROWTH) + 1e-9))
    return [round(last_px / GROWTH**back) for back in reversed(range(count))]


def aim(
    content: Tensor, styles: Sequence[Tensor], weights: Sequence[float], perceptual: Perceptual
) -> Target:
    """The targets for a content picture and weighted style pictures, each (1, 3, H, W)."""
    return Target(
        perceptual.content(content), mix_by_layer([perceptual.style(style) for style in styles], weights)
    )


def measure(
    image: Tensor, target: Target, perceptual: Perceptual, config: OptimizeConfig
) -> dict[str, Tensor]:
    """The loss of a picture (1, 3, H, W), its terms, and the raw L_c and L_s."""
    features = perceptual.features(image)
    found = moments_by_layer(features)
    raw = {
        "L_c": _mean([content_loss(features[name], value) for name, value in target.content.items()]),
        "L_s": _mean([gram_loss(found[name], value) for name, value in target.style.items()]),
    }
    if config.loss == "gatys":
        return {"loss": total_loss(raw["L_c"], raw["L_s"], config.alpha, config.beta)} | raw
    terms = {
        "style": style_distance(found, target.style, config.gram_weight),
        "content": content_distance(features, target.content),
        "smooth": total_variation(image),
        "range": (F.relu(image - 1) + F.relu(-image)).mean(),  # only L-BFGS ever leaves [0, 1]
    }
    weights = {"style": config.style_weight, "smooth": config.smooth_weight}
    return {"loss": weighted(terms, weights)} | terms | raw


def gram_loss(output: Moments, target: Moments) -> Tensor:
    """L_s as in `style_loss`, from Gram matrices that are already computed."""
    maps = output.gram.shape[1]
    return 0.25 * (output.gram - target.gram).square().sum() / maps**2


def adam_steps(image: Tensor, measure: Measure, config: OptimizeConfig) -> Iterator[dict[str, Tensor]]:
    """Optimize the picture in place by Adam, within [0, 1]; yields the terms before each step."""
    optimizer = torch.optim.Adam([image], lr=config.lr, betas=BETAS)
    guarded = GuardedOptimizer(optimizer, clip_norm=math.inf)
    for step in range(config.steps):
        terms = measure(image)
        guarded.step(terms["loss"], cosine(step, config.steps, warmup=10), terms)
        with torch.no_grad():
            image.clamp_(0, 1)
        yield terms


def lbfgs_steps(image: Tensor, measure: Measure, config: OptimizeConfig) -> Iterator[dict[str, Tensor]]:
    """Optimize the picture in place by L-BFGS; yields the terms before each step."""
    optimizer = torch.optim.LBFGS(
        [image],
        max_iter=1,
        max_eval=8,
        history_size=10,
        tolerance_grad=0,  # gradients of a mean over pixels are always tiny, so they are no reason to stop
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )
    for _ in range(config.steps):
        seen: list[dict[str, Tensor]] = []

        def closure(seen: list[dict[str, Tensor]] = seen) -> Tensor:
            optimizer.zero_grad()
            seen.append(measure(image))
            seen[-1]["loss"].backward()
            return seen[-1]["loss"]

        optimizer.step(closure)
        if not (torch.isfinite(seen[0]["loss"]) and torch.isfinite(image).all()):
            raise NotFinite("L-BFGS met a loss that is not finite: use adam, or lower the weights")
        yield seen[0]


STEPS: dict[str, Callable[[Tensor, Measure, OptimizeConfig], Iterator[dict[str, Tensor]]]] = {
    "adam": adam_steps,
    "lbfgs": lbfgs_steps,
}


def _mean(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean()
