"""`python -m bench.costs`: what each feature takes, beside what it declares (`cost=` in its file).

Each case runs on a photograph of four megapixels, read once from top to bottom, in a process of its own: seconds of
one processor and bytes of memory, for each pixel of the larger of the picture before and after. `reckoned` is what the
budgets (`WORK_BUDGET`, `MEMORY_BUDGET`) count for it. A ratio below 1 is an estimate that is too low.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from bench import pictures
from features import CATALOGUE, edits
from imaging import Feature
from imaging.cost import Shape

SIZE = (2400, 1600)
SMALL = (1200, 800)
"""Size of the photograph for `upscale`, which takes no larger one and makes it as large as the other."""
FOLDER = pictures.CACHE.parent / "costs"
SECONDS = 300
_MEASURE = """
import ctypes, json, sys, time
import pyvips
from features import edits
from imaging import Context, Deadline, Found, ImageHeader, Label, Limits, ObjectRef, Region
from imaging import compute_saliency, to_rgb_array
from imaging.picture import Picture
photo, logo, said, weights = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
step = edits(said)[0]

class Seen:
    finds_objects = False
    def faces(self):
        # A detector of faces takes about as long as the model that finds what stands out.
        if "redEye" not in said:
            return ()
        self.salient()
        return (Region(0.3, 0.3, 0.2, 0.3),)
    def objects(self):
        return ()
    def find(self, kind, frames, overlay):
        self.salient()
        return tuple(Found(Region(0.3, 0.3, 0.2, 0.3), frame) for frame in frames)
    def salient(self):
        compute_saliency(to_rgb_array(opened().image), weights, Deadline())
    def labels(self):
        return (Label("Violence", 99.0),)

context = Context(
    objects={ObjectRef("", "logo.png"): open(logo, "rb").read()},
    limits=Limits(memory=10**12, result_pixels=10**9),
    weights=weights,
    vision=Seen(),
)

def status(name):
    return int(next(line for line in open("/proc/self/status") if line.startswith(name)).split()[1]) * 1024

def opened():
    image = pyvips.Image.new_from_file(photo, access="sequential")
    return Picture(image, ImageHeader("png", image.width, image.height, 1000))

def measured(steps):
    ctypes.CDLL(None).malloc_trim(0)
    open("/proc/self/clear_refs", "w").write("5")
    before, started = status("VmRSS"), time.process_time()
    made = opened()
    for step in steps:
        made = step.feature.apply(made, step.params, context)
    size = (made.width, made.height) if isinstance(made, Picture) else SIZE
    if isinstance(made, Picture):
        made.image.avg()
    return time.process_time() - started, status("VmHWM") - before, size

measured([])
SIZE = (opened().width, opened().height)
if step.is_expensive:
    measured([step])  # the model is opened once in a process
