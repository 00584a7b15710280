"""Protects the promise that a tensor file is data: hostile, damaged or edited, it is refused clearly."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import random
import struct
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from pstyle.core import checkpoint
from pstyle.core.checkpoint import BadFile, decode, digest, encode, load, read_metadata, save
from pstyle.training.training_state import TrainingState

KIND = "pstyle.style"
METADATA = {"format": KIND, "config": '{"latent": 4}', "note": "caf\u00e9\n"}


def tensors() -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(0)
    return {
        "latent": torch.randn(2, 4, generator=rng),
        "half": torch.randn(3, 5, generator=rng).half(),
        "brain": torch.randn(6, generator=rng).bfloat16(),
        "count": torch.tensor(7),
        "bytes": torch.arange(9, dtype=torch.uint8),
    }


def shapes(made: dict[str, Tensor] | None = None) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    return {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in (made or tensors()).items()}


def expected(metadata: dict[str, str]) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    return shapes()


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return shapes(first) == shapes(second) and all(torch.equal(first[name], second[name]) for name in first)


def signed(made: dict[str, Tensor], **changes: str) -> bytes:
    """A file with a right checksum whose content `encode` would refuse to write."""
    metadata = {"version": "1", **METADATA, **changes}
    return safetensors.torch.save(made, {**metadata, "sha256": digest(made, metadata)})


def raw(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: str = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def refusal(data: bytes, **options: object) -> str:
    with pytest.raises(BadFile) as refused:
        decode(data, **{"expected": expected, "kind": KIND, **options})
    message = str(refused.value)
    assert message.isprintable() and len(message) < 400
    return message


# --- what is written


def test_tensors_and_metadata_come_back(tmp_path: Path) -> None:
    path = tmp_path / "style.safetensors"
    save(path, tensors(), METADATA)
    found, metadata = load(path, expected, kind=KIND)
    assert same(found, tensors())
    assert {**metadata, "sha256": ""} == {**METADATA, "version": "1", "sha256": ""}
    assert read_metadata(path) == metadata and os.listdir(tmp_path) == ["style.safetensors"]
    assert same(safetensors.torch.load_file(path), tensors())  # any other reader can read it too


def test_views_ties_gradients_and_empty_tensors_are_saved_as_they_look() -> None:
    weight = torch.arange(6.0).reshape(2, 3)
    made = {"a": weight.t(), "b": weight, "c": weight[:, 1].requires_grad_(), "d": torch.zeros(0, 3)}
    assert same(decode(encode(made, METADATA), lambda _: shapes(made))[0], made)


def test_the_same_content_gives_the_same_bytes() -> None:
    order = list(METADATA.items())
    files = {encode(tensors(), dict(order[i % 3 :] + order[: i % 3])) for i in range(12)}
    files.add(encode(dict(reversed(tensors().items())), METADATA))
    assert len(files) == 1


def test_a_header_of_any_length_is_kept_whole() -> None:
    for length in range(8):  # safetensors fills up to multiples of 8
        assert same(decode(encode(tensors(), METADATA | {"note": "x" * length}), expected)[0], tensors())


def test_letters_are_written_as_they_are() -> None:
    assert "caf\u00e9".encode() in encode(tensors(), METADATA)


def test_the_checksum_covers_names_types_shapes_bytes_and_metadata() -> None:
    ones = torch.ones(2)
    by_hand = b'["w", "torch.float32", [2]]' + struct.pack("<2f", 1, 1) + b'[["a", "b"]]'
    assert digest({"w": ones}, {"sha256": "x", "a": "b"}) == hashlib.sha256(by_hand).hexdigest()
    others = [
        digest({"v": ones}), digest({"w": ones.view(torch.int32)}), digest({"w": ones[None]}), digest({}),
        digest({"w": ones}), digest({"w": ones * 2}), digest({"w": ones}, {"a": "b"}),
        digest({"w": ones}, {"ab": ""}),
    ]  # fmt: skip
    assert len(set(others)) == len(others)


def test_saving_over_a_loaded_file_changes_nothing_loaded(tmp_path: Path) -> None:
    path = tmp_path / "style.safetensors"
    save(path, tensors(), METADATA)
    equal = 0
    for _ in range(10):
        found, _ = load(path, expected)
        save(path, {name: tensor + 1 for name, tensor in found.items()}, METADATA, overwrite=True)
        again, _ = load(path, expected)
        equal += same({name: tensor + 1 for name, tensor in found.items()}, again) and not same(found, again)
    os.truncate(path, 0)  # a mapped file would now end the process with SIGBUS
    print(f"saved_over={equal} of 10")  # noqa: T201
    assert equal == 10 and math.isfinite(sum(float(tensor.float().sum()) for tensor in again.values()))


@pytest.mark.parametrize(
    ("made", "changes", "reason"),
    [
        ({"w": torch.tensor([1.0, math.nan])}, {}, "'w' holds NaN or Inf"),
        ({"w": torch.tensor([20_000.0])}, {}, "'w' holds a number beyond the 10000 allowed"),
        ({"w": torch.zeros(2, dtype=torch.complex64)}, {}, "known dtype"),
        ({str(i): torch.zeros(1) for i in range(2001)}, {}, "2001 tensors, more than the 2000 allowed"),
        ({}, {"format": "other"}, "no format"),
        ({}, {"version": "one"}, "is not a number"),
        ({}, {"note": "x" * 65_537}, "metadata exceed the 65536 bytes allowed, the longest is 'note'"),
        ({}, {"note": 3}, "text by text"),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(
    made: dict[str, Tensor], changes: dict[str, str], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "style.safetensors"
    path.write_bytes(b"old")
    with pytest.raises(BadFile, match=reason):
        save(path, made, METADATA | changes, overwrite=True)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["style.safetensors"]


# --- what is refused


MALFORMED = {
    "empty": b"",
    "seven bytes": b"\0" * 7,
    "length zero": bytes(8),
    "length beyond the file": struct.pack("<Q", 100) + b"{}",
    "length of 2^63": struct.pack("<Q", 1 << 63) + b"{}",
    "length above 1 MiB": raw(b" " * (1 << 20) + b"{}"),
    "cut header": raw(entry())[:-3],
    "no UTF-8": raw(b'{"\xff\xfe": 1}'),
    "no JSON": raw(b"{'w': 1}"),
    "a list": raw([]),
    "a number": raw(3),
    "NaN": raw(b'{"w": NaN}'),
    "deep": raw(b'{"w":' + b"[" * 100_000),
    "a bare string for a tensor": raw({"w": "F32"}),
    "no shape": raw({"w": {"dtype": "F32", "data_offsets": [0, 8]}}, bytes(8)),
    "no offsets": raw({"w": {"dtype": "F32", "shape": [2]}}, bytes(8)),
    "unknown dtype": raw({"w": entry("F33")}, bytes(8)),
    "negative dimension": raw({"w": entry(shape=[-2])}, bytes(8)),
    "overlap": raw({"v": entry(), "w": entry(offsets=[4, 12])}, bytes(12)),
    "hole": raw({"v": entry(), "w": entry(offsets=[16, 24])}, bytes(24)),
    "tail": raw({"w": entry()}, bytes(9)),
    "offsets beyond the data": raw({"w": entry()}, bytes(4)),
    "dimensions that overflow": raw({"w": entry(shape=[1 << 62, 1 << 62])}, bytes(8)),
}


def cost(path: Path) -> tuple[str, float, float]:
    """(message, CPU seconds of the fastest of three, peak MiB of Python memory) of a refused load."""
    seconds = []
    for _ in range(3):
        started = time.process_time()
        with pytest.raises(BadFile) as refused:
            load(path, expected, kind=KIND)
        seconds.append(time.process_time() - started)
    tracemalloc.start()
    with pytest.raises(BadFile):
        load(path, expected, kind=KIND)
    peak_mib = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return str(refused.value), min(seconds), peak_mib


def check_refused_cheaply(files: dict[str, bytes], folder: Path, most_mib: float) -> None:
    slowest = largest = 0.0
    for number, (what, data) in enumerate(files.items()):
        path = folder / f"{number}.safetensors"
        path.write_bytes(data)
        message, seconds, peak_mib = cost(path)
        assert message.startswith(repr(str(path))) and message.isprintable() and len(message) < 600, what
        slowest, largest = max(slowest, seconds), max(largest, peak_mib)
    counts = f"files={len(files)} refused={len(files)}"
    print(f"{counts} slowest_ms={slowest * 1e3:.1f} peak_mib={largest:.1f}")  # noqa: T201
    assert slowest < 0.05 and largest < most_mib


def test_23_malformed_files_are_refused(tmp_path: Path) -> None:
    assert len(MALFORMED) == 23
    check_refused_cheaply(MALFORMED, tmp_path, most_mib=10)
    for data in MALFORMED.values():  # the checks of the shapes asked for are not what refuses them
        refusal(data, expected=lambda _: None, foreign=True)


@pytest.fixture(scope="module")
def hostile() -> dict[str, bytes]:
    """Well-formed files that a safetensors reader takes, with a right checksum where it could help."""
    odd = {"../../etc/x": torch.ones(1)}, {"a\0b\n\x1b[31m": torch.ones(1)}, {"unknown": torch.ones(1)}
    sizes = {"huge": [0, 1 << 40], "rank 64": [1] * 64, "rank 5000": [1] * 5000}
    metadata = {"format": KIND, "version": "1"}
    body = encode(tensors(), METADATA)
    length = int.from_bytes(body[:8], "little")
    empty = json.dumps(entry(shape=[0], offsets=[0, 0])).encode()
    twice = (
        body[8 : 8 + length].rstrip().removesuffix(b"}") + b',"count":' + json.dumps(entry()).encode() + b"}"
    )
    return {
        "NaN": signed({**tensors(), "latent": torch.full((2, 4), math.nan)}),
        "Inf": signed({**tensors(), "latent": torch.full((2, 4), math.inf)}),
        "F64": signed({**tensors(), "latent": tensors()["latent"].double()}),
        "I32": signed({**tensors(), "latent": tensors()["latent"].int()}),
        "the same key twice": raw(twice, body[8 + length :]),
        "2^40 columns": raw({"w": entry(shape=sizes["huge"], offsets=[0, 0]), "__metadata__": metadata}),
        "rank 64": raw(
            {"w": entry(shape=sizes["rank 64"], offsets=[0, 4]), "__metadata__": metadata}, bytes(4)
        ),
        "rank 5000": raw(
            {"w": entry(shape=sizes["rank 5000"], offsets=[0, 4]), "__metadata__": metadata}, bytes(4)
        ),
        "a key like a path": signed({**tensors(), **odd[0]}),
        "a key with control characters": signed({**tensors(), **odd[1]}),
        "an unknown key": signed({**tensors(), **odd[2]}),
        "60 MB of metadata": raw(b'{"__metadata__":{"note":"' + b"x" * 60_000_000 + b'"}}'),
        "300,000 tensors": raw(b"{" + b",".join(b'"%d":%s' % (i, empty) for i in range(300_000)) + b"}"),
    }


def test_13_hostile_files_are_refused(hostile: dict[str, bytes], tmp_path: Path) -> None:
    assert len(hostile) == 13
    check_refused_cheaply(hostile, tmp_path, most_mib=20)


def test_the_hostile_files_are_ones_that_safetensors_takes(hostile: dict[str, bytes]) -> None:
    for what in hostile.keys() - {"300,000 tensors"}:  # taken too, in ten seconds
        safetensors.torch.load(hostile[what])


def test_a_renamed_pickle_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    marker, path = tmp_path / "it ran", tmp_path / "style.safetensors"
    path.write_bytes(
        b"cos\nmkdir\n(V" + str(marker).encode() + b"\ntR."
    )  # os.mkdir(marker), as pickle writes it
    with pytest.raises(BadFile, match="not a safetensors file"):
        load(path, expected)
    assert not marker.exists()


@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf, 10_240.0, -10_240.0])
def test_every_tensor_poisoned_in_turn_is_refused_by_name(poison: float) -> None:
    names = [name for name, tensor in tensors().items() if tensor.is_floating_point()]
    for name in names:
        made = tensors()
        made[name].view(-1)[-1] = poison
        assert f"tensor {name!r} holds" in refusal(signed(made))
    assert len(names) == 3


def test_the_largest_allowed_weight_passes() -> None:
    made = {**tensors(), "latent": torch.full((2, 4), -1e4)}
    assert same(decode(encode(made, METADATA), expected)[0], made)


def mutated(data: bytes, rng: random.Random) -> bytes:
    start, length = rng.randrange(len(data)), rng.randint(1, 16)
    change = rng.randrange(7)
    if change == 0:  # one bit
        return data[:start] + bytes([data[start] ^ 1 << rng.randrange(8)]) + data[start + 1 :]
    if change == 1:  # other bytes
        return data[:start] + rng.randbytes(length) + data[start + length :]
    if change == 2:  # a cut download
        return data[:start]
    if change == 3:  # bytes lost
        return data[:start] + data[start + length :]
    if change == 4:  # bytes twice
        return data[:start] + data[start : start + length] + data[start:]
    if change == 5:  # digits and letters of the header changed
        return data[:start] + rng.choice([b"0", b"9", b"a", b"F", b'"', b"{"]) + data[start + 1 :]
    other = rng.randrange(len(data))
    return data[:start] + data[other : other + length] + data[start + length :]


@pytest.mark.parametrize("count", [10_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_mutated_files_never_load_as_something_else(count: int) -> None:
    data, rng, counts = encode(tensors(), METADATA), random.Random(0), Counter(refused=0, same=0, different=0)
    original = decode(data, expected, kind=KIND)
    for _ in range(count):
        damaged = mutated(data, rng)
        try:
            found, metadata = decode(damaged, expected, kind=KIND)
        except BadFile:
            counts["refused"] += 1
            continue
        equal = same(found, original[0]) and metadata == original[1]
        counts["same" if equal else "different"] += 1
    print(f"mutations={count}", *(f"{what}={count}" for what, count in counts.items()))  # noqa: T201
    assert counts["different"] == 0 and counts["refused"] > 0.9 * count


def test_metadata_that_were_edited_or_lost_are_refused() -> None:
    data = encode(tensors(), METADATA)
    edited = data.replace(b'\\"latent\\": 4', b'\\"latent\\": 5')
    assert edited != data and "checksum" in refusal(edited)
    unsigned = safetensors.torch.save(tensors(), {"version": "1", **METADATA})
    assert "checksum" in refusal(unsigned)


# --- what the file says it is


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"format": "pstyle.generator"}, "a pstyle.generator file where a pstyle.style file is needed"),
        ({"format": "pt"}, "not a file of pstyle"),
        ({"format": "pstyle.x\x1b[31m"}, "not a file of pstyle"),
        ({"version": "2"}, "made by a newer pstyle .format version 2, known to 1.: update pstyle"),
        ({"version": "0"}, "is not a number"),
        ({"version": "\u0661"}, "is not a number"),
        ({"version": "9" * 5000}, "is not a number"),
    ],
)
def test_wrong_kinds_and_newer_versions_say_so(metadata: dict[str, str], reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        decode(signed(tensors(), **metadata), expected, kind=KIND)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (("config",), "'note' is not expected in its metadata"),
        (("config", "note", "origin"), "'origin' is missing from its metadata"),
    ],
)
def test_where_the_caller_names_the_metadata_they_must_be_exactly_those(keys: tuple, reason: str) -> None:
    assert decode(signed(tensors()), expected, kind=KIND, keys=("config", "note"))
    assert reason in refusal(signed(tensors()), keys=keys)
    odd = signed(tensors(), **{"\x1b[31m" * 200: ""})
    assert "not expected" in refusal(odd, keys=("config", "note"))


def test_a_long_value_is_refused_by_name_before_anything_else_is_read() -> None:
    fits = signed(tensors(), more="x" * 65_000)
    assert same(decode(fits, expected, kind=KIND)[0], tensors())
    data = signed(tensors(), more="x" * 65_537)
    for foreign in (False, True):
        assert "the longest is 'more'" in refusal(data, foreign=foreign)


def test_an_older_version_is_for_the_caller_to_read() -> None:
    assert decode(signed(tensors()), expected, kind=KIND, version=3)[1]["version"] == "1"


FROZEN_V1 = (  # as the first version wrote it: to be loaded for ever, and written so while 1 is the version
    "CAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJjb25maWciOiJ7fSIsImZvcm1hdCI6InBzdHlsZS5zdHlsZSIsInNoYTI1NiI6IjIy"
    "ZTlhODdhMWYxYzBhMjhhMzJjNmI3ZDc0MmU0ZTBhZDNhNDhmNGFmOWZmYTc1YjAzNWEwMWFkNThlNzkxMjIiLCJ2ZXJzaW9uIjoi"
    "MSJ9LCJsYXRlbnQiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzEsMl0sImRhdGFfb2Zmc2V0cyI6WzAsOF19LCJoYWxmIjp7ImR0"
    "eXBlIjoiRjE2Iiwic2hhcGUiOlsxXSwiZGF0YV9vZmZzZXRzIjpbOCwxMF19fSAAAAA/AACgvwBA"
)


def test_a_file_of_the_first_version_loads_for_ever() -> None:
    made = {"latent": torch.tensor([[0.5, -1.25]]), "half": torch.tensor([2.0]).half()}
    found, metadata = decode(base64.b64decode(FROZEN_V1), lambda _: shapes(made), kind=KIND)
    assert same(found, made) and metadata["config"] == "{}"
    assert encode(made, {"format": KIND, "config": "{}"}) == base64.b64decode(FROZEN_V1)


@pytest.mark.parametrize(
    ("name", "wanted", "reason"),
    [
        ("latent", ((4, 2), torch.float32), r"tensor 'latent' must be \(4, 2\) torch.float32, got \(2, 4\)"),
        (
            "half",
            ((3, 5), torch.float32),
            r"tensor 'half' must be \(3, 5\) torch.float32, got \(3, 5\) torch.float16",
        ),
        ("more", ((1,), torch.float32), "tensor 'more' is missing"),
        ("count", None, "tensor 'count' is not expected"),
    ],
)
def test_names_shapes_and_types_must_be_exactly_the_expected(name: str, wanted: object, reason: str) -> None:
    asked = {**shapes(), name: wanted}
    with pytest.raises(BadFile, match=reason):
        decode(signed(tensors()), lambda _: {key: value for key, value in asked.items() if value}, kind=KIND)


@pytest.mark.parametrize("error", [ValueError("dim\n"), KeyError("config"), TypeError("x"), OverflowError()])
def test_metadata_that_the_caller_cannot_read_make_a_bad_file(error: Exception) -> None:
    def fail(metadata: dict[str, str]) -> None:
        raise error

    assert "metadata" in refusal(signed(tensors()), expected=fail)


def test_a_foreign_file_passes_only_where_asked_and_ours_keep_their_checksum() -> None:
    theirs = safetensors.torch.save(tensors(), {"format": "pt"})
    assert same(decode(theirs, expected, foreign=True)[0], tensors())
    assert "not a file of pstyle" in refusal(theirs)
    poisoned = safetensors.torch.save({**tensors(), "latent": torch.full((2, 4), math.nan)})
    assert "NaN" in refusal(poisoned, foreign=True)
    edited = encode(tensors(), METADATA)[:-1] + b"\x7f"
    assert "checksum" in refusal(edited, foreign=True)


def test_a_training_state_may_count_beyond_the_largest_weight(tmp_path: Path) -> None:
    path = tmp_path / "training.safetensors"
    made = {"adam.step": torch.tensor(250_000.0)}
    save(path, made, {"format": "pstyle.training"})
    assert same(load(path, lambda _: None, kind="pstyle.training")[0], made)
    with pytest.raises(BadFile, match="beyond the 10000 allowed"):
        load(path, lambda _: None)  # a file cannot claim the exception for itself


@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf])
def test_a_training_state_is_finite_all_the_same(poison: float) -> None:
    made, metadata = {"adam.step": torch.tensor([0.0, poison])}, {"format": "pstyle.training", "version": "1"}
    data = safetensors.torch.save(made, {**metadata, "sha256": digest(made, metadata)})
    assert "holds NaN or Inf" in refusal(data, expected=lambda _: None, kind="pstyle.training")


def test_a_training_state_without_its_settings_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "training.safetensors"
    save(path, {"step": torch.tensor(1)}, {"format": "pstyle.training"})
    with pytest.raises(BadFile, match=r"training\.safetensors.*'settings' is missing"):
        TrainingState({}, {}, torch.Generator(), "").resume(path)


def test_a_file_above_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "style.safetensors"
    save(path, tensors(), METADATA)
    with open(path, "r+b") as file:
        file.truncate(checkpoint.MAX_FILE_BYTES + 1)  # sparse: it takes no space
    with pytest.raises(BadFile, match="more than the 1073741824 allowed"):
        load(path, expected)


# --- where allowed ends


def test_the_longest_header_is_allowed_and_one_byte_more_is_not(tmp_path: Path) -> None:
    path, text = tmp_path / "style.safetensors", json.dumps({"__metadata__": {"a": "b"}}).encode()
    path.write_bytes(raw(text.ljust(checkpoint.MAX_HEADER_BYTES)))
    assert checkpoint.MAX_HEADER_BYTES == 1 << 20 and read_metadata(path) == {"a": "b"}
    assert load(path, lambda _: {}, foreign=True) == ({}, {"a": "b"})
    path.write_bytes(raw(text.ljust(checkpoint.MAX_HEADER_BYTES + 1)))
    with pytest.raises(BadFile, match="its header is above the 1048576 bytes allowed"):
        read_metadata(path)
    assert "its header is above" in refusal(struct.pack("<Q", 1 << 63) + b"{}")


def test_bytes_and_tensors_as_many_as_allowed_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(tensors(), METADATA)
    monkeypatch.setattr(checkpoint, "MAX_FILE_BYTES", len(data))
    monkeypatch.setattr(checkpoint, "MAX_TENSORS", len(tensors()))
    assert same(decode(data, expected)[0], tensors())
    monkeypatch.setattr(checkpoint, "MAX_TENSORS", len(tensors()) - 1)
    assert "5 tensors, more than the 4 allowed" in refusal(data)
    monkeypatch.setattr(checkpoint, "MAX_FILE_BYTES", len(data) - 1)
    assert f"{len(data)} bytes are more than the {len(data) - 1} allowed" in refusal(data)


def test_a_file_cut_within_its_header_is_told_so() -> None:
    data = encode(tensors(), METADATA)
    end = 8 + int.from_bytes(data[:8], "little")
    for length in (8, 9, end - 1):
        assert refusal(data[:length]) == "the file is cut short"
    assert "cut short" not in refusal(data[:end])


def test_what_is_not_asked_for_is_not_allowed(tmp_path: Path) -> None:
    path = tmp_path / "style.safetensors"
    save(path, tensors(), METADATA)
    with pytest.raises(BadFile, match="exists already"):
        save(path, tensors(), METADATA)
    for data, reason in (
        (signed(tensors(), version="2"), "made by a newer pstyle"),
        (safetensors.torch.save(tensors(), {"format": "pt"}), "not a file of pstyle"),
    ):
        path.write_bytes(data)
        for read in (lambda: load(path, expected), lambda data=data: decode(data, expected)):
            with pytest.raises(BadFile, match=reason):
                read()


def test_the_highest_version_can_be_written() -> None:
    assert decode(encode(tensors(), METADATA | {"version": "999999"}), expected, version=10**6)
    with pytest.raises(BadFile, match="is not a number"):
        encode(tensors(), METADATA | {"version": "1000000"})


@pytest.mark.parametrize("metadata", [[], "text", 3, {"a": 1}, {"a": None}, {"a": {"b": "c"}}])
def test_metadata_that_are_not_text_by_text_are_refused(metadata: object, tmp_path: Path) -> None:
    path = tmp_path / "style.safetensors"
    path.write_bytes(raw({"__metadata__": metadata}))
    for read in (read_metadata, lambda path: load(path, expected, foreign=True)):
        with pytest.raises(BadFile, match="its metadata are not text by text"):
            read(path)


def test_metadata_as_long_as_allowed_pass(tmp_path: Path) -> None:
    path = tmp_path / "style.safetensors"
    path.write_bytes(raw({"__metadata__": {"a": "x" * (checkpoint.MAX_METADATA_BYTES - 1)}}))
    assert len(read_metadata(path)["a"]) == 65_535
    path.write_bytes(raw({"__metadata__": {"a": "x" * 65_534, "b": "y"}}))
    with pytest.raises(BadFile, match="its metadata exceed the 65536 bytes allowed, the longest is 'a'"):
        read_metadata(path)
