"""Choose the format of an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from imaging.context import Context
from imaging.errors import InvalidParameter
from imaging.formats import NEGOTIATED, WRITTEN, encoder_of, format_by_name
from imaging.formats.format import Encoder, FormatName
from imaging.params.output import Output
from imaging.picture import ImageHeader


class Planned(Protocol):
    """A finished image, or one that is still to be computed: what the choice of a format depends on."""

    @property
    def source(self) -> ImageHeader: ...
    @property
    def has_alpha(self) -> bool: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def frames(self) -> int: ...


def choose_format(picture: Planned, output: Output, context: Context) -> FormatName:
    """Return the format of a finished image. Raises InvalidParameter if it cannot do what the output requests."""
    chosen = negotiate_format(picture, output, context)
    encoder = encoder_of(chosen)
    if output.lossless and not encoder.lossless:
        raise InvalidParameter("lossless", f"left out or false for {chosen}", got=True)
    if output.lossless and picture.frames > 1 and not encoder.lossless_frames:
        raise InvalidParameter("lossless", f"left out or false for an animated {chosen}", got=True)
    return chosen


def is_negotiated(source: ImageHeader, output: Output) -> bool:
    """Return whether the format depends on what the client accepts."""
    by_default = output.format in (None, "original") and format_by_name(source.format).negotiated_by_default
    return output.negotiates or by_default


def is_shown(source: ImageHeader, context: Context) -> bool:
    """Return whether the client shows the original as it is."""
    return format_by_name(source.format).shown or source.format in context.accepts


def negotiate_format(picture: Planned, output: Output, context: Context) -> FormatName:
    """Return the format of an image, without a look at the other options."""
    if output.format in WRITTEN:
        return output.format
    if output.preferred and output.format is None:
        return _preferred(picture, output.preferred)
    original = format_by_name(picture.source.format)
    own = original.converted_to or original.name
    if not is_negotiated(picture.source, output):
        is_changed = output.auto_jpeg and output.format is None and not picture.has_alpha
        return (original.opaque_as if is_changed else "") or own
    for name in _acceptable(picture, output, context):
        return name
    return _preferred(picture, output.preferred) if output.preferred else _shown_everywhere(picture, output, own)


def _acceptable(picture: Planned, output: Output, context: Context) -> Iterator[FormatName]:
    """Yield the negotiated formats that the client accepts and that suit the image, the best first."""
    for name, rule in NEGOTIATED.items():
        is_possible = rule.lossless or not output.lossless
        limit = context.limits.auto_pixels_of.get(name)
        pixels = picture.width * picture.height * picture.frames
        is_small = limit is None or pixels <= limit * (rule.animation_factor if picture.frames > 1 else 1)
        can_animate = picture.frames == 1 or encoder_of(name).animated
        if name in context.accepts and is_possible and is_small and can_animate:
            yield name


def list_candidates(picture: Planned, output: Output, context: Context) -> list[FormatName]:
    """Return the formats among which `format=best` chooses, those that are encoded fastest first.

    They are those that the client accepts and those that every browser shows, as far as their quality can be compared.
    """
    shown = (name for name in WRITTEN if format_by_name(name).shown)
    names = dict.fromkeys((*_acceptable(picture, output, context), *shown))

    def suits(encoder: Encoder) -> bool:
        is_possible = encoder.lossless if output.lossless else encoder.lossless or encoder.scored
        takes_frames = encoder.animated if picture.frames > 1 else encoder.still
        return is_possible and (encoder.alpha or not picture.has_alpha) and takes_frames

    return sorted(
        (name for name in names if suits(encoder_of(name))), key=lambda name: encoder_of(name).seconds(output)
    )


def _preferred(picture: Planned, names: Sequence[str]) -> FormatName:
    """Return the source's format if it is preferred, else the first that can do what is needed, else the first."""
    encoders = {name: encoder_of(name) for name in names}
    needs_frames, needs_alpha = picture.frames > 1, picture.has_alpha
    able = [name for name, encoder in encoders.items() if encoder.animated or not needs_frames]
    fitting = [name for name in able if encoders[name].alpha or not needs_alpha]
    own = picture.source.format
    return own if own in names else [*fitting, *able, *names][0]


def _shown_everywhere(picture: Planned, output: Output, own: FormatName) -> FormatName:
    """Return the source's format, or the nearest that every browser shows: the first that can do what is needed."""
    # The records are read one after the other, because each is imported when it is first read.
    shown = (name for name in WRITTEN if format_by_name(name).shown)
    if picture.frames > 1:
        if own in WRITTEN and format_by_name(own).shown and encoder_of(own).animated:
            return own
        return next(name for name in shown if encoder_of(name).animated)
    if own not in WRITTEN or not format_by_name(own).shown:
        own = next(shown)
    if not encoder_of(own).alpha and (picture.has_alpha or output.lossless):
        return next(name for name in shown if encoder_of(name).alpha and encoder_of(name).lossless)
    return own
