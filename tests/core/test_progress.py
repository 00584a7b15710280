"""Protects the record of a step: the loss and its terms, as plain numbers."""

from __future__ import annotations

import torch

from pstyle.core.progress import record_of


def test_a_record_holds_the_loss_and_every_term_as_numbers():
    terms = {"style": torch.tensor(0.5), "content": torch.tensor(0.25, requires_grad=True)}
    record = record_of(torch.tensor(1.75, requires_grad=True), terms)
    assert record == {"loss": 1.75, "style": 0.5, "content": 0.25} and list(record)[0] == "loss"
    assert all(type(value) is float for value in record.values())
