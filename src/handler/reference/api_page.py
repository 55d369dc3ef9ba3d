"""Generate the API reference, `/_api/docs`: every feature with an example, every call, and the errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from html import escape

from handler.pages.documentation import Chapter, Entry, Layout, lay_out, render_in_site
from handler.reference.api_calls import group_calls, name_call, write_call, write_errors
from handler.reference.api_features import GROUPS, list_group, write_feature, write_markdown, write_part
from handler.reference.features_page import markdown_table, parameters_table, spellings_table
from handler.reference.interface import CHAIN, CONTROLS, openapi
from imaging import Output

PATH = "/_api/docs"
_INTRODUCTION = """# API reference

Every edit is a URL: the path names an image, and the query says what to do with it. Change any URL on this page and
see the result.

| Query | JSON edits | Meaning |
| --- | --- | --- |
| `?blur.sigma=3` | `{"blur": {"sigma": 3}}` | The parameter `sigma` of the feature `blur` |
| `?blur=3` | `{"blur": 3}` | The same: `sigma` is the main parameter of `blur` |
| `?width=300&height=200` | `{"resize": {"width": 300, "height": 200}}` | Short for `resize.width` and `resize.height` |
| `?feature=flip,blur&sigma=3` | `{"flip": true, "blur": {"sigma": 3}}` | Features by name; parameters need no prefix |

[Write a URL](docs/urls.md) explains the syntax and the other URL languages. Features apply [in the order of this
list](docs/features.md), whatever their order in the URL. [Compose edits](docs/compose.md) shows how to choose another
order. Programs read the same reference as an [OpenAPI document](docs/openapi.json).

An **expensive** feature runs a model, and a **billed** feature calls Amazon Rekognition. Without a signature, both
need the setting `PUBLIC_FEATURES`. The service refuses what it does not understand: see the [errors](#errors).
"""


@cache
def api_page(links: Sequence[Entry]) -> bytes:
    """Return the reference as a page of HTML in UTF-8. `links` are those of its header."""
    description = "Every feature with its parameters and an example to try, every call of the API, and the errors."
    content = "\n".join(_write_sections())
    return lay_out(
        Layout(
            PATH,
            "API reference",
            description,
            content,
            list(_list_chapters()),
            links,
            search="Find a feature, a parameter or a call",
            script="js/reference.js",
            kind="reference",
        )
    )


def _list_chapters() -> Iterator[Chapter]:
    for group, title in GROUPS.items():
        yield Chapter(title, [Entry(f"#{feature.name}", feature.name) for feature in list_group(group)])
    yield Chapter("For all features", [Entry(f"#{anchor}", title) for anchor, title, _ in _list_basics()])
    for title, calls in group_calls(openapi()):
        yield Chapter(title, [Entry(f"#{name_call(call)}", call.summary) for call in calls])


def _list_basics() -> Sequence[tuple[str, str, str]]:
    """Return anchor, title and Markdown of the sections that belong to no feature."""
    controls = markdown_table(
        ("Parameter", "Description"), ((f"`{name}`", text) for name, text in {**CONTROLS, "steps": CHAIN}.items())
    )
    return (
        ("output", "Output", f"These options decide how the result is encoded.\n\n{parameters_table(Output)}"),
        ("controls", "Source, presets and signature", controls),
        ("spellings", "Values", f"In a URL, 25 percent is written `25p`, or `25%25`.\n\n{spellings_table()}"),
        ("errors", "Errors", write_errors(openapi())),
    )


def _write_sections() -> Iterator[str]:
    yield render_in_site("README.md", _INTRODUCTION).html
    for group, title in GROUPS.items():
        features = list_group(group)
        yield f'<div class="group-of-parts"><h2 class="group-title" id="group-{group}">{title}</h2>'
        yield from map(write_feature, features)
        yield "</div>"
    yield '<div class="group-of-parts"><h2 class="group-title" id="group-all">For all features</h2>'
    for anchor, title, text in _list_basics():
        yield write_part(anchor, title, (title, text), write_markdown(text))
    yield "</div>"
    for title, calls in group_calls(openapi()):
        yield f'<div class="group-of-parts"><h2 class="group-title">{escape(title)}</h2>'
        yield from map(write_call, calls)
        yield "</div>"
