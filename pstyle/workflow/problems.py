"""Faults of workflows, described so that a person can fix them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LISTED_PROBLEMS = 50  # in one message; `BadWorkflow.problems` holds them all
SHOWN_CHARACTERS = 80


def show(value: Any) -> str:
    """A value as one short line without control characters."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."


def show_choices(choices: Sequence[Any]) -> str:
    """The allowed values of a list, shortened if there are many."""
    if not choices:
        return "nothing: the list is empty"
    shown = ", ".join(show(choice) for choice in choices[:12])
    return f"one of {shown}" + (f" and {len(choices) - 12} more" if len(choices) > 12 else "")


@dataclass(frozen=True)
class Problem:
    """One fault: `kind` is for programs (ComfyUI's word where it has one), the rest is for people."""

    kind: str
    message: str
    node: str | None = None
    class_type: str | None = None
    input: str | None = None
    got: str | None = None
    allowed: str | None = None

    def __str__(self) -> str:
        place = [] if self.node is None else [f"node {show(self.node)}"]
        if self.class_type is not None:
            place = [f"{place[0] if place else 'a node'} ({show(self.class_type)[1:-1]})"]
        if self.input is not None:
            place.append(f"input {show(self.input)}")
        facts = [f"got {self.got}"] if self.got is not None else []
        if self.allowed is not None:
            facts.append(f"allowed: {self.allowed}")
        return ": ".join(part for part in (", ".join(place), self.message, "; ".join(facts)) if part)


class BadWorkflow(ValueError):  # noqa: N818
    """A workflow that cannot run; `problems` names every fault found, the message the first fifty."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        lines = [f"- {problem}" for problem in self.problems[:LISTED_PROBLEMS]]
        if len(self.problems) > LISTED_PROBLEMS:
            lines.append(f"- and {len(self.problems) - LISTED_PROBLEMS} more")
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(f"the workflow cannot run, {count}:\n" + "\n".join(lines))


class NodeFailed(RuntimeError):  # noqa: N818
    """A node raised an exception, which is the `__cause__`."""

    def __init__(self, node: str, title: str, class_type: str, error: BaseException) -> None:
        self.node, self.title, self.class_type = node, title, class_type
        name = "" if title == class_type else f" {show(title)}"
        reason = str(error).strip() or "no message"
        super().__init__(f"node {show(node)}{name} ({class_type}) failed: {type(error).__name__}: {reason}")
