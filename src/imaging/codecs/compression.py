"""How an image is encoded in as few bytes as the requested quality allows.

1. The colour resolution follows the content (`keeps_color` of imaging.formats.content).
2. `quality=auto` takes the lowest quality whose score of similarity reaches the target, and `format=best` the format
   that is the smallest at its own lowest quality. Both are found on a sample of the pixels, as long as there is time.
3. `maxBytes` lowers the quality from there, or the number of colours (`reduced_outputs`, `fit_bytes`).
4. No answer is larger than an original that needs no change (`imaging.pipeline.run.smaller_of`).

Import this module only for a request that needs 2 or 3.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pyvips

from imaging.codecs.cost import encoding_seconds, limit_effort, uninterruptible_encoding_seconds
from imaging.codecs.negotiation import list_candidates
from imaging.codecs.save import fit_pixels, hold_in_memory, save
from imaging.context import MEGA, Context
from imaging.deadlines.vips_watchdog import watched
from imaging.formats import encoder_of
from imaging.formats.format import Encoder, FormatName
from imaging.params.output import Output
from imaging.picture import Picture

if TYPE_CHECKING:
    from imaging.codecs.similarity import Reference

Image = Any
"""A pyvips image; its stubs know no names of enumerations."""

TARGET = 70.0
"""The usual score: a high quality, in which only a trained eye finds differences."""
MAX_TRIALS = 6
"""Encodings of the sample in one format."""
SAMPLE_PIXELS = 600_000
_TILE = 128
"""Side in pixels of the squares that a sample of a larger image consists of: a multiple of all encoders' blocks."""
_LOWEST, _HIGHEST = 20, 95
_ENOUGH = 0.7
"""A score that is above its target by no more than this ends the search."""
_SLOPE = 0.7
"""About how much the score rises with one step of the quality, for the second guess."""
_SCORE_SECONDS = 0.3
"""Seconds of one processor per megapixel for decoding and scoring a sample."""


class _Candidate(NamedTuple):
    """A format with its options, and the bytes of the sample."""

    format: FormatName
    output: Output
    size: float


def settle(picture: Picture, chosen: FormatName, output: Output, context: Context) -> tuple[Picture, Output]:
    """Return the image in memory, and the output with the format and the quality that are found.

    `chosen` is the format that the client gets where nothing is found. Raises TooLarge or TimeExceeded.
    """
    picture, graphic = hold_in_memory(picture, context.deadline)
    search = _Search(picture, graphic, context)
    if output.format != "best":
        return picture, search.lowest_quality(chosen, output).output
    found = [
        candidate
        for name in list_candidates(picture, output, context)
        for candidate in search.candidates_of(name, msgspec.structs.replace(output, format=name))
    ]
    usual = msgspec.structs.replace(output, format=chosen, quality=output.fixed_quality)
    return picture, min(found, key=lambda candidate: candidate.size).output if found else usual


def reduced_outputs(encoder: Encoder, output: Output) -> list[Output]:
    """Return outputs that take ever fewer bytes, the requested one first: with less quality, or with fewer colours."""
    if encoder.palette_sizes:
        if not (output.palette or output.colors):
            return [output]  # Fewer colours change an image beyond recognition, so they are for those who ask for them.
        fewer = [size for size in encoder.palette_sizes if size < (output.colors or 257)]
        return [output, *(msgspec.structs.replace(output, palette=True, colors=size) for size in fewer)]
    if output.lossless or not encoder.default_quality:
        return [output]
    quality = output.fixed_quality or encoder.default_quality
    return [
        output,
        *(
            msgspec.structs.replace(output, quality=lower)
            for lower in range(quality - 1, (output.quality_min or 1) - 1, -1)
        ),
    ]


