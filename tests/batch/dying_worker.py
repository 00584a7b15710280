"""A worker that is killed once, in the middle of its work: for a cluster to lose."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from pstyle.batch.cluster import ShardPainter
from pstyle.batch.folder import PAINTED, FolderPainter, Outcome

PAINTED_BEFORE = 2


class DyingPainter(FolderPainter):
    """Kills its process after two pictures of a shard, if no other has before."""

    def __call__(self, *given: object) -> Iterator[Outcome]:
        painted = 0
        for outcome in super().__call__(*given):
            yield outcome
            painted += outcome.state == PAINTED
            if painted == PAINTED_BEFORE and self._is_first():
                os.kill(os.getpid(), signal.SIGKILL)

    def _is_first(self) -> bool:
        try:
            (Path(self.folder).parent / "died").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


class DyingWorker(ShardPainter):
    """`ShardPainter` with such a painter."""

    def __init__(self, *given: object) -> None:
        self.paint = DyingPainter(*given)
