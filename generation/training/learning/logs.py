"""What a training says of itself: a CSV row a step, the same for TensorBoard, and remarks in sentences."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from study.errors import StorageError
from study.folder import write_whole

LOG_FILE = "log.csv"
NOTES_FILE = "notes.txt"
TENSORBOARD = "tensorboard"


@dataclass(frozen=True)
class LogRow:
    """One step.

    Args:
        step: from 1; 0 is the base before any.
        losses: of each codebook on the step's own windows, nats a code; empty at step 0.
        validation_loss: mean over the validation windows; None where it was not measured.
        sampled_error: of sampled clips, in units of affect; None where it was not measured.
        learning_rate: of the first group of weights.
        gradient_norm: before clipping.
        windows_per_s: since the row before, validation left out.
    """

    step: int
    losses: tuple[float, ...] = ()
    validation_loss: float | None = None
    sampled_error: float | None = None
    learning_rate: float | None = None
    gradient_norm: float | None = None
    windows_per_s: float | None = None

    @property
    def loss(self) -> float | None:
        """Mean over codebooks."""
        return sum(self.losses) / len(self.losses) if self.losses else None


class Logs:
    """``log.csv``, ``notes.txt`` and TensorBoard's events in one folder.

    What was logged after `step` by a run that was killed is taken out first: those steps come again.

    Args:
        folder: None writes nothing: of several processes, one logs.
        n_codebooks: columns of losses.
        step: the step that is gone on from; None begins anew.

    Raises:
        StorageError: the folder cannot be written.
    """

    def __init__(self, folder: Path | None, n_codebooks: int, step: int | None) -> None:
        self._folder = folder
        self._header = [
            *("step", "loss"),
            *(f"loss_codebook_{number + 1}" for number in range(n_codebooks)),
            *("validation_loss", "sampled_error", "learning_rate", "gradient_norm", "windows_per_s"),
        ]
        if folder is None:
            return
        rows = [] if step is None else [row for row in read_log(folder) if int(row["step"]) <= step]
        kept = io.StringIO()
        writer = csv.DictWriter(kept, self._header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_whole(folder / LOG_FILE, kept.getvalue().encode())
        self._events = SummaryWriter(str(folder / TENSORBOARD), purge_step=0 if step is None else step + 1)

    def add(self, row: LogRow) -> None:
        """Append a row; it is with the system when this returns."""
        if self._folder is None:
            return
        path = self._folder / LOG_FILE
        values: list[float | None] = [
            *(row.loss, *row.losses, *(None,) * (len(self._header) - 7 - len(row.losses))),
            *(row.validation_loss, row.sampled_error),
            *(row.learning_rate, row.gradient_norm, row.windows_per_s),
        ]
        cells = ["" if value is None else f"{value:.9g}" for value in values]
        try:
            with path.open("a", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerow([row.step, *cells])
        except OSError as problem:
            raise StorageError(
                str(path), f"cannot be written ({problem.strerror})", "make room and train again"
            ) from problem
        for name, value in zip(self._header[1:], values, strict=True):
            if value is not None:
                self._events.add_scalar(name, value, row.step)

    def note(self, step: int, sentence: str) -> None:
        """Add a remark; what `notes.txt` says already is not said again."""
        if self._folder is None:
            return
        path, line = self._folder / NOTES_FILE, f"step {step}: {sentence}\n"
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        if line not in before:
            write_whole(path, (before + line).encode())

    def close(self) -> None:
        """Put TensorBoard's events on disk."""
        if self._folder is not None:
            self._events.close()


def read_log(folder: Path) -> list[dict[str, str]]:
    """The rows of ``log.csv``, in order; none where there is no file.

    A last row that was cut off in writing is left out.
    """
    path = folder / LOG_FILE
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    return list(csv.DictReader(whole))
