"""Draws docs/rooms.svg: the rooms and who imports whom, read from the code, never from a plan.

.venv/bin/python scripts/rooms.py            writes the picture
.venv/bin/python scripts/rooms.py --check    exit 1 when the committed picture is not the code's
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

import grimp

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "rooms.svg"

# x, y of each room, lowest layer at the bottom, and the one line it is for
ROOMS = {
    "baeum": (340, 20, "settings, wiring, the command"),
    "api": (340, 130, "HTTP and web pages"),
    "issuer": (40, 250, "intake, signing, batches, status"),
    "ledger": (40, 380, "records, credit engine, chain"),
    "verifier": (340, 250, "checks, trust, report"),
    "wallet": (640, 250, "the citizen's side"),
    "contracts": (190, 510, "what runs on the chain"),
    "credential": (490, 510, "what a credential is"),
}
WIDTH, HEIGHT = 250, 64


def imports() -> list[tuple[str, str]]:
    """Each pair of rooms of which the first imports the second."""
    graph = grimp.build_graph(*ROOMS)
    edges: set[tuple[str, str]] = set()
    for module in graph.modules:
        source = module.split(".")[0]
        for imported in graph.find_modules_directly_imported_by(module):
            target = imported.split(".")[0]
            if source != target:
                edges.add((source, target))
    return sorted(edges)


def draw(edges: list[tuple[str, str]]) -> str:
    """The picture as SVG."""
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 930 600" '
        'font-family="system-ui, sans-serif" role="img" '
        'aria-label="The rooms of Baeum and who imports whom">',
        '<defs><marker id="a" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        'markerHeight="7" orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" '
        'fill="#5b6470"/></marker></defs>',
        '<rect width="930" height="600" fill="#fff"/>',
    ]
    for source, target in edges:
        sx, sy, _ = ROOMS[source]
        tx, ty, _ = ROOMS[target]
        x1, y1 = sx + WIDTH / 2, sy + HEIGHT
        x2, y2 = tx + WIDTH / 2, ty
        if sy == ty:
            y1 = y2 = sy + HEIGHT / 2
        x1 += (x2 - x1) * 0.18
        x2 -= (x2 - x1) * 0.12
        mid = (y1 + y2) / 2
        lines.append(
            f'<path d="M{x1:.0f} {y1:.0f} C{x1:.0f} {mid:.0f} {x2:.0f} {mid:.0f} '
            f'{x2:.0f} {y2:.0f}" fill="none" stroke="#5b6470" stroke-width="1.4" '
            f'marker-end="url(#a)"><title>{source} → {target}</title></path>'
        )
    for room, (x, y, purpose) in ROOMS.items():
        lines.append(
            f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="10" fill="#eef4ff" '
            f'stroke="#1d4f91" stroke-width="1.5"/>'
            f'<text x="{x + WIDTH / 2:.0f}" y="{y + 27}" text-anchor="middle" font-size="19" '
            f'font-weight="700" fill="#12263f">{room}/</text>'
            f'<text x="{x + WIDTH / 2:.0f}" y="{y + 49}" text-anchor="middle" font-size="14" '
            f'fill="#30435c">{escape(purpose)}</text>'
        )
    lines.append("</svg>")
    return "\n".join(lines) + "\n"


def main() -> int:
    picture = draw(imports())
    if "--check" in sys.argv:
        return 0 if PICTURE.exists() and PICTURE.read_text(encoding="utf-8") == picture else 1
    PICTURE.write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
