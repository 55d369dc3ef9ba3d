"""The sections of the API reference about features: example picture, URL to try, and parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from urllib.parse import quote

from features import CATALOGUE, feature_aliases
from handler.pages import EXAMPLES, Example
from handler.pages.documentation import find_image, render_in_site
from handler.reference.features_page import describe_feature
from imaging import Feature, fields

GROUPS: Mapping[str, str] = {
    "geometry": "Size and shape",
    "colour": "Colour",
    "effect": "Effects",
    "overlay": "Overlays",
    "report": "Reports",
}
"""The title of each group of features, in the order of the page."""
SOURCES = {"photo": "photos/astronaut.jpg", "logo": "logo.png"}
"""The sample for each kind of example."""
_SAFE = "/:.,()+*{}[]%&=!"


def list_group(group: str) -> Sequence[Feature]:
    """Return the features of a group in the order in which they apply."""
    return [feature for feature in CATALOGUE if feature.group == group]


def write_markdown(text: str) -> str:
    """Return Markdown as HTML, with links that work on this page."""
    return render_in_site("docs/features.md", text).html


def write_part(anchor: str, title: str, words: Iterable[str], content: str, marks: Iterable[str] = ()) -> str:
    """Return a section of the page. `words` are those by which the filter finds it, `content` is HTML."""
    badges = "".join(f' <span class="mark">{escape(mark)}</span>' for mark in marks)
    link = f'<a class="anchor" href="#{anchor}" aria-label="Link to {escape(title)}">#</a>'
    return (
        f'<section class="part" id="{anchor}" data-words="{escape(" ".join(words).lower())}">\n'
        f"<h3>{escape(title)}{badges} {link}</h3>\n{content}</section>"
    )


def write_feature(feature: Feature) -> str:
    """Return the section of a feature."""
    marks = [word for word, is_so in (("expensive", feature.expensive), ("billed", feature.billed)) if is_so]
    examples = [_write_example(feature.name, each) for each in EXAMPLES if each.feature == feature.name][:1]
    content = "\n".join((*examples, write_markdown(describe_feature(feature))))
    return write_part(feature.name, feature.name, _list_words(feature), content, marks)


def example_address(example: Example) -> str:
    """Return the URL of an example on a server with the samples."""
    return f"/{SOURCES[example.of]}?{quote(example.query.replace('{logo}', SOURCES['logo']), safe=_SAFE)}"


def _write_example(name: str, example: Example) -> str:
    """Return the example of a feature: its picture, if there is one, and its URL in a field to change it."""
    address = escape(example_address(example))
    image = find_image(f"features/{name}.webp")
    size = f'width="{image.width}" height="{image.height}"' if image else ""
    alt = escape(example.title)
    shown = f'<img src="{image.address}" {size} loading="lazy" alt="{alt}">' if image else ""
    return (
        f'<div class="example"><figure>{shown}</figure><form class="try">'
        f'<label for="try-{name}">{escape(example.title)}</label>'
        f'<textarea id="try-{name}" rows="2" spellcheck="false" autocapitalize="off">{address}</textarea>'
        '<div class="buttons"><button class="primary" type="submit">Try it</button>'
        '<button type="button" class="copy">Copy URL</button></div>'
        '<p class="note" role="status"></p></form></div>'
    )


def _list_words(feature: Feature) -> Iterator[str]:
    """Yield the words by which a reader may look for a feature."""
    yield from (feature.name, feature.help, *feature_aliases(feature.name))
    for field in fields(feature.params).values():
        yield from (f"{feature.name}.{field.name}", *field.aliases, field.description)
    yield from (example.title for example in EXAMPLES if example.feature == feature.name)
