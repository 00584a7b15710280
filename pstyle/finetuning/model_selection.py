"""Model selection and early stopping: which check is best, when to roll back or stop, when to accept.

An equilibrium is only ever called approximate: content and style terms regularize the game, and a check sees
few pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..training.training_state import TrainingState
from .equilibrium import ValidationMetrics

CHECKS = 3  # in a row that a decision needs
FAIR_ACCURACY = (0.45, 0.62)
FAIR_GAP = 0.35  # standard deviations
SMALL_DUALITY, STILL_DUALITY = 0.10, 0.05  # a small gap and a small change, relative to the first gap
STILL_SWD = 0.02  # a smaller relative fall of the patch distance counts as none
WON, LOST = 0.95, 0.40  # held-out accuracy of a discriminator that has won, or is worse than guessing
MEMORIZED_OVERFITTING, MEMORIZED_HELD_OUT, MEMORIZED_TRAIN = 0.7, 0.55, 0.9
SSIM_FALL, SSIM_COST = 0.05, 0.02  # below the start's: triggers a rollback; allowed in a result
CONTRAST_LEFT = 0.6  # relative to the start's; less triggers a rollback
SWD_GAIN = 0.03  # relative fall of the patch distance that a result needs
ACCURACY_GAIN = 0.03  # by which two-sample test accuracy must come closer to 0.5
MAX_ROLLBACKS = 3


class ModelSelection:
    """Records checks and decides; its records are part of the training state, so they survive a kill."""

    def __init__(self, start: ValidationMetrics, state: TrainingState) -> None:
        self.start, self.state = start, state
        state.numbers |= {"best_step": 0.0, "rollbacks": 0.0}

    @property
    def checks(self) -> list[ValidationMetrics]:
        """All finite checks so far, in order."""
        found: dict[int, ValidationMetrics] = {}
        for key, value in self.state.numbers.items():
            if key.startswith("check."):
                _, step, name = key.split(".")
                found.setdefault(int(step), {"step": int(step)})[name] = value
        return [found[step] for step in sorted(found)]

    @property
    def best(self) -> ValidationMetrics:
        """The best check so far, or the start."""
        best_step = self.state.numbers["best_step"]
        return next((check for check in self.checks if check["step"] == best_step), self.start)

    @property
    def rollbacks(self) -> int:
        """How often the run was rolled back to its best check."""
        return int(self.state.numbers["rollbacks"])

    @property
    def pace(self) -> float:
        """The factor on learning rates and adversarial ratio: every rollback halves it."""
        return 0.5**self.rollbacks

    def note(self, found: ValidationMetrics) -> str:
        """Record a check; returns "roll back", "keep" (the style is the best so far) or "go on"."""
        step, numbers, best = self.state.step, self.state.numbers, self.best
        if all(math.isfinite(value) for value in found.values()):  # a file holds no NaN
            numbers |= {f"check.{step}.{name}": float(value) for name, value in found.items()}
        if collapsed(found, self.start):
            numbers["rollbacks"] += 1
            return "roll back"
        if wins(found, best, self.start):
            numbers["best_step"] = float(step)
            return "keep"
        return "go on"

    def ending(self) -> str | None:
        """Why the run should end now, in words; None if it should continue."""
        if self.rollbacks >= MAX_ROLLBACKS:
            return f"stopped: content or contrast collapsed {MAX_ROLLBACKS} times"
        return ending(self.checks)

    def won(self) -> bool:
        """Whether the best check's patch distance is low enough to replace the start."""
        limit = (1 - SWD_GAIN) * self.start["patch_swd"]
        return self.best["patch_swd"] <= limit and wins(self.best, self.start, self.start)

    def accepts(self, accuracy_before: float, accuracy_after: float) -> bool:
        """Whether the best check won, also by the accuracy of classifiers trained afresh."""
        return self.won() and nearer(accuracy_before, accuracy_after) >= ACCURACY_GAIN

    def outcome(self, accuracies: tuple[float, float] | None = None) -> str:
        """The outcome in words, with the scores; `accuracies` are those given to `accepts`."""
        start, best = self.start, self.best
        if self.best is start:
            scores = f"patch distance {start['patch_swd']:.4f}, SSIM {start['ssim']:.3f}"
            return f"the style is unchanged: no check won on held-out pictures ({scores} to beat)"
        scores = f"patch distance {start['patch_swd']:.4f} -> {best['patch_swd']:.4f}, "
        scores += f"SSIM {start['ssim']:.3f} -> {best['ssim']:.3f}"
        if not self.won() or accuracies is None:
            return f"the style is unchanged: the best check gained too little ({scores})"
        before, after = accuracies
        scores += f", accuracy of a fresh classifier against real pictures {before:.0%} -> {after:.0%}"
        if not self.accepts(before, after):
            return f"the style is unchanged: it is as easy to recognize as painted as before ({scores})"
        return f"fine-tuned style of step {best['step']} accepted ({scores})"


