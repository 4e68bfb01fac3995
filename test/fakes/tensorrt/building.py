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

"""
The builder's half of a TensorRT that is none: a plan is the graph itself behind a line of JSON.

Public names are those of the real bindings, which test_tensorrt_names.py checks. What it is to do
wrong stands in the environment, since it runs in a process of its own:

FAKE_TENSORRT_DO    segfault | nothing | out of memory | fill (a plan of 1 MiB more)
FAKE_TENSORRT_GATE  a file without which no build ends
FAKE_TENSORRT_LOG   a file that takes a line of JSON for every build
FAKE_TENSORRT_DLA   how many DLA cores there are
"""

from abc import ABC, abstractmethod
from enum import IntEnum
import json
import os
import os.path
import signal
import time

import onnx

MAGIC = b'fake plan of TensorRT\n'
ASKED = os.environ.get('FAKE_TENSORRT_DO', '')
OLD = os.environ.get('FAKE_TENSORRT_VERSION', '').startswith('8.')
NOT_READ = 'Unreadable'     # operators of this type are none that the parser knows


def facts_and_graph(plan):
    """Read back what a plan was built of."""
    magic, facts, graph = bytes(plan).split(b'\n', 2)
    if magic + b'\n' != MAGIC:
        raise ValueError('no plan')
    return json.loads(facts), graph


class NetworkDefinitionCreationFlag(IntEnum):
    EXPLICIT_BATCH = 0
    STRONGLY_TYPED = 1


class BuilderFlag(IntEnum):
    GPU_FALLBACK = 3


class DeviceType(IntEnum):
    GPU = 0
    DLA = 1


class HardwareCompatibilityLevel(IntEnum):
    NONE = 0
    AMPERE_PLUS = 1


class MemoryPoolType(IntEnum):
    WORKSPACE = 0


class IProgressMonitor(ABC):
    """Whoever follows a build has to follow all of it."""

    @abstractmethod
    def phase_start(self, phase_name, parent_phase, num_steps):
        """Take note that a phase begins."""

    @abstractmethod
    def step_complete(self, phase_name, step):
        """Take note of a step; return whether to go on."""

    @abstractmethod
    def phase_finish(self, phase_name):
        """Take note that a phase ends."""


class ILayer:

    def __init__(self, name, op_type):
        self.name = name
        self._op_type = op_type


class ITensor:

    def __init__(self, value):
        self.name = value.name
        self.shape = tuple(
            dim.dim_value if dim.HasField('dim_value') else -1
            for dim in value.type.tensor_type.shape.dim
        )


class INetworkDefinition:

    def __init__(self, flags):
        kinds = NetworkDefinitionCreationFlag
        if flags != 1 << (kinds.EXPLICIT_BATCH if OLD else kinds.STRONGLY_TYPED):
            raise ValueError('no such network')
        self._graph = b''
        self._inputs = []
        self._layers = []

    @property
    def num_layers(self):
        return len(self._layers)

    def get_layer(self, index):
        return self._layers[index]

    def get_input(self, index):
        return self._inputs[index]

    def _serialized(self):
        """Write the graph with the inputs' shapes as they were set."""
        model = onnx.load_from_string(self._graph)
        for value, tensor in zip(model.graph.input, self._inputs, strict=True):
            for dim, side in zip(value.type.tensor_type.shape.dim, tensor.shape, strict=True):
                if side >= 0:
                    dim.dim_value = side
        return model.SerializeToString()


class ParserError:

    def __init__(self, node):
        self._node = node

    def desc(self):
        return f'no importer for {self._node.op_type}'

    def node_name(self):
        return self._node.name

    def node_operator(self):
        return self._node.op_type


class OnnxParser:

    def __init__(self, network, logger):
        self._network = network
        self._errors = []

    def parse(self, model):
        graph = onnx.load_from_string(model).graph
        self._errors = [ParserError(node) for node in graph.node if node.op_type == NOT_READ]
        self._network._graph = model
        self._network._inputs = [ITensor(value) for value in graph.input]
        self._network._layers = [ILayer(node.name, node.op_type) for node in graph.node]
        return not self._errors

    @property
    def num_errors(self):
        return len(self._errors)

    def get_error(self, index):
        return self._errors[index]


