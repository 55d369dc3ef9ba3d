"""SVGs that are small to send and dear to draw, measure or parse: the names say what of them is dear."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def svg(inside: str, side: int = 400) -> str:
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {spaces} width="{side}" height="{side}" viewBox="0 0 {side} {side}">{inside}</svg>'


def _lines(count: int) -> str:
    return "M0 0" + "".join(f"L{i * 7919 % 400} {i * 104729 % 400}" for i in range(count))


def _uses(reference: str) -> str:
    groups = (f'<g id="a{i}">{reference.format(i - 1) * 10}</g>' for i in range(1, 12))
    return svg('<g id="a0"><rect width="9" height="9"/></g>' + "".join(groups) + reference.format(11))


def _entities(name: str, definitions: str, text: str) -> str:
    return f"<!DOCTYPE svg [{definitions}]>" + svg(f"<text id='{name}'>{text}</text>")


_FULL = '<rect width="100%" height="100%" fill="red"/>'
_MARKED = '<path marker-mid="url(#{})" d="M0 0{}"{}/>'

DEAR: Mapping[str, Callable[[], str]] = {
    "100 filter functions": lambda: svg(f'<rect width="100%" height="100%" filter="{"blur(40) " * 100}"/>', 2000),
    "2000 filter functions": lambda: svg(f'<rect width="100%" height="100%" filter="{"blur(40) " * 2000}"/>', 1000),
    "filter functions in a style": lambda: svg(
        f'<rect width="100%" height="100%" style="filter:{"blur(40px) " * 2000}"/>', 1000
    ),
    "20,000 classes": lambda: svg(
        f"<style>{''.join(f'.a{i}{{fill:red}}' for i in range(20_000))}</style>"
        + '<rect class="x" width="1" height="1"/>' * 20_000
    ),
    "3000 selectors of descendants": lambda: svg(
        f"<style>{''.join(f'.a{i} g g g g{{fill:red}}' for i in range(3000))}</style>"
        + ("<g>" * 100 + "</g>" * 100) * 30
    ),
    "nested opacity": lambda: svg('<g style="opacity:.9">' * 200 + _FULL + "</g>" * 200, 2000),
    "nested blending": lambda: svg('<g style="mix-blend-mode:multiply">' * 200 + _FULL + "</g>" * 200, 2000),
    "many opacities": lambda: svg(f'<g opacity=".9">{_FULL}</g>' * 3000, 1000),
    "a path of a million points": lambda: svg(f'<path d="{_lines(1_000_000)}"/>'),
    "a path of 60,000 points": lambda: svg(f'<path d="{_lines(60_000)}"/>'),
    "a stroke of 200,000 points": lambda: svg(f'<path fill="none" stroke="red" d="{_lines(200_000)}"/>'),
    "dashes": lambda: svg(
        '<path fill="none" stroke="red" stroke-width="300" stroke-dasharray="0.3 0.3" d="M0 0L400 400'
        + "L0 0L400 400" * 2000
        + '"/>'
    ),
    "markers": lambda: svg(
        '<marker id="m" overflow="visible"><path d="M0 0L1 1L2 0L1 1L2 0" stroke="red"/></marker>'
        + _MARKED.format("m", "".join(f"L{i % 400} {i // 400 % 400}" for i in range(100_000)), "")
    ),
    "nested markers": lambda: svg(
        '<marker id="n"><rect width="5" height="5" opacity=".5"/></marker><marker id="m" overflow="visible">'
        + _MARKED.format("n", "L1 1L2 0" * 300, ' stroke="red"')
        + "</marker>"
        + _MARKED.format("m", "".join(f"L{i} {i // 400}" for i in range(1000)), "")
    ),
    "a text of 96 kB": lambda: svg(f'<text y="20" font-size="10">{"lorem ipsum " * 8_000}</text>'),
    "a text of 1.2 MB": lambda: svg(f'<text y="20" font-size="10">{"lorem ipsum " * 100_000}</text>'),
    "100,000 spans": lambda: svg(f'<text y="20">{"<tspan>a</tspan>" * 100_000}</text>'),
    "large letters": lambda: svg(f'<text y="20" font-size="400">{"W" * 20_000}</text>'),
    "20,000 namespaces": lambda: svg("<g/>" * 100_000).replace(
        "<svg ", "<svg " + " ".join(f'xmlns:a{i}="b"' for i in range(20_000)) + " "
    ),
    "900,000 elements": lambda: svg("<g/>" * 900_000),
    "60,000 attributes": lambda: svg("<g " + " ".join(f'a{i}="1"' for i in range(60_000)) + "/>"),
    "long entities": lambda: _entities("a", f'<!ENTITY a "{"x" * 10_000}"><!ENTITY b "{"&a;" * 90}">', "&b;" * 90),
    "entities of entities": lambda: _entities(
        "b",
        '<!ENTITY a0 "lol">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 11)),
        "&a10;",
    ),
    "uses of uses": lambda: _uses('<use xlink:href="#a{}"/>'),
    "uses that are hidden": lambda: _uses('<use href=" &#35;a{}"/>'),
    "a pattern that is hidden": lambda: svg(
        "<style>rect{fill:u\\72l(#p)}</style>"
        '<pattern id="p" width="1" height="1" patternUnits="userSpaceOnUse"><rect width="1" height="1"/></pattern>'
        '<rect width="400" height="400"/>'
    ),
    "200,000 stops": lambda: svg(
        '<linearGradient id="g">'
        + '<stop offset="0.5" stop-color="red"/>' * 200_000
        + "</linearGradient>"
        + '<rect width="400" height="400" fill="url(#g)"/>' * 50
    ),
    "a huge circle": lambda: svg('<circle cx="5e9" r="5e9" stroke="red" stroke-width="1e9" stroke-dasharray="1e-3"/>'),
    "a clip of 20,000 points": lambda: svg(
        f'<clipPath id="c"><path d="{_lines(20_000)}"/></clipPath><rect width="400" height="400" clip-path="url(#c)"/>'
    ),
}
