"""Packages come as they are named, or not at all; only their sound is unpacked."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.listening import packages
from tests.listening.packages import NothingReachable, Package, PackageMissing, have, have_all, listed
from tests.listening.tracks import load_tracks

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")


@pytest.fixture(scope="module")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with music in the open, music and noises in an archive, and a program."""
    folder = tmp_path_factory.mktemp("deb")
    root = folder / "root"
    for inside, content in {
        "DEBIAN/control": "Package: small-music\nVersion: 1:2.0-1\nArchitecture: all\n"
        "Maintainer: somebody\nDescription: a tone\n",
        "usr/share/music/open.ogg": "open",
        "usr/games/program": "no sound",
    }.items():
        path = root / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    with zipfile.ZipFile(root / "usr/share/all.zip", "w") as archive:
        archive.writestr("audio/music/inside.ogg", "inside")
        archive.writestr("audio/noises/step.ogg", "step")
    made = folder / "small-music_1%3a2.0-1_all.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", str(root), str(made)], check=True, capture_output=True
    )
    return made


def named(deb: Path) -> Package:
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    return Package("small-music", "1:2.0-1", 1, digest, "audio/music/", "usr/share/all.zip")


def nothing(name: str, megabytes: int) -> None:
    """Tell nobody."""


@needs_dpkg
def test_only_sound_is_unpacked_and_of_an_archive_only_music(tmp_path: Path, deb: Path) -> None:
    root = have(named(deb), tmp_path, deb.parent, nothing)

    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert files == {"usr/share/music/open.ogg", "audio/music/inside.ogg", "unpacked.txt"}
    assert (root / "audio/music/inside.ogg").read_text() == "inside"


@needs_dpkg
def test_what_is_unpacked_is_not_asked_for_again(tmp_path: Path, deb: Path) -> None:
    root = have(named(deb), tmp_path, deb.parent, nothing)
    (root / "audio/music/inside.ogg").write_text("kept")

    again = have(named(deb), tmp_path, None, nothing, NothingReachable("no network"))

    assert (again / "audio/music/inside.ogg").read_text() == "kept"


@needs_dpkg
def test_another_content_of_the_same_name_is_not_used(tmp_path: Path, deb: Path) -> None:
    other = replace(named(deb), sha256="0" * 64)

    with pytest.raises(PackageMissing, match="no network"):
        have(other, tmp_path, deb.parent, nothing, NothingReachable("no network"))
    assert not (tmp_path / "small-music").exists()


def fake_apt(folder: Path, monkeypatch: pytest.MonkeyPatch, download: str, madison: str = "") -> Path:
    """Programs of the names asked for, which do as told and note that they were asked."""
    folder.mkdir()
    asked = folder / "asked"
    scripts = {
        "apt-get": f"echo asked >> {asked}\n{download}",
        "apt-cache": f"printf '{madison}'",
        "dpkg-deb": "",
    }
    for name, script in scripts.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return asked


def test_another_version_is_told_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_apt(tmp_path / "bin", monkeypatch, "exit 100", "small-music | 3.0-1 | somewhere\\n")
    package = Package("small-music", "2.0-1", 1, "0" * 64, "music/")

    with pytest.raises(PackageMissing, match=r"version 2\.0-1 is needed, this system offers 3\.0-1"):
        have(package, tmp_path, None, nothing)


def test_what_is_fetched_must_have_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_apt(tmp_path / "bin", monkeypatch, "echo other > small-music_2.0-1_all.deb")
    package = Package("small-music", "2.0-1", 1, "0" * 64, "music/")

    with pytest.raises(PackageMissing, match="does not have the SHA-256"):
        have(package, tmp_path, None, nothing)
    assert list((tmp_path / "debs").iterdir()) == []


def test_without_a_network_apt_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = fake_apt(
        tmp_path / "bin",
        monkeypatch,
        "echo 'E: Failed to fetch it' >&2; exit 100",
        "one | 1 | somewhere\\none | 1 | elsewhere\\n",
    )
    both = [Package(name, "1", 1, "0" * 64, "music/") for name in ("one", "two")]

    roots, reasons = have_all(both, tmp_path, None, nothing)

    assert (roots, reasons) == ({}, {"one": "Failed to fetch it", "two": "Failed to fetch it"})
    assert asked.read_text().count("asked") == 1


def test_where_there_is_no_apt_that_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    _, reasons = have_all(listed(), tmp_path, None, nothing)

    assert set(reasons.values()) == {"there is no apt-get here"}


def test_a_package_may_not_write_outside_its_folder(tmp_path: Path) -> None:
    with pytest.raises(PackageMissing, match="outside"):
        packages._target(tmp_path, "usr/../../evil.ogg")


def test_every_track_is_of_a_listed_package_and_every_package_has_tracks() -> None:
    assert {track.package for track in load_tracks()} == {package.name for package in listed()}
