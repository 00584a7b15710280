"""Tensors in safetensors files, with every check of an untrusted one. `files` reads and writes the bytes.

A file is data: nothing in it is executed, it is read whole and never mapped, and it is refused unless its
names, shapes, dtypes, values and checksum are valid.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from .config import parse_json
from .files import BadFile, find_file, list_files, path_in, read_file, safe_name, write_atomically

__all__ = [
    "BadFile", "Expected", "decode", "digest", "encode", "find_file", "list_files", "load", "path_in",
    "read_file", "read_metadata", "safe_name", "save", "write_atomically",
]  # fmt: skip

MAX_FILE_BYTES = 1 << 30
MAX_HEADER_BYTES = 1 << 20
MAX_METADATA_BYTES = 64 * 1024
MAX_TENSORS = 2000
MAX_WEIGHT = 1e4
# By format, else MAX_WEIGHT: Adam counts its steps in a float tensor, and a camera may travel far.
LARGEST = {"pstyle.training": math.inf, "pstyle.video": math.inf}
DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip
FORMAT = re.compile(r"pstyle\.[a-z_]+")
VERSION = re.compile(r"[1-9][0-9]{0,5}")
OWN_KEYS = {"format", "version", "sha256"}  # metadata of every file of pstyle

Shapes = Mapping[str, "tuple[tuple[int, ...], torch.dtype]"]
Expected = Callable[["dict[str, str]"], "Shapes | None"]


def save(
    path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str], *, overwrite: bool = False
) -> None:
    """Write tensors and metadata into one file: `encode`, then `files.write_atomically`."""
    write_atomically(path, encode(tensors, metadata), overwrite=overwrite)


def load(
    path: str | Path,
    expected: Expected,
    *,
    kind: str | None = None,
    keys: Collection[str] | None = None,
    optional: Collection[str] = (),
    version: int = 1,
    foreign: bool = False,
    limit_bytes: int = MAX_FILE_BYTES,
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read tensors and metadata: `files.read_file`, then `decode`. Raises BadFile naming the file."""
    read_metadata(path, limit_bytes)  # refuses an oversized header before the rest is read
    data = read_file(path, limit_bytes)
    try:
        return decode(
            data, expected, kind=kind, keys=keys, optional=optional, version=version, foreign=foreign
        )
    except BadFile as error:
        raise BadFile(f"{str(path)!r}: {error}") from error


def read_metadata(path: str | Path, limit_bytes: int = MAX_FILE_BYTES) -> dict[str, str]:
    """Read a file's metadata from its header alone, unverified: for lists and `inspect`. Raises BadFile."""
    start = read_file(path, limit_bytes, most_bytes=8 + MAX_HEADER_BYTES)
    try:
        return _header(start)[1]
    except BadFile as error:
        raise BadFile(f"{str(path)!r}: {error}") from error


