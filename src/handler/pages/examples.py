"""The demo page's examples: at least one query for each feature."""

from __future__ import annotations

from typing import NamedTuple


class Example(NamedTuple):
    """An example: its title, its feature (empty for the output), and its query, in which `{logo}` is another key."""

    title: str
    feature: str
    query: str
    of: str = "photo"
    """The image that shows the effect best: `photo` or `logo`."""
    picture: bool = True
    """Whether the answer is an image, not a report."""
    anywhere: bool = True
    """Whether it works without AWS."""


EXAMPLES: tuple[Example, ...] = (
    Example("Resize to a width", "resize", "width=320"),
    Example("Cover a frame", "resize", "width=300&height=300"),
    Example("Find what matters", "resize", "width=200&height=300&position=attention"),
    Example("Fit in, and fill up", "resize", "width=320&height=240&fit=contain&background=goldenrod"),
    Example("Crop around the faces", "smartCropping", "feature=smartCropping&width=240&height=320"),
    Example("Cut the subject out", "removeBackground", "removeBackground=true&width=320&format=webp"),
    Example("Another background", "removeBackground", "removeBackground.background=lightsteelblue&width=320"),
    Example("Twice the size, with details", "upscale", "crop.width=160&crop.height=120&upscale=true"),
    Example("Cut off a plain border", "trim", "trim=true&width=320", of="logo"),
    Example(
        "Crop before resizing", "crop", "crop.left=25%25&crop.top=10%25&crop.width=50%25&crop.height=50%25&width=320"
    ),
    Example(
        "Extract after resizing",
        "extract",
        "width=480&extract.left=15%25&extract.top=10%25&extract.width=60%25&extract.height=60%25",
    ),
    Example("Extend by a border", "extend", "width=280&extend=20&extend.background=tomato"),
    Example("Rotate by any angle", "rotate", "width=320&rotate=15&rotate.background=steelblue"),
    Example("Flip", "flip", "width=320&flip=true"),
    Example("Flop", "flop", "width=320&flop=true"),
    Example("Blur", "blur", "width=320&blur=5"),
    Example("Sharpen", "sharpen", "width=320&sharpen=2"),
    Example("Fine details", "waveletSharpen", "width=320&waveletSharpen=2"),
    Example("More vivid", "vividness", "width=320&vividness=1.8"),
    Example("Pixelate", "pixelate", "width=320&pixelate=12"),
    Example("Grayscale", "grayscale", "width=320&grayscale=true"),
    Example("Tint", "tint", "width=320&tint=sienna"),
    Example("Brighter and stronger", "modulate", "width=320&modulate.brightness=1.2&modulate.saturation=1.5"),
    Example("Contrast", "contrast", "width=320&contrast=30"),
    Example("Flatten onto a colour", "flatten", "width=320&flatten=plum", of="logo"),
    Example(
        "Watermark",
        "watermark",
        "width=320&watermark.key={logo}&watermark.width=25&watermark.opacity=80&watermark.position=southeast",
    ),
    Example("Gradient", "gradient", "width=320&gradient=black&gradient.opacity=80&gradient.start=40"),
    Example(
        "Panel",
        "shape",
        "width=320&shape.color=rgba(0,0,0,0.6)&shape.width=60p&shape.height=30p&shape.radius=20p&shape.rotate=-6",
    ),
    Example(
        "Text",
        "text",
        "width=320&text=Hello, world&text.size=12p&text.weight=700&text.shadow=rgba(0,0,0,0.6)",
    ),
    Example("As few colours as it takes", "quantize", "width=320&quantize=auto&format=png"),
    Example("Eight colours, mixed finely", "quantize", "width=320&quantize=8&dither=true&format=png"),
    Example("Resize in linear light", "gamma", "width=320&gamma=2.2"),
    Example("Brighten", "gammaOut", "width=320&gammaOut=1.6"),
    Example("Shear", "affine", "width=280&affine=1,0.2,0.1,0.9&affine.background=steelblue"),
    Example("Median of neighbours", "median", "width=320&median=7"),
    Example("Black and white", "threshold", "width=320&threshold=110"),
    Example("Make white clear", "unflatten", "width=320&unflatten=true&format=png", of="logo"),
    Example("Sepia by a matrix", "recomb", "width=320&recomb=0.39,0.77,0.19,0.35,0.69,0.17,0.27,0.53,0.13"),
    Example("Stretch the lightness", "normalise", "width=320&normalise=true"),
    Example("Local contrast", "clahe", "width=320&clahe.width=40&clahe.height=40"),
    Example("Bits of two pictures", "boolean", "width=320&boolean={logo}&boolean.operator=eor"),
    Example("Bits of all channels", "bandbool", "width=320&bandbool=and"),
    Example("Without transparency", "removeAlpha", "width=320&removeAlpha=true", of="logo"),
    Example("With transparency", "ensureAlpha", "width=320&ensureAlpha=0.5&format=png"),
    Example("In grey", "toColourspace", "width=320&toColourspace=b-w"),
    Example("The red channel", "extractChannel", "width=320&extractChannel=red"),
    Example("Negative", "negate", "width=320&negate=true"),
    Example("Cut out an ellipse", "roundCrop", "width=320&height=240&roundCrop=true&format=png"),
    Example("Round the corners off", "roundCorners", "width=320&roundCorners=30&format=png"),
    Example("Fill up with the picture, blurred", "fill", "height=240&fit=inside&fill=blur&fill.width=420"),
    Example("Grain", "noise", "width=320&noise=60"),
    Example("Bend the tones", "curve", "width=320&curve=0,0,64,40,192,220,255,255"),
    Example("Mix a colour in", "colorize", "width=320&colorize=darkorange&colorize.red=30"),
    Example("Find edges by a kernel", "convolve", "width=320&convolve=0,-1,0,-1,4,-1,0,-1,0"),
    Example("Multiply and add", "linear", "width=320&linear=1.3&linear.b=-20"),
    Example("Spread the tones evenly", "equalise", "width=320&equalise=true"),
    Example("A frame (nine-patch)", "frame", "width=320&frame={logo}"),
    Example("A product picture", "cutout", "cutout=product&cutout.width=320"),
    Example("Hide faces", "redact", "width=320&redact=faces"),
    Example("Take the red out of eyes", "redEye", "width=320&redEye=true"),
    Example(
        "What moderation finds, with VISION=rekognition",
        "contentModeration",
        "contentModeration=report",
        picture=False,
        anywhere=False,
    ),
    Example("WebP", "", "width=320&format=webp"),
    Example("The best format that the browser takes", "", "width=320&format=auto"),
    Example("At most 8,000 bytes", "", "width=320&format=webp&maxBytes=8000"),
    Example("A report instead of a picture", "info", "feature=info", picture=False),
)

RECIPES: tuple[Example, ...] = (
    Example("Remove background", "removeBackground", "removeBackground=true&format=webp"),
    Example("Product square", "cutout", "cutout=product&format=webp"),
    Example("Smart square", "smartCropping", "smartCropping.width=400&smartCropping.height=400&format=webp"),
    Example("Blur faces", "redact", "redact=faces&redact.shape=ellipse&format=webp"),
    Example("AVIF, at most half", "", "format=avif&maxBytes={half}"),
    Example("Eight colours", "quantize", "quantize=8&format=png"),
    Example(
        "Watermark",
        "watermark",
        "watermark.key={logo}&watermark.width=25&watermark.opacity=80&watermark.position=bottom-right&format=webp",
    ),
    Example("Moderation report", "contentModeration", "contentModeration=report", picture=False, anywhere=False),
)
"""Queries that the demo page offers as buttons; `{half}` is half the original's size in bytes."""
