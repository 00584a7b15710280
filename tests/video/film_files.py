"""Video files for tests, written and read with PyAV directly: independent of what they test."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

RATE_HZ = 22050


def av() -> Any:
    """PyAV, or the test is skipped."""
    return pytest.importorskip("av", reason="PyAV is optional: pip install pstyle[video]")


def write_film(
    path: Path,
    frames: Sequence[Tensor],
    times: Sequence[int] | None = None,
    rate: Fraction = Fraction(25),
    sound: bool = True,
    rotation: int = 0,
) -> None:
    """Frames (1, 3, H, W) as H.264, with a tone, shown at `times` in units of 1 / `rate`."""
    with av().open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "4"})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[2:], "yuv444p"
        if rotation:
            stream.set_display_rotation(rotation)
        tone = container.add_stream("aac", rate=RATE_HZ, layout="mono") if sound else None
        for number, picture in enumerate(frames):
            pixels = (picture[0] * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
            frame = av().VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = times[number] if times else number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if tone:
            for start in range(0, round(len(frames) / rate * RATE_HZ), 1024):
                wave = np.int16(9000 * np.sin(np.arange(start, start + 1024) / 9))
                frame = av().AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
                frame.sample_rate, frame.pts = RATE_HZ, start
                container.mux(tone.encode(frame))
            container.mux(tone.encode())


def read_film(path: Path) -> tuple[Tensor, list[Fraction], list[tuple[Fraction, bytes]]]:
    """Frames (N, 3, H, W) as stored, when each is shown, and the packets of the sound with their times; in
    seconds from the first frame on.
    """
    with av().open(str(path)) as container:
        decoded = list(container.decode(video=0))
        pixels = np.stack([frame.to_ndarray(format="rgb24") for frame in decoded])
        times = [frame.pts * frame.time_base for frame in decoded]
    with av().open(str(path)) as container:
        packets = [packet for packet in container.demux() if packet.stream.type == "audio" and packet.size]
        sound = [(packet.pts * packet.time_base - times[0], bytes(packet)) for packet in packets]
    frames = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
    return frames, [time - times[0] for time in times], sound
