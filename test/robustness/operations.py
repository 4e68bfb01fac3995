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
Random operations on a running node: python operations.py MODEL --seed 3 --seconds 600.

Readers come and go, cameras change reliability, size and encoding, and the lifecycle, the
parameters and the model are asked for everything, ten times a second. In the calms between, masks
have to come or the diagnostics have to say why not.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
import random
import subprocess
import sys
from time import monotonic
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState, GetState
import numpy as np
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParameters
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import SetBool

NODE = '/segmentation'
TOPICS = ('semantic', 'confidence', 'instance', 'panoptic', 'overlay', 'camera_info')
SIZES = ((48, 64), (37, 91), (240, 320), (1, 1))
ENCODINGS = {'rgb8': 3, 'bgr8': 3, 'mono8': 1, 'rgba8': 4, 'x-unheard-of': 3}
PERIOD_S, CALM_EVERY_S, CALM_S, ANSWER_S = 0.1, 20.0, 9.0, 15.0
VALUES: dict[str, tuple[Any, ...]] = {
    'classes': (['red'], ['purple'], [''], 'green', 7, True),
    'max_rate_hz': (0.0, 5.0, 1000.0, -3.0, 'fast'),
    'max_age_ms': (0.0, 50.0, 60000.0, 1e9),
    'tracking': (True, False, 'yes'),
    'smoothing': (0.0, 0.8, 2.0),
    'overlay_alpha': (0.0, 1.0, float('nan')),
    'min_confidence': (0.0, 0.5, float('inf')),
    'watchdog_s': (10.0, 0.0),
    'cameras': (['camera'], ['left', 'right'], 3),
    'workers': (1, 2, 0),
    'no_such_parameter': (1, 'word'),
}


def parameter(name: str, value: Any) -> Parameter:
    """Write a parameter as a client would; a type that does not exist is number 42."""
    typed = ParameterValue()
    if isinstance(value, bool):
        typed.type, typed.bool_value = 1, value
    elif isinstance(value, int):
        typed.type, typed.integer_value = 2, value
    elif isinstance(value, float):
        typed.type, typed.double_value = 3, value
    elif isinstance(value, str):
        typed.type, typed.string_value = 4, value
    elif isinstance(value, list):
        typed.type, typed.string_array_value = 9, value
    elif value == ('type 42',):
        typed.type = 42
    return Parameter(name=name, value=typed)


@dataclass
class Found:
    """What a run came to."""

    operations: int = 0
    masks: int = 0
    calms: int = 0
    violations: list[str] = field(default_factory=list)


