"""Video files: frames are read, and painted ones are written to a new file with sound, times and colors.

Files are read and written with PyAV, which bundles FFmpeg and is optional: `pip install pstyle[video]`. It
only gets open files and formats of single files, so that an untrusted playlist cannot open others.
"""

from __future__ import annotations

import heapq
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..core.files import BadFile, written_whole

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts")
OUTPUTS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
CONTAINERS = {"format_whitelist": "mov,matroska,avi,mpeg,mpegts,nut"}
CODEC = "libx264"
QUALITY = {"crf": "18", "preset": "fast", "bf": "0"}  # no reordered frames, so times are kept
BT709, UNSPECIFIED = 1, 2  # numbers of color spaces in H.273
HD_PX = 720  # height from which unspecified colors are assumed to be BT.709
CLOCK = re.compile(r"(\d{2,}):(\d\d):(\d\d\.\d+)")
USUAL_RATE, USUAL_BASE = Fraction(25), Fraction(1, 90000)


class Frame(NamedTuple):
    """An upright picture (1, 3, H, W), and its time in units of the film's `time_base`."""

    picture: Tensor
    time: int


@dataclass(frozen=True)
class Film:
    """A video file: approximate number of frames (0: unknown), frames per second, seconds per time unit."""

    path: Path
    frames: int
    rate: Fraction
    time_base: Fraction
    pixel_aspect: Fraction


def film_of(path: str | Path) -> Film:
    """Read the properties of a video file. Raises BadFile if it is not a video or cannot be read."""
    with _opened(path) as container:
        stream = _pictures_of(container, path)
        rate = stream.average_rate or stream.guessed_rate or USUAL_RATE
        frames = stream.frames or round(_seconds(container, stream) * rate)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        return Film(Path(path), frames, rate, stream.time_base or USUAL_BASE, aspect)


def frames_of(film: Film, start: int = 0) -> Iterator[Frame]:
    """The frames of a film from number `start` on, one at a time, up to where the file may be cut off."""
    last, step = -1, max(1, round(1 / (film.rate * film.time_base)))
    with _opened(film.path) as container:
        decoded = container.decode(_pictures_of(container, film.path))
        for number, frame in enumerate(_until_broken(decoded)):
            time = last + step if frame.pts is None else max(frame.pts, last + 1)
            last = time
            if number >= start:
                yield Frame(_picture(frame), time)