plain, least, _ = measured([])
seconds, memory, size = measured([step])
megapixels = max(size[0] * size[1], SIZE[0] * SIZE[1]) / 1e6
print(json.dumps([max(0.0, seconds - plain) / megapixels, max(0, memory - least) / 1e6 / megapixels]))
"""

Params = Any
LOGO = "logo.png"
DRAGGED = [1.3, 0.5, 0.5, 1.3]
CASES: dict[str, list[Params]] = {
    "affine": [
        {"matrix": DRAGGED},
        *({"matrix": DRAGGED, "interpolator": name} for name in ("nearest", "lbb", "nohalo", "vsqbs")),
    ],
    "bandbool": ["and"],
    "blur": [
        True,
        1,
        20,
        {"sigma": 31, "minAmplitude": 0.001},
        100,
        {"sigma": 5, "precision": "float"},
        {"sigma": 31.9, "minAmplitude": 0.001, "precision": "float"},
        {"sigma": 20, "precision": "approximate"},
    ],
    "boolean": [{"key": LOGO, "operator": "eor"}],
    "clahe": [{"width": 40, "height": 40}, {"width": 400, "height": 9}, {"width": 100, "height": 100}],
    "colorize": ["red"],
    "contentModeration": ["blur"],
    "contrast": [30],
    "convolve": ["0,-1,0,-1,5,-1,0,-1,0", [1] * 81, [1] * 225],
    "crop": [{"width": 1900, "height": 1500}, {"width": 1900, "height": 1500, "position": "attention"}],
    "curve": ["0,0,64,40,192,220,255,255"],
    "cutout": [
        {"useAlpha": True, "layout": "product", "width": 1500},
        {"useAlpha": True, "shadow": "cast", "outline": "3p", "background": "white"},
    ],
    "ensureAlpha": [0.5],
    "equalise": [True],
    "extend": [100, {"all": 100, "mode": "mirror"}],
    "extract": [{"width": 1900, "height": 1500}],
    "extractChannel": ["red"],
    "fill": [{"mode": mode, "width": 2600, "height": 1800} for mode in ("color", "mean", "blur")],
    "flatten": ["plum"],
    "flip": [True],
    "flop": [True],
    "frame": [LOGO],
    "gamma": [3],
    "gammaOut": [3],
    "gradient": ["black", {"color": "black", "angle": 45}],
    "grayscale": [True],
    "info": [True],
    "linear": [{"a": 1.3, "b": -20}],
    "median": [3, 21, 80],
    "modulate": [{"hue": 90, "saturation": 2}],
    "negate": [True],
    "noise": [60],
    "normalise": [True],
    "pixelate": [10],
    "quantize": [8, "auto", {"colors": 256, "dither": True}, {"criterion": "silhouette", "maxColors": 256}],
    "recomb": ["0.39,0.77,0.19,0.35,0.69,0.17,0.27,0.53,0.13"],
    "redEye": [True],
    "redact": [{"areas": "5p,5p,90p,90p"}, {"areas": "0,0,50p,50p,20p,20p,70p,70p", "shape": "ellipse"}],
    "removeAlpha": [True],
    "removeBackground": [True],
    "resize": [{"width": 800}, {"width": 4800}, {"width": 1900, "height": 500, "position": "entropy"}],
    "rotate": [90, 33],
    "roundCorners": [30],
    "roundCrop": [True],
    "sharpen": [True, 1, 10],
    "smartCropping": [{"width": 300, "height": 300}],
    "text": [
        {"text": "A line of text", "size": "5p"},
        {"text": "A line of text " * 10, "size": "5p", "stroke": "black", "strokeWidth": 8, "shadow": "black"},
    ],
    "shape": [{"color": "red", "radius": 20}, {"kind": "ellipse", "stroke": "red", "rotate": 20}],
    "threshold": [100],
    "tint": ["sienna"],
    "toColourspace": ["b-w", "rgb16"],
    "trim": [10],
    "unflatten": [True],
    "upscale": [True],
    "vividness": [2],
    "watermark": [
        {"key": LOGO, "width": 10},
        {"key": LOGO, "tile": True},
        {"key": LOGO, "width": 100, "blend": "soft-light"},
        {"key": LOGO, "width": 100, "rotate": 30, "shadow": "black"},
    ],
    "waveletSharpen": [2, {"amount": 2, "luminance": False}],
}
"""Parameters that are usual, and those that take the most."""
LEAST_SECONDS, LEAST_BYTES = 0.01, 3.0
"""For a megapixel and for a pixel: what is measured below that is noise, and ratios of it are not shown."""


def make() -> None:
    """The photograph and the overlay, where they are not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if (FOLDER / "small.png").exists():
        return
    image = pictures.mosaic(SIZE)
    image.pngsave(str(FOLDER / "photo.png"), compression=1)
    image.resize(0.1).pngsave(str(FOLDER / "logo.png"))
    pictures.mosaic(SMALL).pngsave(str(FOLDER / "small.png"), compression=1)


def measure(name: str, said: Params) -> tuple[float, float]:
    """Seconds for a megapixel, and bytes for a pixel."""
    photo = "small.png" if name == "upscale" else "photo.png"
    told = [str(FOLDER / photo), str(FOLDER / "logo.png"), json.dumps({name: said}), "weights"]
    command = [sys.executable, "-c", _MEASURE, *told]
    out = subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS).stdout
    seconds, memory = json.loads(out.splitlines()[-1])
    return seconds, memory


def reckoned(name: str, said: Params) -> tuple[float, float]:
    """What the feature declares for the same: seconds for a megapixel, and bytes for a pixel."""
    (step, *_) = (step for step in edits({name: said}) if step.feature.name == name)
    before = SMALL if name == "upscale" else SIZE
    shape = Shape(*before, bands=3)
    size = step.feature.size(step.params, before, (SIZE[0] // 10, SIZE[1] // 10)) if step.feature.size else before
    larger = max(shape.pixels, size[0] * size[1])
    cost = step.feature.cost(step.params, shape)
    held = shape.bytes if step.reads == "whole" else 0
    return cost.seconds + cost.base_seconds / larger * 1e6, cost.memory + (cost.base_memory + held) / larger


def row(feature: Feature, said: Params) -> str:
    """One line of the table."""
    shown = json.dumps(said).replace("|", "\\|")
    shown = shown if len(shown) < 70 else shown[:68] + "…"
    seconds, memory = reckoned(feature.name, said)
    measured = measure(feature.name, said)
    ratios = [
        f"{told / max(found, least):.1f}" if max(told, found) > least else "–"
        for told, found, least in ((seconds, measured[0], LEAST_SECONDS), (memory, measured[1], LEAST_BYTES))
    ]
    return (
        f"| {feature.name} | `{shown}` | {seconds:.3f} | {measured[0]:.3f} | {ratios[0]} "
        f"| {memory:.1f} | {measured[1]:.1f} | {ratios[1]} |"
    )


def main() -> None:
    make()
    print("# What each feature takes\n\nMade by `python -m bench.costs > bench/COSTS.md`; the file explains itself.\n")
    print("| feature | parameters | s/MP reckoned | measured | ratio | B/px reckoned | measured | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for feature in CATALOGUE:
        if feature.name in (sys.argv[1:] or CASES):
            for said in CASES[feature.name]:
                print(row(feature, said), flush=True)


if __name__ == "__main__":
    main()
