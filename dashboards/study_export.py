"""From a study folder to an export: the wiring that the command and the page share."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType

from analysis.export.content import ExportContent, Told
from analysis.export.formats import WITH_SOUNDS, WRITERS
from analysis.export.record_file import write_record
from analysis.mer.hearing import Predictions, SessionKey
from analysis.tables.blinded import blinded_tables
from analysis.tables.build import build_tables
from dashboards.export_kinds import ExportFormat
from dashboards.study_hearing import hear_study
from study.checkpoint import check_against
from study.erasable import erasures_due
from study.errors import ConductError, OutOfRange, StorageError
from study.events import History
from study.folder import file_made_whole, folder_made_whole
from study.founding import Study
from study.freeze import may_join_arms
from study.manifest import RenderManifest
from study.oversight.blinding import record_rows
from study.rendered import read_manifests

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_PACKED_ALREADY = frozenset({".flac", ".gz", ".parquet", ".ogg", ".mp3"})


@dataclass(frozen=True)
class Exported:
    """What was written.

    Args:
        is_blinded: nothing in it tells an arm.
        may_join_arms: whether it could have told them.
        has_predictions: whether columns of predictions are filled; never where blinded.
        is_simulated: nobody in it is a person.
    """

    files: int
    is_blinded: bool
    may_join_arms: bool
    has_predictions: bool
    is_simulated: bool
    rows: int
    head_sha256: str


@dataclass(frozen=True)
class _Asked:
    """What an export was asked to be; see `export_study`."""

    form: ExportFormat
    software: str
    is_blinded: bool
    has_sounds: bool
    checkpoints: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))


def export_study(
    study: Study,
    form: ExportFormat,
    out: Path,
    software: str,
    told: Told,
    is_blinded: bool = False,
    has_sounds: bool = True,
    checkpoints: Sequence[Path] = (),
) -> Exported:
    """Export a study into a new folder, or a ZIP file where `out` ends in ``.zip``: whole or not at all.

    Args:
        software: name and version, for the files.
        is_blinded: leave out what tells an arm; before the record is unblinded that is so in any case.
        has_sounds: with the rendered sounds, where the format has a place for them.
        checkpoints: files that go with the record itself; each is held against it first.

    Raises:
        StorageError: `out` is there already, or cannot be written.
        RecordBroken: the record does not verify; nothing is exported.
        RecordMismatch: a session is not what was rendered, or a checkpoint is not of this record.
        ConductError: the record itself, while an erasure that somebody asked for is yet to be carried out.
    """
    is_zip = out.suffix.lower() == ".zip"
    _require_free(out, is_zip)
    signed = _checked(study, form, checkpoints)
    asked = _Asked(form, software, is_blinded, has_sounds, signed)
    try:
        if not is_zip:
            with folder_made_whole(out) as folder:
                return _fill(study, asked, folder, told)
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as made:
            exported = _fill(study, asked, Path(made), told)
            with file_made_whole(out) as file, zipfile.ZipFile(file, "w") as archive:
                _pack(Path(made), archive)
            return exported
    except OSError as problem:
        raise StorageError(
            str(out),
            f"cannot be written ({problem.strerror or problem})",
            "make room, or name a folder that can be written",
        ) from problem


def zipped_export(study: Study, form: ExportFormat, software: str, is_blinded: bool) -> bytes:
    """The same as a ZIP file's bytes, without sounds: for a browser."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="isopath-export-") as made:
        asked = _Asked(form, software, is_blinded, has_sounds=False)
        _fill(study, asked, Path(made), lambda *_: None)
        with zipfile.ZipFile(packed, "w") as archive:
            _pack(Path(made), archive)
    return packed.getvalue()


def _require_free(out: Path, is_zip: bool) -> None:
    taken = out.exists() and (is_zip or not out.is_dir() or any(out.iterdir()))
    if taken:
        raise StorageError(str(out), "is there already", "name a new folder or ZIP file")


