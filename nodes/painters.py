"""The painters that a node caches between calls, so that changing a setting is fast."""

from __future__ import annotations

from dataclasses import dataclass

from ..pstyle.core.activation_cache import ActivationCache
from ..pstyle.painting.painter import Painter
from . import host
from .files import shipped_networks
from .wires import BoundStyle, Networks

Bound = tuple[BoundStyle, Networks | None]  # a style with the networks wired to it, if any


@dataclass(eq=False)
class Home:
    """Networks shared by painters, managed by ComfyUI."""

    wired: Networks | None  # None for the shipped ones
    networks: Networks
    managed: host.Managed


class Painters:
    """The painters of a node's last call, with an activation cache of its pictures.

    The cache is dropped with the node, or when ComfyUI needs the memory.
    """

    def __init__(self) -> None:
        self.cache = ActivationCache()
        self._homes: list[Home] = []
        self._kept: list[tuple[Bound, Painter]] = []  # each with the style it was made for

    def load(self, wanted: list[Bound], working_bytes: int) -> list[Painter]:
        """A painter for each style, on the compute device with room to work.

        Painters and networks of the last call are reused where they fit.
        """
        before = list(self._homes)
        homes = [self._home(wired or style.networks) for style, wired in wanted]
        if any(home not in homes for home in before):
            self.cache.clear()  # otherwise it would keep unused networks alive
        self._homes = homes
        self._kept = [(bound, self._painter(bound, home)) for bound, home in zip(wanted, homes, strict=True)]
        for home in homes:
            home.managed.load(working_bytes)
        return [painter for _, painter in self._kept]

    def clear(self) -> None:
        """Drop everything but the networks."""
        for _, painter in self._kept:
            painter.clear()
        self.cache.clear()

    def _home(self, wired: Networks | None) -> Home:
        for home in self._homes:
            if home.wired is wired:
                return home
        networks = wired or shipped_networks()
        modules = [networks.generator, networks.vgg]
        home = Home(wired, networks, host.Managed(modules, self.clear, lambda: self.cache.bytes))
        self._homes.append(home)
        return home

    def _painter(self, bound: Bound, home: Home) -> Painter:
        for other, painter in self._kept:
            if other == bound:
                return painter
        found, device = home.networks, host.compute_device()
        return Painter(bound[0].style, found.generator, found.vgg, device, cache=self.cache)
