"""The filters of imagor that change colours and sharpness; formulas as in processor/vipsprocessor/filter.go."""

from __future__ import annotations

from handler.requests.dialects.imagor.collector import Filter, ImagorSteps
from handler.requests.dialects.thumbor.arguments import Arguments, Usage

_MIN_SIGMA, _MAX_SHARPENING = 0.3, 10.0


def _add_blur(steps: ImagorSteps, arguments: Arguments) -> None:
    sigma = arguments.number(len(arguments) - 1) / 2
    if sigma <= 0:
        arguments.refuse("a sigma above 0")
    if sigma >= _MIN_SIGMA:
        steps.add(arguments.where, "blur", sigma=min(1000.0, sigma))


def _add_sharpening(steps: ImagorSteps, arguments: Arguments) -> None:
    sigma = 1 + 2 * arguments.number(min(1, len(arguments) - 1))
    if sigma <= 0:
        arguments.refuse("a sigma above -0.5")
    steps.add(arguments.where, "sharpen", sigma=min(_MAX_SHARPENING, sigma), m1=0.0, m2=2.0, x1=1.0)


def _percent(arguments: Arguments, at: int) -> float:
    """Return a percentage from -100 to 100."""
    number = arguments.number(at)
    if not -100 <= number <= 100:
        arguments.tolerate("numbers from -100 to 100")
    return min(100.0, max(-100.0, number))


def _add_brightness(steps: ImagorSteps, arguments: Arguments) -> None:
    steps.add(arguments.where, "linear", b=[_percent(arguments, 0) * 2.55])


def _add_contrast(steps: ImagorSteps, arguments: Arguments) -> None:
    amount = _percent(arguments, 0) * 2.55
    factor = 259 * (amount + 255) / (255 * (259 - amount))
    steps.add(arguments.where, "linear", a=[factor], b=[128 - 128 * factor])


def _add_rgb(steps: ImagorSteps, arguments: Arguments) -> None:
    steps.add(arguments.where, "linear", b=[_percent(arguments, at) * 2.55 for at in range(3)])


def _degrees(arguments: Arguments, at: int) -> int:
    return round(arguments.number(at)) % 360


def _add_hue(steps: ImagorSteps, arguments: Arguments) -> None:
    steps.add(arguments.where, "modulate", hue=_degrees(arguments, 0))


def _add_saturation(steps: ImagorSteps, arguments: Arguments) -> None:
    steps.add(arguments.where, "modulate", saturation=1 + _percent(arguments, 0) / 100)


def _add_modulation(steps: ImagorSteps, arguments: Arguments) -> None:
    brightness, saturation = (1 + _percent(arguments, at) / 100 for at in (0, 1))
    steps.add(arguments.where, "modulate", brightness=brightness, saturation=saturation, hue=_degrees(arguments, 2))


def _add_grayscale(steps: ImagorSteps, arguments: Arguments) -> None:
    steps.add(arguments.where, "grayscale")


def _add_pixels(steps: ImagorSteps, arguments: Arguments) -> None:
    steps.add(arguments.where, "pixelate", size=arguments.integer(0, 10, min_value=2, max_value=1000))


FILTERS = {
    "blur": Filter(Usage(1, 2, "blur(SIGMA)"), _add_blur),
    "brightness": Filter(Usage(1, 1, "brightness(-100 to 100)"), _add_brightness),
    "contrast": Filter(Usage(1, 1, "contrast(-100 to 100)"), _add_contrast),
    "grayscale": Filter(Usage(0, 0, "grayscale()"), _add_grayscale),
    "hue": Filter(Usage(1, 1, "hue(DEGREES)"), _add_hue),
    "modulate": Filter(Usage(3, 3, "modulate(BRIGHTNESS,SATURATION,HUE)"), _add_modulation),
    "pixelate": Filter(Usage(0, 1, "pixelate([SIDE])"), _add_pixels),
    "rgb": Filter(Usage(3, 3, "rgb(RED,GREEN,BLUE)"), _add_rgb),
    "saturation": Filter(Usage(1, 1, "saturation(-100 to 100)"), _add_saturation),
    "sharpen": Filter(Usage(1, 3, "sharpen(SIGMA)"), _add_sharpening),
}
