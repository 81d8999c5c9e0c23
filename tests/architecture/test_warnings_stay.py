# SPDX-License-Identifier: Apache-2.0
"""The record side cannot see a warning (domain.md A10, J4): no event brings one in, and no batch takes one out.

`test_layers.py` shows that no module of the record side can name one. Here every type that passes the node's door, in
either direction, is walked down to its last field.
"""

from __future__ import annotations

import inspect
import types
import typing

import msgspec

from wideberth.core import events, inner, warned
from wideberth.core.batch import Batch
from wideberth.core.node import Node

WARNED = frozenset(typing.get_args(warned.Warned))


def within(root: object) -> set[object]:
    """Every type that a value of this type can hold."""
    found: set[object] = set()
    todo = [root]
    while todo:
        each = todo.pop()
        if isinstance(each, str | type(...)) or each in found:
            continue
        found.add(each)
        todo += typing.get_args(each)
        if inspect.isclass(each) and not isinstance(each, types.GenericAlias) and issubclass(each, msgspec.Struct):
            todo += typing.get_type_hints(each).values()
    return found


def warnings_within(root: object) -> set[str]:
    # `Any` and `object` could hold anything: facts and details of tells are made of plain values (see `Tell`).
    return {t.__name__ for t in WARNED & within(root)}


def test_no_event_can_bring_a_warning_to_the_record_side() -> None:
    assert typing.get_type_hints(Node.step)["event"] == events.Event
    assert len(within(events.Event)) > 40, "the walk really walked"
    assert warnings_within(events.Event) == set()
    assert typing.Any not in within(events.Event)
    assert object not in within(events.Event)


def test_no_batch_of_the_record_side_can_hold_a_warning() -> None:
    assert len(within(Batch)) > 40
    assert warnings_within(Batch) == set()


def test_the_walk_sees_one_where_there_is_one() -> None:
    class Leaky(msgspec.Struct):
        deep: tuple[dict[str, events.Tick | warned.Crossed | None], ...]

    assert warnings_within(Leaky) == {"Crossed"}
    assert warnings_within(inner.InnerBatch) == {t.__name__ for t in WARNED}
    assert {t.__name__ for t in WARNED} == {
        "Exposed", "Nearer", "Eased", "Crossed", "Uncrossed", "UnitsMet", "RingWarning"
    }  # fmt: skip
