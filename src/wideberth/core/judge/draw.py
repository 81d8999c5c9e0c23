# SPDX-License-Identifier: Apache-2.0
"""An SVG picture of a meeting: a map (north up) and a strip of height over time. Text is escaped, no outside fonts.

The map is azimuthal-equidistant about the middle of what is drawn, edges densified along the geodesic. Heights are
drawn as given, whatever their reference: the strip is a sketch beside the sentence, and says so.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from wideberth.core.judge.outline import LngLat, outline
from wideberth.core.judge.path import Path
from wideberth.core.judge.plane import Frame
from wideberth.core.say import geodesy, instant
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Polygon, Track, Volume4D

SIZE: Final = 360  # of each of the two panels
_PAD: Final = 24
_OWN: Final = "#0b5fa5"
_THEIRS: Final = "#b3261e"
_STYLE: Final = "font-family:sans-serif;font-size:11px"


# A picture is for a person: more volumes than this are not drawn, only weighed.
DRAWN_MAX: Final = 20


class Drawn(NamedTuple):
    """Something to draw: a track, or volumes. `own` picks the colour and the dashes, so that two things differ."""

    label: str
    shape: Track | tuple[Volume4D, ...]
    own: bool


def few(volumes: tuple[Volume4D, ...], first: int) -> tuple[Volume4D, ...]:
    """The one that matters and the next few: what a person can take in."""
    rest = [v for i, v in enumerate(volumes) if i != first]
    return (volumes[first], *rest[: DRAWN_MAX - 1])


def picture(
    title: str, things: Sequence[Drawn], *, mark: Point | None = None, mark_ms: int | None = None, says: str = ""
) -> str:
    """One SVG with both panels. `mark` is the nearest point, `mark_ms` its time; `says` is the sentence that it goes
    with, for whoever cannot see it."""
    width, tall = 2 * SIZE + 3 * _PAD, SIZE + 3 * _PAD
    body = [*_map(things, mark), *_strip(things, mark_ms)]
    names = []
    for i, thing in enumerate(things):
        colour = _OWN if thing.own else _THEIRS
        names.append(f'<text x="{_PAD}" y="{tall - 6 - 14 * i}" fill="{colour}">{html.escape(thing.label[:80])}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {tall + 14 * len(things)}" role="img" '
        f'style="{_STYLE}"><title>{html.escape(title)}</title>{_desc(says)}<g>{"".join(body)}</g>'
        f'<g transform="translate(0 {14 * len(things) - 4})">{"".join(names)}</g></svg>'
    )


def _desc(says: str) -> str:
    return f"<desc>{html.escape(says)}</desc>" if says else ""


def _map(things: Sequence[Drawn], mark: Point | None) -> Iterable[str]:
    shapes = [(v.shape, thing.own) for thing in things if isinstance(thing.shape, tuple) for v in thing.shape]
    tracks = [(thing.shape, thing.own) for thing in things if isinstance(thing.shape, Track)]
    frame = Frame(_middle(things))
    lines: list[tuple[list[tuple[float, float]], float, bool, bool]] = []  # points, reach, closed, own
    for shape, own in shapes:
        o = outline(shape)
        points = [frame.flat(p) for e in o.edges for p in (e.a, *_between(e.a, e.azimuth, e.length))]
        if o.edges and not o.filled:
            points.append(frame.flat(o.edges[-1].b))
        lines.append((points or [frame.flat(o.points[0])], o.reach, isinstance(shape, Polygon), own))
    for track, own in tracks:
        points = []
        for start, end in pairwise(track.legs):
            path = Path(start, end)
            points += [frame.flat(path.place(path.seconds * i / 8)) for i in range(9)]
        lines.append((points, 0.0, False, own))
    far = max((math.hypot(x, y) + reach for points, reach, _, _ in lines for x, y in points), default=1.0) or 1.0
    scale = (SIZE / 2) / far

    def at(p: tuple[float, float]) -> str:
        return f"{_PAD + SIZE / 2 + p[0] * scale:.1f},{_PAD + SIZE / 2 - p[1] * scale:.1f}"

    yield f'<rect x="{_PAD}" y="{_PAD}" width="{SIZE}" height="{SIZE}" fill="none" stroke="#999"/>'
    for points, reach, closed, own in lines:
        yield _line([at(p) for p in points], reach * scale, closed=closed, own=own)
    if mark is not None:
        x, y = at(frame.flat((mark.lng, mark.lat))).split(",")
        yield f'<circle cx="{x}" cy="{y}" r="4" fill="none" stroke="#000" stroke-width="2"/>'
    km = _round_down(far / 1000)
    yield (
        f'<path d="M{_PAD + 6} {_PAD + SIZE - 8}h{km * 1000 * scale:.1f}" stroke="#333" stroke-width="2"/>'
        f'<text x="{_PAD + 6}" y="{_PAD + SIZE - 13}">{km:g} km · {km / 1.852:.3g} NM</text>'
        f'<text x="{_PAD + SIZE - 14}" y="{_PAD + 14}">N</text>'
    )


def _line(points: list[str], reach: float, *, closed: bool, own: bool) -> str:
    colour = _OWN if own else _THEIRS
    dash = ' stroke-dasharray="5 3"' if own else ""
    if len(points) == 1:
        x, y = points[0].split(",")
        return (
            f'<circle cx="{x}" cy="{y}" r="{reach:.1f}" fill="{colour}" fill-opacity=".12" stroke="{colour}"{dash}/>'
            f'<circle cx="{x}" cy="{y}" r="1.5" fill="{colour}"/>'
        )
    way = " ".join(points)
    if closed:
        return f'<polygon points="{way}" fill="{colour}" fill-opacity=".12" stroke="{colour}"{dash}/>'
    wide = (
        f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-opacity=".2" stroke-width="{2 * reach:.1f}" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
        if reach
        else ""
    )
    return f'{wide}<polyline points="{way}" fill="none" stroke="{colour}"{dash}/>'


def _strip(things: Sequence[Drawn], mark_ms: int | None) -> Iterable[str]:
    boxes = [(v, thing.own) for thing in things if isinstance(thing.shape, tuple) for v in thing.shape]
    legs = [(thing.shape.legs, thing.own) for thing in things if isinstance(thing.shape, Track)]
    times = [t for v, _ in boxes for t in (v.start_ms, v.end_ms)] + [leg.t_ms for ls, _ in legs for leg in ls]
    heights = [a.mm for v, _ in boxes for a in (v.lower, v.upper) if a.ref is not VerticalRef.UNL]
    heights += [leg.altitude.mm for ls, _ in legs for leg in ls]
    if not times:
        return
    first, last = min(times), max(times)
    low, high = min(0, *heights, 0), max([*heights, 300_000]) * 1.1
    left, bottom = 2 * _PAD + SIZE, _PAD + SIZE

    def x(t_ms: int) -> float:
        return left + SIZE * (t_ms - first) / max(1, last - first)

    def y(altitude: Altitude) -> float:
        mm = high if altitude.ref is VerticalRef.UNL else altitude.mm
        return bottom - SIZE * (mm - low) / (high - low)

    yield f'<rect x="{left}" y="{_PAD}" width="{SIZE}" height="{SIZE}" fill="none" stroke="#999"/>'
    for v, own in boxes:
        colour, dash = (_OWN, ' stroke-dasharray="5 3"') if own else (_THEIRS, "")
        top = min(y(v.upper), y(v.lower))
        yield (
            f'<rect x="{x(v.start_ms):.1f}" y="{top:.1f}" width="{max(1.0, x(v.end_ms) - x(v.start_ms)):.1f}" '
            f'height="{max(1.0, abs(y(v.lower) - y(v.upper))):.1f}" fill="{colour}" fill-opacity=".12" '
            f'stroke="{colour}"{dash}/>'
        )
    for ls, own in legs:
        way = " ".join(f"{x(leg.t_ms):.1f},{y(leg.altitude):.1f}" for leg in ls)
        yield f'<polyline points="{way}" fill="none" stroke="{_OWN if own else _THEIRS}" stroke-dasharray="5 3"/>'
    if mark_ms is not None and first <= mark_ms <= last:
        yield f'<path d="M{x(mark_ms):.1f} {_PAD}V{bottom}" stroke="#000" stroke-dasharray="2 2"/>'
    yield (
        f'<text x="{left + 4}" y="{_PAD + 12}">{high / 304.8:,.0f} ft (heights as given)</text>'
        f'<text x="{left}" y="{bottom + 14}">{instant.show(first)}</text>'
        f'<text x="{left + SIZE}" y="{bottom + 14}" text-anchor="end">{instant.show(last)}</text>'
    )


def _middle(things: Sequence[Drawn]) -> LngLat:
    points: list[Point] = []
    for thing in things:
        if isinstance(thing.shape, Track):
            points += [leg.point for leg in thing.shape.legs]
        else:
            for v in thing.shape:
                lng, lat = outline(v.shape).middle
                points.append(Point(round(lat * 1e9), round(lng * 1e9)))
    x = [math.cos(math.radians(p.lat)) * math.cos(math.radians(p.lng)) for p in points]
    y = [math.cos(math.radians(p.lat)) * math.sin(math.radians(p.lng)) for p in points]
    z = [math.sin(math.radians(p.lat)) for p in points]
    lat = math.atan2(sum(z), math.hypot(sum(x), sum(y)))
    return math.degrees(math.atan2(sum(y), sum(x))), math.degrees(lat)


def _between(a: LngLat, azimuth: float, metres: float) -> list[LngLat]:
    pieces = min(16, int(metres / 20_000) + 1)
    return [geodesy.geod().fwd(*a, azimuth, metres * i / pieces)[:2] for i in range(1, pieces)]


def _round_down(km: float) -> float:
    """1, 2 or 5 times a power of ten, for a scale bar of half the panel at most."""
    power: float = 10.0 ** math.floor(math.log10(max(km, 1e-6)))
    return max(f * power for f in (1.0, 2.0, 5.0) if f * power <= km)
