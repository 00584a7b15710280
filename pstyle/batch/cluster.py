"""Painting by the workers of a Ray cluster (the extra `cluster`), in shards of pictures.

A shard is painted by the same code as a folder, with its own manifest. If a worker is lost, Ray gives its
shard to another one, which resumes from that manifest.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from ..core.config import check_settings, setting
from .folder import FolderPainter, Outcome, Picture, by_size
from .job import Job
from .manifest import NAME, KnownOutputs, Manifest, Written, shard_name

FAILED = "failed"
Row = dict[str, str]


@dataclass(frozen=True)
class ClusterConfig:
    """Settings of the distribution of a folder's pictures to workers."""

    workers: int = setting(0, 0, 100_000, "workers, each with a core or a GPU; 0 uses all the cluster has")
    shard: int = setting(64, 1, 100_000, "pictures per worker at a time")

    def __post_init__(self) -> None:
        check_settings(self)


class ShardPainter:
    """A worker, which keeps one painter and paints the shards assigned to it."""

    def __init__(self, job: Job, folder: Path, overwrite: bool) -> None:
        self.paint = FolderPainter(job, folder, overwrite)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """Paint shards packed by `shards`; returns the outcomes of their pictures as JSON."""
        return {"outcomes": [json.dumps(self._outcomes(text)) for text in batch["shard"]]}

    def _outcomes(self, text: str) -> list[tuple[str, str, str, str]]:
        name, pictures, known = unpacked(text)
        try:
            outcomes = self.paint(by_size(pictures), name, known)
            return [(*map(str, one.picture), one.state, one.reason) for one in outcomes]
        except (OSError, ValueError) as error:  # reported by the caller, not in a worker's log
            return [("", "", FAILED, getattr(error, "strerror", None) or str(error))]


class Cluster:
    """Workers of the Ray cluster at `address`, or of one started on this machine; use it in a `with`.

    Every worker must see the same files under the same names and have pstyle installed; with the device
    "cuda", each has its own GPU. Raises ValueError if Ray is not installed or there is no cluster at the
    address.
    """

    def __init__(
        self, config: ClusterConfig | None = None, address: str | None = None, device: str = "cpu"
    ) -> None:
        self.config, self.address, self.device = config or ClusterConfig(), address, device

    def __enter__(self) -> Cluster:
        self._ray = ray()
        self._is_ours = not self._ray.is_initialized()
        if self._is_ours:
            self._begin()
        resource = "GPU" if self.device == "cuda" else "CPU"
        self.workers = self.config.workers or max(1, int(self._ray.cluster_resources().get(resource, 1)))
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_ours:
            self._ray.shutdown()

    def paint(
        self,
        job: Job,
        pictures: Sequence[Picture],
        folder: Path,
        known: KnownOutputs,
        overwrite: bool = False,
    ) -> Iterator[Outcome]:
        """Paint pictures as `FolderPainter` does; outcomes come shard by shard, in any order.

        Raises BadFile for an unusable job, and OSError if a worker cannot write; the run can then be resumed.
        """
        job = absolute(replace(job, device=self.device))
        job = replace(job, dtype=job.work().painter.dtype)  # this machine's, so that all paint the same
        packed = shards(pictures, known, self.config.shard)
        with Manifest(folder / NAME):  # keeps other runs out
            for row in self._painted(job, packed, folder, overwrite):
                for source, output, state, reason in json.loads(row["outcomes"]):
                    if state == FAILED:
                        raise OSError(reason)
                    yield Outcome(Picture(Path(source), output), state, reason)

    def _painted(self, job: Job, packed: list[str], folder: Path, overwrite: bool) -> Iterator[Row]:
        data = self._ray.data
        data.DataContext.get_current().enable_progress_bars = False  # the caller shows one
        rows = data.from_items([{"shard": text} for text in packed], override_num_blocks=len(packed))
        painted = rows.map_batches(
            ShardPainter,
            fn_constructor_args=(job, folder.absolute(), overwrite),
            batch_size=1,
            compute=data.ActorPoolStrategy(size=min(self.workers, len(packed))),
            num_cpus=1,
            num_gpus=1 if self.device == "cuda" else 0,
        )
        return painted.iter_rows()

    def _begin(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # otherwise Ray sends usage reports
        quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "error"}
        try:
            if self.address:
                self._ray.init(address=self.address, log_to_driver=False, logging_level="error")
            else:
                self._ray.init(num_cpus=self.config.workers or None, **quiet)
        except (ConnectionError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ValueError(f"no Ray cluster at {self.address or 'this machine'}: {reason}") from error
        logging.getLogger("ray.data").setLevel(logging.ERROR)  # it logs every step to stderr


def shards(pictures: Sequence[Picture], known: KnownOutputs, size: int) -> list[str]:
    """Shards of pictures, each as JSON with the name of its manifest and its known outputs."""
    found = []
    for number, start in enumerate(range(0, len(pictures), size)):
        lot = pictures[start : start + size]
        written = {name: sorted(known[name]) for _, name in lot if name in known}
        files = [(str(source.absolute()), name) for source, name in lot]
        found.append(json.dumps([shard_name(number), files, written]))
    return found


def unpacked(shard: str) -> tuple[str, list[Picture], KnownOutputs]:
    """Unpack a shard."""
    name, files, written = json.loads(shard)
    known = {output: {Written(*one) for one in lines} for output, lines in written.items()}
    return name, [Picture(Path(source), output) for source, output in files], known


def absolute(job: Job) -> Job:
    """The job with absolute file names."""
    files = {name: getattr(job, name) for name in ("style", "mask", "second")}
    return replace(job, **{name: file.absolute() for name, file in files.items() if file})


def ray() -> Any:
    """The module `ray` with `ray.data`. Raises ValueError if they are not installed."""
    try:
        import_module("ray.data")
        return import_module("ray")
    except ImportError as error:
        raise ValueError(
            "the engine 'ray' needs Ray: `pip install pstyle[cluster]`, or leave --engine out"
        ) from error
