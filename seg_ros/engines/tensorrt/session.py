# Copyright 2026 seg_ros contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Inference with a plan: slots for the frames in flight, and the stages of each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from seg_ros.core.tensors import Feeds, IMAGE, Outputs, outputs_from_tensors, PROMPTS
from seg_ros.engines.cuda.buffers import Buffer
from seg_ros.engines.cuda.resources import Cuda
from seg_ros.engines.cuda.streams import Event, Stream
from seg_ros.engines.tensorrt.batch_context import BatchContext
from seg_ros.engines.tensorrt.flavour import Flavour
from seg_ros.engines.tensorrt.plan import Plan

SLOTS = 2
STAGES = ('upload', 'compute', 'download')


@dataclass(eq=False)
class FrameSlot:
    """
    The buffers, events and execution contexts of one frame in flight.

    :param inputs: buffers by tensor name.
    :param outputs: buffers by tensor name.
    :param begins: start event of each stage.
    :param ends: end event of each stage.
    :param batch_contexts: by batch size.
    :param count: number of images in flight.
    """

    inputs: dict[str, Buffer]
    outputs: dict[str, Buffer]
    begins: dict[str, Event]
    ends: dict[str, Event]
    batch_contexts: dict[int, BatchContext]
    count: int = 0

    def upload(self, stream: Stream) -> None:
        """Enqueue the copies of the inputs."""
        for buffer in self.inputs.values():
            buffer.upload(self.count, stream)

    def compute(self, stream: Stream) -> None:
        """Enqueue the inference."""
        self.batch_contexts[self.count].run(stream)

    def download(self, stream: Stream) -> None:
        """Enqueue the copies of the outputs."""
        for buffer in self.outputs.values():
            buffer.download(self.count, stream)


class Session:
    """
    Everything that one engine has on the GPU; it is freed when `cuda` closes.

    Each stage has its own stream and waits for the previous stage, so that one frame's copies
    overlap another's computation. All batch sizes are warmed up here, so that no frame is slow.

    :param plan: the serialised plan.
    :param names: maps the plan's outputs to the tensor names of the contract.
    :param dla_core: deep-learning accelerator that the plan is for; -1 is the GPU.
    :param record: whether to launch each frame's work as one CUDA graph.
    :raises PlanError: if this TensorRT or this GPU refuses the plan.
    :raises EngineError: if GPU memory runs out or anything else fails.
    """

    def __init__(
        self, cuda: Cuda, flavour: Flavour, plan: bytes, names: Mapping[str, str],
        dla_core: int = -1, record: bool = True,
    ) -> None:
        self._cuda = cuda
        self._record = record
        self._names = names
        self.notes: tuple[str, ...] = ()
        with cuda.errors():
            self._plan = Plan(cuda, flavour.trt, plan, dla_core)
            self.max_batch = self._plan.shapes[IMAGE][0]
            self._workspace = cuda.memory(self._plan.workspace_size)
            self._streams = {stage: cuda.stream() for stage in STAGES}
            self.slots = [self._make_slot() for _ in range(SLOTS)]

    def _make_slot(self) -> FrameSlot:
        buffers = {
            name: self._cuda.buffer(shape, self._plan.dtype(name))
            for name, shape in self._plan.shapes.items()
        }
        begins, ends = ({stage: self._cuda.event() for stage in STAGES} for _ in range(2))
        batch_contexts = {
            count: self._make_batch_context(buffers, count)
            for count in range(1, self.max_batch + 1)
        }
        inputs = {name: buffers.pop(name) for name in (IMAGE, PROMPTS) if name in buffers}
        return FrameSlot(inputs, buffers, begins, ends, batch_contexts)

    def _make_batch_context(self, buffers: dict[str, Buffer], count: int) -> BatchContext:
        batch_context = BatchContext(self._cuda, self._plan, buffers, count, self._workspace)
        obstacle = batch_context.warm_up(self._streams['compute'], self._record)
        if obstacle and not self.notes:
            self.notes = (f'no CUDA graph: {obstacle}',)
        return batch_context

    def launch(self, slot: FrameSlot, feeds: Feeds) -> None:
        """
        Enqueue a frame without blocking.

        :param slot: one whose last frame was collected.
        :param feeds: `image` and, if the network takes them, `prompts`, for N images.
        :raises EngineError: if CUDA or TensorRT fails.
        """
        slot.count = len(feeds[IMAGE])
        for name, array in feeds.items():
            np.copyto(slot.inputs[name].host[:slot.count], array)
        work = {'upload': slot.upload, 'compute': slot.compute, 'download': slot.download}
        before: Event | None = None
        with self._cuda.errors():
            for stage, stream in self._streams.items():
                if before is not None:
                    stream.wait_for(before)
                slot.begins[stage].record(stream)
                work[stage](stream)
                slot.ends[stage].record(stream)
                before = slot.ends[stage]

    def collect(self, slot: FrameSlot) -> Outputs:
        """
        Wait for a frame, in any thread.

        :returns: copies, which the next frame does not overwrite.
        :raises EngineError: if the GPU failed meanwhile.
        """
        with self._cuda.borrowed():
            slot.ends['download'].wait()
            stage_ms = {
                stage: slot.begins[stage].ms_until(slot.ends[stage]) for stage in STAGES
            }
        tensors = {
            self._names[name]: buffer.host[:slot.count].copy()
            for name, buffer in slot.outputs.items()
        }
        return replace(outputs_from_tensors(tensors, slot.count), stage_ms=stage_ms)

    def check(self) -> None:
        """
        Check that no engine of this process has lost the GPU context.

        :raises ContextLostError: if one has.
        """
        self._cuda.check()