def collapsed(check: ValidationMetrics, start: ValidationMetrics) -> bool:
    """Whether content or contrast fell far below the start's, or a number is not finite."""
    content = check["ssim"] >= start["ssim"] - SSIM_FALL
    contrast = check["contrast"] >= CONTRAST_LEFT * start["contrast"]
    return not (content and contrast and all(math.isfinite(value) for value in check.values()))


def wins(check: ValidationMetrics, best: ValidationMetrics, start: ValidationMetrics) -> bool:
    """Whether a check beats the best one and nearly preserves the start's content."""
    return gain(check, start) > gain(best, start) and check["ssim"] >= start["ssim"] - SSIM_COST


def gain(check: ValidationMetrics, start: ValidationMetrics) -> float:
    """The smaller of the gains in patch distance and accuracy, each relative to the gain that is required."""
    patches = 1 - check["patch_swd"] / start["patch_swd"]
    return min(
        patches / SWD_GAIN, nearer(start["two_sample_accuracy"], check["two_sample_accuracy"]) / ACCURACY_GAIN
    )


def nearer(before: float, after: float) -> float:
    """By how much an accuracy came closer to a guess, 0.5."""
    return abs(before - 0.5) - abs(after - 0.5)


def ending(checks: Sequence[ValidationMetrics]) -> str | None:
    """Why a run should end after these checks, in words; None if it should continue."""
    last = checks[-CHECKS:]
    if last and memorized(last[-1]):
        return "stopped: the discriminator memorized its pictures"
    if len(last) < CHECKS:
        return None
    if all(check["held_out_accuracy"] > WON for check in last):
        return "stopped: the discriminator won, the painter cannot follow"
    if all(check["held_out_accuracy"] < LOST for check in last):
        return "stopped: the discriminator lost, it judges worse than guessing"
    return "approximate equilibrium" if is_equilibrium(checks) else None


def memorized(check: ValidationMetrics) -> bool:
    """Whether the discriminator recognizes its training pictures but takes held-out ones for painted."""
    return (
        check["overfitting"] > MEMORIZED_OVERFITTING
        and check["held_out_accuracy"] <= MEMORIZED_HELD_OUT
        and check["train_accuracy"] >= MEMORIZED_TRAIN
    )


def is_equilibrium(checks: Sequence[ValidationMetrics]) -> bool:
    """Whether, in the last checks, no side led or could gain much alone, and the style hardly changed."""
    first, last = checks[0], checks[-CHECKS:]
    low, high = FAIR_ACCURACY
    fair = all(low <= c["held_out_accuracy"] <= high and abs(c["logit_gap"]) < FAIR_GAP for c in last)
    gaps = [check["duality"] for check in last]
    small = gaps[-1] < SMALL_DUALITY * first["duality"]
    still = max(gaps) - min(gaps) < STILL_DUALITY * first["duality"]
    settled = last[-1]["patch_swd"] > (1 - STILL_SWD) * last[0]["patch_swd"]
    return fair and (small or still) and settled
