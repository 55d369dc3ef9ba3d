"""Remove the red that a flash causes in the eyes of all faces, before any other edit."""

from __future__ import annotations

import pyvips

from imaging.context import Context
from imaging.cost import Cost
from imaging.detection import Region
from imaging.ops.geometry import level_scale
from imaging.params.model import Params
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_EYES = (0.15, 0.6)
"""Top and bottom of the band of a face that contains the eyes, as fractions of its height; the mouth is below it."""
_LARGEST = 0.15
"""Largest fraction of that band that red pupils can cover; a larger red area is not corrected."""


class RedEye(Params):
    """Remove the red that a flash causes in the eyes of all faces, before any other edit."""


@feature(
    RedEye,
    group="effect",
    cost=lambda _requested, _shape: Cost(0.03, 4, base_seconds=1.5, base_memory=300_000_000),
    reads="whole",
    expensive=True,
    billed=True,
    scale_free=True,
)
def red_eye(picture: Picture, requested: RedEye, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    faces = context.vision.faces()
    if not faces or picture.image.bands < 3:
        return picture
    picture = picture.materialized()

    def correct(frame: pyvips.Image) -> pyvips.Image:
        for face in faces:
            frame = _corrected(frame, face)
        return frame

    return picture.each_frame(correct)


def _corrected(frame: pyvips.Image, face: Region) -> pyvips.Image:
    """Return the frame with grey instead of red pupils in one face."""
    left, top = int(face.left * frame.width), int((face.top + face.height * _EYES[0]) * frame.height)
    right = int((face.left + face.width) * frame.width)
    bottom = int((face.top + face.height * _EYES[1]) * frame.height)
    if right <= left or bottom <= top:
        return frame
    eyes = frame.crop(left, top, right - left, bottom - top)
    mean = (eyes[1] + eyes[2]) / 2
    bright = 60 * level_scale(frame)
    # As in Thumbor's filter, a pixel counts as red if red is more than twice the mean of green and blue.
    mask = ((eyes[0] > mean * 2) & (eyes[0] > bright)).copy_memory()
    share = mask.avg() / 255
    if not 0 < share <= _LARGEST:
        return frame
    # The rim of a pupil is less red than its centre, so the mask is enlarged by a fraction of the face and fades out.
    mask = mask.gaussblur(max(0.5, eyes.width / 120)).linear([3], [0], uchar=True)
    grey = mean.cast(frame.format)
    levels = grey.bandjoin(grey).bandjoin(grey)
    levels = levels.bandjoin(eyes[3]) if eyes.bands > 3 else levels
    corrected = mask.ifthenelse(levels, eyes, blend=True)
    return frame.insert(corrected.cast(frame.format).copy(interpretation=frame.interpretation), left, top)
