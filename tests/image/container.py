"""The image, built by buildah from the Dockerfile, and processes in it as Lambda runs them: read-only and unprivileged.

AWS's base image is not to be had without its registry; Debian's Python 3.13 stands in for it, made by debootstrap and
kept in build/image, as buildah's layers are.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.tools import lacking, require_tool

ROOT = Path(__file__).resolve().parent.parent.parent
PLACE = ROOT / "build" / "image"
BASE = "localhost/python-base:3.13"
NAME = "localhost/image-handler:tests"
_STORE = ("--root", str(PLACE / "store"), "--runroot", str(PLACE / "run"), "--storage-driver", "overlay")
_ALONE = """
mount --bind "$0" "$0"; mount -o remount,ro,bind "$0"
mount --bind "$1" "$0/tmp"; mount -t proc proc "$0/proc"; mount -t tmpfs devices "$0/dev"
for device in null zero random urandom; do touch "$0/dev/$device"; mount --bind "/dev/$device" "$0/dev/$device"; done
user=$2 folder=$3; root=$0; shift 3
exec chroot --userspec="$user" "$root" env -i --chdir="$folder" "$@"
"""
"""In namespaces of its own: the image for reading, a folder as /tmp, four devices, no /dev/shm, as Lambda has none."""


@dataclass(frozen=True)
class Image:
    """What was built: where its files can be seen, and how it is to be run."""

    files: Path
    config: Mapping[str, Any]

    @contextmanager
    def process(
        self, tmp: Path, environment: Mapping[str, str], command: Sequence[str] = (), **popen: Any
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A process in it, ended on leaving; unless said, what the image starts with. `tmp` is its /tmp."""
        tmp.chmod(0o1777)
        command = command or [*self.config["Entrypoint"], *self.config["Cmd"]]
        variables = [*self.config["Env"], *(f"{name}={value}" for name, value in environment.items())]
        apart = ["unshare", "--mount", "--pid", "--fork", "sh", "-euc", _ALONE]
        within = [str(self.files), str(tmp), self.config["User"], self.config["WorkingDir"], *variables, *command]
        with subprocess.Popen([*apart, *within], process_group=0, **popen) as process:
            try:
                yield process
            finally:
                # The group, because unshare's --kill-child is lost when the process within takes another user.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def built_image() -> Iterator[Image]:
    """Build it, or take what has been built of the same files; tests that run side by side wait for each other."""
    require_tool("buildah", "apt-get install buildah")
    require_tool("debootstrap", "apt-get install debootstrap")
    _require_root()
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _build_base()
        _build()
    container = _buildah("from", NAME)
    try:
        config = json.loads(_buildah("inspect", "--type", "image", NAME))["OCIv1"]["config"]
        yield Image(Path(_buildah("mount", container)), config)
    finally:
        _buildah("rm", container)


def _require_root() -> None:
    if os.geteuid() == 0:
        return
    lacking("root is needed to build an image and to look into it: sudo make test")


def _build_base() -> None:
    if _has(BASE):
        return
    files = PLACE / "base"
    shutil.rmtree(files, ignore_errors=True)
    packages = "--include=python3,python3-pip,ca-certificates"
    _ran(["debootstrap", "--variant=minbase", packages, "trixie", str(files)])
    container = _buildah("from", "scratch")
    _buildah("add", container, str(files), "/")
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    _buildah("config", "--env", path, "--env", "LAMBDA_TASK_ROOT=/var/task", "--workingdir", "/var/task", container)
    _buildah("commit", "--quiet", "--rm", container, BASE)
    shutil.rmtree(files)


def _build() -> None:
    shared = [f"--volume={ours}:{theirs}:ro" for theirs, ours in _certificates().items()]
    base = f"--build-arg=BASE_IMAGE={BASE}"
    _buildah("bud", "--isolation=chroot", "--network=host", "--layers", *shared, base, "--tag", NAME, str(ROOT))


def _certificates() -> dict[str, Path]:
    """Files for the build, by their place in it: what this machine's pip needs to reach the packages."""
    said = {name: os.environ.get(f"PIP_{name.upper()}", "") for name in ("cert", "index_url", "proxy", "trusted_host")}
    said["cert"] = said["cert"] or os.environ.get("SSL_CERT_FILE", "")
    files = {"/run/certificates.pem": Path(said["cert"])} if said["cert"] else {}
    lines = [f"{name.replace('_', '-')} = {value}\n" for name, value in said.items() if value and name != "cert"]
    lines += [f"cert = {place}\n" for place in files]
    config = PLACE / "pip.conf"
    config.write_text("[global]\n" + "".join(lines), "utf-8")
    return {**files, "/etc/pip.conf": config}


def _has(image: str) -> bool:
    command = ["buildah", *_STORE, "images", "--quiet", image]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _buildah(*command: str) -> str:
    return _ran(["buildah", *_STORE, *command])


def _ran(command: Sequence[str]) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if ran.returncode:
        pytest.fail(f"{' '.join(command)} ended with {ran.returncode}\n{ran.stdout[-4000:]}\n{ran.stderr[-4000:]}")
    return ran.stdout.strip()
