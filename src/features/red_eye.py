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
"""Where eyes lie in a face, as shares of its height; mouths lie below."""
_LARGEST = 0.15
"""Share of that band which pupils may take; more is a red light, or a red mask."""


class RedEye(Params):
    """Remove the red that a flash causes in the eyes of all faces, before any other edit."""


@feature(
    RedEye,
    group="effect",
    cost=lambda _wanted, _shape: Cost(0.03, 4, base_seconds=1.5, base_memory=300_000_000),
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

    def mended(frame: pyvips.Image) -> pyvips.Image:
        for face in faces:
            frame = _mended(frame, face)
        return frame

    return picture.each_frame(mended)


def _mended(frame: pyvips.Image, face: Region) -> pyvips.Image:
    """The frame with grey pupils in that face."""
    left, top = int(face.left * frame.width), int((face.top + face.height * _EYES[0]) * frame.height)
    right = int((face.left + face.width) * frame.width)
    bottom = int((face.top + face.height * _EYES[1]) * frame.height)
    if right <= left or bottom <= top:
        return frame
    eyes = frame.crop(left, top, right - left, bottom - top)
    mean = (eyes[1] + eyes[2]) / 2
    bright = 60 * level_scale(frame)
    # Red is twice what green and blue are, as Thumbor's filter has it.
    mask = ((eyes[0] > mean * 2) & (eyes[0] > bright)).copy_memory()
    share = mask.avg() / 255
    if not 0 < share <= _LARGEST:
        return frame
    # A pupil's rim is not as red as its middle: the mask grows by a fraction of the face, and fades out.
    mask = mask.gaussblur(max(0.5, eyes.width / 120)).linear([3], [0], uchar=True)
    grey = mean.cast(frame.format)
    levels = grey.bandjoin(grey).bandjoin(grey)
    levels = levels.bandjoin(eyes[3]) if eyes.bands > 3 else levels
    made = mask.ifthenelse(levels, eyes, blend=True)
    return frame.insert(made.cast(frame.format).copy(interpretation=frame.interpretation), left, top)