def _checked(study: Study, form: ExportFormat, checkpoints: Sequence[Path]) -> dict[str, bytes]:
    """File name to content of checkpoints that this record stands up to."""
    if checkpoints and form is not ExportFormat.RECORD:
        raise OutOfRange("--checkpoint", f"does not go with {form}", "give it with --format record")
    found: dict[str, bytes] = {}
    for path in checkpoints:
        check_against(study, path, None)
        name = path.with_suffix(".json").name
        if name in found:
            raise OutOfRange("--checkpoint", f"names two files called {path.stem}", "rename one")
        found[name] = path.read_bytes()
    return found


def _fill(study: Study, asked: _Asked, folder: Path, told: Told) -> Exported:
    told("checking the record", 0, 1)
    head = study.record.verify()
    study.catch_up()
    events = [row for row in study.record.events() if row.sequence <= head.sequence]
    may_join = may_join_arms(study.record)
    blinded = asked.is_blinded or not may_join
    gone = erasures_due(events)
    if gone and asked.form is ExportFormat.RECORD:
        raise ConductError(
            ", ".join(sorted(gone)),
            "asked for their data to be erased, and the record holds them still",
            "carry it out with isopath withdraw --erase, and export then",
        )
    manifests: Mapping[SessionKey, RenderManifest] = (
        {} if blinded else {key: one for key, one in read_manifests(study).items() if key[0] not in gone}
    )
    predictions: Predictions = {} if blinded else _kept_predictions(study, manifests, told)
    made = build_tables(study.protocol, events, manifests, predictions)
    tables = (
        blinded_tables(study.protocol, events, made)
        if blinded
        else {one.name: getattr(made, one.name) for one in fields(made)}
    )
    content = ExportContent(
        study.protocol,
        tables,
        is_blinded=blinded,
        may_join_arms=may_join,
        is_simulated=study.rehearsal() is not None,
        head=head,
        last_at=events[-1].at,
        software=asked.software,
        manifests=manifests,
        sounds=_sounds(study, manifests) if asked.has_sounds and asked.form in WITH_SOUNDS else {},
        predictions=predictions,
    )
    if asked.form is ExportFormat.RECORD:
        _write_record(study, content, events, asked.checkpoints, folder, told)
    else:
        WRITERS[asked.form](content, folder, told)
    told("writing", 1, 1)
    written = sum(1 for path in folder.rglob("*") if path.is_file())
    return Exported(
        written, blinded, may_join, bool(predictions), content.is_simulated, head.sequence, head.sha256
    )


def _write_record(
    study: Study,
    content: ExportContent,
    events: History,
    checkpoints: Mapping[str, bytes],
    folder: Path,
    told: Told,
) -> None:
    if content.is_blinded:
        write_record(content, record_rows(study.protocol, events, True), checkpoints, folder, told)
        return
    rows = (row for row in study.record.stored_rows() if row["sequence"] <= content.head.sequence)
    write_record(content, rows, checkpoints, folder, told)


def _kept_predictions(
    study: Study, manifests: Mapping[SessionKey, RenderManifest], told: Told
) -> Predictions:
    # Made by the analysis; an export of hundreds of sessions does not hear them all for the first time.
    if not study.folder.results.is_file():
        return {}
    return hear_study(study, manifests, lambda done, of: told("reading predictions", done, of))


def _sounds(study: Study, manifests: Mapping[SessionKey, RenderManifest]) -> dict[str, Path]:
    return {
        manifest.audio_sha256: study.folder.sessions / who / session_id / manifest.stim_file
        for (who, session_id), manifest in manifests.items()
    }


def _pack(folder: Path, archive: zipfile.ZipFile) -> None:
    """Every file, in the order of names and without times, so that the same files make the same ZIP."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        about = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _LONG_AGO)
        about.external_attr = 0o644 << 16
        about.compress_type = zipfile.ZIP_STORED if path.suffix in _PACKED_ALREADY else zipfile.ZIP_DEFLATED
        with path.open("rb") as source, archive.open(about, "w") as target:
            while block := source.read(1 << 20):
                target.write(block)
