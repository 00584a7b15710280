"""A restorer so small that a test may train it."""

from __future__ import annotations

import torch

from pstyle.restoration.repair.restorer import Restorer, RestorerConfig

TINY = RestorerConfig(half=8, quarter=8, eighth=8, sixteenth=8, blocks=1, tones=4)


def new_restorer() -> Restorer:
    """One that leaves pictures alone, as before training."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Restorer(TINY)


def random_restorer() -> Restorer:
    """One that does something, nobody knows what."""
    restorer = new_restorer()
    rng = torch.Generator().manual_seed(0)
    for layer in (restorer.last, restorer.tone_reader.fresh.out, restorer.tone_reader.worn[-1]):
        torch.nn.init.normal_(layer.weight, std=0.05, generator=rng)
    return restorer.eval().requires_grad_(False)
