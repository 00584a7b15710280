"""Nodes that learn a style: sets of style pictures, the learning itself, and blends of styles."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ..pstyle.core.checkpoint import BadFile
from ..pstyle.core.files import sha256_of
from ..pstyle.image.listing import list_pictures
from ..pstyle.image.reading import open_image
from ..pstyle.losses.perceptual import perceptual_with
from ..pstyle.nets.vgg import VGG
from ..pstyle.samples import content_pictures
from ..pstyle.style.blending import blend
from ..pstyle.style.style import Style, save_style
from ..pstyle.taste.stars import DISLIKED, MOST_STARS, USUAL_STARS
from ..pstyle.training.learning import LearnConfig, Learned, Learning
from ..pstyle.training.style_pictures import MAX_PICTURES
from . import host
from .files import shipped_networks
from .widgets import widgets, wire
from .wires import (
    GENERATOR_WIRE,
    HISTORY_WIRE,
    LOSS_MAP_WIRE,
    STYLE_JUDGE,
    STYLE_SET_WIRE,
    STYLE_WIRE,
    TOTAL_LOSS,
    VGG_WIRE,
    BoundStyle,
    History,
    Networks,
    Rated,
    StyleSet,
    disliked,
    liked,
    to_loss_map,
    to_rgb,
)

INTERRUPTED = "interrupted"  # name, or start of the name, of styles saved when learning is canceled
BUILT_IN_CONTENTS = 12
MAX_WEIGHT = 100.0
WEIGHT = "How much these pictures count relative to the rest of the set; 0 leaves them out."
STARS = "How much you like these pictures. 0 means dislike, and the style stays away from them."
PREVIOUS = "A set to add these pictures to."


class PStyleStyleSet:
    """Pictures and a weight -> a set of style pictures."""

    TITLE = "Style Set"
    CATEGORY = "pstyle/learn"
    DESCRIPTION = (
        "Collects the pictures a style is learned from, with a weight. Chain several to mix pictures of "
        "different weights; a list of pictures of any size works, too."
    )
    RETURN_TYPES = (STYLE_SET_WIRE,)
    RETURN_NAMES = ("style_set",)
    OUTPUT_TOOLTIPS = ("All pictures so far, each with its weight.",)
    FUNCTION = "collect"
    INPUT_IS_LIST = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "pictures": wire("IMAGE", "Style pictures, at least 64 pixels on each side."),
                "weight": wire("FLOAT", WEIGHT, default=1.0, min=0.0, max=MAX_WEIGHT, step=0.1),
            },
            "optional": {
                "style_set": wire(STYLE_SET_WIRE, PREVIOUS),
                "stars": wire("INT", STARS, default=USUAL_STARS, min=DISLIKED, max=MOST_STARS),
            },
        }

    def collect(
        self,
        pictures: list[Tensor],
        weight: list[float],
        style_set: list[StyleSet] | None = None,
        stars: Sequence[int] = (USUAL_STARS,),
    ) -> tuple[StyleSet]:
        found = [entry for previous in style_set or [] for entry in previous]
        for index, batch in enumerate(pictures):
            share, rating = (values[min(index, len(values) - 1)] for values in (weight, stars))
            found += [Rated(picture[None], share, rating) for picture in to_rgb(batch, "style picture")]
        return (found,)


class PStyleStyleSetFromFolder:
    """The pictures of a folder and a weight -> a set of style pictures."""

    TITLE = "Style Set from Folder"
    CATEGORY = "pstyle/learn"
    DESCRIPTION = (
        "Uses all pictures in a folder inside ComfyUI's input folder as style pictures. They can have any "
        "size."
    )
    RETURN_TYPES = (STYLE_SET_WIRE,)
    RETURN_NAMES = ("style_set",)
    OUTPUT_TOOLTIPS = ("All pictures so far, each with its weight.",)
    FUNCTION = "collect"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        folder = f"A folder with 1 to {MAX_PICTURES} pictures inside the input folder."
        return {
            "required": {
                "folder": wire(list_folders(), folder),
                "weight": wire("FLOAT", WEIGHT, default=1.0, min=0.0, max=MAX_WEIGHT, step=0.1),
            },
            "optional": {
                "style_set": wire(STYLE_SET_WIRE, PREVIOUS),
                "stars": wire("INT", STARS, default=USUAL_STARS, min=DISLIKED, max=MOST_STARS),
            },
        }

    @classmethod
    def IS_CHANGED(cls, folder: str, **_: Any) -> str:
        return " ".join(map(sha256_of, _pictures_in(folder)))

    def collect(
        self, folder: str, weight: float, style_set: StyleSet | None = None, stars: int = USUAL_STARS
    ) -> tuple[StyleSet]:
        found = [Rated(open_image(path), weight, stars) for path in _pictures_in(folder)]
        return ([*(style_set or []), *found],)


def list_folders() -> list[str]:
    """Sorted names of the visible folders directly in the input folder."""
    try:
        with os.scandir(host.input_folder()) as entries:
            names = [entry.name for entry in entries if entry.is_dir()]
    except FileNotFoundError:
        return []
    return sorted(name for name in names if not name.startswith("."))


def _pictures_in(folder: str) -> list[Path]:
    """The picture files of a folder that is in the input folder now; BadFile for any other name."""
    if folder not in list_folders():
        raise BadFile(f"there is no folder {str(folder)[:80]!r} in {str(host.input_folder())!r}")
    found = list_pictures(host.input_folder() / folder)
    if len(found) > MAX_PICTURES:
        raise ValueError(
            f"the folder {folder!r} holds {len(found)} pictures, at most {MAX_PICTURES} are allowed: "
            "choose the best"
        )
    return found


class PStyleLearn:
    """A set of style pictures -> a style."""

    TITLE = "Learn Style"
    CATEGORY = "pstyle/learn"
    DESCRIPTION = (
        "Learns a style from pictures, in about a minute on a CPU and faster on a GPU. If you cancel, the "
        f"style so far is saved in models/pstyle as '{INTERRUPTED}', or as '{INTERRUPTED}_2' and so on if "
        "that exists."
    )
    RETURN_TYPES = (STYLE_WIRE, LOSS_MAP_WIRE, HISTORY_WIRE)
    RETURN_NAMES = ("style", "losses", "history")
    OUTPUT_TOOLTIPS = (
        "The style, ready to paint with or to save.",
        TOTAL_LOSS,
        "All losses per step, for Loss Plot.",
    )
    FUNCTION = "learn"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        contents = (
            "Pictures like those you want to paint. Without them, the style is learned on drawn scenes."
        )
        generator = "The generator to start from, by default the shipped one."
        return {
            "required": {
                "style_set": wire(STYLE_SET_WIRE, "The pictures to learn from."),
                **widgets(LearnConfig),
            },
            "optional": {
                "contents": wire("IMAGE", contents),
                "generator": wire(GENERATOR_WIRE, generator),
                "vgg": wire(VGG_WIRE, STYLE_JUDGE),
            },
        }

    def learn(
        self,
        style_set: StyleSet,
        contents: Tensor | None = None,
        generator: Networks | None = None,
        vgg: VGG | None = None,
        **settings: Any,
    ) -> tuple[BoundStyle, dict[str, list[float]], History]:
        config = LearnConfig(**settings)
        pictures, weights = liked(style_set)
        networks = generator or shipped_networks()
        with host.training(), host.borrowed(networks.both), host.borrowed(vgg) as judge:
            learned = learned_style(
                pictures,
                contents_or_scenes(contents, config.size_px, config.seed),
                networks.generator,
                networks.vgg,
                perceptual_with(networks.vgg, judge),
                config,
                weights,
                disliked(style_set),
            )
        return BoundStyle(learned.style, generator), to_loss_map(learned.history), learned.history


def learned_style(*given: Any) -> Learned:
    """Run a `Learning` and return its result.

    A separate function, so that graph and optimizer are freed with its frame. Raises `host.Interrupted` if
    canceled; the style so far is saved.
    """
    learning = Learning(*given)
    try:
        learning.run(host.Watch())
    except host.Interrupted:
        keep_style(learning.result().style)
        raise
    return learning.result()


def contents_or_scenes(contents: Tensor | None, size_px: int, seed: int) -> list[Tensor]:
    """The content pictures of a wire, or drawn scenes of `size_px` without one."""
    if contents is not None:
        return [to_rgb(contents, "content picture")]
    return content_pictures(BUILT_IN_CONTENTS, size_px, seed)


def keep_style(style: Style) -> None:
    """Save the style of canceled learning next to earlier ones; failures are logged, not raised."""
    try:
        path = _free_path(host.save_folder())
        save_style(path, style)
        logging.getLogger("pstyle").info("canceled: the style so far is kept as %s", path)
    except (OSError, ValueError) as error:  # the cancellation must go through
        logging.getLogger("pstyle").warning("canceled, and the style so far could not be kept: %s", error)


def _free_path(folder: Path) -> Path:
    """The first free path of `interrupted`, `interrupted_2`, `interrupted_3`, ..."""
    names = itertools.chain([INTERRUPTED], (f"{INTERRUPTED}_{number}" for number in itertools.count(2)))
    paths = (folder / f"{name}{host.SUFFIX}" for name in names)
    return next(path for path in paths if not os.path.lexists(path))  # dangling links count, too


class PStyleBlend:
    """Two styles -> a blend of both."""

    TITLE = "Blend Styles"
    CATEGORY = "pstyle/learn"
    DESCRIPTION = "Mixes two styles that were learned with the same generator. Chain it to mix more than two."
    RETURN_TYPES = (STYLE_WIRE,)
    RETURN_NAMES = ("style",)
    OUTPUT_TOOLTIPS = ("The blended style.",)
    FUNCTION = "blend"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        share = "Share of the second style: 0 is the first alone, 1 the second alone."
        return {
            "required": {
                "first": wire(STYLE_WIRE, "One style."),
                "second": wire(STYLE_WIRE, "The other style."),
                "share": wire("FLOAT", share, default=0.5, min=0.0, max=1.0, step=0.05),
            }
        }

    def blend(self, first: BoundStyle, second: BoundStyle, share: float) -> tuple[BoundStyle]:
        if not 0 <= share <= 1:  # written so that a NaN, which fails every comparison, is refused
            raise ValueError(f"share must be a number from 0 to 1, got {share}")
        mixed = blend([first.style, second.style], [1 - share, share])
        return (BoundStyle(mixed, first.networks or second.networks),)
