"""What a training came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from generation.training.learning.state import Best


@dataclass(frozen=True)
class Learned:
    """A finished training; the model that was handed over holds the best checkpoint's weights.

    Args:
        steps: updates made.
        best: which checkpoint was taken, and by what measure.
        best_by_loss: the one of the lowest validation loss, which is kept beside it.
        losses: of each codebook on the last step's windows, nats a code.
        validation_loss: at the last step.
        first_validation_loss: of the base, before any step.
        windows: seen by all processes.
        seconds: of all runs together, those steps left out that a kill made come twice.
        n_processes: that learnt together.
        is_main: whether this process is the one that writes.
        folder: holds the log, the notes, TensorBoard's events and the checkpoints.
        best_checkpoint: folder of the best.
        notes: remarks on how it was made.
    """

    steps: int
    best: Best
    best_by_loss: Best
    losses: tuple[float, ...]
    validation_loss: float
    first_validation_loss: float
    windows: int
    seconds: float
    n_processes: int
    is_main: bool
    folder: Path
    best_checkpoint: Path
    notes: tuple[str, ...]

    @property
    def why_best(self) -> str:
        """One sentence for cards."""
        return f"step {self.best.step} of {self.steps}: lowest {self.best.measure}, {self.best.value:.4g}"
