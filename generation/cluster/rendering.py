"""A cohort on several machines: one engine a GPU, through Ray (extra ``cluster``).

Every node needs the same environment (Python, isopath with its extras, weights)
and sees the study's folder under the same path. Sessions are handed out a few at
a time. A worker that dies loses none: what it had written whole is kept, and the
rest goes to another.
"""

from __future__ import annotations

import io
import logging
import math
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType

from generation.cluster.driver import Chunk, Driver
from generation.cluster.worker import Worker
from generation.cohort import Group, JudgeLoader, grouped
from generation.engine import Placement, Progress
from study.errors import DeviceError, ModelError, OutOfRange
from study.folder import write_whole
from study.manifest import RenderManifest
from study.session import SessionPlan

LOCAL = "local"
"""The address that starts a cluster on this machine alone, and ends it afterwards."""

#: Where nobody says how many clips fit: a GPU is full with four sessions of 30 clips.
_SESSIONS_A_CHUNK = 4
_KNOCK_S = 5.0
_OBJECT_STORE_BYTES = 100 * 2**20


def render_on_cluster(
    plans: Sequence[SessionPlan],
    out_dir: Path,
    address: str,
    progress: Progress,
    placement: Placement | None = None,
    load_judge: JudgeLoader | None = None,
) -> list[RenderManifest]:
    """Render every plan, each once, on the workers of a Ray cluster.

    Args:
        out_dir: a folder that all nodes see; gets ``<participant_id>/<session_id>/`` for each.
        address: `LOCAL`, or where a running cluster's head is, e.g. ``10.0.0.1:6379``.
        placement: ``cuda`` gives each worker a GPU, ``cpu`` a core.
        load_judge: gives the judge that an engine's options name; importable on the nodes.

    Returns:
        Manifests in plan order.

    Raises:
        UnknownName, OutOfRange: an engine, option or judge will not do; nothing is rendered.
        ModelError: Ray is not installed, the cluster does not answer, or its workers do not start.
        DeviceError: the cluster has no GPU where one is asked for, its last worker is gone, or
            the same sessions ended three workers.
        StorageError: a node does not see `out_dir`.
        The first refusal of a session. Those finished by then are kept.
    """
    placement = placement or Placement()
    check_shared_device(placement.device)
    groups = grouped(plans, placement, load_judge)
    if not plans:
        return []
    out_dir = out_dir.resolve()
    kind = "GPU" if placement.device == "cuda" else "CPU"
    with ExitStack() as closing:
        driver = Driver(plans, out_dir, progress)
        closing.callback(driver.sweep)
        # Ray tells of dead workers on standard output, where our results go.
        closing.enter_context(redirect_stdout(io.StringIO()))
        ray = closing.enter_context(_connected(address))
        capacity = int(ray.cluster_resources().get(kind, 0))
        if not capacity:
            raise DeviceError(
                f"cluster {address}",
                f"has no {kind}",
                "start a node that has one, or name another --device",
            )
        token = closing.enter_context(_token(out_dir))
        hired = ray.remote(Worker).options(num_cpus=1, num_gpus=int(kind == "GPU"))
        chunks = _chunks(plans, groups, placement, capacity)
        return driver.run(
            ray,
            chunks,
            min(capacity, len(chunks)),
            hire=lambda: hired.remote(out_dir, placement, load_judge, Path.cwd()),
            token=token,
            is_anybody_left=lambda: ray.cluster_resources().get(kind, 0) >= 1,
        )


def check_shared_device(device: str) -> None:
    """Refuse a device that cannot be every worker's.

    Raises:
        OutOfRange: it is one GPU by number.
    """
    if device not in ("cpu", "cuda"):
        raise OutOfRange(
            "--device", f"{device} is one GPU; a cluster gives each worker its own", "write cuda"
        )


def _chunks(
    plans: Sequence[SessionPlan], groups: Sequence[Group], placement: Placement, capacity: int
) -> list[Chunk]:
    chunks = []
    for group in groups:
        size = 1
        if group.fills_batches:
            size = min(_sessions_a_batch(plans, group, placement), math.ceil(len(group.numbers) / capacity))
        chunks += [Chunk(group.numbers[first : first + size]) for first in range(0, len(group.numbers), size)]
    return chunks


def _sessions_a_batch(plans: Sequence[SessionPlan], group: Group, placement: Placement) -> int:
    if placement.batch_clips is None:
        return _SESSIONS_A_CHUNK
    clips = max(math.ceil(plans[number].duration_s / plans[number].clip_s) for number in group.numbers)
    return max(placement.batch_clips // clips, 1)


@contextmanager
def _token(out_dir: Path) -> Iterator[tuple[Path, str]]:
    """A file by which a node sees that its folder is ours."""
    out_dir.mkdir(parents=True, exist_ok=True)
    content = secrets.token_hex(16)
    path = out_dir / f".cluster-{content[:8]}"
    write_whole(path, content.encode())
    try:
        yield path, content
    finally:
        path.unlink(missing_ok=True)


def _knock(address: str) -> None:
    """Find out at once whether anything listens; Ray itself would try for minutes.

    Raises:
        ModelError: nothing does.
    """
    host, separator, port = address.removeprefix("ray://").rpartition(":")
    if not separator or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _KNOCK_S).close()
    except (OSError, OverflowError) as problem:
        raise _no_cluster(address, str(problem)) from problem


def _no_cluster(address: str, why: str) -> ModelError:
    return ModelError(
        f"--cluster {address}",
        f"no Ray cluster answers ({why})",
        "start one with ray start --head and give the address it prints, or write local",
    )


@contextmanager
def _connected(address: str) -> Iterator[ModuleType]:
    """Ray, connected, quiet, without usage statistics or dashboard.

    Raises:
        ModelError: it is not installed, or nothing answers at `address`.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # What future versions of Ray do by default; it warns until then.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if address == LOCAL:
        # Ray's way to stay on the loopback interface. It is read when Ray is imported.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
    except ImportError as missing:
        raise ModelError("--cluster", "Ray is not installed", "pip install 'isopath[cluster]'") from missing
    if ray.is_initialized():
        yield ray
        return
    _knock(address)
    with tempfile.TemporaryDirectory(prefix="isopath-ray-", ignore_cleanup_errors=True) as folder:
        try:
            if address == LOCAL:
                ray.init(
                    address=LOCAL,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.CRITICAL,
                    object_store_memory=_OBJECT_STORE_BYTES,
                    _temp_dir=folder,
                )
            else:
                ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
        except (RuntimeError, ValueError, OSError, ray.exceptions.RayError) as problem:
            raise _no_cluster(address, str(problem).partition("\n")[0]) from problem
        try:
            yield ray
        finally:
            ray.shutdown()
