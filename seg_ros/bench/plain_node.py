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
A simple node for comparison: the callback does everything, with ONNX Runtime and numpy.

It resembles the result of a tutorial: one camera, float images, argmax of the class scores scaled
to the image by nearest neighbour, and the queue depth of rclpy's examples.
"""

import argparse
from pathlib import Path
import sys
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
import rclpy
from rclpy.node import Node
from seg_ros.ros.conversions import image_message
from seg_ros.ros.spin import spin_until_signal
from sensor_msgs.msg import Image

_QUEUE_DEPTH = 10


class PlainNode(Node):
    """Subscribes to `<camera>/image_raw` and publishes its classes on a topic."""

    def __init__(self, model: Path, camera: str, topic: str) -> None:
        super().__init__('plain')
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(str(model), options, ['CPUExecutionProvider'])
        self._publisher = self.create_publisher(Image, topic, _QUEUE_DEPTH)
        self.create_subscription(Image, f'{camera}/image_raw', self._on_image, _QUEUE_DEPTH)

    def _on_image(self, message: Any) -> None:
        image = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)
        height, width = self._session.get_inputs()[0].shape[2:]
        small = cv2.resize(image, (width, height)).astype(np.float32) / 255
        planes = np.ascontiguousarray(small.transpose(2, 0, 1)[None])
        (scores,) = self._session.run(None, {'images': planes})
        classes = scores[0].argmax(axis=0).astype(np.uint8)
        whole = cv2.resize(
            classes, (message.width, message.height), interpolation=cv2.INTER_NEAREST
        )
        self._publisher.publish(image_message(whole, message.header))


def main(arguments: list[str] | None = None) -> int:
    """Publish until a signal ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', type=Path)
    parser.add_argument('camera')
    parser.add_argument('topic')
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    rclpy.init()
    spin_until_signal(PlainNode(args.model, args.camera, args.topic))
    return 0


if __name__ == '__main__':
    sys.exit(main())
