"""Paints in a ComfyUI's own process and prints what its counters say: `python memory_probe.py CHECKOUT PACK`.

Bytes of [all, loaded] of each model that ComfyUI manages, and of what the node remembers: when it has
painted, when ComfyUI asked for memory, when it painted again, and when all models were unloaded.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

CHECKOUT, PACK = (Path(folder) for folder in sys.argv[1:3])
sys.argv = ["main.py", "--cpu"]  # ComfyUI reads its own arguments as it is imported
sys.path[0] = str(CHECKOUT)  # in place of this folder, which has a comfy of its own

import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()

import torch  # noqa: E402
from comfy import model_management  # noqa: E402

SIDE_PX = 512


def loaded_pack():
    """The pack, as ComfyUI imports it."""
    found = importlib.util.spec_from_file_location(
        "pack", PACK / "__init__.py", submodule_search_locations=[str(PACK)]
    )
    sys.modules["pack"] = importlib.util.module_from_spec(found)
    found.loader.exec_module(sys.modules["pack"])
    return sys.modules["pack"]


def main() -> None:
    classes = loaded_pack().NODE_CLASS_MAPPINGS
    from pack.nodes.wires import BoundStyle
    from pack.pstyle.nets.generator import LEVELS, load_generator
    from pack.pstyle.style.provenance import Provenance
    from pack.pstyle.style.styled_generator import StyledGenerator

    generator = load_generator()
    latent = torch.zeros(LEVELS, generator.config.latent)
    style = BoundStyle(StyledGenerator(generator, latent).style(Provenance()))
    node, image, seen = classes["PStylePaint"](), torch.rand(1, SIDE_PX, SIDE_PX, 3), {}

    def note(when: str) -> None:
        models = [
            [one.model_memory(), one.model_loaded_memory()] for one in model_management.current_loaded_models
        ]
        seen[when] = {"models": models, "kept": node.painters.cache.bytes}

    with torch.inference_mode():
        note("before")
        node.paint(image, style, strength=0.5)
        note("painted")
        model_management.free_memory(1e30, model_management.get_torch_device())
        note("asked")
        node.paint(image, style, strength=0.6)
        note("again")
        model_management.unload_all_models()
        note("unloaded")
    print(json.dumps(seen))  # noqa: T201


if __name__ == "__main__":
    main()