class Surroundings:
    """Cameras, readers and clients of a node that runs elsewhere."""

    def __init__(self, models: list[str], seed: int) -> None:
        self.random = random.Random(seed)
        self.models = models
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.tester = rclpy.create_node('operations', context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.tester)
        self.levels: dict[str, tuple[int, str]] = {}
        self.tester.create_subscription(DiagnosticArray, '/diagnostics', self._on_status, 10)
        self.readers: dict[str, Any] = {}
        self.masks, self.last_mask_s = 0, 0.0
        self.size_hw, self.encoding = SIZES[0], 'rgb8'
        self.camera: Any = None
        self.infos = self.tester.create_publisher(CameraInfo, '/camera/camera_info', 1)
        self.clients = {
            name: self.tester.create_client(kind, f'{NODE}/{name}')
            for name, kind in (
                ('change_state', ChangeState), ('get_state', GetState), ('enable', SetBool),
                ('set_parameters', SetParameters),
            )
        }
        self.renew_camera()

    def close(self) -> None:
        self.executor.shutdown()
        self.tester.destroy_node()
        rclpy.shutdown(context=self.context)

    def _on_status(self, message: DiagnosticArray) -> None:
        for status in message.status:
            level = int.from_bytes(status.level, 'little')
            self.levels[status.name.rpartition(': ')[2]] = (level, status.message)

    def _on_mask(self, _: Any) -> None:
        self.masks += 1
        self.last_mask_s = monotonic()

    def spin(self, seconds: float) -> None:
        """Send images for a while and take what comes."""
        end_s = monotonic() + seconds
        while monotonic() < end_s:
            self.send_image()
            self.executor.spin_once(timeout_sec=0.01)

    def send_image(self) -> None:
        height, width = self.size_hw
        channels = ENCODINGS[self.encoding]
        stamp = self.tester.get_clock().now().to_msg()
        message = Image(height=height, width=width, encoding=self.encoding, step=width * channels)
        message.header.stamp, message.header.frame_id = stamp, 'optical'
        message.data.frombytes(np.full(height * width * channels, 90, np.uint8).tobytes())
        self.camera.publish(message)
        self.infos.publish(CameraInfo(header=message.header, height=height, width=width))

    def renew_camera(self) -> None:
        """Let the driver start again, with another reliability."""
        if self.camera is not None:
            self.tester.destroy_publisher(self.camera)
        kind = self.random.choice([ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT])
        qos = QoSProfile(depth=1, reliability=kind)
        self.camera = self.tester.create_publisher(Image, '/camera/image_raw', qos)

    def toggle_reader(self, topic: str) -> None:
        if topic in self.readers:
            self.tester.destroy_subscription(self.readers.pop(topic))
        else:
            kind = CameraInfo if topic == 'camera_info' else Image
            self.readers[topic] = self.tester.create_subscription(
                kind, f'{NODE}/camera/{topic}', self._on_mask, 1
            )

    def ask(self, name: str, request: Any) -> Any:
        """Call a service; None where no answer came."""
        future = self.clients[name].call_async(request)
        end_s = monotonic() + ANSWER_S
        while not future.done() and monotonic() < end_s:
            self.executor.spin_once(timeout_sec=0.01)
        return future.result() if future.done() else None

    def change_state(self, number: int) -> Any:
        request = ChangeState.Request()
        request.transition.id = number
        return self.ask('change_state', request)

    def state(self) -> str:
        answer = self.ask('get_state', GetState.Request())
        return '' if answer is None else str(answer.current_state.label)

    def set_parameter(self, name: str, value: Any) -> Any:
        request = SetParameters.Request(parameters=[parameter(name, value)])
        return self.ask('set_parameters', request)

    def operate(self) -> tuple[str, bool]:
        """Do something at random; returns what, and whether an answer came where one is due."""
        kind = self.random.choice(('reader', 'camera', 'image', 'state', 'enable', 'set', 'set'))
        if kind == 'reader':
            self.toggle_reader(topic := self.random.choice(TOPICS))
            return f'reader {topic}', True
        if kind == 'camera':
            self.renew_camera()
            return 'camera', True
        if kind == 'image':
            self.size_hw = self.random.choice(SIZES)
            self.encoding = self.random.choice(list(ENCODINGS))
            return f'image {self.size_hw} {self.encoding}', True
        if kind == 'state':
            number = self.random.choice((1, 2, 3, 3, 4, 1, 0, 8, 99))
            return f'transition {number}', self.change_state(number) is not None
        if kind == 'enable':
            answer = self.ask('enable', SetBool.Request(data=self.random.random() < 0.7))
            return 'enable', answer is not None
        return self._set_something()

    def _set_something(self) -> tuple[str, bool]:
        name = self.random.choice([*VALUES, 'model', 'model'])
        value = self.random.choice(VALUES.get(name, (*self.models, '/nowhere.onnx', '', 5)))
        if self.random.random() < 0.05:
            value = self.random.choice((None, ('type 42',)))    # deletion, and no type at all
        answered = self.set_parameter(name, value) is not None
        # rclpy gives no answer to a type that it does not know.
        return f'{name} = {value!r}', answered or value == ('type 42',)

    def calm(self, seconds: float) -> str:
        """Ask for plain masks and wait; returns what is wrong, in words."""
        self.size_hw, self.encoding = SIZES[0], 'rgb8'
        for name, value in (
            ('classes', ['']), ('max_rate_hz', 0.0), ('max_age_ms', 0.0), ('min_confidence', 0.0),
            ('cameras', ['camera']),
        ):
            self.set_parameter(name, value)
        for number in (1, 3):
            self.change_state(number)
        self.ask('enable', SetBool.Request(data=True))
        if 'semantic' not in self.readers:
            self.toggle_reader('semantic')
        self.last_mask_s = 0.0
        self.spin(seconds)
        state, (level, words) = self.state(), self.levels.get('camera', (0, 'no status'))
        if state != 'active':
            return f'the node is {state}, not active'
        if not self.last_mask_s and level == 0:
            return f'no masks, and diagnostics say OK: {words}'
        return ''


def run(model: Path, other: Path, seed: int, seconds: float) -> Found:
    """Start a node, disturb it, and end it."""
    found = Found()
    node = subprocess.Popen([
        sys.executable, '-m', 'seg_ros.ros.main', '--ros-args', '-p', f'model:={model}',
        '-p', 'threads:=1', '--log-level', 'fatal',
    ])
    around = Surroundings([str(model), str(other)], seed)
    try:
        if not all(client.wait_for_service(60.0) for client in around.clients.values()):
            found.violations.append('the node offers no services')
            return found
        end_s = monotonic() + seconds
        while monotonic() < end_s and node.poll() is None and len(found.violations) < 5:
            calm_s = min(end_s, monotonic() + CALM_EVERY_S)
            while monotonic() < calm_s and node.poll() is None:
                what, answered = around.operate()
                found.operations += 1
                if not answered:
                    found.violations.append(f'no answer to {what}')
                around.spin(PERIOD_S)
            if node.poll() is None and (wrong := around.calm(CALM_S)):
                found.violations.append(wrong)
            found.calms += 1
        found.masks = around.masks
        if node.poll() is not None:
            found.violations.append(f'the process ended with {node.returncode}')
        else:
            node.terminate()
            if node.wait(10.0) != 0:
                found.violations.append(f'the process ended with {node.returncode} when asked to')
    except subprocess.TimeoutExpired:
        found.violations.append('the process did not end when asked to')
    finally:
        node.kill()
        around.close()
    return found


def main() -> int:
    """Run and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', type=Path)
    parser.add_argument('--other', type=Path, help='a second model (default: the same)')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--seconds', type=float, default=60.0)
    args = parser.parse_args()
    found = run(args.model, args.other or args.model, args.seed, args.seconds)
    sys.stdout.write(f'{found}\n')
    return int(bool(found.violations))


if __name__ == '__main__':
    sys.exit(main())