def encode(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Encode a safetensors file as bytes; the same content gives the same bytes.

    The metadata must hold "format" (such as "pstyle.style") and may hold "version" ("1" by default);
    "sha256" is added. Anything that `decode` would refuse is refused here, so every saved file can be loaded.
    Raises BadFile.
    """
    if not all(isinstance(text, str) for pair in metadata.items() for text in pair):
        raise BadFile("metadata must be text by text")
    plain = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    entries = {"version": "1", **metadata}
    entries["sha256"] = digest(plain, entries)
    data = _in_order(safetensors.torch.save(plain, entries))
    decode(data, lambda _: None, kind=entries.get("format"), version=10**6)
    return data


def decode(
    data: bytes,
    expected: Expected,
    *,
    kind: str | None = None,
    keys: Collection[str] | None = None,
    optional: Collection[str] = (),
    version: int = 1,
    foreign: bool = False,
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Decode the bytes of a safetensors file into tensors and metadata.

    `expected(metadata)` returns the shape and dtype of every tensor by name, which the file must match
    exactly, or None if the caller checks the tensors itself. `kind` is the required format and `version` the
    newest supported one; `keys`, if given, lists the format's required metadata besides OWN_KEYS and the
    `optional` ones. With `foreign`, a file without a pstyle format passes without a checksum. Raises BadFile.
    """
    if len(data) > MAX_FILE_BYTES:
        raise BadFile(f"{len(data)} bytes are more than the {MAX_FILE_BYTES} allowed")
    entries, metadata = _header(data)
    ours = not foreign or FORMAT.fullmatch(metadata.get("format", "")) is not None
    if ours:
        _check_format(metadata, kind, version)
        _check_keys(metadata, keys, optional)
    _check_shapes(entries, _expectation(expected, metadata))
    try:
        tensors = safetensors.torch.load(data)
    except Exception as error:  # safetensors raises many types; the file is always at fault
        raise BadFile(f"not a valid safetensors file ({type(error).__name__}: {error})") from error
    _check_values(tensors, LARGEST.get(kind or "", MAX_WEIGHT))
    if ours and digest(tensors, metadata) != metadata.get("sha256"):
        raise BadFile("the content does not match its checksum: damaged or edited since it was saved")
    return tensors, metadata


def digest(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> str:
    """SHA-256 in hex of the tensors' names, dtypes, shapes and bytes, and of all metadata except "sha256"."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        found.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy())
    entries = sorted(pair for pair in (metadata or {}).items() if pair[0] != "sha256")
    found.update(json.dumps(entries).encode())
    return found.hexdigest()


def _header(data: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    length = int.from_bytes(data[:8], "little")
    if length > MAX_HEADER_BYTES:
        raise BadFile(f"not a safetensors file, or its header is above the {MAX_HEADER_BYTES} bytes allowed")
    if len(data) < 8 + length:
        raise BadFile("the file is cut short")
    try:
        header = parse_json(data[8 : 8 + length].decode())
    except ValueError as error:
        raise BadFile(f"not a safetensors file: its header is not valid JSON ({error})") from error
    if not isinstance(header, dict):
        raise BadFile("not a safetensors file: its header is not a JSON object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise BadFile("its metadata are not text by text")
    if len("".join([*metadata, *metadata.values()]).encode(errors="replace")) > MAX_METADATA_BYTES:
        longest = max(metadata, key=lambda name: len(name) + len(metadata[name]))
        raise BadFile(
            f"its metadata exceed the {MAX_METADATA_BYTES} bytes allowed, the longest is {longest[:80]!r}"
        )
    if len(header) > MAX_TENSORS:
        raise BadFile(f"it holds {len(header)} tensors, more than the {MAX_TENSORS} allowed")
    return header, metadata


def _in_order(data: bytes) -> bytes:
    """The same file with sorted metadata: safetensors writes them in a different order every time."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # keeps the tensors aligned
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def _check_format(metadata: Mapping[str, str], kind: str | None, version: int) -> None:
    found, number = metadata.get("format", ""), metadata.get("version", "")
    if not FORMAT.fullmatch(found):
        raise BadFile("not a file of pstyle: its metadata name no format such as 'pstyle.style'")
    if kind is not None and found != kind:
        raise BadFile(f"this is a {found} file where a {kind} file is needed")
    if not VERSION.fullmatch(number):
        raise BadFile(f"its format version {number[:20]!r} is not a number")
    if int(number) > version:
        raise BadFile(f"made by a newer pstyle (format version {number}, known to {version}): update pstyle")


def _check_keys(metadata: Mapping[str, str], keys: Collection[str] | None, optional: Collection[str]) -> None:
    if keys is None:
        return
    wanted = {*OWN_KEYS, *keys}
    for name in sorted((metadata.keys() - set(optional)) ^ wanted):
        state = "missing from" if name in wanted else "not expected in"
        raise BadFile(f"{name[:80]!r} is {state} its metadata")


def _expectation(expected: Expected, metadata: dict[str, str]) -> Shapes | None:
    try:
        return expected(dict(metadata))
    except BadFile:
        raise
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise BadFile(f"its metadata are not understood ({type(error).__name__}: {error})") from error


def _check_shapes(entries: Mapping[str, Any], expected: Shapes | None) -> None:
    try:
        found = {name: (tuple(entry["shape"]), DTYPES[entry["dtype"]]) for name, entry in entries.items()}
    except (KeyError, TypeError) as error:
        raise BadFile("not a valid safetensors file: a tensor lacks a shape or a known dtype") from error
    if expected is None:
        return
    for name in sorted(found.keys() ^ expected.keys()):
        state = "missing" if name in expected else "not expected in this file"
        raise BadFile(f"tensor {name[:80]!r} is {state}")
    for name, (shape, dtype) in expected.items():
        if found[name] != (tuple(shape), dtype):
            got = " ".join(map(str, found[name]))[:80]
            raise BadFile(f"tensor {name!r} must be {tuple(shape)} {dtype}, got {got}")


def _check_values(tensors: Mapping[str, Tensor], largest: float) -> None:
    for name, tensor in tensors.items():
        if not tensor.is_floating_point() or tensor.numel() == 0:
            continue
        low, high = (value.item() for value in tensor.aminmax())  # a NaN anywhere makes both NaN
        if not math.isfinite(low) or not math.isfinite(high):
            raise BadFile(f"tensor {name!r} holds NaN or Inf")
        if max(-low, high) > largest:
            raise BadFile(f"tensor {name!r} holds a number beyond the {largest:g} allowed")
