"""The nodes that a workflow needs, in an order in which they can run, found without recursion."""

from __future__ import annotations

from .graph import Graph
from .problems import Problem, show


def needed_nodes(graph: Graph, outputs: list[str]) -> list[str]:
    """The ids of the outputs and all their dependencies, in the file's order."""
    found = set(outputs)
    waiting = list(outputs)
    while waiting:
        for link in graph.nodes[waiting.pop()].links():
            if link.node in graph.nodes and link.node not in found:
                found.add(link.node)
                waiting.append(link.node)
    return [key for key in graph.nodes if key in found]


def peel(blockers: dict[str, set[str]]) -> list[str]:
    """The keys in an order where each follows its blockers; those in or behind a cycle are left out."""
    blocked: dict[str, list[str]] = {key: [] for key in blockers}
    for key, others in blockers.items():
        for other in others:
            blocked[other].append(key)
    left = {key: len(others) for key, others in blockers.items()}
    order = [key for key in blockers if not left[key]]
    for done in order:  # grows during the iteration
        for key in blocked[done]:
            left[key] -= 1
            if not left[key]:
                order.append(key)
    return order


def name_circle(sources: dict[str, set[str]], order: list[str]) -> Problem:
    """The fault of wires that run in a circle; `order` holds the `sources` that `peel` could place."""
    free = set(order)
    rest = {key: others - free for key, others in sources.items() if key not in free}
    readers: dict[str, set[str]] = {key: set() for key in rest}
    for key, others in rest.items():
        for other in others:
            readers[other].add(key)
    behind = set(peel(readers))  # they depend on the circle, but are not part of it
    circle = [key for key in rest if key not in behind]
    more = f" and {len(circle) - 12} more" if len(circle) > 12 else ""
    return Problem("cycle", "wires run in a circle", got="nodes " + ", ".join(map(show, circle[:12])) + more)
