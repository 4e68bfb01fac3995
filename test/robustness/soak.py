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
The node under honest and hostile messages for as long as asked: python soak.py --seconds 3600.

Three honest cameras send the next image as soon as the masks of the last have come; each mask is
compared with what the same model gives the same image in this process. With every image come
hostile ones on other cameras, and once a second a request that must be answered. Now and then a
burst of images comes at once, a reader leaves, and the lifecycle goes round. Give it a
ROS_DOMAIN_ID of its own.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
import itertools
import math
import os
from pathlib import Path
import random
import struct
import subprocess
import sys
from time import monotonic, time_ns
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState
import numpy as np
from operations import parameter
from rcl_interfaces.srv import SetParameters
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, Image
from soak_input import image_of, info_of, REQUESTS, ruin, scene, SCENES, SIZE_HW

NODE = '/segmentation'
HONEST, HOSTILE = ('front', 'left', 'right'), ('loose', 'bent', 'wet', 'cold')
RUINS = 400
ANSWER_S, START_S, ASK_S, SAMPLE_S, BURST = 10.0, 120.0, 1.0, 60.0, 3
MOST_LOST = 30      # of images, after which there is nothing more to be learnt
ROUND_S = 120.0     # between two rounds of the lifecycle
# Stamps lie after the four bytes that say how a message is coded.
STAMP = struct.Struct('<iI')
STAMP_AT = 4


@dataclass
class Camera:
    """An honest camera: what it sent and what has come back."""

    images: Any
    infos: Any
    sent: dict[int, int] = field(default_factory=dict)      # scenes by stamp, oldest first
    last_ns: int = 0
    since_s: float = 0.0


@dataclass
class Counts:
    """What a run came to."""

    messages: int = 0
    frames: int = 0
    wrong: int = 0
    stale: int = 0
    lost: int = 0
    overtaken: int = 0
    dropped: int = 0
    requests: int = 0
    unanswered: int = 0
    rounds: int = 0
    deaths: int = 0
    faults: int = 0
    longest_s: float = 0.0

    @property
    def bad(self) -> bool:
        """Whether something happened that must not."""
        return any((
            self.deaths, self.wrong, self.stale, self.lost, self.unanswered, self.faults,
        ))


@dataclass(frozen=True)
class Enough:
    """When a run ends: after a time, or earlier with so many frames and messages."""

    seconds: float
    frames: float = math.inf
    messages: float = 0.0

    def reached(self, counts: Counts, seconds: float) -> bool:
        return seconds >= self.seconds or (
            counts.frames >= self.frames and counts.messages >= self.messages
        )


@dataclass(frozen=True)
class Usage:
    """What a process holds at a moment."""

    at_s: float
    memory_mib: float
    handles: int
    threads: int


def usage(pid: int, at_s: float) -> Usage:
    words = Path(f'/proc/{pid}/status').read_text().split()
    return Usage(
        at_s, int(words[words.index('VmRSS:') + 1]) / 1024, len(os.listdir(f'/proc/{pid}/fd')),
        int(words[words.index('Threads:') + 1]),
    )


