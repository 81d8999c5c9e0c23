# SPDX-License-Identifier: Apache-2.0
"""Live tracks as columns: what many pairs are weighed on, in whole numbers.

    columns = TrackColumns.of(states)         # from typed objects
    columns = TrackColumns(lat_ndeg=…, …)     # from arrays that are there already
    columns.state(17)                         # and back, exactly

Numpy is needed here; it comes with the extra `fast`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from wideberth.core.judge.columns import REFS
from wideberth.core.judge.tracks import ERROR_MM_MAX, SPEED_MMPS_MAX, TrackState
from wideberth.core.limits import INTEGER_MAX
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

_CODE = {ref: code for code, ref in enumerate(REFS)}


@dataclass(frozen=True, eq=False)
class TrackColumns:
    """n states of tracks; each column (n) as the field of `TrackState`. `ref`: a place in `columns.REFS`."""

    lat_ndeg: Ints
    lng_ndeg: Ints
    alt_mm: Ints
    ref: NDArray[np.int8]
    east_mmps: Ints
    north_mmps: Ints
    up_mmps: Ints
    t_ms: Ints
    own: NDArray[np.bool_]
    position_error_mm: Ints
    velocity_error_mmps: Ints
    height_error_mm: Ints
    climb_error_mmps: Ints

    def __len__(self) -> int:
        return len(self.lat_ndeg)

    @classmethod
    def of(cls, states: Iterable[TrackState]) -> TrackColumns:
        """From typed states, in their order."""
        import numpy as np

        kept = list(states)

        def column(values: Iterable[int], kind: Any = np.int64) -> Any:
            return np.array(list(values), dtype=kind)

        return cls(
            lat_ndeg=column(s.point.lat_ndeg for s in kept),
            lng_ndeg=column(s.point.lng_ndeg for s in kept),
            alt_mm=column(s.altitude.mm for s in kept),
            ref=column((_CODE[s.altitude.ref] for s in kept), np.int8),
            own=column((s.own for s in kept), np.bool_),
            **{name: column(getattr(s, name) for s in kept) for name in _NUMBERS},
        )

    def state(self, i: int) -> TrackState:
        """Track `i` as a typed state; its id is its number."""
        return TrackState(
            str(i),
            Point(int(self.lat_ndeg[i]), int(self.lng_ndeg[i])),
            Altitude(int(self.alt_mm[i]), REFS[self.ref[i]]),
            own=bool(self.own[i]),
            **{name: int(getattr(self, name)[i]) for name in _NUMBERS},
        )

    def checked(self) -> TrackColumns:
        """Itself, when the columns fit together and every value is one that a state may have. Raises BadInput."""
        n = len(self)
        for field in fields(self):
            if len(getattr(self, field.name)) != n:
                raise BadInput(
                    f"the column {field.name} has {len(getattr(self, field.name))} values for {n} tracks",
                    field=field.name,
                )
        ranges: dict[str, tuple[int, int]] = {
            "lat_ndeg": (-90 * 10**9, 90 * 10**9), "lng_ndeg": (-180 * 10**9, 180 * 10**9),
            "ref": (0, _CODE[VerticalRef.UNL] - 1), "t_ms": (0, INTEGER_MAX),
            **dict.fromkeys(("east_mmps", "north_mmps", "up_mmps"), (-SPEED_MMPS_MAX, SPEED_MMPS_MAX)),
            **dict.fromkeys(("position_error_mm", "height_error_mm"), (0, ERROR_MM_MAX)),
            **dict.fromkeys(("velocity_error_mmps", "climb_error_mmps"), (0, SPEED_MMPS_MAX)),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            column = getattr(self, name)
            if n and (column.min() < low or column.max() > high):
                at = int(((column < low) | (column > high)).argmax())
                raise BadInput(f"the column {name} is not one of tracks, first at {at}", field=name)
        return self


_NUMBERS = (
    "east_mmps", "north_mmps", "up_mmps", "t_ms", "position_error_mm", "velocity_error_mmps", "height_error_mm",
    "climb_error_mmps",
)  # fmt: skip
