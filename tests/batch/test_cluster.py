"""Protects painting by a cluster: the bytes of a plain run, every file once, also when a worker is killed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pstyle.batch import cluster as clusters
from pstyle.batch.cluster import Cluster, ClusterConfig, shards, unpacked
from pstyle.batch.folder import KEPT, PAINTED, REFUSED, FolderPainter, Outcome, Picture
from pstyle.batch.job import Job
from pstyle.batch.manifest import NAME, PATTERN, Manifest, Written, known_in, shard_name
from pstyle.image.writing import save_image
from pstyle.nets.generator import LEVELS, load_generator
from pstyle.style.paint_settings import PaintSettings
from pstyle.style.provenance import Provenance
from pstyle.style.style import save_style
from pstyle.style.styled_generator import StyledGenerator
from tests.batch.dying_worker import DyingWorker
from tests.batch.stand_in_ray import stand_in
from tests.conftest import random_picture

COUNT, SHARD = 10, 4


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a style of the shipped generator, ten pictures and a damaged one in `in`."""
    generator = load_generator()
    latent = torch.randn(LEVELS, generator.config.latent, generator=torch.Generator().manual_seed(0))
    save_style(tmp_path / "style.safetensors", StyledGenerator(generator, latent).style(Provenance()))
    for name in ("in", "plain", "out"):
        (tmp_path / name).mkdir()
    rng = torch.Generator().manual_seed(0)
    for number in range(COUNT):
        save_image(tmp_path / "in" / f"{number}.png", random_picture(rng, 48 + 8 * (number % 2), 61))
    (tmp_path / "in" / "bad.png").write_text("no picture")
    return tmp_path


def job_in(place: Path) -> Job:
    return Job(place / "style.safetensors", PaintSettings(strength=0.8), device="cpu", dtype=torch.float32)


def pictures_in(place: Path) -> list[Picture]:
    return [Picture(path, path.name) for path in sorted((place / "in").iterdir())]


def paint(cluster: Cluster, place: Path) -> list[Outcome]:
    known = known_in((place / "out").glob(PATTERN))
    return list(cluster.paint(job_in(place), pictures_in(place), place / "out", known))


def states(outcomes: list[Outcome]) -> Counter:
    return Counter(outcome.state for outcome in outcomes)


def plain_run(place: Path) -> dict[str, bytes]:
    list(FolderPainter(job_in(place), place / "plain")(pictures_in(place), NAME))
    return painted(place / "plain")


def painted(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


def lines_told(folder: Path) -> Counter:
    """How often a painting of this name is told, in all manifests."""
    lines = [line for file in folder.glob(PATTERN) for line in file.read_text().splitlines()[1:]]
    return Counter(json.loads(line).get("output") for line in lines)


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch):
    """Puts a stand-in in Ray's place and returns what it was asked for."""

    def put(cores: int, lost_after: int | None = None) -> dict:
        module, seen = stand_in(cores, lost_after)
        monkeypatch.setattr(clusters, "ray", lambda: module)
        return seen

    return put


def test_shards_hold_every_picture_once_with_what_is_known_of_it() -> None:
    pictures = [Picture(Path(f"in/{n}\udc80.jpg"), f"{n}.png") for n in range(11)]
    known = {"3.png": {Written("a", "b"), Written("c", "d")}, "other.png": {Written("e", "f")}}
    found = [unpacked(text) for text in shards(pictures, known, 4)]
    assert [name for name, _, _ in found] == [shard_name(0), shard_name(1), shard_name(2)]
    assert [p.output for _, lot, _ in found for p in lot] == [p.output for p in pictures]
    assert all(p.source.is_absolute() for _, lot, _ in found for p in lot)
    assert [part for _, _, part in found] == [{"3.png": known["3.png"]}, {}, {}]


