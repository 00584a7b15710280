"""The loop that teaches the readers of tones, and what it shares with the training of the whole restorer."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.config import check_settings, setting, to_json
from ...image.colors import luma
from ...image.crops import Crops
from ...nets.layers import channels_last
from ...training.ema import update_ema
from ...training.guarded_optimizer import GuardedOptimizer, cosine
from ...training.optimizers import BETAS
from ...training.training_state import TrainingState
from ..damage.damage import Damaging
from .tone_correction import BELIEF, POWERS, TONES_PX, ToneCorrection, with_tones

SAVE_EVERY = 100  # steps
COARSE_PX = 4  # side of the squares whose means a color map is fitted to, so that grain does not count
RIDGE = 1e-4
EPS = 1e-4  # mean square error that nobody sees
LEVELS = 6  # the first numbers of a fading: black and white of each color


@dataclass(frozen=True)
class ToneConfig:
    """Settings of teaching one of the two readers of tones."""

    steps: int = setting(2000, 1, 1_000_000, "optimization steps")
    batch: int = setting(48, 1, 1024, "small pictures per step")
    stride: int = setting(1, 1, 8, "distance of the pixels that are read, in rows and columns")
    lr: float = setting(2e-3, 1e-6, 1.0, "highest learning rate of AdamW; it decays along a cosine")
    weight_decay: float = setting(0.0, 0.0, 1.0, "weight decay of AdamW")
    ema: float = setting(0.0, 0.0, 0.99999, "decay per step of the averaged weights, which are kept")
    pull: float = setting(0.0, 0.0, 1.0, "how far the last layer is pulled to auto levels at the end")
    gray_share: float = setting(0.1, 0.0, 1.0, "share of clean pictures made gray, as old photographs are")
    seed: int = setting(0, 0, 2**31 - 1, "seed of crops and damage")

    def __post_init__(self) -> None:
        check_settings(self)


def train_tones(
    tones: ToneCorrection,
    pictures: Crops,
    damaging: Damaging,
    wear: bool,
    config: ToneConfig,
    state_path: Path | None = None,
    on_step: Callable[[dict[str, float]], None] = lambda record: None,
) -> ToneCorrection:
    """Teach one of two readers on nearly whole small copies of clean pictures; returns the averaged weights
    as a new module.

    With `wear` it is the reader of worn pictures. `pictures` hold a level little larger than TONES_PX. The
    loss is the root of each picture's mean square error: the mean over all pictures would follow the most
    faded ones, and a mean absolute error settles for the median, which is to leave pictures alone. Resumes
    from `state_path` if that file exists.
    """
    rng = torch.Generator().manual_seed(config.seed)
    device = next(tones.parameters()).device
    reader = (tones.worn if wear else tones.fresh).requires_grad_(True)
    average = deepcopy(tones).requires_grad_(False)
    own = average.worn if wear else average.fresh
    adam = torch.optim.AdamW(reader.parameters(), lr=config.lr, betas=BETAS, weight_decay=config.weight_decay)
    state = TrainingState({"reader": reader, "average": own}, {"adam": adam}, rng, to_json(config))
    if state_path:
        state.resume(state_path)
    guarded = GuardedOptimizer(adam)
    side_px = min(TONES_PX, pictures.smallest_px)
    while state.step < config.steps:
        # batch
        clean = pictures.draw(config.batch, side_px, rng).to(device)
        clean = some_gray(clean, config.gray_share, rng)
        damaged = damaging(clean, rng)
        faded, clean = (
            image[..., :: config.stride, :: config.stride] for image in (damaged.image, damaged.clean)
        )
        # forward, loss
        small = torch.cat([faded, torch.zeros_like(faded[:, :1])], dim=1)
        toned = with_tones(faded, tones(small, float(wear)))
        loss = ((toned - clean).square().mean((1, 2, 3)) + EPS).sqrt().mean()
        # backward, guard, step
        if guarded.step(loss, cosine(state.step, config.steps, warmup=max(1, config.steps // 20))):
            update_ema(own, reader, config.ema, state.step)
        # record
        state.step += 1
        on_step({"step": state.step, "loss": loss.item()})
        if state_path and (state.step % SAVE_EVERY == 0 or state.step == config.steps):
            state.save(state_path)
    pull_to_levels(own[-1] if wear else own.out, config.pull)
    return average


@torch.no_grad()
def pull_to_levels(last: torch.nn.Linear, share: float) -> None:
    """Pull a reader's last layer a share of the way to one that always believes auto levels by BELIEF.

    A reader of few pictures is too sure of them: pulled by 0.3, repair of other pictures gained 0.11 dB.
    """
    levels = torch.zeros_like(last.bias)
    levels[:LEVELS] = BELIEF
    last.weight.mul_(1 - share)
    last.bias.lerp_(levels, share)


@torch.no_grad()
def fitted_tones(image: Tensor, clean: Tensor, weight: Tensor) -> Tensor:
    """The map of colors, for `with_tones`, that brings pictures (B, 3, H, W) nearest to clean ones: in least
    squares, over means of COARSE_PX that count by `weight` (B, 1, H, W).
    """
    weight = F.avg_pool2d(weight, COARSE_PX)
    seen, wanted = (F.avg_pool2d(x.float(), COARSE_PX) for x in (image, clean))
    powers = [torch.ones_like(seen[:, :1]), *(seen**n for n in range(1, POWERS + 1))]
    powers = torch.cat(powers, dim=1).flatten(2)  # (B, 1 + 3 * POWERS, N)
    weighted = powers * weight.flatten(2)
    normal = weighted @ powers.transpose(1, 2)
    normal += RIDGE * powers.shape[2] * torch.eye(powers.shape[1], device=image.device)
    changes = (wanted - seen).flatten(2) @ weighted.transpose(1, 2)
    return torch.linalg.solve(normal, changes, left=False)


def some_gray(image: Tensor, share: float, rng: torch.Generator) -> Tensor:
    """Pictures (B, 3, H, W), a share of them without color, in the memory layout that convolutions like."""
    chosen = (torch.rand(len(image), 1, 1, 1, generator=rng) < share).to(image.device)
    return channels_last(torch.where(chosen, luma(image), image))
