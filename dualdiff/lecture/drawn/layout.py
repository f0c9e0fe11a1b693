"""Where boxes and arrows of a computation graph go: layers by longest path, order within them by barycentres.

Coordinates are px, from the top left corner; the graph runs from left to right.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Layout", "arrange"]

SETTLING = 3  # rounds in which places move towards their neighbours
SWEEPS = 6  # there and back through the layers; orders hardly improve after the fourth
GAP = 22.0  # px between boxes one above the other
TRACK = 12.0  # px that an arrow passing a layer takes of its height
BETWEEN = (64.0, 220.0)  # px between two layers, at least and at most
CLEAR = 44.0  # px of an arrow that its label leaves free
BEND = 0.5  # where between two ends a curve's control points stand
ALONG = (0.5, 0.38, 0.62, 0.28, 0.72, 0.2, 0.8)  # where along its last stretch a label may stand
LABEL_HEIGHT = 16.0

Point = tuple[float, float]
Place = tuple[float, float, float, float]  # left, top, width, height


@dataclass
class Layout:
    """Places of boxes, paths of arrows (SVG path data) and centres of their labels."""

    size: tuple[float, float]
    boxes: list[Place]
    paths: list[str]
    labels: list[Point]


@dataclass
class _Slots:
    """What stands in the layers: boxes, numbered as given, then the tracks of arrows that pass a layer."""

    layer: list[int]
    height: list[float]
    before: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    after: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    tracks: dict[tuple[int, int], int] = field(default_factory=dict)

    def joined(self, source: int, target: int) -> list[int]:
        """Return the slots an arrow runs through; arrows of one source share their tracks, as branches a trunk."""
        stops = [source]
        for layer in range(self.layer[source] + 1, self.layer[target]):
            if (source, layer) not in self.tracks:
                self.tracks[source, layer] = len(self.layer)
                self.layer.append(layer)
                self.height.append(TRACK)
                self._link(stops[-1], self.tracks[source, layer])
            stops.append(self.tracks[source, layer])
        self._link(stops[-1], target)
        return [*stops, target]

    def _link(self, left: int, right: int) -> None:
        self.after[left].append(right)
        self.before[right].append(left)

    def rows(self) -> list[list[int]]:
        """Return the slots of each layer."""
        found: list[list[int]] = [[] for _ in range(max(self.layer) + 1)]
        for slot, layer in enumerate(self.layer):
            found[layer].append(slot)
        return found


def arrange(sizes: Sequence[tuple[float, float]], arrows: Sequence[tuple[int, int]], labels: Sequence[float]) -> Layout:
    """Return the layout of boxes that arrows join.

    Parameters
    ----------
    sizes : sequence of (float, float)
        Width and height that each box needs; all boxes of a layer are made equally wide.
    arrows : sequence of (int, int)
        The boxes each arrow leaves and meets; it leaves the one with the smaller number.
    labels : sequence of float
        Width of each arrow's label, 0 where it has none.

    Returns
    -------
    Layout
        Boxes do not overlap; arrows run around boxes they do not belong to.
    """
    slots = _Slots(_layers(len(sizes), arrows), [high for _, high in sizes])
    routes = [slots.joined(*arrow) for arrow in arrows]
    order = _ordered(slots)
    middle = _heights(slots, order)
    left, wide = _columns(sizes, slots, arrows, labels)
    boxes = [
        (left[layer], at - high / 2, wide[layer], high)
        for layer, at, (_, high) in zip(slots.layer, middle, sizes, strict=False)
    ]
    ports = _ports(boxes, arrows, routes, middle)
    paths, spots = [], []
    taken: dict[int, list[tuple[Point, float]]] = defaultdict(list)
    for route, port, label in zip(routes, ports, labels, strict=True):
        path, last = _path(route, port, boxes, slots, middle, left, wide)
        paths.append(path)
        spots.append(_label_spot(last, label, taken[slots.layer[route[-1]]]))
    lowest = max(*middle, *(top + high for _, top, _, high in boxes))
    return Layout((left[-1] + wide[-1], lowest), boxes, paths, spots)


def _layers(count: int, arrows: Iterable[tuple[int, int]]) -> list[int]:
    """Return the layer of each box: the length of the longest way to it."""
    layer = [0] * count
    for source, target in sorted(arrows, key=lambda arrow: arrow[1]):
        layer[target] = max(layer[target], layer[source] + 1)
    return layer


def _ordered(slots: _Slots) -> list[list[int]]:
    """Return the slots of each layer from top to bottom, with few arrows that cross."""
    order = slots.rows()
    best, fewest = [list(row) for row in order], _crossings(slots, order)
    for sweep in range(2 * SWEEPS):
        if not fewest:
            break
        rows, neighbours = (order[1:], slots.before) if sweep % 2 == 0 else (order[-2::-1], slots.after)
        place = {slot: i for row in order for i, slot in enumerate(row)}
        for row in rows:
            row.sort(key=lambda slot: _mean([place[other] for other in neighbours[slot]], place[slot]))
            place.update((slot, i) for i, slot in enumerate(row))
        crossings = _crossings(slots, order)
        if crossings < fewest:
            best, fewest = [list(row) for row in order], crossings
    return best


def _mean(numbers: Sequence[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise


def _crossings(slots: _Slots, order: list[list[int]]) -> int:
    """Return how many pairs of arrows cross: inversions, counted with a sorted list."""
    place = {slot: i for row in order for i, slot in enumerate(row)}
    total = 0
    for row in order:
        met: list[int] = []
        for slot in row:
            ends = sorted(place[other] for other in slots.after[slot])
            total += sum(len(met) - bisect_right(met, end) for end in ends)
            for end in ends:
                insort(met, end)
    return total


def _heights(slots: _Slots, order: list[list[int]]) -> list[float]:
    """Return the middle of each slot: near its neighbours, and apart from those above and below."""
    middle = [0.0] * len(slots.layer)
    for row in order:
        at = 0.0
        for slot in row:
            middle[slot] = at + slots.height[slot] / 2
            at += slots.height[slot] + GAP
    ways = [(order[1:], slots.before), (order[-2::-1], slots.after)]
    for rows, neighbours in [*(ways * SETTLING), ways[0]]:  # forwards at last, so that chains run straight
        for row in rows:
            wanted = [_mean([middle[other] for other in neighbours[slot]], middle[slot]) for slot in row]
            for slot, at in zip(row, _apart(wanted, [slots.height[slot] for slot in row]), strict=True):
                middle[slot] = at
    top = min(at - high / 2 for at, high in zip(middle, slots.height, strict=True))
    return [at - top for at in middle]


def _apart(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Return the places nearest to the wanted ones (least squares) that keep the order and the gaps.

    Without the room they need, places must only not decrease: then pooling neighbours that do is the solution.
    """
    offsets, at = [], 0.0
    for i, high in enumerate(heights):
        at += (high + heights[i - 1]) / 2 + GAP if i else 0.0
        offsets.append(at)
    pools: list[list[float]] = []  # sum and number of those that share a place
    for place, offset in zip(wanted, offsets, strict=True):
        pools.append([place - offset, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, number = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += number
    places = [total / number for total, number in pools for _ in range(int(number))]
    return [place + offset for place, offset in zip(places, offsets, strict=True)]


def _columns(
    sizes: Sequence[tuple[float, float]], slots: _Slots, arrows: Sequence[tuple[int, int]], labels: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return the left edge and the width of each layer; the labels of arrows stand before the layer they meet."""
    layers = max(slots.layer) + 1
    wide, between = [0.0] * layers, [0.0] + [BETWEEN[0]] * layers
    for i, (w, _) in enumerate(sizes):
        wide[slots.layer[i]] = max(wide[slots.layer[i]], w)
    for (_, target), label in zip(arrows, labels, strict=True):
        layer = slots.layer[target]
        between[layer] = min(max(between[layer], label + CLEAR), BETWEEN[1])
    left, at = [], 0.0
    for layer in range(layers):
        at += between[layer]
        left.append(at)
        at += wide[layer]
    return left, wide


def _ports(
    boxes: Sequence[Place], arrows: Sequence[tuple[int, int]], routes: Sequence[list[int]], middle: Sequence[float]
) -> list[float]:
    """Return the height at which each arrow meets its box: spread over its side, in the order they come from."""
    meeting: dict[int, list[int]] = defaultdict(list)
    for i, (_, target) in enumerate(arrows):
        meeting[target].append(i)
    ports = [0.0] * len(arrows)
    for target, those in meeting.items():
        _, top, _, high = boxes[target]
        those.sort(key=lambda i: middle[routes[i][-2]])
        for n, i in enumerate(those, 1):
            ports[i] = top + high * n / (len(those) + 1)
    return ports


def _path(
    route: Sequence[int],
    port: float,
    boxes: Sequence[Place],
    slots: _Slots,
    middle: Sequence[float],
    left: Sequence[float],
    wide: Sequence[float],
) -> tuple[str, tuple[Point, Point]]:
    """Return an arrow's path data, and the two ends of its last stretch."""
    x, _, w, _ = boxes[route[0]]
    start = (x + w, middle[route[0]])
    path = f"M{_px(*start)}"
    for slot in route[1:-1]:
        layer = slots.layer[slot]
        path += _curve(start, (left[layer], middle[slot]))
        start = (left[layer] + wide[layer], middle[slot])
        path += f"L{_px(*start)}"
    end = (boxes[route[-1]][0], port)
    return path + _curve(start, end), (start, end)


def _curve(start: Point, end: Point) -> str:
    bend = start[0] + BEND * (end[0] - start[0])
    return f"C{_px(bend, start[1])} {_px(bend, end[1])} {_px(*end)}"


def _px(x: float, y: float) -> str:
    return f"{x:.1f} {y:.1f}"


def _label_spot(ends: tuple[Point, Point], wide: float, taken: list[tuple[Point, float]]) -> Point:
    """Return where on its last stretch an arrow's label stands clear of those already written there."""
    spots = [_on_curve(*ends, t) for t in ALONG]
    clear = [
        spot
        for spot in spots
        if all(
            abs(spot[1] - y) >= LABEL_HEIGHT or abs(spot[0] - x) >= (wide + other) / 2 + 4 for (x, y), other in taken
        )
    ]
    spot = (clear or spots)[0]
    if wide:
        taken.append((spot, wide))
    return spot


def _on_curve(start: Point, end: Point, t: float) -> Point:
    """Return the point at t of the cubic Bezier curve that `_curve` writes."""
    s = 1 - t
    bend = start[0] + BEND * (end[0] - start[0])
    near, far = 3 * s * s * t, 3 * s * t * t
    return (
        s**3 * start[0] + (near + far) * bend + t**3 * end[0],
        (s**3 + near) * start[1] + (far + t**3) * end[1],
    )
