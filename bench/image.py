"""`python -m bench.image > bench/IMAGE.md`: size of the container image, its cold starts, what they read. Needs root.

Megabytes are what the kernel reads of a disk that holds the image and was mounted anew, read-ahead of 128 kB included.
"""

from __future__ import annotations

import importlib.util
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.image.container import ROOT, Image, built_image
from tests.stand_ins.moto import REGION, Moto, moto_server
from tests.stand_ins.runtime_api import runtime_api

from bench.drive_handler import http_event

MEGA = 1_000_000
STARTS = 9
GOAL = 560
CUT_OUT = {"feature": "removeBackground,resize", "width": "400", "format": "webp"}
CASES = {
    "resize: 0.3 MP JPEG → 400 px WebP": {"width": "400", "format": "webp"},
    "removeBackground": CUT_OUT,
    "removeBackground with matting": {**CUT_OUT, "removeBackground.alphaMatting": "true"},
}
PHOTO = "astronaut.jpg"


def main() -> None:
    """Print the tables."""
    with built_image() as image, moto_server() as moto:
        lines = [*introduction(), *sizes(image), *thrown_out(), *starts(image, moto)]
    print("\n".join(lines))


def introduction() -> Iterator[str]:
    yield "# The container image"
    yield ""
    yield f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; made by"
    yield "`python -m bench.image`, as root. The base is Debian's Python 3.13, which stands in for AWS's."


def sizes(image: Image) -> Iterator[str]:
    parts = Counter[str]()
    for folder in (image.files / "opt", image.files / "var/task"):
        for path in (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
            name = path.relative_to(image.files).parts[2]
            if folder.name == "opt":
                name = re.split(r"[-.]", name.replace("PIL", "pillow"))[0].removesuffix("_binary")
            parts[name] += path.stat().st_size
    weights = parts.pop("weights")
    total = sum(parts.values())
    yield ""
    yield "## Size"
    yield ""
    verdict = "reached" if total <= GOAL * MEGA else "missed"
    yield f"{total / MEGA:.0f} MB unpacked on top of the base (goal: at most {GOAL}, {verdict}),"
    yield f"and {weights / MEGA:.0f} MB of weights."
    yield ""
    yield "| part | MB |"
    yield "|---|---|"
    largest = parts.most_common(16)
    for name, size in largest:
        yield f"| {name} | {size / MEGA:.0f} |"
    yield f"| the other {len(parts) - len(largest)} | {(total - sum(size for _, size in largest)) / MEGA:.0f} |"


def thrown_out() -> Iterator[str]:
    """What `deploy/image/pack.py` leaves out, of the same locks installed beside."""
    spec = importlib.util.spec_from_file_location("pack", ROOT / "deploy/image/pack.py")
    if spec is None or spec.loader is None:
        raise RuntimeError("deploy/image/pack.py must be there")
    pack: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pack)
    locks = [f"requirements/{name}.txt" for name in ("runtime", "server", "models")]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--target", folder]
        lines = "".join((ROOT / lock).read_text("utf-8").split("pyvips==")[0] for lock in locks[1:])
        wanted = Path(folder, "wanted.txt")
        wanted.write_text((ROOT / locks[0]).read_text("utf-8") + lines, "utf-8")
        subprocess.run([*command, "-r", str(wanted)], check=True)
        removed = {what: sum(map(_size, paths)) for what, paths in pack.unused(Path(folder)).items()}
        pack.prune(Path(folder))
        before = _size(Path(folder))
        pack.strip(Path(folder))
        removed["symbols of libraries"] = before - _size(Path(folder))
    yield ""
    yield (
        "Thrown out by `deploy/image/pack.py`, in MB: "
        + ", ".join(f"{what} {size / MEGA:.0f}" for what, size in removed.items())
        + "."
    )


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def starts(image: Image, moto: Moto) -> Iterator[str]:
    bucket = moto.bucket(**{PHOTO: (ROOT / "samples/photos" / PHOTO).read_bytes()})
    yield ""
    yield "## Cold starts"
    yield ""
    yield "From process start to the first answer, read-only and unprivileged, the S3 GET from loopback included;"
    yield f"medians of {STARTS} with the files in the page cache. Megabytes read are those of one start from a disk"
    yield "none of which is in the page cache; Lambda fetches such blocks over its network."
    yield ""
    yield "| first request | ms | MB read |"
    yield "|---|---|---|"
    with _disk(image) as disk:
        for name, parameters in CASES.items():
            read = _read_by(disk, lambda cold, said=parameters: _start(cold, moto, bucket, said))
            times = [_start(image, moto, bucket, parameters) for _ in range(STARTS)]
            yield f"| {name} | {statistics.median(times):.0f} | {read / MEGA:.0f} |"


@contextmanager
def _disk(image: Image) -> Iterator[tuple[Path, Image]]:
    """A file system with the image in it, to be mounted again and again."""
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        file = Path(folder, "disk")
        with file.open("wb") as sparse:
            sparse.truncate(3000 * MEGA)
        subprocess.run(["mkfs.ext4", "-q", "-d", str(image.files), str(file)], check=True)
        yield file, Image(Path(folder), image.config)


def _read_by(disk: tuple[Path, Image], work: Any) -> int:
    """Bytes that some work reads of a disk which was mounted for it."""
    file, image = disk
    place = image.files / "mounted"
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop,ro,noload", str(file), str(place)], check=True)
    try:
        device = subprocess.run(["findmnt", "-no", "SOURCE", str(place)], capture_output=True, text=True, check=True)
        counters = Path("/sys/block", Path(device.stdout.strip()).name, "stat")
        _forget(place)
        before = int(counters.read_text().split()[2])
        work(Image(place, image.config))
        return (int(counters.read_text().split()[2]) - before) * 512
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _forget(place: Path) -> None:
    """Take every file out of the page cache; whoever copied this namespace may have kept the disk from going away."""
    for path in (path for path in place.rglob("*") if path.is_file() and not path.is_symlink()):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _start(image: Image, moto: Moto, bucket: str, parameters: dict[str, str]) -> float:
    """Milliseconds from the start of the process to its first answer."""
    with runtime_api() as api, tempfile.TemporaryDirectory() as tmp:
        environment = {
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_ENDPOINT_URL": moto.url,
            "SOURCE_BUCKETS": bucket,
            "PUBLIC_FEATURES": "*",
        }
        api.send(http_event(PHOTO, parameters))
        started = time.monotonic()
        with image.process(Path(tmp), environment, stdout=subprocess.DEVNULL):
            returned = api.receive()
            time.sleep(0.1)
    answer = returned.json()
    if returned.failed or answer["statusCode"] != 200:
        raise RuntimeError(f"the handler must answer 200, got {answer}")
    return (returned.at - started) * 1000


if __name__ == "__main__":
    main()
