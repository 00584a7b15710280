"""The folders a run reads and writes when no ComfyUI is there to say: input, output, temp, models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

PACK_ROOT = Path(__file__).resolve().parents[2]
MODEL_FOLDER = "pstyle"  # below `Folders.models`, as in ComfyUI's models folder


@dataclass(frozen=True)
class Folders:
    """Where pictures come from, where results go, where previews go, and where model files live."""

    input: Path
    output: Path
    temp: Path
    models: Path

    @property
    def style_models(self) -> Path:
        """The folder of this pack's own model files."""
        return self.models / MODEL_FOLDER


_current: ContextVar[Folders | None] = ContextVar("pstyle_folders", default=None)


def default_folders() -> Folders:
    """`input` and `output` in the working folder, previews in `output/temp`, models beside the library."""
    here = Path.cwd()
    return Folders(here / "input", here / "output", here / "output" / "temp", PACK_ROOT / "models")


def current_folders() -> Folders:
    """The folders of the innermost `use_folders`, else the defaults."""
    return _current.get() or default_folders()


@contextmanager
def use_folders(folders: Folders) -> Iterator[Folders]:
    """Use `folders` inside the block (a thread started inside sees the defaults)."""
    token = _current.set(folders)
    try:
        yield folders
    finally:
        _current.reset(token)
