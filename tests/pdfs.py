"""PDF documents, written object by object, sound and hostile."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

RED_BOX = b"1 0 0 rg 20 30 40 50 re f"
"""Draws a red rectangle, 20 points from the left, 30 from the bottom, 40 wide and 50 high."""


def pdf(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """A document of these objects, which are numbered from 1; the first one is its root."""
    body, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    return body + head + b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (count, trailer, len(body))


def stream(content: bytes, more: bytes = b"", *, packed: bool = False) -> bytes:
    """A stream, compressed if it is to be."""
    if packed:
        content, more = zlib.compress(content, 9), more + b"/Filter/FlateDecode"
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), more, content)


def page(
    content: bytes = RED_BOX,
    *,
    box: bytes = b"0 0 100 200",
    resources: bytes = b"",
    root: bytes = b"",
    more: bytes = b"",
    others: Sequence[bytes] = (),
    packed: bool = False,
    trailer: bytes = b"",
) -> bytes:
    """A document of one page; `others` are objects from number 5 on."""
    kid = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R/Resources<<%s>>%s>>" % (box, resources, more)
    catalog = b"<</Type/Catalog/Pages 2 0 R%s>>" % root
    tree = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return pdf([catalog, tree, kid, stream(content, packed=packed), *others], trailer)


def pages(*boxes: bytes) -> bytes:
    """A document of pages of these sizes, which are empty."""
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(len(boxes)))
    tree = b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(boxes))
    return pdf(
        [b"<</Type/Catalog/Pages 2 0 R>>", tree, *(b"<</Type/Page/Parent 2 0 R/MediaBox[%s]>>" % box for box in boxes)]
    )


def text(words: bytes, font: bytes = b"Helvetica") -> bytes:
    """A page with a text in a font that is not in the document."""
    resources = b"/Font<</F1<</Type/Font/Subtype/Type1/BaseFont/%s>>>>" % font
    return page(b"BT /F1 20 Tf 10 100 Td (%s) Tj ET" % words, resources=resources)


def encrypted() -> bytes:
    """A document that needs a password, of which nobody knows one."""
    dictionary = b"/Encrypt<</Filter/Standard/V 2/R 3/Length 128/P -44/O<%s>/U<%s>>>" % (b"41" * 32, b"42" * 32)
    return page(trailer=dictionary + b"/ID[<0123456789abcdef0123456789abcdef><0123456789abcdef0123456789abcdef>]")


def with_actions() -> bytes:
    """A page with scripts, a form of XFA, an attachment and links, all of which act when the document opens."""
    script = b"<</S/JavaScript/JS(app.alert\\('x'\\);this.submitForm\\('http://127.0.0.1:9/'\\);)>>"
    root = (
        b"/OpenAction %s/AA<</WC %s>>/Names<</JavaScript<</Names[(a)%s]>>/EmbeddedFiles<</Names[(a.exe)5 0 R]>>>>"
        b"/AcroForm<</Fields[]/XFA 6 0 R>>" % (script, script, script)
    )
    file = b"<</Type/Filespec/F(a.exe)/EF<</F 7 0 R>>>>"
    link = b"/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 100 200]/A<</S/Launch/F(/bin/sh)>>>>]/AA<</O %s>>" % script
    return page(root=root, more=link, others=[file, stream(b"<xdp/>"), stream(b"MZ" * 99)])


def of_nested_forms(width: int, depth: int) -> bytes:
    """Forms that draw the next one so many times each."""
    last = 5 + depth
    forms = [
        stream(
            b"/X Do " * width, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X %d 0 R>>>>" % next_
        )
        for next_ in range(6, last + 1)
    ]
    end = stream(b"0 0 9 9 re f " * 9, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]")
    return page(b"/X Do", resources=b"/XObject<</X 5 0 R>>", others=[*forms, end])


def of_itself() -> bytes:
    """A form that draws itself."""
    form = stream(b"/X Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>")
    return page(b"/X Do", resources=b"/XObject<</X 5 0 R>>", others=[form])


def of_page_tree_loop() -> bytes:
    """A tree of pages that is its own branch."""
    return pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>"])


def of_page_tree_depth(depth: int) -> bytes:
    """A tree of pages with branches in branches."""
    branches = [b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (number + 1) for number in range(2, depth + 2)]
    return pdf([b"<</Type/Catalog/Pages 2 0 R>>", *branches, b"<</Type/Page/MediaBox[0 0 9 9]>>"])


def of_drawing(operators: bytes, count: int) -> bytes:
    """A page that draws the same again and again; it is small because it is compressed."""
    return page(operators * count, packed=True)


def of_image(side: int, content: bytes = b"", filters: bytes = b"") -> bytes:
    """An image that says that it has so many pixels a side."""
    image = stream(
        content,
        b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8%s"
        % (side, side, filters),
    )
    return page(b"100 0 0 200 0 0 cm /X Do", resources=b"/XObject<</X 5 0 R>>", others=[image])


def of_zeros(side: int) -> bytes:
    """An image of so many pixels a side, all black, compressed to a thousandth."""
    packed = zlib.compress(bytes(side * side * 3), 9)
    return of_image(side, packed, b"/Filter/FlateDecode")


def of_pattern(step: bytes) -> bytes:
    """A pattern that is repeated at this distance in points."""
    pattern = stream(
        b"1 0 0 rg 0 0 1 1 re f",
        b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep %s/YStep %s/Resources<<>>"
        % (step, step),
    )
    return page(b"/Pattern cs /P scn 0 0 100 200 re f", resources=b"/Pattern<</P 5 0 R>>", others=[pattern])
