"""Protects jobs: what sets one apart, and what it loads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from pstyle.batch.job import Job, key_of
from pstyle.painting.paint import SizeConfig
from pstyle.style.paint_settings import PaintSettings


def test_keys_differ_by_all_that_a_painting_comes_of(job: Job, place: Path) -> None:
    work = job.work()
    base = work.painter.style
    jobs = [
        job,
        replace(job, settings=PaintSettings(detail=0.1)),
        replace(job, size=SizeConfig("never")),
        replace(job, style=place / "second.safetensors"),
        replace(job, mask=place / "mask.png"),
        replace(job, mask=place / "mask.png", second=place / "second.safetensors"),
    ]
    digests = [one.digest(work) for one in jobs]
    work.painter.style = replace(base, generator_id="0" * 64)
    digests.append(job.digest(work))
    work.painter.style, work.painter.dtype = base, torch.bfloat16
    digests.append(job.digest(work))
    keys = {key_of(digest, picture) for digest in digests for picture in ("1" * 64, "2" * 64)}
    assert len(keys) == 2 * len(digests) == 16
    work.painter.dtype = torch.float32
    elsewhere = place / "elsewhere.safetensors"
    elsewhere.write_bytes(job.style.read_bytes())
    assert replace(job, style=elsewhere).digest(work) == digests[0]
