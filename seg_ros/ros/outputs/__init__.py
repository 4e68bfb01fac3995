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
The outputs of a frame: one `Output` for each topic, computed only if it has subscribers.

To add the format of a consumer, add a file with a tuple of `Output` here, and a line below; other
packages add theirs through the entry point group `seg_ros.outputs`.
"""

from seg_ros.ros.outputs.grasping import GRASPING
from seg_ros.ros.outputs.images import IMAGES
from seg_ros.ros.outputs.mapping import MAPPING
from seg_ros.ros.outputs.navigation import MISSING as NO_NAVIGATION
from seg_ros.ros.outputs.navigation import NAV2, NAVIGATION
from seg_ros.ros.outputs.plugins import plugin_outputs
from seg_ros.ros.outputs.points import POINTS
from seg_ros.ros.outputs.slam import SLAM
from seg_ros.ros.outputs.vision import MISSING as NO_VISION
from seg_ros.ros.outputs.vision import VISION
from seg_ros.ros.publishers import Output

_OWN = (*IMAGES, *VISION, *POINTS, *SLAM, *NAVIGATION, *NAV2, *GRASPING, *MAPPING)
_ADDED, SKIPPED_PLUGINS = plugin_outputs(_OWN)
OUTPUTS: tuple[Output, ...] = (*_OWN, *_ADDED)
# Why topics are absent, as text for the log.
ABSENCES = tuple(filter(None, (NO_VISION, NO_NAVIGATION, *SKIPPED_PLUGINS)))
