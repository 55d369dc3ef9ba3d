"""The colours of half-clear edges without what shone through from the background.

Around hair and fur each pixel mixes subject and background, and a cut-out that keeps the mixture has a halo in the
colours of the old background. So both are estimated from their surroundings and the background's share is taken out,
by blur fusion (Forte, 2021, arXiv:2006.14970), first coarsely, then finely. What is estimated is smooth, so a reduced
copy will do; the correction itself is made at full size.
"""

from __future__ import annotations

import pyvips

_SIDE = 160
"""Pixels a side of the reduced copy, whatever the proportions of the picture."""
_COARSER = 4
_COARSE, _FINE = 1.25, 1.0
"""Sigma in pixels of the coarser and of the finer copy: about 3 % and 0.6 % of a side."""
_LEAST = 1e-3


def unmixed(image: pyvips.Image, alpha: pyvips.Image) -> pyvips.Image:
    """Three bands: the colours of the subject alone where it is half clear, and black where it is clear."""
    width, height = image.width, image.height
    small = _at(image, _SIDE, _SIDE).cast("float")
    both = _estimated(small, _at(alpha, _SIDE, _SIDE) / 255).cast("uchar")
    both = _at(both, width, height)
    subject, background = both[:3], both[3:]
    share = alpha / 255
    mended = subject + (image - background - (subject - background) * share) * share
    half_clear = (alpha > 0) & (alpha < 255)
    # Only tiles that have such pixels are computed.
    return half_clear.ifthenelse(mended.cast("uchar"), cleared(image, alpha))


def cleared(image: pyvips.Image, alpha: pyvips.Image) -> pyvips.Image:
    """The colours as they are, black where the picture is clear: nothing of the background leaves unseen."""
    return (alpha > 0).ifthenelse(image, 0)


def _estimated(image: pyvips.Image, share: pyvips.Image) -> pyvips.Image:
    """Colours of subject and background everywhere, as six bands."""
    coarse, coarse_share = image.shrink(_COARSER, _COARSER), share.shrink(_COARSER, _COARSER)
    both = _spread(coarse, coarse_share, _COARSE).bandjoin(_spread(coarse, 1 - coarse_share, _COARSE))
    both = _at(both, image.width, image.height)
    subject, background = both[:3], both[3:]
    subject = _in_range(subject + (image - subject * share - background * (1 - share)) * share)
    return _spread(subject, share, _FINE).bandjoin(_spread(image, 1 - share, _FINE))


def _spread(image: pyvips.Image, weight: pyvips.Image, sigma: float) -> pyvips.Image:
    """Each pixel's surroundings, by their weights."""
    blurred = (image * weight).bandjoin(weight).gaussblur(sigma, precision="float")
    return blurred[:3] / (blurred[3] + _LEAST)


def _in_range(image: pyvips.Image) -> pyvips.Image:
    return (image < 0).ifthenelse(0, (image > 255).ifthenelse(255, image))


def _at(image: pyvips.Image, width: int, height: int) -> pyvips.Image:
    return image.resize(width / image.width, vscale=height / image.height, kernel="linear")
