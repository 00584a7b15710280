"""What a fuzzer calls with the bytes of a file: each target raises unless all holds that must hold for any.

A target takes a folder of its own to work in. `fuzz.py` searches for bytes that break one, `test_corpus.py`
tries those that are kept.
"""

from __future__ import annotations

import json
import shutil
from functools import lru_cache
from pathlib import Path

import safetensors.torch
import torch
from PIL import Image

from pstyle.core.checkpoint import BadFile, digest
from pstyle.style import style
from pstyle.workflow import BadWorkflow, NodeFailed, Runner, core_nodes
from tests.workflow.pack_on_disk import make_pack, tree

CORPUS = Path(__file__).with_name("corpus")
ENDLESS = ("Spread", "Raise")  # dummy nodes that do as they are told, and so hang or stop a fuzzer
MAX_PIXELS = 1 << 16  # a scaled picture may have; what is allowed to people takes a fuzzer too long
LONGEST_MESSAGE = 600


class StyleFiles:
    """A style file of any bytes is refused in a sentence, or is one that can be saved again as it is.

    The bytes get a right checksum if they can have one, else a fuzzer would never come behind it.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self.again = folder / "style.safetensors", folder / "again.safetensors"
        style.outline = lru_cache(maxsize=64)(style.outline)  # most of a load, and always the same

    def __call__(self, data: bytes) -> bool:
        """True if the bytes were a style."""
        return self.check(resigned(data))

    def check(self, data: bytes) -> bool:
        """Load these very bytes, and save what was loaded."""
        self.path.write_bytes(data)
        try:
            found = style.load_style(self.path)
        except BadFile as refusal:
            assert str(refusal).isprintable() and len(str(refusal)) < LONGEST_MESSAGE
            return False
        style.describe_style(found)
        style.save_style(self.again, found, overwrite=True)
        assert same(style.load_style(self.again), found)
        return True


class StyleTexts(StyleFiles):
    """As StyleFiles, for a whole style file whose metadata are the bytes: a JSON object of texts."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.tensors = safetensors.torch.load((CORPUS / "style" / "plain.safetensors").read_bytes())

    def __call__(self, data: bytes) -> bool:
        try:
            metadata = {str(name): str(text) for name, text in dict(json.loads(data)).items()}
            metadata["sha256"] = digest(self.tensors, metadata)
            file = safetensors.torch.save(self.tensors, metadata)
        except Exception:  # no metadata that any file could hold
            return False
        return self.check(file)


def resigned(data: bytes) -> bytes:
    """The same file with the checksum of its content, where it has any content that can be read."""
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length])
        tensors, metadata = safetensors.torch.load(data), header["__metadata__"]
        metadata["sha256"] = digest(tensors, metadata)
        text = json.dumps(header).encode()
    except Exception:  # whatever it is, these bytes are to be refused without a checksum
        return data
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def same(one: style.Style, other: style.Style) -> bool:
    """Whether two styles hold the same numbers and texts."""
    pairs = [(one.weights, other.weights), (one.offsets, other.offsets)]
    equal = all(a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a) for a, b in pairs)
    texts = ("config", "generator_id", "provenance", "calibration", "license", "taste")
    return (
        equal
        and torch.equal(one.latent, other.latent)
        and all(getattr(one, name) == getattr(other, name) for name in texts)
    )


class WorkflowFiles:
    """A workflow of any bytes runs or is refused by name, and touches nothing outside the output folder."""

    def __init__(self, folder: Path) -> None:
        pack = make_pack(folder / "pack")
        (folder / "in").mkdir()
        Image.new("RGB", (4, 3), (1, 2, 3)).save(folder / "in" / "a.png")
        self.runner = Runner(pack, folder / "in", folder / "out", folder / "models")
        for name in ENDLESS:
            del self.runner.pack.classes[name]
        core_nodes.MAX_PIXELS = MAX_PIXELS
        self.folder, self.path = folder, folder / "workflow.json"
        self.path.touch()
        self.before = tree(folder)

    def __call__(self, data: bytes) -> bool:
        """True if the bytes were a workflow that ran to its end."""
        self.path.write_bytes(data)
        try:
            result = self.runner.run(self.path)
        except (BadWorkflow, NodeFailed) as refusal:
            self._check_refusal(refusal)
        else:
            assert result.executed or result.cached
            assert all(path.is_relative_to(self.folder / "out") for path in result.saved)
            return True
        finally:
            shutil.rmtree(self.folder / "out", ignore_errors=True)
            assert tree(self.folder) == self.before
        return False

    @staticmethod
    def _check_refusal(refusal: BadWorkflow | NodeFailed) -> None:
        if isinstance(refusal, NodeFailed):
            assert refusal.node in str(refusal) or repr(refusal.node)[:20] in str(refusal)
            return
        assert refusal.problems and all(problem.kind and problem.message for problem in refusal.problems)
        assert all(line.isprintable() for line in str(refusal).split("\n"))


TARGETS = {"style": StyleFiles, "texts": StyleTexts, "workflow": WorkflowFiles}
