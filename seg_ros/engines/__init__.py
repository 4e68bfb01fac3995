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
Engines: inference runtimes for compiled graphs, all behind one contract.

There is no silent fallback: `auto` takes the first usable runtime and reports it in
`Engine.facts`; a runtime selected by name that cannot be opened is an error.
"""

import os
import sys

from seg_ros.engines.opening import (
    CPU_RUNTIMES,
    DEFAULT_METHOD,
    model_file,
    open_engine,
    RUNTIMES,
    stand_in,
)

__all__ = [
    'CPU_RUNTIMES', 'DEFAULT_METHOD', 'RUNTIMES', 'model_file', 'open_engine', 'stand_in',
]

# Both CPU runtimes send telemetry on import and write a machine id into the home folder. ONNX
# Runtime has a switch for this; OpenVINO has none per process, so its telemetry package is hidden.
# https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md
# https://docs.openvino.ai/2026/about-openvino/additional-resources/telemetry.html
os.environ.setdefault('ORT_DISABLE_TELEMETRY', '1')
sys.modules.setdefault('openvino_telemetry', None)  # type: ignore[arg-type]
