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

"""A node under test with a tester node, and a network whose output is easy to compute."""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState, GetState
import numpy as np
import onnx
from onnx import helper, TensorProto
from rcl_interfaces.srv import SetParameters
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

SIZE_HW = (48, 64)
PATIENCE_S = 20.0
DISCOVERY_S = 3.0


def channel_network(path: Path, batch: int | str = 1) -> Path:
    """Write a network whose class scores are the pixel's channels: red, green or blue wins."""
    shape = [batch, 3, *SIZE_HW]
    graph = helper.make_graph(
        [helper.make_node('Mul', ['images', 'gain'], ['scores'])],
        'channels',
        [helper.make_tensor_value_info('images', TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info('scores', TensorProto.FLOAT, shape)],
        [helper.make_tensor('gain', TensorProto.FLOAT, [], [20.0])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    onnx.save(model, path)
    return path


def channel_image(size_hw: tuple[int, int] = SIZE_HW) -> np.ndarray:
    """Paint three vertical bands in pure red, green and blue."""
    pixels = np.zeros((*size_hw, 3), np.uint8)
    width = size_hw[1]
    for channel in range(3):
        pixels[:, channel * width // 3:(channel + 1) * width // 3, channel] = 200
    return pixels


def channel_classes(pixels: np.ndarray) -> np.ndarray:
    """Compute the class ids that the channel network must return."""
    return np.array([10, 20, 30], np.uint8)[pixels.argmax(axis=2)]


class Robot:
    """The node under test, and a tester that publishes, subscribes and calls its services."""

    patience_s = PATIENCE_S

    def __init__(self, parameters: dict[str, Any]) -> None:
        from seg_ros.ros.node import SegmentationNode

        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        self.node = SegmentationNode(context=self._context, parameter_overrides=overrides)
        self.tester = rclpy.create_node('tester', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._executor.add_node(self.tester)
        self._ended = Event()
        self._thread = Thread(target=self._spin)
        self._thread.start()
        self.diagnostics: dict[str, dict[str, str]] = {}
        self.words: dict[str, str] = {}
        self.levels: dict[str, bytes] = {}
        self.tester.create_subscription(DiagnosticArray, '/diagnostics', self._on_status, 10)
        self._cameras: dict[tuple[str, bool], Any] = {}
        self._clients: dict[str, Any] = {}

    def _spin(self) -> None:
        """Spin as the node's main does: rclpy's executor must not be shut down while it spins."""
        while not self._ended.is_set():
            self._executor.spin_once(timeout_sec=0.1)

    def _on_status(self, message: DiagnosticArray) -> None:
        for status in message.status:
            key = status.name.partition(': ')[2]
            self.diagnostics[key] = {pair.key: pair.value for pair in status.values}
            self.words[key] = status.message
            self.levels[key] = status.level

    def close(self) -> None:
        """End the node as its main does, and the tester; may be called twice."""
        if not self._context.ok():
            return
        self._ended.set()
        self._thread.join()
        self._executor.shutdown()
        self.node.release()
        self.node.destroy_node()
        self.tester.destroy_node()
        rclpy.shutdown(context=self._context)

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait until a condition holds and return what it returned."""
        deadline = monotonic() + self.patience_s
        while monotonic() < deadline:
            if found := condition():
                return found
            sleep(0.01)
        raise AssertionError(f'waited in vain for {what}')

    def listen(self, topic: str, kind: Any, qos: Any = 10) -> list[Any]:
        """Subscribe and return the list to which messages will be added."""
        messages: list[Any] = []
        self.tester.create_subscription(kind, topic, messages.append, qos)
        return messages

    def leave(self, subscription: Any) -> None:
        """Unsubscribe in the executor's thread, which may be using the subscription."""
        self._executor.create_task(self.tester.destroy_subscription, subscription)

    def call(self, kind: Any, name: str, request: Any) -> Any:
        """Call a service of the node."""
        if name not in self._clients:
            self._clients[name] = self.tester.create_client(kind, f'/segmentation/{name}')
            # In one of fifty contexts the graph never shows a service although it responds.
            self._clients[name].wait_for_service(DISCOVERY_S)
        client = self._clients[name]
        futures = [client.call_async(request)]
        sent_s = [monotonic()]

        def answer() -> Any:
            # The response of a service that has not discovered the client's reader yet is lost.
            if kind is GetState and monotonic() - sent_s[0] > DISCOVERY_S:
                futures.append(client.call_async(request))
                sent_s[0] = monotonic()
            return next((each.result() for each in futures if each.done()), None)

        return self.wait(answer, f'the service {name}')

    def change_state(self, transition: int) -> bool:
        """Request a transition by its id."""
        request = ChangeState.Request()
        request.transition.id = transition
        return self.call(ChangeState, 'change_state', request).success

    def state(self) -> str:
        """Return the label of the lifecycle state."""
        return self.call(GetState, 'get_state', GetState.Request()).current_state.label

    def set_parameter(self, name: str, value: Any) -> Any:
        """Set one parameter through its service and return the result."""
        message = Parameter(name, value=value).to_parameter_msg()
        request = SetParameters.Request(parameters=[message])
        return self.call(SetParameters, 'set_parameters', request).results[0]

    def publisher(self, topic: str, kind: Any, reliable: bool = False) -> Any:
        """Return the publisher of a topic, created once."""
        if (topic, reliable) not in self._cameras:
            reliability = getattr(ReliabilityPolicy, 'RELIABLE' if reliable else 'BEST_EFFORT')
            qos = QoSProfile(depth=1, reliability=reliability)
            self._cameras[topic, reliable] = self.tester.create_publisher(kind, topic, qos)
        return self._cameras[topic, reliable]

    def send(self, message: Any, topic: str = '/camera/image_raw', reliable: bool = False) -> None:
        """Publish a message once the node has subscribed."""
        publisher = self.publisher(topic, type(message), reliable)
        self.wait(publisher.get_subscription_count, f'the node to listen to {topic}')
        publisher.publish(message)

    def image(self, pixels: np.ndarray | None = None, stamp_ns: int | None = None) -> Image:
        """Make an rgb8 image message, stamped now unless a stamp is given."""
        pixels = channel_image() if pixels is None else pixels
        now = self.tester.get_clock().now()
        stamp = (now if stamp_ns is None else rclpy.time.Time(nanoseconds=stamp_ns)).to_msg()
        message = Image(header=Header(stamp=stamp, frame_id='optical'), encoding='rgb8')
        message.height, message.width = pixels.shape[:2]
        message.step = pixels.shape[1] * 3
        message.data.frombytes(np.ascontiguousarray(pixels).tobytes())
        return message

    def mask(self, messages: list[Any]) -> np.ndarray:
        """Send an image and return the next mask in a list returned by `listen`."""
        count = len(messages)
        self.send(self.image())
        self.wait(lambda: len(messages) > count, 'a mask')
        return pixels(messages[-1])

    def info(self, message: Image) -> CameraInfo:
        """Make the camera_info of an image."""
        info = CameraInfo(header=message.header, height=message.height, width=message.width)
        info.k = [50.0, 0.0, 32.0, 0.0, 50.0, 24.0, 0.0, 0.0, 1.0]
        info.p = [50.0, 0.0, 32.0, 0.0, 0.0, 50.0, 24.0, 0.0, 0.0, 0.0, 1.0, 0.0]
        return info


def pixels(message: Image) -> np.ndarray:
    """Read a mask as a consumer would: tightly packed, little-endian."""
    kind = {'mono8': '<u1', '16UC1': '<u2', '32SC1': '<i4', 'rgb8': '<u1'}[message.encoding]
    channels = 3 if message.encoding == 'rgb8' else 1
    size = np.dtype(kind).itemsize * channels
    assert message.step == message.width * size
    assert not message.is_bigendian
    array = np.frombuffer(message.data, kind)
    shape = (message.height, message.width) + ((3,) if channels == 3 else ())
    return array.reshape(shape)
