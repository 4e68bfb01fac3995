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

"""How many source files take part in processing a semantic frame, from message to mask."""

from pathlib import Path
import threading

import seg_ros
from seg_ros.pipeline.workers import Workers
from seg_ros.ros.camera import Camera
from sensor_msgs.msg import Image

ROOT = Path(seg_ros.__file__).parent
MOST = 19
# The callback that receives an image, and the loop of the thread that makes its masks.
BEGINNINGS = {Camera._on_image.__code__, Workers._loop.__code__}


def is_of_an_image(frame):
    """Return whether a call is made for an image, and not for diagnostics or another timer."""
    while frame and frame.f_code not in BEGINNINGS:
        frame = frame.f_back
    return frame is not None


def test_a_semantic_frame_passes_few_files(robot):
    files, watching = set(), threading.Event()

    def note(frame, event, _):
        if watching.is_set() and event == 'call' and is_of_an_image(frame):
            files.add(frame.f_code.co_filename)

    threading.setprofile(note)      # for threads started from now on
    try:
        each = robot()
        semantic = each.listen('/segmentation/camera/semantic', Image)
        each.mask(semantic)     # the first frame initialises what later ones reuse
        watching.set()
        each.mask(semantic)
        each.wait(lambda: str(ROOT / 'ros' / 'publishers.py') in files, 'the mask to be traced')
        watching.clear()
    finally:
        threading.setprofile(None)
    ours = {path for path in files if Path(path).is_relative_to(ROOT)}
    assert len(ours) <= MOST, sorted(ours)
