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

"""The key of a plan in the cache: everything that the plan depends on."""

from dataclasses import asdict, dataclass
from hashlib import sha256
import json

from seg_ros import __version__
from seg_ros.engines.cuda.gpu import Gpu
from seg_ros.engines.tensorrt.build_options import BuildOptions
from seg_ros.engines.tensorrt.flavour import Flavour


@dataclass(frozen=True)
class Machine:
    """
    The GPU, driver and TensorRT that a plan runs on.

    :param version: of TensorRT.
    :param gpu: name of the GPU.
    """

    flavour: str
    version: str
    gpu: str
    compute_capability: str
    driver: str

    def __str__(self) -> str:
        return f'{self.gpu} (sm {self.compute_capability}), {self.flavour} {self.version}, ' \
            f'driver {self.driver}'

    @property
    def key(self) -> str:
        """Return the name of files for this machine."""
        return _digest(self)


def machine_of(flavour: Flavour, gpu: Gpu) -> Machine:
    """Return the machine of a TensorRT and a GPU."""
    return Machine(flavour.name, flavour.version, gpu.name, gpu.compute_capability, gpu.driver)


@dataclass(frozen=True)
class CacheKey:
    """
    What a plan is built from, how, and for which machine.

    :param model_sha256: of the compiled file.
    :param outputs: outputs of the file in the plan; `upsample` and `source_size` choose them.
    :param seg_ros: version of this package.
    """

    model_sha256: str
    precision: str
    outputs: tuple[str, ...]
    machine: Machine
    options: BuildOptions
    seg_ros: str = __version__

    @property
    def key(self) -> str:
        """Return the name of the plan's files in the cache."""
        return _digest(self)


def _digest(item: Machine | CacheKey) -> str:
    return sha256(json.dumps(asdict(item), sort_keys=True).encode()).hexdigest()[:40]