class Surroundings:
    """Cameras, a reader and a client of a node that runs elsewhere."""

    def __init__(self, references: list[np.ndarray], hostile: int, seed: int) -> None:
        self.counts, self.random = Counts(), random.Random(seed)
        self._references, self._hostile = references, hostile
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node('soak', context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self._cameras = {name: self._open(name, reliable=True) for name in (*HONEST, *HOSTILE)}
        for name in HONEST:
            self.node.create_subscription(
                Image, f'{NODE}/{name}/semantic', lambda mask, name=name: self._check(name, mask),
                10,
            )
        for name in HOSTILE:
            self.node.create_subscription(Image, f'{NODE}/{name}/semantic', self._refuse, 10)
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._note_status, 10)
        self._overlay: Any = None
        self._dropped: dict[str, int] = {}
        self._state = self.node.create_client(ChangeState, f'{NODE}/change_state')
        self._set = self.node.create_client(SetParameters, f'{NODE}/set_parameters')
        self._scenes = [serialize_message(image_of(scene(seed))) for seed in range(SCENES)]
        self._ruins = [serialize_message(ruin(self.random)) for _ in range(RUINS)]
        self._infos = [serialize_message(info_of(self.random)) for _ in range(RUINS)]
        self._sources = self._hostile_publishers()

    def _open(self, name: str, *, reliable: bool) -> Camera:
        qos = 10 if reliable else qos_profile_sensor_data
        return Camera(
            self.node.create_publisher(Image, f'/{name}/image_raw', qos),
            self.node.create_publisher(CameraInfo, f'/{name}/camera_info', qos),
        )

    def _hostile_publishers(self) -> Iterator[tuple[Any, list[bytes]]]:
        for name in itertools.cycle(HOSTILE):
            yield self._cameras[name].images, self._ruins
            yield self._cameras[name].infos, self._infos

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)

    def _publish(self, publisher: Any, message: bytes, stamp_ns: int) -> None:
        stamped = bytearray(message)
        STAMP.pack_into(stamped, STAMP_AT, *divmod(stamp_ns, 10**9))
        publisher.publish(bytes(stamped))
        self.counts.messages += 1

    def feed(self) -> None:
        """Send the next image of each camera that waits for nothing, with all that goes along."""
        for name in HONEST:
            camera = self._cameras[name]
            if camera.sent and monotonic() < camera.since_s + ANSWER_S:
                continue
            self.counts.lost += bool(camera.sent)
            self._send(camera)

    def _send(self, camera: Camera) -> None:
        camera.sent, camera.since_s = {}, monotonic()
        for _ in range(BURST if self.random.random() < 0.02 else 1):
            stamp_ns, number = time_ns(), self.random.randrange(SCENES)
            self._publish(camera.infos, self._infos[number], stamp_ns)
            self._publish(camera.images, self._scenes[number], stamp_ns)
            camera.sent[stamp_ns] = number
        for publisher, messages in itertools.islice(self._sources, self._hostile):
            self._publish(publisher, self.random.choice(messages), time_ns())

    def _check(self, name: str, mask: Image) -> None:
        """Compare a mask with the reference of the image whose stamp it carries."""
        camera = self._cameras[name]
        stamp_ns = mask.header.stamp.sec * 10**9 + mask.header.stamp.nanosec
        if stamp_ns <= camera.last_ns or stamp_ns not in camera.sent:
            self.counts.stale += 1
            return
        camera.last_ns = stamp_ns
        self.counts.frames += 1
        self.counts.longest_s = max(self.counts.longest_s, (time_ns() - stamp_ns) / 1e9)
        ids = np.frombuffer(mask.data, np.uint8)
        expected = self._references[camera.sent[stamp_ns]]
        self.counts.wrong += not (
            (mask.height, mask.width) == SIZE_HW and mask.encoding == 'mono8'
            and mask.header.frame_id == 'optical' and np.array_equal(ids, expected.ravel())
        )
        passed = [earlier for earlier in camera.sent if earlier < stamp_ns]
        self.counts.overtaken += len(passed)
        for earlier in (*passed, stamp_ns):
            del camera.sent[earlier]

    def _refuse(self, _: Image) -> None:
        """Count a mask of an image that contradicts itself."""
        self.counts.wrong += 1

    def _note_status(self, message: DiagnosticArray) -> None:
        engine, *cameras = message.status
        values = {pair.key: pair.value for pair in engine.values}
        self.counts.faults = int(values.get('faults', 0))
        for status in cameras:
            dropped = sum(
                int(pair.value) for pair in status.values if pair.key.startswith('dropped_')
            )
            # The node counts anew when it is configured.
            before = self._dropped.get(status.name, 0)
            self.counts.dropped += dropped - before if dropped >= before else dropped
            self._dropped[status.name] = dropped

    def wait(self, future: Any, *, feeding: bool) -> None:
        """Go on until a request is answered."""
        self.counts.requests += 1
        end_s = monotonic() + ANSWER_S
        while not future.done() and monotonic() < end_s:
            self.spin_once(feeding=feeding)
        self.counts.unanswered += not future.done()

    def spin_once(self, *, feeding: bool = True) -> None:
        if feeding:
            self.feed()
        self.executor.spin_once(timeout_sec=0.05)

    def ask(self) -> None:
        """Set something, seldom as it should be, and let a reader of overlays come or go."""
        name, value = self.random.choice(REQUESTS)
        request = SetParameters.Request(parameters=[parameter(name, value)])
        self.wait(self._set.call_async(request), feeding=True)
        if self._overlay is not None:
            self.node.destroy_subscription(self._overlay)
            self._overlay = None
        elif self.random.random() < 0.1:
            topic = f'{NODE}/{HONEST[0]}/overlay'
            self._overlay = self.node.create_subscription(Image, topic, lambda _: None, 1)

    def go_round(self, numbers: tuple[int, ...]) -> None:
        """Ask for transitions, such as deactivate and activate; no image is due meanwhile."""
        for number in numbers:
            request = ChangeState.Request()
            request.transition.id = number
            self.wait(self._state.call_async(request), feeding=False)
        self.counts.rounds += 1
        for name in HONEST:
            self._cameras[name].sent = {}

    def wait_for_masks(self) -> bool:
        """Send images until each camera has had a mask; what got lost meanwhile does not count."""
        end_s, cameras = monotonic() + START_S, [self._cameras[name] for name in HONEST]
        while not all(camera.last_ns for camera in cameras) and monotonic() < end_s:
            self.spin_once()
        self.counts = Counts()
        return all(camera.last_ns for camera in cameras)


