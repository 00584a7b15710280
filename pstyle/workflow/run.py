"""The runner: reads, checks and executes a workflow as ComfyUI does, and caches results between runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from ..core.folders import Folders
from .calls import Hidden
from .editor import parse_editor
from .execute import Execution, Memory, Progress, Result
from .graph import is_editor_format, parse_api, read_document
from .overrides import apply_overrides, write_back
from .pack import Pack
from .problems import BadWorkflow
from .schema import Catalog
from .validate import validate


class Runner:
    """Runs workflows with one pack's nodes; unchanged results are reused by the next run.

    Args:
        pack_root: folder of the pack, the one with `__init__.py`.
        input_dir, output_dir: where LoadImage reads and SaveImage writes; previews go to `output_dir/temp`.
        models_dir: folder that holds `pstyle/` with model files; default `pack_root/models`.
        device: where nodes compute: "auto", "cpu" or "cuda".

    Raises:
        ValueError: the folder is not a pack. ImportError: the pack cannot be imported.
    """

    def __init__(
        self,
        pack_root: str | Path,
        input_dir: str | Path,
        output_dir: str | Path,
        models_dir: str | Path | None = None,
        device: str = "auto",
    ) -> None:
        output = Path(output_dir).absolute()
        models = Path(pack_root) / "models" if models_dir is None else Path(models_dir)
        self.folders = Folders(Path(input_dir).absolute(), output, output / "temp", models.absolute())
        self.pack, self.device = Pack(pack_root), device
        self.memory = Memory()

    def run(
        self,
        workflow: Mapping[str, Any] | str | Path,
        overrides: Mapping[str, Any] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Result:
        """Run a workflow, given as a dict or a JSON file, in API or editor format.

        Args:
            overrides: {"NODE.INPUT": value}, where NODE is an id, or a class or title that only one node has.
            on_progress: called before and after each node; its exceptions stop the run and pass through.

        Raises:
            BadWorkflow: it cannot run; every fault found is named, and no node has run.
            NodeFailed: a node raised an Exception. Interrupts (other BaseExceptions) pass through unchanged.
        """
        document = read_document(workflow)
        catalog = Catalog(self.pack.classes)
        with self.pack.use(self.folders, self.device):
            parse = parse_editor if is_editor_format(document) else parse_api
            graph = parse(document, catalog)
            apply_overrides(graph, catalog, overrides or {})
            order = validate(graph, catalog)
            if graph.problems:
                raise BadWorkflow(graph.problems)
            write_back(graph)
            extra = None if graph.document is None else {"workflow": graph.document}
            hidden = Hidden(graph.prompt(), extra)
            with torch.inference_mode():
                run = Execution(graph, catalog, order, hidden, self.memory, self.folders, on_progress)
                return run.run()
