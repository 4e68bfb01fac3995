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

"""Which TensorRT is installed: the full one, or TensorRT-RTX for GeForce and RTX GPUs."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
import re
from typing import Any

from seg_ros.core.errors import EngineError
from seg_ros.engines.optional_package import map_package_errors

FULL, RTX = 'tensorrt', 'tensorrt_rtx'
FLAVOURS = (FULL, RTX)
TYPED = 10      # the first version with strongly typed networks
UNTYPED = '8.6'  # the only older version that is supported, for fp32 graphs


@dataclass(frozen=True)
class Flavour:
    """
    An installed TensorRT.

    :param name: name of its Python module: `tensorrt` or `tensorrt_rtx`.
    :param version: as the module reports it.
    :param trt: the module.
    """

    name: str
    version: str
    trt: Any

    @property
    def major(self) -> int:
        """Return the major version."""
        return int(re.split(r'\D', self.version, maxsplit=1)[0])

    @property
    def typed(self) -> bool:
        """Return whether networks are strongly typed; otherwise only fp32 is supported."""
        return self.name == RTX or self.major >= TYPED


def load_flavour(name: str = '') -> Flavour:
    """
    Import TensorRT.

    :param name: one of `FLAVOURS`; if empty, the first that is installed.
    :raises EngineError: if it is not installed, does not load, or its version is not supported.
    """
    wanted = (name,) if name else FLAVOURS
    found = next(filter(find_spec, wanted), '')
    if not found:
        raise EngineError(
            f'no module {" or ".join(wanted)}', do=f'pip install {wanted[0].replace("_", "-")}; '
            'on a Jetson apt install python3-libnvinfer'
        )
    with map_package_errors(found):
        trt = import_module(found)
        flavour = Flavour(found, str(trt.__version__), trt)
        if not flavour.version[:1].isdigit():
            raise ImportError(f'its version is {flavour.version!r}')
    if not flavour.typed and not flavour.version.startswith(f'{UNTYPED}.'):
        raise EngineError(
            f'TensorRT {flavour.version} is not supported',
            f'{UNTYPED}, or {TYPED}.0 or later',
            'update it (on a Jetson: JetPack 6), or set engine: onnxruntime',
        )
    return flavour
