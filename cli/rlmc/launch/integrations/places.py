"""Folders in which agents look for their settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from rlmc.launch.integration import Files


def home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME", "").rstrip("/")


def xdg(environ: Mapping[str, str], name: str, usual: str) -> str:
    """A folder of the XDG standard, `usual` below the home folder where none is set."""
    return environ.get(name, "").rstrip("/") or f"{home(environ)}/{usual}"


def upward(directory: str) -> list[str]:
    """A folder and all above it, the innermost first."""
    place = PurePosixPath(directory)
    return [str(folder).rstrip("/") for folder in (place, *place.parents)]


def repository(directory: str, files: Files) -> str | None:
    """The top of the git repository a folder is in."""
    return next((folder for folder in upward(directory) if files.exists(f"{folder}/.git")), None)
