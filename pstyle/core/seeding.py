"""Random generators from several numbers, such as a seed and a step."""

from __future__ import annotations

import hashlib

import torch


def generator_of(*numbers: int) -> torch.Generator:
    """A CPU generator that depends on every bit of every number.

    torch's own seeding reads only the low 32 bits, so a seed shifted above them would be lost.
    """
    text = ",".join(str(number) for number in numbers)
    return torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big"))
