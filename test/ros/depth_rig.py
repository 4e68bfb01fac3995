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

"""A node under test with a colour camera and a depth camera."""

import numpy as np
from robot import SIZE_HW

MS = 1_000_000
START_NS = 1_000_000 * MS
DEPTH = '/camera/depth_registered/image_rect'


def depth_message(each, stamp_ns, metres=2.0, encoding='16UC1', frame_id='optical', size=SIZE_HW):
    message = each.image(np.zeros((*size, 3), np.uint8), stamp_ns)
    kind, value = (np.uint16, 1000 * metres) if encoding == '16UC1' else (np.float32, metres)
    array = np.full(size, value, kind)
    message.encoding, message.step = encoding, array.itemsize * size[1]
    message.header.frame_id = frame_id
    message.data = type(message.data)('B', array.tobytes())
    return message


class Rig:
    """A colour camera and a depth camera with one stamp."""

    def __init__(self, robot, *topics, **parameters):
        self.each = robot(**parameters)
        self.found = {
            topic: self.each.listen(f'/segmentation/camera/{topic}', kind)
            for topic, kind in topics
        }
        info = self.each.info(self.each.image(stamp_ns=START_NS))
        self.each.send(info, '/camera/camera_info')
        self.each.wait(
            lambda: self.each.node._pipeline.cameras['camera']._info is not None, 'camera_info'
        )

    def send(self, offset_ms=0, depth_ms=0, **depth):
        stamp_ns = START_NS + offset_ms * MS
        self.each.send(depth_message(self.each, stamp_ns + depth_ms * MS, **depth), DEPTH)
        self.each.send(self.each.image(stamp_ns=stamp_ns))
        return stamp_ns

    def words(self, words, meanwhile=lambda: None):
        """Wait for words in the diagnostics, and repeat an action meanwhile."""

        def said():
            meanwhile()
            return words in self.each.words.get('camera', '')

        self.each.wait(said, f'{words!r} in the diagnostics')