class IOptimizationProfile:

    def set_shape(self, input, min, opt, max):  # noqa: A002 - called so in the real bindings
        if not all(low <= high for low, high in zip(min, max, strict=True)):
            raise ValueError('bad profile')
        self._shapes = [list(min), list(opt), list(max)]


class ITimingCache:

    def __init__(self, data):
        self._data = data

    def serialize(self):
        return self._data


class IBuilderConfig:

    __slots__ = (
        *(() if OLD else ('progress_monitor',)), 'builder_optimization_level',
        'hardware_compatibility_level', 'default_device_type', 'DLA_core', '_limits', '_flags',
        '_profiles', '_timing',
    )

    def __init__(self):
        if not OLD:
            self.progress_monitor = None
        self.builder_optimization_level = 3
        self.hardware_compatibility_level = HardwareCompatibilityLevel.NONE
        self.default_device_type = DeviceType.GPU
        self.DLA_core = -1
        self._limits = {}
        self._flags = []
        self._profiles = []
        self._timing = ITimingCache(b'')

    def set_memory_pool_limit(self, pool, pool_size):
        self._limits[pool.name] = pool_size

    def set_flag(self, flag):
        self._flags.append(flag.name)

    def add_optimization_profile(self, profile):
        self._profiles.append(profile._shapes)
        return len(self._profiles) - 1

    def create_timing_cache(self, serialized_timing_cache):
        return ITimingCache(serialized_timing_cache)

    def set_timing_cache(self, cache, ignore_mismatch):
        fits = cache._data.startswith(b'timed') or not cache._data
        if fits:
            self._timing = cache
        return fits

    def get_timing_cache(self):
        return self._timing

    def can_run_on_DLA(self, layer):  # noqa: N802 - called so in the real bindings
        return layer._op_type == 'Conv'


class Builder:

    def __init__(self, logger):
        self._logger = logger
        self.num_DLA_cores = int(os.environ.get('FAKE_TENSORRT_DLA', '0'))

    def create_network(self, flags=0):
        return INetworkDefinition(flags)

    def create_builder_config(self):
        return IBuilderConfig()

    def create_optimization_profile(self):
        return IOptimizationProfile()

    def build_serialized_network(self, network, config):
        facts = {
            'profiles': config._profiles, 'limits': config._limits, 'flags': config._flags,
            'level': int(config.builder_optimization_level), 'dla_core': config.DLA_core,
            'compatible': int(config.hardware_compatibility_level),
            'timing': config._timing._data.decode(),
        }
        if 'FAKE_TENSORRT_LOG' in os.environ:
            with open(os.environ['FAKE_TENSORRT_LOG'], 'a', encoding='utf-8') as log:
                log.write(json.dumps({
                    'pid': os.getpid(), 'gpus': os.environ.get('CUDA_VISIBLE_DEVICES'), **facts
                }) + '\n')
        if ASKED == 'segfault':
            os.kill(os.getpid(), signal.SIGSEGV)
        if ASKED == 'nothing':
            return None
        if ASKED == 'out of memory':
            self._logger.log(self._logger.ERROR, 'Requested amount of GPU memory, out of memory')
            return None
        if not OLD:
            self._walk(config.progress_monitor)
        config._timing = ITimingCache(config._timing._data or b'timed')
        more = b'\0' * (1 << 20) if ASKED == 'fill' else b''
        return MAGIC + json.dumps(facts).encode() + b'\n' + network._serialized() + more

    def _walk(self, monitor):
        monitor.phase_start('Building Engine', None, 2)
        for step, phase in enumerate(('Optimizing', 'Timing tactics')):
            monitor.phase_start(phase, 'Building Engine', 4)
            for inner in range(4):
                while step and not os.path.exists(os.environ.get('FAKE_TENSORRT_GATE', '/')):
                    time.sleep(0.02)
                monitor.step_complete(phase, inner)
            monitor.phase_finish(phase)
            monitor.step_complete('Building Engine', step)
        monitor.phase_finish('Building Engine')
