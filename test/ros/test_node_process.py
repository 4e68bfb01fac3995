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

"""The node in a separate process, as a launch file starts it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import sys
from time import monotonic, sleep
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import pytest
import rclpy
from robot import channel_image, PATIENCE_S, Robot
from seg_ros.share import share_file
from sensor_msgs.msg import Image


@contextmanager
def node_process(
    *arguments: str, code: Sequence[str] = ('-m', 'seg_ros.ros.main')
) -> Iterator['subprocess.Popen[str]']:
    process = subprocess.Popen(
        [sys.executable, *code, '--ros-args', *arguments],
        stderr=subprocess.PIPE, text=True, env={**os.environ, 'PYTHONUNBUFFERED': '1'},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


class Bystander(Robot):
    """A tester for a node in another process, which has to start and be discovered first."""

    patience_s = 3 * PATIENCE_S

    def __init__(self) -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.tester = rclpy.create_node('tester', context=self._context)
        self._cameras: dict[tuple[str, bool], Any] = {}
        self._clients: dict[str, Any] = {}

    def wait(self, condition, what):
        def spun():
            executor = rclpy.executors.SingleThreadedExecutor(context=self._context)
            executor.add_node(self.tester)
            executor.spin_once(timeout_sec=0.02)
            executor.remove_node(self.tester)
            return condition()

        return super().wait(spun, what)

    def stream_until_masked(self, topic, masks, image):
        """
        Publish as a camera does until a mask arrives, and return it with all images' headers.

        Discovery is not simultaneous: the first best-effort images may be lost.
        """
        headers = []

        def masked():
            message = self.image(image)
            headers.append(message.header)
            self.publisher(topic, Image).publish(message)
            return masks

        self.wait(masked, f'a mask of {topic}')
        return masks[0], headers

    def close(self) -> None:
        self.tester.destroy_node()
        rclpy.shutdown(context=self._context)


@pytest.fixture
def bystander() -> Iterator[Bystander]:
    each = Bystander()
    yield each
    each.close()


@pytest.mark.parametrize('ending', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_cleanly_in_mid_stream(bystander, channel_model, ending):
    with node_process('-p', f'model:={channel_model}') as process:
        semantic = bystander.listen('/segmentation/camera/semantic', Image)
        bystander.stream_until_masked('/camera/image_raw', semantic, channel_image())
        process.send_signal(ending)
        _, log = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, log
    assert 'Traceback' not in log


def test_namespace_remapping_and_the_shipped_parameter_file_apply(bystander, channel_model):
    arguments = [
        '--params-file', str(share_file('config/segmentation.yaml')),
        '-p', f'model:={channel_model}', '-r', '__ns:=/robot1',
        '-r', 'camera/image_raw:=/front/rgb/image',
    ]
    with node_process(*arguments):
        semantic = bystander.listen('/robot1/segmentation/camera/semantic', Image)
        mask, headers = bystander.stream_until_masked(
            '/front/rgb/image', semantic, channel_image((50, 70))
        )
    assert mask.header in headers
    assert (mask.height, mask.width) == (50, 70)


def test_empty_lists_in_a_parameter_file_mean_the_defaults(bystander, channel_model, tmp_path):
    parameters = tmp_path / 'parameters.yaml'
    parameters.write_text(
        f'/**:\n  segmentation:\n    ros__parameters:\n      model: {channel_model}\n'
        '      classes: []\n      cameras: []\n      max_rate_hz: 100\n'
    )
    with node_process('--params-file', str(parameters)):
        semantic = bystander.listen('/segmentation/camera/semantic', Image)
        mask, _ = bystander.stream_until_masked(
            '/camera/image_raw', semantic, channel_image()
        )
    assert set(bytes(mask.data)) == {10, 20, 30}


@pytest.mark.slow
def test_a_node_whose_readers_come_and_go_lives_on(bystander, channel_model):
    with node_process('-p', f'model:={channel_model}') as process:
        for _ in range(4):
            semantic = bystander.listen('/segmentation/camera/semantic', Image)
            bystander.stream_until_masked('/camera/image_raw', semantic, channel_image())
            bystander.tester.destroy_subscription(next(iter(bystander.tester.subscriptions)))
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, log
    assert 'Traceback' not in log


HANGING = """
import sys
from threading import Event
from seg_ros.pipeline import process
from seg_ros.ros.main import main

process.run_engine = lambda *inputs: Event().wait()
sys.exit(main(sys.argv))
"""


def test_an_engine_that_hangs_does_not_keep_the_process_from_ending(bystander, channel_model):
    with node_process('-p', f'model:={channel_model}', code=('-c', HANGING)) as process:
        bystander.listen('/segmentation/camera/semantic', Image)
        camera = bystander.publisher('/camera/image_raw', Image)
        bystander.wait(camera.get_subscription_count, 'the node')
        for _ in range(20):
            camera.publish(bystander.image(channel_image()))
            sleep(0.05)
        begun_s = monotonic()
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=3 * PATIENCE_S)
        assert monotonic() - begun_s < PATIENCE_S
    assert process.returncode == 1, log
    assert 'is abandoned' in log


SLOW = """
import os
import sys
from time import sleep
from seg_ros.pipeline import process
from seg_ros.ros.main import main

run_engine = process.run_engine

def slow(*inputs):
    while not os.path.exists(os.environ['COMES_BACK']):
        sleep(0.01)
    return run_engine(*inputs)

process.run_engine = slow
sys.exit(main(sys.argv))
"""


def test_an_engine_that_was_abandoned_and_came_back_makes_no_end_a_bad_one(
    bystander, channel_model, monkeypatch, tmp_path
):
    comes_back = tmp_path / 'comes_back'
    monkeypatch.setenv('COMES_BACK', str(comes_back))
    with node_process('-p', f'model:={channel_model}', code=('-c', SLOW)) as process:
        threads = Path(f'/proc/{process.pid}/task')
        bystander.listen('/segmentation/camera/semantic', Image)
        camera = bystander.publisher('/camera/image_raw', Image)
        bystander.wait(camera.get_subscription_count, 'the node')
        client = bystander.tester.create_client(ChangeState, '/segmentation/change_state')
        bystander.wait(client.service_is_ready, 'the service')
        for _ in range(10):
            camera.publish(bystander.image(channel_image()))
            sleep(0.05)
        for number in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP):
            request = ChangeState.Request(transition=Transition(id=number))
            answer = client.call_async(request)
            bystander.wait(answer.done, 'the node to give up waiting for a frame')
        count = len(list(threads.iterdir()))
        comes_back.touch()
        bystander.wait(lambda: len(list(threads.iterdir())) < count, 'the thread to end')
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=3 * PATIENCE_S)
    assert 'the engine did not end in time and is abandoned' in log
    assert process.returncode == 0, log