def references(model: str) -> list[np.ndarray]:
    """Segment every scene in this process, as the node is to."""
    from seg_ros import Segmenter

    with Segmenter(model, threads=1) as segmenter:
        return [segmenter(scene(number)).classes for number in range(SCENES)]


def soak(around: Surroundings, node: subprocess.Popen, enough: Enough) -> list[Usage]:
    """Go on until it is enough or the process is over; returns what it held each minute."""
    start_s, used = monotonic(), []
    asked_s = sampled_s = round_s = start_s
    numbers = itertools.cycle([(4, 3)] * 4 + [(4, 2, 1, 3)])
    while not enough.reached(around.counts, monotonic() - start_s) and node.poll() is None and (
        around.counts.lost < MOST_LOST
    ):
        around.spin_once()
        now_s = monotonic()
        if now_s > asked_s + ASK_S:
            around.ask()
            asked_s = now_s
        if now_s > round_s + ROUND_S:
            around.go_round(next(numbers))
            round_s = now_s
        if now_s > sampled_s + SAMPLE_S or not used:
            used.append(usage(node.pid, now_s - start_s))
            sampled_s = now_s
            sys.stdout.write(f'{used[-1]} {around.counts}\n')
            sys.stdout.flush()
    return used


def run(model: str, enough: Enough, hostile: int, seed: int) -> tuple[Counts, list[Usage]]:
    """Start a node, feed it, and end it."""
    around = Surroundings(references(model), hostile, seed)
    node = subprocess.Popen([
        sys.executable, '-m', 'seg_ros.ros.main', '--ros-args', '-p', f'model:={model}',
        '-p', 'threads:=1', '-p', f'cameras:=[{", ".join((*HONEST, *HOSTILE))}]',
        '--log-level', 'fatal',
    ])
    used = []
    try:
        if around.wait_for_masks():
            used = soak(around, node, enough)
        around.counts.deaths += node.poll() is not None
        node.terminate()
        around.counts.deaths += node.wait(10.0) != 0
    except subprocess.TimeoutExpired:
        around.counts.deaths += 1
    finally:
        node.kill()
        around.close()
    return around.counts, used


def main() -> int:
    """Run and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', default='default')
    parser.add_argument('--seconds', type=float, default=3600.0)
    parser.add_argument('--frames', type=float, default=math.inf, help='end after so many frames')
    parser.add_argument('--messages', type=float, default=0.0, help='and so many messages')
    parser.add_argument('--hostile', type=int, default=8, help='messages beside each image')
    parser.add_argument('--seed', type=int, default=1)
    args = parser.parse_args()
    enough = Enough(args.seconds, args.frames, args.messages)
    counts, _ = run(args.model, enough, args.hostile, args.seed)
    sys.stdout.write(f'{counts}\n')
    return int(not counts.frames or counts.bad)


if __name__ == '__main__':
    sys.exit(main())
