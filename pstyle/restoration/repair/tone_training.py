"""The loop that trains the two tone networks, and functions shared with the training of the restorer."""

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
EPS = 1e-4  # an invisible mean square error
LEVELS = 6  # the first numbers of a fading: black and white of each color


@dataclass(frozen=True)
class ToneConfig:
    """Settings of training one of the two tone networks."""

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
    """Train one of the two tone networks on small, nearly whole pictures; returns an averaged copy.

    With `wear` it is the network for worn pictures. `pictures` are stored at a size slightly above TONES_PX.
    The loss is the root of each picture's mean square error: a mean square over all pictures would follow the
    most faded ones, and a mean absolute error would settle for the median, which is no change. Resumes from
    `state_path` if that file exists.
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
    """Pull a network's last layer part of the way toward always applying auto levels by BELIEF.

    A network trained on few pictures is overconfident: a pull of 0.3 improved other pictures by 0.11 dB.
    """
    levels = torch.zeros_like(last.bias)
    levels[:LEVELS] = BELIEF
    last.weight.mul_(1 - share)
    last.bias.lerp_(levels, share)


@torch.no_grad()
def fitted_tones(image: Tensor, clean: Tensor, weight: Tensor) -> Tensor:
    """The color map, for `with_tones`, that best maps pictures (B, 3, H, W) to clean ones.

    A least-squares fit over means of COARSE_PX squares weighted by `weight` (B, 1, H, W).
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
    """Make a share of pictures (B, 3, H, W) gray; the result is in channels_last layout."""
    chosen = (torch.rand(len(image), 1, 1, 1, generator=rng) < share).to(image.device)
    return channels_last(torch.where(chosen, luma(image), image))
