"""Star ratings of pictures: weights for liked ones, a distance to keep from disliked ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

MOST_STARS, USUAL_STARS = 5, 3
DISLIKED = 0
KEPT_PICTURES = 3.0  # least effective number of pictures, so that one favorite is not the whole style


def weights_from_stars(stars: Sequence[int]) -> list[float]:
    """Weights, summing to 1, of pictures with 1 to 5 stars; disliked pictures, with 0 stars, get 0.

    Each further star multiplies the weight by e, or by less if that would concentrate it on too few pictures:
    the effective number of pictures, exp(entropy), is at least 3 or, with N < 5 of them, (N + 1) / 2. (With a
    fixed 3, stars for three pictures would have no effect.) Raises ValueError for other stars, or none liked.
    """
    if bad := [value for value in stars if type(value) is not int or not DISLIKED <= value <= MOST_STARS]:
        raise ValueError(f"stars are whole numbers from 0 (disliked) to {MOST_STARS}, got {bad[0]}")
    given = torch.tensor(stars, dtype=torch.float64)
    liked = given > DISLIKED
    if not liked.any():
        raise ValueError("no picture is liked: give at least one of them 1 star or more")
    wanted = min(KEPT_PICTURES, (int(liked.sum()) + 1) / 2)
    shares = _shares(given, liked, 1.0)
    if _effective(shares) < wanted:
        low, high = 1.0, 1e4  # of the temperature; at 10,000 all count alike
        for _ in range(60):
            middle = (low * high) ** 0.5
            low, high = (
                (low, middle) if _effective(_shares(given, liked, middle)) > wanted else (middle, high)
            )
        shares = _shares(given, liked, high)
    return shares.tolist()


def margin_of(codes: Tensor) -> Tensor:
    """The distance to keep from disliked pictures: the median distance between codes (N, D)."""
    return torch.pdist(codes).median()


def dislike(latent: Tensor, codes: Tensor, margin: Tensor) -> Tensor:
    """Mean share of `margin` by which latents (L, D) come too close to disliked codes (N, D); 0 beyond it."""
    near = torch.relu(1 - torch.cdist(latent, codes) / margin.clamp_min(1e-6))
    return near.mean()


def _shares(stars: Tensor, liked: Tensor, temperature: float) -> Tensor:
    return (stars / temperature).masked_fill(~liked, -torch.inf).softmax(0)


def _effective(shares: Tensor) -> float:
    return torch.special.entr(shares).sum().exp().item()
