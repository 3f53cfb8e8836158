"""From minutes per record to minutes per record and block, always the same way.

Blocks are filled through classes (records the same blocks accept), so the network is tiny.
Among all splits that leave the least missing, the first record (in tie-break order) puts as much
as possible into the first block of the policy, then the second, and so on.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence

UNLIMITED = 1 << 40


class ClassFlow:
    """Minutes of classes in slots. A slot is a block's required part or its room above that.

    ``accepts[c]``: slots class ``c`` may use. All integers.
    """

    def __init__(self, accepts: Sequence[Sequence[int]], room: Sequence[int]) -> None:
        self.accepts = [tuple(a) for a in accepts]
        self.room = list(room)
        self.flow = [dict.fromkeys(a, 0) for a in self.accepts]
        self.takers: list[list[int]] = [[] for _ in room]
        for c, slots in enumerate(self.accepts):
            for s in slots:
                self.takers[s].append(c)

    def push(self, start: int, amount: int) -> int:
        """Put up to ``amount`` more minutes of a class in, moving others; the minutes put."""
        pushed = 0
        while pushed < amount:
            path = self._path(start)
            if path is None:
                break
            step = min(amount - pushed, self.room[path[-1][1]])
            for (_, slot), (mover, _) in itertools.pairwise(path):
                step = min(step, self.flow[mover][slot])
            for n, (mover, slot) in enumerate(path):
                if n:
                    self.flow[mover][path[n - 1][1]] -= step
                self.flow[mover][slot] += step
            self.room[path[-1][1]] -= step
            pushed += step
        return pushed

    def _path(self, start: int) -> list[tuple[int, int]] | None:
        """(class, slot) steps: each class moves into its slot, out of the one before."""
        came: dict[int, tuple[int, int | None]] = {}
        queue: deque[tuple[int, int | None]] = deque([(start, None)])
        seen = {start}
        while queue:
            mover, previous = queue.popleft()
            for slot in self.accepts[mover]:
                if slot in came:
                    continue
                came[slot] = (mover, previous)
                if self.room[slot] > 0:
                    steps: list[tuple[int, int]] = []
                    at: int | None = slot
                    while at is not None:
                        who, before = came[at]
                        steps.append((who, at))
                        at = before
                    return steps[::-1]
                for other in self.takers[slot]:
                    if other not in seen and self.flow[other][slot] > 0:
                        seen.add(other)
                        queue.append((other, slot))
        return None


def split(
    use: Sequence[int],
    klass: Sequence[int],
    classes: Sequence[Sequence[int]],
    minimum: Sequence[int],
    maximum: Sequence[int | None],
) -> list[dict[int, int]]:
    """For each record its minutes per block. ``use`` must fit (it came from an allocation)."""
    blocks = len(minimum)
    if all(len(classes[k]) <= 1 for k, u in zip(klass, use, strict=True) if u):
        return [{classes[k][0]: u} if u else {} for k, u in zip(klass, use, strict=True)]
    room = list(minimum) + [
        UNLIMITED if m is None else max(0, m - low) for low, m in zip(minimum, maximum, strict=True)
    ]
    total = [0] * len(classes)
    for k, u in zip(klass, use, strict=True):
        total[k] += u
    needs = ClassFlow(classes, room[:blocks])
    kept = [needs.push(k, total[k]) for k in range(len(classes))]
    # records give to required parts first (that total is settled), then to room above them
    flow = ClassFlow([[*a, *(b + blocks for b in a)] for a in classes], room)
    for k, slots in enumerate(needs.flow):
        for slot, minutes in slots.items():
            flow.flow[k][slot] = minutes
            flow.room[slot] -= minutes
    for k, done in enumerate(kept):
        flow.push(k, total[k] - done)
    return _by_record(use, klass, flow, blocks)


def _by_record(
    use: Sequence[int], klass: Sequence[int], flow: ClassFlow, blocks: int
) -> list[dict[int, int]]:
    result: list[dict[int, int]] = []
    for k, u in zip(klass, use, strict=True):
        mine: dict[int, int] = {}
        left = u
        for slot in sorted(flow.accepts[k], key=lambda s: (s % blocks, s)):
            if not left:
                break
            while flow.flow[k][slot] < left and _shift(flow, k, slot, left, blocks):
                pass
            taken = min(left, flow.flow[k][slot])
            if taken:
                flow.flow[k][slot] -= taken
                mine[slot % blocks] = mine.get(slot % blocks, 0) + taken
                left -= taken
        result.append(mine)
    return result


def _shift(flow: ClassFlow, k: int, slot: int, want: int, blocks: int) -> bool:
    """Move minutes of class ``k`` into ``slot`` from its other, later slots, keeping every
    class's total and the total of required parts. True when something moved."""
    order = sorted(flow.accepts[k], key=lambda s: (s % blocks, s))
    sources = {s for s in order[order.index(slot) + 1 :] if flow.flow[k][s] > 0}
    if not sources:
        return False
    came: dict[int, tuple[int, int]] = {}
    queue = deque([slot])
    seen = {slot}
    kinds: dict[bool, int] = {}
    while queue:
        at = queue.popleft()
        if at in sources:
            return _apply(flow, k, slot, at, want, came)
        steps: list[tuple[int, int]] = []
        for other in flow.takers[at]:
            if other != k and flow.flow[other][at] > 0:
                steps.extend((other, s) for s in flow.accepts[other])
        if flow.room[at] > 0:
            # spare room here lets another slot of the same kind give up as much
            same = at < blocks
            if same not in kinds:
                kinds[same] = at
                steps.extend(
                    (-1, s) for s in range(2 * blocks) if (s < blocks) == same and s in sources
                )
        for who, s in steps:
            if s not in seen:
                seen.add(s)
                came[s] = (at, who)
                queue.append(s)
    return False


def _apply(
    flow: ClassFlow,
    k: int,
    slot: int,
    source: int,
    want: int,
    came: dict[int, tuple[int, int]],
) -> bool:
    step = min(want - flow.flow[k][slot], flow.flow[k][source])
    at = source
    while at != slot:
        before, who = came[at]
        step = min(step, flow.room[before] if who < 0 else flow.flow[who][before])
        at = before
    at = source
    while at != slot:
        before, who = came[at]
        if who < 0:
            flow.room[before] -= step
            flow.room[at] += step
        else:
            flow.flow[who][before] -= step
            flow.flow[who][at] += step
        at = before
    flow.flow[k][slot] += step
    flow.flow[k][source] -= step
    return step > 0
