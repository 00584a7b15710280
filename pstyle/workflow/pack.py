"""Loads a node pack as ComfyUI does: from its folder, with its path as module name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from ..core import device as own_device
from ..core import folders as own_folders
from ..core.device import use_device
from ..core.folders import Folders, use_folders
from .core_nodes import CORE_NODES
from .problems import show


class Pack:
    """A loaded pack: `classes` maps ids to classes, ComfyUI's own among them (those win, as in ComfyUI)."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).absolute()
        self.module = _load(self.root)
        mappings = getattr(self.module, "NODE_CLASS_MAPPINGS", None)
        if not isinstance(mappings, dict):
            raise ValueError(f"the pack {show(str(self.root))} has no NODE_CLASS_MAPPINGS in its __init__.py")
        self.classes: dict[str, type] = {**mappings, **CORE_NODES}

    @contextmanager
    def use(self, folders: Folders, device: str = "auto") -> Iterator[None]:
        """Set the current folders and device, for our nodes and for the pack's.

        A pack loaded by path has its own copy of this library, whose modules must be set, too.
        """
        with ExitStack() as stack:
            stack.enter_context(use_folders(folders))
            stack.enter_context(use_device(device))
            if copy := self._copy_of(own_folders):
                stack.enter_context(copy.use_folders(copy.Folders(*astuple(folders))))
            if copy := self._copy_of(own_device):
                stack.enter_context(copy.use_device(device))
            yield

    def _copy_of(self, own: ModuleType) -> ModuleType | None:
        """The pack's own copy of a module of this library, if it has one."""
        name = f".{own.__name__}".rpartition(".pstyle.")[2]  # such as core.folders
        if not (self.root / "pstyle" / f"{name.replace('.', '/')}.py").is_file():
            return None
        copy = importlib.import_module(f"{self.module.__name__}.pstyle.{name}")
        return None if copy is own else copy


def _load(root: Path) -> ModuleType:
    door = root / "__init__.py"
    if not door.is_file():
        raise ValueError(f"{show(str(root))} is not a node pack: it has no __init__.py")
    name = str(root).replace(".", "_x_")
    loaded = sys.modules.get(name)
    if loaded is not None:
        return loaded  # so that classes are the same objects for every runner
    spec = spec_from_file_location(name, door)
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        getattr(module, "NODE_CLASS_MAPPINGS", None)  # a lazy pack imports its nodes here
    except Exception as error:
        for key in [key for key in sys.modules if key == name or key.startswith(name + ".")]:
            del sys.modules[key]
        raise ImportError(
            f"the pack {show(str(root))} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    return module
