"""From a path behind its signature to a request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from handler.core.errors import Forbidden, HandlerError, InvalidURL
from handler.requests.dialects.dialect import Faults
from handler.requests.dialects.imgproxy.arguments import Arguments
from handler.requests.dialects.imgproxy.configuration import Configuration
from handler.requests.dialects.imgproxy.handlers import ALIASES, HANDLERS, PRESET
from handler.requests.dialects.imgproxy.info import parse_info
from handler.requests.dialects.imgproxy.options import Collected
from handler.requests.dialects.imgproxy.output import build_output
from handler.requests.dialects.imgproxy.paid import REFUSED
from handler.requests.dialects.imgproxy.path import PIPELINE, ImgproxyPath, mend, split_path
from handler.requests.dialects.imgproxy.saving import name_after
from handler.requests.dialects.imgproxy.source import describe_original
from handler.requests.dialects.imgproxy.steps import build_steps
from handler.requests.parsed_request import ParsedRequest, Recipe
from imaging import InvalidParameter, suggest

_MAX_OPTIONS = 10_000
"""More than a path has room for; presets that name presets could multiply them without a bound."""


def parse_rest(rest: str, configuration: Configuration | None, faults: Faults) -> ParsedRequest:
    """Parse a mended path behind its signature. Raise InvalidURL, NotFound, or Forbidden for what is not allowed."""
    configuration = configuration or Configuration()
    path = split_path(
        rest,
        configuration.separator,
        only_presets=configuration.only_presets,
        has_filename=configuration.has_filename,
        decrypt=configuration.decrypt,
    )
    collected = collect_options(path, configuration, faults)
    if not path.encrypted:
        name_after(path.source, collected)
    try:
        recipe = build_recipe(collected, configuration)
    except InvalidParameter as error:
        raise InvalidURL(error.name, error.expected, error.got) from None
    return ParsedRequest(
        **describe_original(path, configuration),
        recipe=recipe,
        controls=_controls(collected),
        is_preset=configuration.only_presets,
    )


def collect_options(path: ImgproxyPath, configuration: Configuration, faults: Faults) -> Collected:
    """Return what the options, the presets among them and the extension set. Raise InvalidURL or Forbidden."""
    collected = Collected(faults=faults)
    if "default" in configuration.presets:
        _apply_preset("default", collected, configuration, ())
    if configuration.only_presets:
        for name in path.options[0]:
            _apply_preset(name, collected, configuration, ())
    else:
        apply_options(path.options, collected, configuration, ())
    if path.extension and not collected.saving.raw:
        collected.at = 0
        _apply("format", [path.extension], collected)
    return collected


def apply_options(
    options: Sequence[Sequence[str]], collected: Collected, configuration: Configuration, presets: tuple[str, ...]
) -> None:
    """Apply options in their order; `presets` are those that they stand in."""
    first = collected.at
    for name, *texts in options:
        collected.count += 1
        if collected.count > _MAX_OPTIONS:
            raise InvalidURL("path", f"at most {_MAX_OPTIONS} options, those of presets among them", "more")
        if name == PIPELINE and not texts:
            collected.next_pipeline()
            continue
        if not presets and configuration.allowed_options and name not in configuration.allowed_options:
            raise InvalidURL(name, "one of IMGPROXY_ALLOWED_PROCESSING_OPTIONS", name)
        if ALIASES.get(name, name) == PRESET:
            for preset in texts:
                _apply_preset(preset, collected, configuration, presets)
        else:
            _apply(name, texts, collected)
    # The pipelines of a preset begin where it stands, and what follows it belongs to that one again.
    collected.at = first if presets else collected.at


def _apply(name: str, texts: list[str], collected: Collected) -> None:
    long = ALIASES.get(name, name)
    if long in REFUSED:
        written = ":".join((name, *texts))
        collected.faults.tolerate(InvalidURL(name, f"left out, because {REFUSED[long]}", written))
        return
    handler = HANDLERS.get(long)
    if handler is None:
        similar = suggest(name, (*HANDLERS, *ALIASES))
        raise InvalidURL(name, f"an option of imgproxy{similar}", ":".join((name, *texts)))
    handler.apply(Arguments(name, texts, handler.max_arguments, collected.faults), collected)


def _apply_preset(name: str, collected: Collected, configuration: Configuration, within: tuple[str, ...]) -> None:
    """Apply the options of a preset where it stands; one that comes back inside itself is skipped."""
    if name in within:
        return
    if name in configuration.presets:
        options = [part.split(configuration.separator) for part in configuration.presets[name].split("/")]
        apply_options(options, collected, configuration, (*within, name))
    elif name in configuration.service_presets and collected.service_preset in ("", name):
        collected.service_preset = name
    else:
        raise InvalidURL(PRESET, "a known preset", name)


def build_recipe(collected: Collected, configuration: Configuration) -> Recipe:
    """Return the steps and the output options. Raise InvalidParameter."""
    steps = tuple(step for pipeline in collected.pipelines for step in build_steps(pipeline, configuration))
    return Recipe(steps, build_output(collected, configuration))


def _controls(collected: Collected) -> dict[str, str]:
    controls = {"preset": collected.service_preset} if collected.service_preset else {}
    if collected.saving.expires > 0:
        try:
            end = datetime.fromtimestamp(collected.saving.expires, UTC)
        except (OverflowError, ValueError, OSError):
            return controls  # a time beyond the year 9999 is never
        controls["expires"] = f"{end:%Y%m%dT%H%M%SZ}"
    return controls


def parse_unsigned(head: str, rest: str, configuration: Configuration | None, faults: Faults) -> ParsedRequest:
    """Parse a path whose first segment stands for no signature. Raise InvalidURL, NotFound or Forbidden."""
    configuration = configuration or Configuration()
    if configuration.separator in head:
        # An option in the place of the signature: the URL was written without one.
        raise Forbidden(f"the path must begin with a signature or `unsafe`, got {head[:60]!r}")
    return parse_rest(mend(rest), configuration, faults)


def parse_unsigned_info(head: str, rest: str, configuration: Configuration | None, faults: Faults) -> ParsedRequest:
    """Parse a path of the info endpoint, whose segment behind `info` stands for no signature."""
    configuration = configuration or Configuration()
    if configuration.only_presets:
        raise Forbidden("only presets are allowed here (PRESETS_ONLY), got the info endpoint")
    if configuration.separator in head:
        raise Forbidden(f"the path must hold a signature or `unsafe` behind `info`, got {head[:60]!r}")
    return parse_info(rest, configuration, faults)


def parse_preset(text: str, where: str, configuration: Configuration | None = None) -> Recipe:
    """Return the recipe of options that are written as a preset. Raise InvalidParameter."""
    configuration = configuration or Configuration()
    collected = Collected()
    options = [part.split(configuration.separator) for part in text.split("/")]
    try:
        apply_options(options, collected, configuration, (where,))
        return build_recipe(collected, configuration)
    except InvalidParameter as error:
        raise InvalidParameter(f"{where}.{error.name}", error.expected, error.got) from None
    except HandlerError:
        raise InvalidParameter(where, "options of imgproxy that may be in a preset", text) from None
