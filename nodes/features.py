"""Nodes that compute the VGG features of a picture, and show features as pictures."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..pstyle.nets.moments import gram
from ..pstyle.nets.vgg import LAYERS, VGG, load_vgg
from ..pstyle.plots.feature_maps import gram_picture, heat_map
from . import host
from .widgets import wire
from .wires import FEATURES_WIRE, VGG_WIRE, Features, to_rgb, to_wire


class PStyleVGGFeatures:
    """Picture -> features by layer."""

    TITLE = "VGG Features"
    CATEGORY = "pstyle/features"
    DESCRIPTION = (
        "Computes the features of pictures in five layers of a VGG, from fine texture in relu1_1 to large "
        "shapes in relu5_1. Style is which features occur together; content is where they are."
    )
    RETURN_TYPES = (FEATURES_WIRE,)
    RETURN_NAMES = ("features",)
    OUTPUT_TOOLTIPS = ("The features of all pictures, by layer.",)
    FUNCTION = "see"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {"image": wire("IMAGE", "The pictures to analyze.")},
            "optional": {"vgg": wire(VGG_WIRE, "The network to use, by default the shipped slim VGG.")},
        }

    def see(self, image: Tensor, vgg: VGG | None = None) -> tuple[Features]:
        pictures = to_rgb(image)
        with host.borrowed(vgg or load_vgg()) as network:
            found = network(pictures.to(host.compute_device()))
        layers = {name: value.to(host.output_device()) for name, value in found.items()}
        return (Features(layers, *pictures.shape[2:]),)


class PStyleLookAtFeatures:
    """Features of one layer -> heat maps and Gram matrices as pictures."""

    TITLE = "Look at Features"
    CATEGORY = "pstyle/features"
    DESCRIPTION = (
        "Draws one layer of features: a heat map of where they are strong, in the picture's size, and the "
        "Gram matrix of which ones occur together, which is what a style is learned from."
    )
    RETURN_TYPES = ("IMAGE", "IMAGE")
    RETURN_NAMES = ("heat_map", "gram")
    OUTPUT_TOOLTIPS = ("Where features are strong, from dark to bright.", "Which features occur together.")
    FUNCTION = "draw"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        layer = "The layer to draw, from relu1_1 (pixels and edges) to relu5_1 (whole objects)."
        return {
            "required": {
                "features": wire(FEATURES_WIRE, "The features from VGG Features."),
                "layer": wire(list(LAYERS), layer, default="relu3_1"),
            }
        }

    def draw(self, features: Features, layer: str) -> tuple[Tensor, Tensor]:
        if layer not in features.layers:
            raise ValueError(f"this VGG has no layer {layer!r}: choose one of {', '.join(features.layers)}")
        found = features.layers[layer]
        heat = heat_map(found, features.height, features.width)
        title = f"Gram matrix of {layer}"
        pictures = torch.cat([gram_picture(matrix, title=title) for matrix in gram(found)])
        return to_wire(heat), to_wire(pictures)
