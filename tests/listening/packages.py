"""The Debian packages whose music is heard: fetched, verified, and only their sound unpacked.

`apt-get download` needs no root and installs nothing. A package is taken in the version and with the
SHA-256 that packages.json names, or not at all: labels and figures are of those very files.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).parent / "packages.json"
SUFFIXES = frozenset({".ogg", ".mp3", ".opus"})
FETCH_TIMEOUT_S = 3600
_DONE = "unpacked.txt"

Advance = Callable[[str, int], None]
"""Called with a package's name and the megabytes of it that are done."""


@dataclass(frozen=True)
class Package:
    """One package.

    Args:
        name, version: as Debian writes them.
        size_mb: of the download.
        sha256: of the .deb.
        music: pattern of the paths that hold music.
        archive: path inside the package of a zip that holds the music; None where it lies in the open.
    """

    name: str
    version: str
    size_mb: int
    sha256: str
    music: str
    archive: str | None = None


class PackageMissing(Exception):
    """A package that cannot be had as named; the message says why."""


class NothingReachable(PackageMissing):
    """No package can be fetched at all: no network, or no apt."""


def listed(path: Path = LIST) -> tuple[Package, ...]:
    """The packages of the list, in its order."""
    return tuple(
        Package(
            row["name"], row["version"], row["size_mb"], row["sha256"], row["music"], row.get("zip") or None
        )
        for row in json.loads(path.read_text())["packages"]
    )


def have(
    package: Package,
    folder: Path,
    debs: Path | None,
    advance: Advance,
    unreachable: NothingReachable | None = None,
) -> Path:
    """The package's sound files under `folder`/<name>; fetched and unpacked unless they are there.

    Args:
        folder: the cache.
        debs: a folder that may hold the .deb already; looked into before anything is fetched.
        unreachable: why nothing can be fetched, once that is known.

    Raises:
        NothingReachable: no network or no apt.
        PackageMissing: another version, another content.
    """
    root = folder / package.name
    done = root / _DONE
    if done.is_file() and done.read_text() == package.sha256:
        advance(package.name, package.size_mb)
        return root
    deb = _found(package, [place for place in (debs, folder / "debs") if place is not None])
    if deb is None and unreachable is not None:
        raise unreachable
    if deb is None:
        deb = _fetched(package, folder / "debs", advance)
    shutil.rmtree(root, ignore_errors=True)
    _unpack(package, deb, root)
    done.write_text(package.sha256)
    advance(package.name, package.size_mb)
    return root


def have_all(
    packages: Sequence[Package], folder: Path, debs: Path | None, advance: Advance
) -> tuple[dict[str, Path], dict[str, str]]:
    """Package to the folder of its sound files, and package to why it is missing."""
    roots, reasons = {}, {}
    unreachable: NothingReachable | None = None
    for package in packages:
        try:
            roots[package.name] = have(package, folder, debs, advance, unreachable)
        except NothingReachable as missing:
            reasons[package.name] = str(missing)
            unreachable = missing
        except PackageMissing as missing:
            reasons[package.name] = str(missing)
    return roots, reasons


def _found(package: Package, places: Sequence[Path]) -> Path | None:
    for place in places:
        for deb in sorted(place.glob(f"{package.name}_*.deb")):
            if _sha256(deb) == package.sha256:
                return deb
    return None


def _fetched(package: Package, debs: Path, advance: Advance) -> Path:
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise NothingReachable(f"there is no {program} here")
    debs.mkdir(parents=True, exist_ok=True)
    before = set(debs.glob(f"{package.name}_*.deb"))
    asked = subprocess.Popen(
        ["apt-get", "download", "-q", f"{package.name}={package.version}"],
        cwd=debs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = _watched(asked, package, debs, advance)
    if asked.returncode != 0:
        raise _refusal(package, said)
    got = _found(package, [debs])
    if got is None:
        for deb in set(debs.glob(f"{package.name}_*.deb")) - before:
            deb.unlink()
        raise PackageMissing("what was fetched does not have the SHA-256 of packages.json")
    return got


def _watched(asked: subprocess.Popen[str], package: Package, debs: Path, advance: Advance) -> str:
    """Wait for apt, telling how much of the file is there."""
    waited_s = 0
    while True:
        try:
            return asked.communicate(timeout=1)[0]
        except subprocess.TimeoutExpired:
            waited_s += 1
            partial = sum(file.stat().st_size for file in debs.glob(f"{package.name}_*.deb"))
            advance(package.name, min(partial // 1_000_000, package.size_mb))
            if waited_s > FETCH_TIMEOUT_S:
                asked.kill()


def _refusal(package: Package, said: str) -> PackageMissing:
    offered = subprocess.run(
        ["apt-cache", "madison", package.name], capture_output=True, text=True, check=False
    ).stdout
    versions = {line.split("|")[1].strip() for line in offered.splitlines() if line.count("|") >= 2}
    if versions and package.version not in versions:
        return PackageMissing(
            f"version {package.version} is needed, this system offers {', '.join(sorted(versions))}"
        )
    if not versions:
        return PackageMissing("apt knows no such package (Debian 12, then apt-get update)")
    lines = [line for line in said.splitlines() if line.startswith("E:")] or ["apt-get download failed"]
    return NothingReachable(lines[0].removeprefix("E: "))


def _unpack(package: Package, deb: Path, root: Path) -> None:
    """Every sound file of the package, and of its archive those that match the pattern."""
    if shutil.which("dpkg-deb") is None:
        raise PackageMissing("there is no dpkg-deb here")
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as unpacked,
        tarfile.open(fileobj=unpacked.stdout, mode="r|") as tar,
    ):
        for member in tar:
            inside = member.name.removeprefix("./")
            content = tar.extractfile(member) if member.isreg() else None
            if content is None:
                continue
            if inside == package.archive:
                with tempfile.TemporaryFile() as copy:
                    shutil.copyfileobj(content, copy)
                    _unzip(package, zipfile.ZipFile(copy), root)
            elif Path(inside).suffix in SUFFIXES:
                with _target(root, inside).open("wb") as file:
                    shutil.copyfileobj(content, file)
    if unpacked.returncode != 0:
        raise PackageMissing("dpkg-deb could not unpack it")


def _unzip(package: Package, archive: zipfile.ZipFile, root: Path) -> None:
    for name in archive.namelist():
        if Path(name).suffix in SUFFIXES and re.search(package.music, name):
            with archive.open(name) as content, _target(root, name).open("wb") as file:
                shutil.copyfileobj(content, file)


def _target(root: Path, inside: str) -> Path:
    path = root / inside
    if ".." in Path(inside).parts or Path(inside).is_absolute():
        raise PackageMissing(f"it would write outside its folder: {inside}")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