def test_shards_give_the_bytes_of_a_plain_run_and_are_kept_by_any_engine(place: Path, stand) -> None:
    expected, seen = plain_run(place), stand(3)
    with Cluster(ClusterConfig(shard=SHARD)) as cluster:
        assert cluster.workers == 3
        assert states(paint(cluster, place)) == {PAINTED: COUNT, REFUSED: 1}
        assert states(paint(cluster, place)) == {KEPT: COUNT, REFUSED: 1}
    assert painted(place / "out") == expected and seen["begun"] == seen["ended"] == 1
    assert (seen["compute"], seen["num_cpus"], seen["num_gpus"]) == (3, 1, 0)
    known = known_in((place / "out").glob(PATTERN))
    again = FolderPainter(job_in(place), place / "out")(pictures_in(place), NAME, known)
    assert states(list(again)) == {KEPT: COUNT, REFUSED: 1}
    assert {known_name for known_name in lines_told(place / "out") if known_name} == expected.keys()


def test_all_workers_paint_in_the_number_format_of_the_machine_that_asks(
    place: Path, stand, monkeypatch
) -> None:
    seen = stand(1)
    monkeypatch.setattr("pstyle.core.precision.computes_bfloat16", lambda device: True)
    job = replace(job_in(place), dtype=None, mask=place / "in" / "0.png")
    monkeypatch.chdir(place)
    job = replace(job, style=Path("style.safetensors"))
    with Cluster() as cluster:
        list(cluster.paint(job, pictures_in(place), place / "out", {}))
    assert seen["job"] == replace(job, style=place / "style.safetensors", dtype=torch.bfloat16)


def test_a_shard_that_was_lost_after_it_was_painted_is_not_painted_again(place: Path, stand) -> None:
    stand(1, lost_after=1)
    with Cluster(ClusterConfig(shard=SHARD)) as cluster:
        found = states(paint(cluster, place))
    assert found[KEPT] == SHARD and found[PAINTED] == COUNT - SHARD
    assert {count for name, count in lines_told(place / "out").items() if name} == {1}


def test_what_a_worker_cannot_write_is_told_by_the_one_who_asked(place: Path, stand, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    stand(1)
    with Cluster(ClusterConfig(shard=SHARD)) as cluster:
        with monkeypatch.context() as patched:
            patched.setattr("pstyle.batch.folder.write_atomically", full)
            with pytest.raises(OSError, match="No space left"):
                paint(cluster, place)
        with Manifest(place / "out" / NAME), pytest.raises(ValueError, match="another run"):
            paint(cluster, place)
        assert states(paint(cluster, place))[PAINTED] == COUNT


def test_no_cluster_at_an_address_is_told_in_one_line(stand) -> None:
    def refuse(**given: object) -> None:
        raise ConnectionError(f"Could not find any\nrunning Ray instance at {given['address']}")

    stand(1)
    clusters.ray().init = refuse
    with pytest.raises(ValueError, match="no Ray cluster at 127.0.0.1:1: Could not find any running"):
        Cluster(address="127.0.0.1:1").__enter__()


@pytest.fixture(scope="module")
def two_workers() -> Iterator[Cluster]:
    pytest.importorskip("ray", reason="Ray is not installed: pip install pstyle[cluster]")
    with Cluster(ClusterConfig(workers=2, shard=SHARD)) as cluster:
        yield cluster


@pytest.mark.slow
def test_two_workers_of_ray_paint_every_file_once_with_the_bytes_of_a_plain_run(
    place: Path, two_workers: Cluster
) -> None:
    expected = plain_run(place)
    assert states(paint(two_workers, place)) == {PAINTED: COUNT, REFUSED: 1}
    assert painted(place / "out") == expected
    assert {count for name, count in lines_told(place / "out").items() if name} == {1}
    assert states(paint(two_workers, place)) == {KEPT: COUNT, REFUSED: 1}


@pytest.mark.slow
def test_a_killed_worker_of_ray_costs_no_file(place: Path, two_workers: Cluster, monkeypatch) -> None:
    expected = plain_run(place)
    monkeypatch.setattr(clusters, "ShardPainter", DyingWorker)
    found = states(paint(two_workers, place))
    assert (place / "died").exists()  # it was killed, with two pictures painted that nobody was told of
    assert found[KEPT] >= 2 and found[KEPT] + found[PAINTED] == COUNT and found[REFUSED] == 1
    assert painted(place / "out") == expected
