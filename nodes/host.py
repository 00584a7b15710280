"""The host: every use of ComfyUI's API, each with a fallback for runs without ComfyUI.

This is the only file that imports ComfyUI. Without it, folders come from `pstyle.core.folders`, the device is
chosen as on the command line, no progress is shown, and Ctrl-C replaces the cancel button.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from PIL import Image
from torch import Tensor, nn

from ..pstyle.core.device import choose_device, current_device
from ..pstyle.core.folders import MODEL_FOLDER, current_folders
from ..pstyle.core.memory import is_out_of_memory
from ..pstyle.core.progress import Progress

try:
    import folder_paths
    from comfy import model_management
    from comfy.model_patcher import ModelPatcher
    from comfy.utils import ProgressBar
except ImportError:
    folder_paths = model_management = ProgressBar = ModelPatcher = None

SUFFIX = ".safetensors"
PREVIEW_PX = 256
PREVIEW_SECONDS = 1 / 3  # each preview is encoded and sent to every open page
TRAINING_BYTES = 2 << 30  # upper bound for learning with default settings and the full VGG-19
Item = TypeVar("Item")

# An Exception in ComfyUI up to 0.3, a BaseException later: never catch it without re-raising.
Interrupted = model_management.InterruptProcessingException if model_management else KeyboardInterrupt


def register_models() -> None:
    """Register models/pstyle with ComfyUI, including folders from its extra_model_paths.yaml."""
    if folder_paths is None:
        return
    known = folder_paths.folder_names_and_paths.get(MODEL_FOLDER, ([], set()))[0]
    own = str(Path(folder_paths.models_dir) / MODEL_FOLDER)
    # add_model_folder_path leaves an empty set of extensions, with which every file would be listed.
    folder_paths.folder_names_and_paths[MODEL_FOLDER] = (list(dict.fromkeys([own, *known])), {SUFFIX})


def model_folders() -> list[Path]:
    """The folders of this pack's model files; files are written to the first."""
    if folder_paths is None:
        return [current_folders().style_models]
    return [Path(folder) for folder in folder_paths.get_folder_paths(MODEL_FOLDER)]


def save_folder() -> Path:
    """The folder that styles are written to, created if missing."""
    folder = model_folders()[0]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def input_folder() -> Path:
    """The folder of the user's pictures."""
    return Path(folder_paths.get_input_directory()) if folder_paths else current_folders().input


def output_folder() -> Path:
    """The folder that results are written to, created if missing."""
    folder = Path(folder_paths.get_output_directory()) if folder_paths else current_folders().output
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def page_folder() -> Path | None:
    """The folder of previews, created if missing; None without ComfyUI."""
    if folder_paths is None:
        return None
    folder = Path(folder_paths.get_temp_directory())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def compute_device() -> torch.device:
    """The device that networks run on."""
    return model_management.get_torch_device() if model_management else choose_device(current_device())


def output_device() -> torch.device:
    """The device of pictures on the wires between nodes."""
    return model_management.intermediate_device() if model_management else torch.device("cpu")


class Managed:
    """Networks on the compute device that ComfyUI may unload when it needs memory.

    `kept_bytes` reports the size of cached values, which `release` then drops as well. Without ComfyUI the
    networks stay loaded.
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        release: Callable[[], None] = lambda: None,
        kept_bytes: Callable[[], int] = lambda: 0,
    ) -> None:
        self._module = nn.ModuleList(networks)
        self._patcher = None
        if model_management is not None:
            away = model_management.unet_offload_device()
            self._patcher = Patcher(self._module, compute_device(), away)
            self._patcher.release, self._patcher.kept_bytes = release, kept_bytes

    def load(self, working_bytes: int) -> None:
        """Load the networks onto the compute device, with free memory to work in."""
        with torch.inference_mode(False):
            if self._patcher is not None:
                model_management.load_models_gpu([self._patcher], memory_required=working_bytes)
            self._module.to(compute_device())  # in case the host left layers behind to save memory


class Patcher(ModelPatcher or object):
    """ComfyUI's handle of small networks, loaded and unloaded as a whole together with cached values."""

    release: Callable[[], None] = staticmethod(lambda: None)
    kept_bytes: Callable[[], int] = staticmethod(lambda: 0)

    def model_size(self) -> int:
        """Bytes of the networks and the cached values."""
        return super().model_size() + self.kept_bytes()

    def loaded_size(self) -> int:
        """Bytes on the device now: all or nothing."""
        return self.model_size() if super().loaded_size() else 0

    def partially_unload(self, *_: Any, **__: Any) -> int:
        """Free nothing in part, so that the host unloads everything."""
        return 0

    def detach(self, *args: Any, **more: Any) -> nn.Module:
        """Unload the networks and drop the cached values."""
        self.release()
        with torch.inference_mode(False):  # otherwise they could never be trained again
            return super().detach(*args, **more)


@contextmanager
def painting() -> Iterator[None]:
    """Re-raise out-of-memory errors as ComfyUI's own type, so that it unloads its models and reports them."""
    try:
        yield
    except (RuntimeError, MemoryError, ValueError) as error:
        if model_management is None or not is_out_of_memory(error):
            raise
        raise model_management.OOM_EXCEPTION(str(error)) from error


@contextmanager
def training() -> Iterator[None]:
    """A block that may compute gradients, with the host's own models unloaded.

    Its memory is freed at the end, even if it fails or is canceled.
    """
    if model_management is not None:
        model_management.free_memory(TRAINING_BYTES, compute_device())
    try:
        with torch.inference_mode(False):
            yield
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # its frames would keep graph and optimizer alive
        raise
    finally:
        if model_management is not None:
            model_management.soft_empty_cache()


@contextmanager
def borrowed(module: nn.Module | None) -> Iterator[nn.Module | None]:
    """Move a network to the compute device for the block, and back afterwards.

    It is moved outside inference mode, since parameters created inside could never be trained again.
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
    """Raise `Interrupted` if the user pressed cancel."""
    if model_management is not None:
        model_management.throw_exception_if_processing_interrupted()


class Watch:
    """Shows a loop's progress with occasional previews, and stops it when the user cancels."""

    def __init__(self) -> None:
        self.last_preview = float("-inf")  # when it was sent, in seconds
        self.bar = ProgressBar(1) if ProgressBar else None

    def __call__(self, progress: Progress) -> None:
        """Pass this to a loop as `on_step`."""
        self.update(progress.step, progress.steps, progress.sample)

    def update(self, done: int, total: int, sample: Tensor | None = None) -> None:
        """Show that `done` of `total` steps are done; `sample` is a picture (1, 3, H, W) in [0, 1]."""
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
    """Yield the items one by one, showing progress after each."""
    watch = Watch()
    for done, item in enumerate(items, start=1):
        yield item
        watch.update(done, len(items))


register_models()
