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

"""A node that is configured and cleaned up repeatedly does not leak."""

from collections import Counter
import gc
import os
from threading import enumerate as threads
from time import monotonic

from geometry_msgs.msg import PoseArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import pytest
from robot import SIZE_HW
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2

CYCLES = 20
SETTLED = 3     # cycles after which all one-time initialisation is done
ROUND = (
    Transition.TRANSITION_CONFIGURE,
    Transition.TRANSITION_ACTIVATE,
    Transition.TRANSITION_DEACTIVATE,
    Transition.TRANSITION_CLEANUP,
)
READ = {'semantic': Image, 'points': PointCloud2, 'scan': LaserScan, 'grasp_poses': PoseArray}


def held(node):
    """Count the entities of the node and the resources of its process."""
    gc.collect()
    return {
        **{
            kind: Counter(str(getattr(each, 'topic_name', kind)) for each in getattr(node, kind))
            for kind in ('publishers', 'subscriptions', 'timers', 'guards', 'services', 'clients')
        },
        'threads': Counter(each.name for each in threads()),
        'files': len(os.listdir('/proc/self/fd')),
    }


def depth_of(each, image):
    """Return the depth of a wall two metres in front of the camera, for an image."""
    message = each.image(stamp_ns=0)
    message.header, message.encoding, message.step = image.header, '16UC1', 2 * SIZE_HW[1]
    message.data = type(message.data)('B', (2000).to_bytes(2, 'little') * SIZE_HW[0] * SIZE_HW[1])
    return message


def show_until(each, publishers, done, what):
    """Publish images with their depth and camera_info until messages have arrived."""
    sent_s = -1.0

    def shown():
        nonlocal sent_s
        if monotonic() - sent_s > 0.1:
            sent_s, image = monotonic(), each.image()
            messages = each.info(image), depth_of(each, image), image
            for publisher, message in zip(publishers, messages, strict=True):
                publisher.publish(message)
        return done()

    each.wait(shown, what)


@pytest.mark.slow
def test_threads_files_and_topics_stay_the_same_over_twenty_cycles(robot):
    each = robot(autostart=False)
    each.patience_s = 10 * each.patience_s
    client = each.tester.create_client(ChangeState, '/segmentation/change_state')
    assert client.wait_for_service(each.patience_s)
    found = {
        topic: each.listen(f'/segmentation/camera/{topic}', kind) for topic, kind in READ.items()
    }
    publishers = [
        each.publisher(f'/camera/{topic}', kind) for topic, kind in (
            ('camera_info', CameraInfo), ('depth_registered/image_rect', Image),
            ('image_raw', Image),
        )
    ]
    seen = []
    for _ in range(CYCLES):
        for transition in ROUND:
            request = ChangeState.Request()
            request.transition.id = transition
            answer = client.call_async(request)
            each.wait(answer.done, 'an answer')
            assert answer.result().success
            if transition == Transition.TRANSITION_ACTIVATE:
                for messages in found.values():
                    messages.clear()
                show_until(
                    each, publishers, lambda: found['semantic'] and found['points'],
                    'masks and points',
                )
        seen.append(held(each.node))
    # Another thread of the process may open a file meanwhile; a leak grows in each cycle.
    files = [each.pop('files') for each in seen]
    assert min(files[-10:]) <= max(files[SETTLED:-10]), files
    assert seen[SETTLED] == seen[-1]
