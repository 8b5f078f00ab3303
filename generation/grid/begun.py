"""What a folder of clips was begun for: ``request.json``, and how another request differs from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from generation.clip_grid import GRID_FILE
from study.canonical import plain
from study.errors import StorageError
from study.folder import write_whole

REQUEST_FILE = "request.json"


def begin(root: Path, request: Mapping[str, Any]) -> None:
    """Keep the request in a new or empty folder, or find the same one kept.

    Raises:
        StorageError: the folder holds something else, or a grid of another request; the difference is named.
    """
    file = root / REQUEST_FILE
    asked = json.loads(json.dumps(plain(request), allow_nan=False))
    if file.is_file():
        try:
            before = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as problem:
            raise StorageError(str(file), f"is damaged ({problem})", "delete the folder") from problem
        differences = list(_differences(before, asked, ""))
        if differences:
            shown = "; ".join(differences[:3]) + ("; and more" if len(differences) > 3 else "")
            raise StorageError(str(root), f"holds another grid: {shown}", "name another folder")
        return
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        what = (
            "holds a grid whose request is missing" if (root / GRID_FILE).exists() else "holds something else"
        )
        raise StorageError(
            str(root), what if root.is_dir() else "is a file", "name a new folder, or an empty one"
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise StorageError(
            str(root), f"cannot be made ({problem.strerror})", "name another folder"
        ) from problem
    text = json.dumps(asked, indent=1, sort_keys=True, ensure_ascii=False)
    write_whole(file, (text + "\n").encode())


def _differences(before: Any, now: Any, where: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            yield from _differences(before.get(key), now.get(key), f"{where}.{key}" if where else key)
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from _differences(one, other, f"{where}[{index}]")
    elif before != now:
        yield f"{where} was {_told(before)} and is {_told(now)}"


def _told(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "not there" if value is None else json.dumps(value, ensure_ascii=False)[:80]
