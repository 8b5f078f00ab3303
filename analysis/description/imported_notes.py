"""What a reader must know of data that another system collected."""

from __future__ import annotations

from collections.abc import Sequence

from study.events import DataImported


def imported_notes(imported: Sequence[DataImported]) -> list[str]:
    """Sentences on where imported data come from, and on what was assumed where their files are silent.

    A sentence that several files share stands once.
    """
    if not imported:
        return []
    files = "; ".join(
        f"{data.file_name} ({data.rows} rows, {data.participants} people, SHA-256 {data.file_sha256[:12]})"
        for data in imported
    )
    return [
        f"The data were collected elsewhere and imported from {files}. Consent, eligibility and allocation "
        "took place there and are not in this record; its times are those of the import.",
        *dict.fromkeys(sentence for data in imported for sentence in data.assumed),
    ]
