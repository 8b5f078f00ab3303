"""A step recorded once as a CUDA graph, then replayed without the host's help.

A graph repeats the same kernels on the same addresses: everything a step reads
or writes must outlive it, and whatever changes from step to step must be read
from the device.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import torch
from torch import Tensor

from study.errors import DeviceError

_WARM_UP_STEPS = 2

_new_stream: Callable[[torch.device], torch.cuda.Stream] = torch.cuda.Stream


class StepGraphs:
    """The graphs of one batch's steps; they share one pool of memory for what a step forgets.

    Args:
        device: the GPU that the batch is on.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = _new_stream(device)
        self._pool = torch.cuda.graph_pool_handle()
        self._graphs: dict[Hashable, torch.cuda.CUDAGraph] = {}

    def capture(self, key: Hashable, step: Callable[[], None], counters: Sequence[Tensor]) -> None:
        """Record `step` under `key`, unless it is there already; synchronises the device.

        Args:
            step: run a few times first, so that libraries allocate and kernels compile outside the graph.
            counters: what a step adds to; put back after those runs. Whatever else a step writes, the
                same step would write again.

        Raises:
            DeviceError: the driver or a library refuses to have the step recorded.
        """
        if key in self._graphs:
            return
        try:
            self._graphs[key] = self._captured(step, counters)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as problem:
            raise DeviceError(
                str(self._device),
                f"a step cannot be recorded as a CUDA graph ({problem})",
                "decode with graphs=False",
            ) from problem

    def replay(self, key: Hashable) -> None:
        """Queue the recorded step; returns at once."""
        self._graphs[key].replay()

    def _captured(self, step: Callable[[], None], counters: Sequence[Tensor]) -> torch.cuda.CUDAGraph:
        before = [counter.clone() for counter in counters]
        with torch.cuda.device(self._device):
            self._stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self._stream):
                for _ in range(_WARM_UP_STEPS):
                    step()
                    for counter, value in zip(counters, before, strict=True):
                        counter.copy_(value)
            torch.cuda.current_stream().wait_stream(self._stream)
            graph = torch.cuda.CUDAGraph()
            # Other threads of the process may go on using the device meanwhile.
            with torch.cuda.graph(
                graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"
            ):
                step()
        return graph
