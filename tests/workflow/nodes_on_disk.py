"""Dummy nodes for tests of the headless runner: this file is copied into throw-away packs, never imported."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)
from __future__ import annotations

import torch

from .pstyle.core.folders import current_folders

CALLS = []  # (class, unique id or None) of every call
CHANGE = {"value": 0}


class Color:
    RETURN_TYPES = ("IMAGE", "FLOAT")
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {
                "width": ("INT", {"default": 8, "min": 1, "max": 64}),
                "seed": ("INT", {"default": 0, "min": 0, "max": 2**64 - 1}),
                "tint": (["gray", "red"],),
            },
            "optional": {
                "level": ("FLOAT", {"default": 0.5, "min": 0.0, "max": 1.0}),
                "flip": ("BOOLEAN", {"default": False}),
            },
        }

    def run(self, width, seed, tint, level=0.5, flip=False):
        CALLS.append(("Color", None))
        noise = torch.rand(1, 4, width, 3, generator=torch.Generator().manual_seed(seed))
        image = (level + 0.1 * noise) * torch.tensor([1.0, 0.0 if tint == "red" else 1.0, 1.0])
        return image.flip(2) if flip else image, level


class Mix:
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {"first": ("IMAGE",), "share": ("FLOAT", {"default": 0.5, "min": 0.0, "max": 1.0})},
            "optional": {"second": ("IMAGE",)},
        }

    def run(self, first, share, second=None):
        CALLS.append(("Mix", None))
        return (first if second is None else torch.lerp(first, second, share),)


class Show:
    RETURN_TYPES = ()
    FUNCTION = "run"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": ("*",)}, "hidden": {"node": "UNIQUE_ID"}}

    @classmethod
    def VALIDATE_INPUTS(cls, input_types):
        return True

    def run(self, value, node):
        CALLS.append(("Show", node))
        return {"ui": {"text": [str(value)]}}


class Add:
    RETURN_TYPES = ("INT",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"a": ("INT", {"default": 0}), "b": ("INT", {"default": 0})}}

    def run(self, a, b):
        CALLS.append(("Add", None))
        return (a + b,)


class Spread:
    RETURN_TYPES = ("INT", "INT")
    OUTPUT_IS_LIST = (True, False)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"count": ("INT", {"default": 3})}}

    def run(self, count):
        return list(range(count)), count


class Total:
    RETURN_TYPES = ("INT",)
    INPUT_IS_LIST = True
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"values": ("INT",), "scale": ("INT", {"default": 1})}}

    def run(self, values, scale):
        return (sum(values) * scale[0],)


class Pick:
    RETURN_TYPES = ("INT",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):
        lazy = ("INT", {"lazy": True})
        return {"required": {"second": ("BOOLEAN", {"default": False}), "one": lazy, "two": lazy}}

    def check_lazy_status(self, second, one, two):
        return ["two"] if second else ["one"]

    def run(self, second, one, two):
        return (two if second else one,)


class Hidden:
    RETURN_TYPES = ("STRING",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}, "hidden": {"prompt": "PROMPT", "info": "EXTRA_PNGINFO", "me": "UNIQUE_ID"}}

    def run(self, prompt, info, me):
        return (f"{prompt[me]['class_type']} {me!r} {sorted(info) if info else info}",)


class ProcessGroup:
    """Tells where it runs."""

    RETURN_TYPES = ("BOOLEAN", "BOOLEAN", "STRING")
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}}

    @classmethod
    def IS_CHANGED(cls):
        CALLS.append(("World.IS_CHANGED", None))
        if isinstance(CHANGE["value"], Exception):
            raise CHANGE["value"]
        return CHANGE["value"]

    def run(self):
        CALLS.append(("World", None))
        here = current_folders()
        folders = f"{here.input}|{here.output}|{here.temp}|{here.models}"
        return torch.is_inference_mode_enabled(), torch.ones(1).is_inference(), folders


class Even:
    RETURN_TYPES = ("INT",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"number": ("INT", {"min": 0, "max": 10})}}

    @classmethod
    def VALIDATE_INPUTS(cls, number):
        CALLS.append(("Even sees", number))
        if number is None:
            return True
        return True if number % 2 == 0 else f"{number} is odd"

    def run(self, number):
        return (number,)


class Raise:
    RETURN_TYPES = ("INT",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"what": (["error", "interrupt", "short", "none", "expand"],), "after": ("INT",)}}

    def run(self, what, after):
        if what == "error":
            raise LookupError("nothing there")
        if what == "interrupt":
            raise KeyboardInterrupt
        return {"short": (), "none": None, "expand": {"expand": {}, "result": (1,)}}[what]


class Upload:
    RETURN_TYPES = ("STRING",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):
        button = {"image_upload": True}
        return {"required": {"file": (["a", "b"], button)}, "optional": {"count": ("INT", {"default": 1})}}

    def run(self, file, count=1):
        return (f"{file}{count}",)


class Broken:
    RETURN_TYPES = ("INT",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):
        raise OSError("disk on fire")


NODE_CLASS_MAPPINGS = {
    "Color": Color,
    "Mix": Mix,
    "Show": Show,
    "Add": Add,
    "Spread": Spread,
    "Total": Total,
    "Pick": Pick,
    "Hidden": Hidden,
    "World": ProcessGroup,
    "Even": Even,
    "Raise": Raise,
    "Upload": Upload,
    "Broken": Broken,
    "SaveImage": Color,  # a core id: ComfyUI keeps its own
}