class Part:
    """Frames of a film, encoded in memory."""

    def __init__(self, film: Film) -> None:
        self.film, self.frames = film, 0
        self._data = io.BytesIO()
        self._container = pyav().open(self._data, "w", format="nut")
        self._stream: Any = None

    def add(self, picture: Tensor, time: int) -> None:
        """Add the next picture (1, 3, H, W), shown at `time`."""
        pixels = picture[0].mul(255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
        if self._stream is None:
            self._stream = self._new_stream(*pixels.shape[:2])
        frame = pyav().VideoFrame.from_ndarray(pixels, format="rgb24")
        frame = frame.reformat(format=self._stream.pix_fmt, dst_colorspace=BT709)
        frame.pts, frame.time_base = time, self.film.time_base
        self._container.mux(self._stream.encode(frame))
        self.frames += 1

    def encoded(self) -> bytes:
        """Finish the part; returns its file's bytes."""
        self._container.mux(self._stream.encode())
        self._container.close()
        return self._data.getvalue()

    def _new_stream(self, height: int, width: int) -> Any:
        stream = self._container.add_stream(CODEC, rate=self.film.rate, options=QUALITY)
        stream.height, stream.width = height, width
        stream.pix_fmt = "yuv444p" if height % 2 or width % 2 else "yuv420p"  # subsampling needs even sides
        context = stream.codec_context
        context.time_base, context.sample_aspect_ratio = self.film.time_base, self.film.pixel_aspect
        context.colorspace = context.color_primaries = context.color_trc = context.color_range = BT709
        return stream


def join_parts(film: Film, parts: Sequence[Path], target: Path, overwrite: bool = False) -> None:
    """Write a video from encoded parts, in order, with the film's sound.

    Nothing is re-encoded, and memory does not grow with the length. Raises BadFile if the target exists.
    """
    with (
        written_whole(target, overwrite=overwrite) as file,
        _opened(film.path) as source,
        pyav().open(file, "w", format=OUTPUTS[target.suffix.lower()]) as container,
    ):
        with _opened(parts[0]) as first:
            pictures = container.add_stream_from_template(first.streams.video[0])
            pictures.codec_context.framerate = film.rate
        sounds = {one.index: container.add_stream_from_template(one) for one in source.streams.audio}
        packets = [_packets_of(parts, pictures), _sound_packets(source, sounds)]
        for packet in heapq.merge(*packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)


def check_output(film: Film, suffix: str) -> None:
    """Raise ValueError if a file with this suffix cannot be written or cannot hold the film's sound."""
    if suffix.lower() not in OUTPUTS:
        raise ValueError(f"a video cannot be written as {suffix!r}: use one of {', '.join(OUTPUTS)}")
    if CODEC not in pyav().codecs_available:
        raise ValueError(f"this PyAV cannot encode with {CODEC}: `pip install av` installs one that can")
    with _opened(film.path) as source:
        for sound in source.streams.audio:
            try:
                with pyav().open(io.BytesIO(), "w", format=OUTPUTS[suffix.lower()]) as trial:
                    trial.add_stream_from_template(sound)
                    trial.start_encoding()
            except (ValueError, OSError) as error:
                name = sound.codec_context.name
                raise ValueError(f"{suffix} cannot hold the video's sound ({name}): write .mkv") from error


def pyav() -> Any:
    """The module `av`. Raises ValueError if it is not installed."""
    try:
        return import_module("av")
    except ImportError as error:
        raise ValueError(
            "video files need PyAV: `pip install pstyle[video]`, or give a folder of frames and --frames"
        ) from error


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    try:
        file = open(path, "rb")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise BadFile(f"{str(path)!r} cannot be read: {error.strerror}") from error
    with file:
        try:
            container = pyav().open(file, container_options=CONTAINERS)
        except (pyav().FFmpegError, OSError) as error:  # seeking fails in an empty file
            raise BadFile(f"{str(path)!r} is not a video, or is cut off before its index") from error
        with container:
            yield container


def _pictures_of(container: Any, path: str | Path) -> Any:
    if not container.streams.video:
        raise BadFile(f"{str(path)!r} holds no pictures, only sound")
    return container.streams.video[0]


def _seconds(container: Any, stream: Any) -> Fraction:
    """The announced duration of the pictures, or else of the whole file with its sound."""
    if stream.duration:
        return stream.duration * stream.time_base
    found = CLOCK.fullmatch(stream.metadata.get("DURATION", ""))  # stored at the end of Matroska files
    if found:
        return sum(Fraction(part) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True))
    return Fraction(container.duration or 0, 1_000_000)


def _until_broken(items: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from items
    except pyav().FFmpegError:  # the file was cut off, which the number of frames shows
        return


def _picture(frame: Any) -> Tensor:
    """A decoded frame as a picture (1, 3, H, W), rotated by its display matrix."""
    is_unspecified = frame.colorspace == UNSPECIFIED and frame.height >= HD_PX
    rgb = frame.reformat(format="rgb24", src_colorspace=BT709 if is_unspecified else None)
    pixels = np.rot90(rgb.to_ndarray(), round(frame.rotation / 90)).copy()  # (H, W, 3), counterclockwise
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float().div_(255)


def _packets_of(parts: Sequence[Path], stream: Any) -> Iterator[Any]:
    for part in parts:
        with _opened(part) as container:
            for packet in container.demux(container.streams.video[0]):
                if packet.dts is not None:  # the last packet only marks the end
                    packet.stream = stream
                    yield packet


def _sound_packets(source: Any, streams: dict[int, Any]) -> Iterator[Any]:
    if not streams:
        return
    for packet in _until_broken(source.demux(*source.streams.audio)):
        if packet.dts is not None:
            packet.stream = streams[packet.stream.index]
            yield packet
