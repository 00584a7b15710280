"""The host: all that is asked of ComfyUI, each with a stand-in beside it for runs without ComfyUI.

The only file that imports ComfyUI. Without it the folders are those of `pstyle.folders`, the device is chosen
as the command line does, nothing shows progress, and Ctrl-C is what the cancel button is there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch
from PIL import Image
from torch import Tensor, nn

from ..pstyle.device import current_device
from ..pstyle.folders import MODEL_FOLDER, current_folders
from ..pstyle.learning import Progress
from ..pstyle.painter import choose_device

try:
    import folder_paths
    from comfy import model_management
    from comfy.utils import ProgressBar
except ImportError:
    folder_paths = model_management = ProgressBar = None

SUFFIX = ".safetensors"
PREVIEW_PX = 256
PREVIEW_SECONDS = 1 / 3  # each preview is encoded and sent to every open page
TRAINING_BYTES = 2 << 30  # what a learning takes at most with its default settings and the full VGG-19
Item = TypeVar("Item")

# In ComfyUI up to 0.3 an Exception, later a BaseException: never catch it without raising it again.
Interrupted = model_management.InterruptProcessingException if model_management else KeyboardInterrupt


def register_models() -> None:
    """Make models/pstyle known to ComfyUI, with folders that its extra_model_paths.yaml adds to it."""
    if folder_paths is None:
        return
    known = folder_paths.folder_names_and_paths.get(MODEL_FOLDER, ([], set()))[0]
    own = str(Path(folder_paths.models_dir) / MODEL_FOLDER)
    # With an empty set of extensions, which add_model_folder_path leaves, every file would be listed.
    folder_paths.folder_names_and_paths[MODEL_FOLDER] = (list(dict.fromkeys([own, *known])), {SUFFIX})


def model_folders() -> list[Path]:
    """The folders of this pack's model files; the first is the one that is written to."""
    if folder_paths is None:
        return [current_folders().style_models]
    return [Path(folder) for folder in folder_paths.get_folder_paths(MODEL_FOLDER)]


def save_folder() -> Path:
    """The folder that styles are written to, made if it is missing."""
    folder = model_folders()[0]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def input_folder() -> Path:
    """The folder of the user's pictures."""
    return Path(folder_paths.get_input_directory()) if folder_paths else current_folders().input


def output_folder() -> Path:
    """The folder that results are written to, made if it is missing."""
    folder = Path(folder_paths.get_output_directory()) if folder_paths else current_folders().output
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def compute_device() -> torch.device:
    """Where networks run."""
    return model_management.get_torch_device() if model_management else choose_device(current_device())


def output_device() -> torch.device:
    """Where pictures wait between nodes."""
    return model_management.intermediate_device() if model_management else torch.device("cpu")


def make_room() -> None:
    """Ask the host to move its own models out of the way of a learning."""
    if model_management is not None:
        model_management.free_memory(TRAINING_BYTES, compute_device())


@contextmanager
def borrowed(module: nn.Module | None) -> Iterator[nn.Module | None]:
    """A network on the compute device inside the block, and back where it was after it.

    Moved outside inference mode: parameters made within it could never again take part in a learning.
    """
    if module is None:
        yield None
        return
    home = next(module.parameters()).device
    with torch.inference_mode(False):
        module.to(compute_device())
    try:
        yield module
    finally:
        with torch.inference_mode(False):
            module.to(home)


def check_canceled() -> None:
    """Raise `Interrupted` if the user has pressed cancel."""
    if model_management is not None:
        model_management.throw_exception_if_processing_interrupted()


class Watch:
    """Shows how far a loop is, with a picture now and then, and stops it when the user cancels."""

    def __init__(self) -> None:
        self.last_preview = float("-inf")  # when it was sent, in seconds
        self.bar = ProgressBar(1) if ProgressBar else None

    def __call__(self, progress: Progress) -> None:
        """To be given to a loop as `on_step`."""
        self.update(progress.step, progress.steps, progress.sample)

    def update(self, done: int, total: int, sample: Tensor | None = None) -> None:
        """Tell that `done` steps of `total` are done; `sample` is a picture (1, 3, H, W) in [0, 1]."""
        check_canceled()
        if self.bar is not None:
            self.bar.update_absolute(done, total, self._preview(sample))

    def _preview(self, sample: Tensor | None) -> tuple[str, Image.Image, int] | None:
        now = time.monotonic()
        if sample is None or now - self.last_preview < PREVIEW_SECONDS:
            return None
        self.last_preview = now
        pixels = (sample[0].detach().float().clamp(0, 1) * 255).round().to("cpu", torch.uint8)  # (3, H, W)
        return "JPEG", Image.fromarray(pixels.permute(1, 2, 0).numpy()), PREVIEW_PX


def watched(items: Sequence[Item]) -> Iterator[Item]:
    """The items one by one, with progress shown after each."""
    watch = Watch()
    for done, item in enumerate(items, start=1):
        yield item
        watch.update(done, len(items))


register_models()
