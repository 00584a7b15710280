"""A map of styles: pictures, styles and candidates at their codes' first two principal components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..image.resizing import resize_short_side
from ..nets.generator import Generator, style_moments
from ..nets.vgg import VGG
from ..plots.place_map import place_map
from ..style.answers import parse_history
from ..style.style import Style, preview_of
from .space import SEEN_PX


@torch.no_grad()
def map_of(pictures: Sequence[Tensor], styles: Mapping[str, Style], generator: Generator, vgg: VGG) -> Tensor:
    """A map (1, 3, 900, 900): pictures (1, 3, H, W) as thumbnails, styles by name, their candidates as dots.

    Raises ValueError for fewer than two things to place, or styles of another generator's size.
    """
    codes = [code_of(picture, generator, vgg) for picture in pictures]
    names = list(styles)
    for name in names:
        if styles[name].latent.shape[1] != generator.config.latent:
            raise ValueError(f"the style {name!r} is of another generator: map styles of one generator only")
        codes.append(styles[name].latent.float().mean(0))
    if len(codes) < 2:
        raise ValueError(f"a map needs two pictures or styles or more, got {len(codes)}")
    asked = {name: candidates_of(style) for name, style in styles.items()}
    tried = [points for points, _ in asked.values() if len(points)]
    places = principal(torch.stack(codes), torch.cat([torch.stack(codes), *tried]))
    thumbs = [preview_of(picture) for picture in pictures]
    liked = [chosen for points, flags in asked.values() if len(points) for chosen in flags]
    own = places[len(thumbs) : len(codes)]
    marks = {name: (place, styles[name].preview) for name, place in zip(names, own, strict=True)}
    dots = list(zip(places[len(codes) :], liked, strict=True))
    return place_map(list(zip(places, thumbs, strict=False)), marks, dots)


def code_of(picture: Tensor, generator: Generator, vgg: VGG) -> Tensor:
    """The latent (D,) of a picture (1, 3, H, W)."""
    seen = resize_short_side(picture, SEEN_PX).to(next(generator.parameters()).device)
    return generator.encode(style_moments(vgg, seen))[0].mean(0).cpu()


def candidates_of(style: Style) -> tuple[Tensor, list[bool]]:
    """Codes (N, D) of the candidates of a style's answers, and which of them were chosen.

    A style file holds the style its answers led to, and the history holds the offset from the initial style.
    """
    if not style.taste:
        return torch.zeros(0, style.latent.shape[1]), []
    history = parse_history(style.taste)
    points = [answer.question.points for answer in history.answers]
    if not points:
        return torch.zeros(0, style.latent.shape[1]), []
    liked = [index == a.best for a in history.answers for index in range(len(a.question.points))]
    initial = style.latent.float().mean(0) - history.at @ history.directions
    return initial + torch.cat(points) @ history.directions, liked


def principal(known: Tensor, shown: Tensor) -> Tensor:
    """Coordinates (N, 2) of codes `shown` (N, D) along the two principal components of `known` (M, D)."""
    center = known.mean(0)
    _, _, components = torch.linalg.svd(known - center, full_matrices=False)
    plane = torch.zeros(2, known.shape[1])
    plane[: min(2, len(components))] = components[:2]
    return (shown - center) @ plane.mT
