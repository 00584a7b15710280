"""The few of ComfyUI's own nodes that this pack's workflows need: same ids, inputs, outputs and pixels."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core.files import read_file
from ..core.folders import current_folders
from ..image.reading import MAX_FILE_BYTES
from ..image.resizing import MAX_PIXELS
from ..image.writing import save_image
from .paths import input_file, list_input, save_place
from .pixels import load_channel, load_frames, resize

MAX_SIDE_PX = 16384


class _FromInput:
    """The base of both loaders: the list of files, the check of a name, the digest of a file."""

    @classmethod
    def VALIDATE_INPUTS(cls, image: str | None) -> bool | str:
        if image is None:
            return True  # wired: checked when it arrives
        try:
            input_file(current_folders(), str(image))
        except ValueError as error:
            return str(error)
        return True

    @classmethod
    def IS_CHANGED(cls, image: str, **_: Any) -> str:
        return hashlib.sha256(read_file(input_file(current_folders(), image), MAX_FILE_BYTES)).hexdigest()


class LoadImage(_FromInput):
    """A picture of the input folder as IMAGE (frames, H, W, 3) and MASK (frames, H, W)."""

    CATEGORY = "image"
    RETURN_TYPES = ("IMAGE", "MASK")
    FUNCTION = "load_image"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"image": (list_input(current_folders()), {"image_upload": True})}}

    def load_image(self, image: str) -> tuple[Tensor, Tensor]:
        return load_frames(input_file(current_folders(), image))


class LoadImageMask(_FromInput):
    """One channel of a picture of the input folder as MASK (1, H, W); alpha comes inverted."""

    CATEGORY = "mask"
    RETURN_TYPES = ("MASK",)
    FUNCTION = "load_image"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "image": (list_input(current_folders()), {"image_upload": True}),
                "channel": (["alpha", "red", "green", "blue"],),
            }
        }

    def load_image(self, image: str, channel: str) -> tuple[Tensor]:
        return (load_channel(input_file(current_folders(), image), channel),)


class SaveImage:
    """Writes IMAGE (B, H, W, C) as numbered PNGs that carry the workflow; no file is ever replaced."""

    CATEGORY = "image"
    RETURN_TYPES = ()
    FUNCTION = "save_images"
    OUTPUT_NODE = True
    KIND, SUFFIX = "output", ""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "images": ("IMAGE", {"tooltip": "The pictures to save."}),
                "filename_prefix": (
                    "STRING",
                    {"default": "ComfyUI", "tooltip": "Start of the file name, with folders if it has '/'."},
                ),
            },
            "hidden": {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"},
        }

    @classmethod
    def VALIDATE_INPUTS(cls, filename_prefix: str | None = None) -> bool | str:
        if filename_prefix is None:
            return True
        try:
            save_place(_folder(cls.KIND), str(filename_prefix))
        except ValueError as error:
            return str(error)
        return True

    def save_images(
        self,
        images: Tensor,
        filename_prefix: str = "ComfyUI",
        prompt: dict[str, Any] | None = None,
        extra_pnginfo: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        if images.ndim != 4 or len(images) == 0:
            raise ValueError(f"images must be (B, H, W, C) with B at least 1, got {tuple(images.shape)}")
        root = _folder(self.KIND)
        folder, name, number = save_place(
            root, filename_prefix + self.SUFFIX, images.shape[2], images.shape[1]
        )
        folder.mkdir(parents=True, exist_ok=True)
        texts = {} if prompt is None else {"prompt": json.dumps(prompt)}
        texts |= {key: json.dumps(value) for key, value in (extra_pnginfo or {}).items()}
        subfolder = folder.relative_to(root.resolve()).as_posix()
        saved = []
        for index, image in enumerate(images):
            file = f"{name.replace('%batch_num%', str(index))}_{number + index:05}_.png"
            # ComfyUI truncates instead of rounding; so do we, for identical files.
            levels = (image.float() * 255).clamp(0, 255).floor() / 255
            save_image(folder / file, levels.movedim(-1, 0)[None], text=texts)
            saved.append(
                {"filename": file, "subfolder": "" if subfolder == "." else subfolder, "type": self.KIND}
            )
        return {"ui": {"images": saved}}


class PreviewImage(SaveImage):
    """Like SaveImage, into the folder of temporary files."""

    KIND, SUFFIX = "temp", "_temp"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {"images": ("IMAGE",)},
            "hidden": {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"},
        }


def _folder(kind: str) -> Path:
    folders = current_folders()
    return folders.temp if kind == "temp" else folders.output


class ImageScale:
    """IMAGE at another width and height; a zero keeps the proportions, two zeros keep the picture."""

    CATEGORY = "image/upscaling"
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "upscale"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        side = ("INT", {"default": 512, "min": 0, "max": MAX_SIDE_PX, "step": 1})
        methods = ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]
        return {
            "required": {
                "image": ("IMAGE",),
                "upscale_method": (methods,),
                "width": side,
                "height": side,
                "crop": (["disabled", "center"],),
            }
        }

    def upscale(
        self, image: Tensor, upscale_method: str, width: int, height: int, crop: str
    ) -> tuple[Tensor]:
        rows, columns = image.shape[1:3]
        if width == 0 and height == 0:
            return (image,)
        width = width or max(1, round(columns * height / rows))
        height = height or max(1, round(rows * width / columns))
        if len(image) * width * height > MAX_PIXELS:  # a one-column picture kept in proportion gets huge
            raise ValueError(
                f"{len(image)} pictures of {width}x{height} px are above the {MAX_PIXELS} pixels allowed: "
                "choose smaller sides"
            )
        return (resize(image, width, height, upscale_method, crop),)


class ImageBatch:
    """Two IMAGEs in one batch; the second is resized and cut to the size of the first."""

    CATEGORY = "image"
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "batch"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"image1": ("IMAGE",), "image2": ("IMAGE",)}}

    def batch(self, image1: Tensor, image2: Tensor) -> tuple[Tensor]:
        if image1.shape[1:] != image2.shape[1:]:
            image2 = resize(image2, image1.shape[2], image1.shape[1], "bilinear", "center")
        return (torch.cat((image1, image2)),)


CORE_NODES: dict[str, type] = {
    node.__name__: node
    for node in (LoadImage, LoadImageMask, SaveImage, PreviewImage, ImageScale, ImageBatch)
}
