"""Protects reading and writing piece by piece: all pixels, in order, and a stop where one is asked for."""

from __future__ import annotations

import pytest
import torch

from pstyle.painting.boxes import Box
from pstyle.painting.sources import InMemory, copy, loaded


class Recorded(InMemory):
    """A picture that knows which boxes were read from it, or written to it."""

    def __init__(self, image: torch.Tensor) -> None:
        super().__init__(image)
        self.boxes: list[Box] = []

    def read(self, box: Box) -> torch.Tensor:
        self.boxes.append(box)
        return super().read(box)

    def write(self, box: Box, pixels: torch.Tensor) -> None:
        self.boxes.append(box)
        super().write(box, pixels)


@pytest.mark.parametrize(("height", "width", "channels"), [(1, 1, 1), (45, 67, 3), (32, 16, 4), (7, 90, 2)])
@pytest.mark.parametrize("side_px", [1, 16, 100])
def test_all_of_a_source_is_loaded(rng, height, width, channels, side_px):
    if side_px == 1 and height * width > 1000:
        side_px = 5
    picture = torch.rand(1, channels, height, width, generator=rng)
    found = loaded(InMemory(picture), side_px, channels)
    assert torch.equal(found, picture) and found.data_ptr() != picture.data_ptr()


def test_a_copy_is_read_and_written_row_by_row_and_tells_how_far_it_is(rng):
    source, told = Recorded(torch.rand(1, 3, 40, 33, generator=rng)), []
    sink = Recorded(torch.zeros(1, 3, 40, 33))
    copy(source, sink, 16, lambda done, total: told.append((done, total, len(sink.boxes))))
    assert torch.equal(sink.image, source.image) and source.boxes == sink.boxes
    assert [box[:2] for box in sink.boxes] == [(y, x) for y in (0, 16, 32) for x in (0, 16, 32)]
    assert max(box.height for box in sink.boxes) == max(box.width for box in sink.boxes) == 16
    assert told == [(done, 9, done) for done in range(1, 10)]


def test_a_copy_stops_where_it_is_told(rng):
    source, sink = Recorded(torch.rand(1, 3, 40, 33, generator=rng)), InMemory(torch.zeros(1, 3, 40, 33))

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(source, sink, 16, stop)
    assert len(source.boxes) == 4 and torch.equal(sink.image[..., :16, :], source.image[..., :16, :])
    assert not sink.image[..., 16:, 16:].any()
