"""Stars for a person's pictures: weights of those they like, a distance to keep from those they do not."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

MOST_STARS, USUAL_STARS = 5, 3
DISLIKED = 0
KEPT_PICTURES = 3.0  # as many count at least, so that one favorite does not become the whole style


def weights_from_stars(stars: Sequence[int]) -> list[float]:
    """Shares, summing to 1, of pictures with 1 to 5 stars; a disliked one, 0 stars, has none.

    A star more counts e times as much, or less where too few pictures would be left: their effective number,
    e to the entropy, stays at 3 or, of fewer than five pictures, at half of one more than there are. (A fixed
    3 would make stars for three pictures mean nothing.) Raises ValueError for other stars, or none liked.
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
    """How far from a disliked picture a style should be: the median distance of codes (N, D)."""
    return torch.pdist(codes).median()


def dislike(latent: Tensor, codes: Tensor, margin: Tensor) -> Tensor:
    """How far latents (L, D) are within `margin` of disliked codes (N, D), in parts of it; 0 beyond it."""
    near = torch.relu(1 - torch.cdist(latent, codes) / margin.clamp_min(1e-6))
    return near.mean()


def _shares(stars: Tensor, liked: Tensor, temperature: float) -> Tensor:
    return (stars / temperature).masked_fill(~liked, -torch.inf).softmax(0)


def _effective(shares: Tensor) -> float:
    return torch.special.entr(shares).sum().exp().item()