class _Search:
    """Encodes a sample of one image with ever other options, as long as there is time for that."""

    def __init__(self, picture: Picture, graphic: bool, context: Context) -> None:
        self._picture, self._graphic, self._context = picture, graphic, context
        self._pixels = picture.width * picture.height * picture.frames
        self._work = 0.0
        """Seconds of a processor that the trials have taken, as they are estimated."""
        self._samples: dict[bool, Image] = {}
        self._references: dict[bool, Reference] = {}

    def candidates_of(self, name: FormatName, output: Output) -> list[_Candidate]:
        """Return what a format offers for `format=best`: without loss where that suits it, and with a loss."""
        encoder = encoder_of(name)
        offers_lossless = encoder.lossless and (self._graphic or output.lossless or not encoder.scored)
        found = []
        if offers_lossless and self._has_time(name, output):
            without_loss = msgspec.structs.replace(output, lossless=encoder.scored or output.lossless, quality=None)
            found.append(_Candidate(name, without_loss, len(self._encode(name, without_loss))))
        if encoder.scored and not output.lossless:
            lossy = self.lowest_quality(name, output)
            found += [lossy] if math.isfinite(lossy.size) else []
        return found

    def lowest_quality(self, name: FormatName, output: Output) -> _Candidate:
        """Return the lowest quality that reaches the target, or the format's usual one where there is no time."""
        encoder, own = encoder_of(name), output.for_format(name)
        sizes: dict[int, int] = {}
        if not encoder.scored or own.lossless:
            return _Candidate(name, msgspec.structs.replace(own, quality=None), math.inf)
        if own.fixed_quality is not None:
            # Only the format is looked for.
            size = len(self._encode(name, own)) if self._has_time(name, own) else math.inf
            return _Candidate(name, own, size)

        def score(quality: int) -> float | None:
            trial = msgspec.structs.replace(own, quality=quality)
            if not self._has_time(name, trial):
                return None
            body = self._encode(name, trial)
            sizes[quality] = len(body)
            return self._score(body, encoder)

        target = own.quality_target.of(name) if own.quality_target else None
        bounds = (own.quality_min or _LOWEST, own.quality_max or _HIGHEST)
        quality = find_lowest(score, bounds, encoder.default_quality, target or TARGET)
        return _Candidate(name, msgspec.structs.replace(own, quality=quality), sizes.get(quality or 0, math.inf))

    def _has_time(self, name: FormatName, output: Output) -> bool:
        """Return whether one more trial leaves enough time and work for the encoding of the whole image."""
        sample = min(self._pixels, SAMPLE_PIXELS)
        output = limit_effort(name, output, self._pixels)
        plain = msgspec.structs.replace(output, max_bytes=None)
        alpha = self._picture.has_alpha
        trial = encoding_seconds(name, plain, sample, alpha=alpha) + _SCORE_SECONDS * sample / MEGA
        whole = encoding_seconds(name, output, self._pixels, alpha=alpha)
        fixed = uninterruptible_encoding_seconds(
            name, output, self._pixels, self._picture.frames, graphic=self._graphic
        )
        has_time = self._context.deadline.leaves_room_for(2 * trial + max(whole, fixed))
        if not has_time or self._work + trial + whole > self._context.limits.work:
            return False
        self._work += trial
        return True

    def _encode(self, name: FormatName, output: Output) -> bytes:
        encoder, deadline = encoder_of(name), self._context.deadline
        deadline.check()
        image = fit_pixels(self._sample(encoder), encoder, output)
        with watched(image, deadline):
            return save(image, name, limit_effort(name, output, self._pixels), graphic=self._graphic, deadline=deadline)

    def _score(self, body: bytes, encoder: Encoder) -> float:
        from imaging.codecs.similarity import Reference  # noqa: PLC0415 - it imports numpy, which `maxBytes` needs not

        sample = self._sample(encoder)
        if encoder.alpha not in self._references:
            self._references[encoder.alpha] = Reference(sample)
        decoded: Image = pyvips.Image.new_from_buffer(body, "")
        with watched(decoded, self._context.deadline):
            return self._references[encoder.alpha].score(decoded)

    def _sample(self, encoder: Encoder) -> Image:
        """Return the sample with the bands and the depth that the format can store."""
        if encoder.alpha not in self._samples:
            # The matte does not change how much a loss is seen.
            image = fit_pixels(take_sample(self._picture), encoder, Output())
            self._samples[encoder.alpha] = image.copy_memory()
        return self._samples[encoder.alpha]


def take_sample(picture: Picture) -> Image:
    """Return the middle frame, or of a large one as many squares as a sample may have, evenly spread over it."""
    width, height = picture.width, picture.height
    frame = picture.image.crop(0, picture.frames // 2 * height, width, height)
    if width * height <= SAMPLE_PIXELS:
        return frame
    shrink = math.sqrt(SAMPLE_PIXELS / (width * height))
    across, down = (max(1, round(side * shrink / _TILE)) for side in (width, height))
    tile_width, tile_height = min(_TILE, width), min(_TILE, height)
    tiles = [
        frame.crop(left, top, tile_width, tile_height)
        for top in _spread(height, tile_height, min(down, height // tile_height))
        for left in _spread(width, tile_width, min(across, width // tile_width))
    ]
    return pyvips.Image.arrayjoin(tiles, across=min(across, width // tile_width))


def _spread(side: int, tile: int, count: int) -> list[int]:
    """Return the starts of tiles along a side, in the middles of equal parts of it."""
    return [int((number + 0.5) * side / count - tile / 2) for number in range(count)]


def find_lowest(score: Any, bounds: tuple[int, int], first: int, target: float) -> int | None:
    """Return the lowest quality between the bounds whose score reaches the target, or the upper one if none does.

    `score` returns None when time is up; the lowest quality that was found until then is returned, or None for none.
    Each guess interpolates between the nearest scores on both sides.
    """
    low, high = bounds
    known: dict[int, float] = {}
    below, above = low - 1, high + 1
    guess = min(max(first, low), high)
    while len(known) < MAX_TRIALS and below + 1 < above:
        found = score(guess)
        if found is None:
            break
        known[guess] = found
        if found >= target:
            above = guess
            if found <= target + _ENOUGH:
                break
        else:
            below = guess
        guess = _next_guess(known, below, above, target)
    if above <= high:
        return above
    return high if known else None


def _next_guess(known: dict[int, float], below: int, above: int, target: float) -> int:
    """Return the quality at which the target is expected, between two others."""
    if below in known and above in known:
        share = (target - known[below]) / max(known[above] - known[below], 0.01)
        guess = below + math.ceil(share * (above - below))
    else:
        quality = below if below in known else above
        guess = quality + math.ceil((target - known[quality]) / _SLOPE)
    return min(max(guess, below + 1), above - 1)
