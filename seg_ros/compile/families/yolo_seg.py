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

"""YOLO segmentation networks: boxes with classes and mask coefficients, and prototypes."""

from seg_ros.compile.families.output_interpretation import OutputInterpretation
from seg_ros.compile.families.yolo_maps import read_maps
from seg_ros.compile.families.yolo_parts import read_parts
from seg_ros.compile.families.yolo_rows import read_rows
from seg_ros.compile.network import Network


def read_yolo_seg(network: Network) -> list[OutputInterpretation] | str:
    """
    Read boxes, scores and coefficients from separate outputs, maps of strides or one output.

    Separate class scores look like rows of fewer classes, so separate outputs are tried first.
    """
    reasons = []
    for read in (read_parts, read_maps, read_rows):
        answer = read(network)
        if answer and not isinstance(answer, str):
            return answer
        reasons += [answer] if isinstance(answer, str) else []
    return '; '.join(reasons)
