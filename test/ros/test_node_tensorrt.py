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

"""The node on a machine with a GPU: masks without a gap, no crash, and progress reports."""

from pathlib import Path

from fakes.gpu import driver_folder, driver_library, fake_gpu, ILLEGAL_ADDRESS  # noqa: F401
from lifecycle_msgs.msg import Transition
import numpy as np
import pytest
from robot import channel_classes, channel_image
from sensor_msgs.msg import Image

SEMANTIC = '/segmentation/camera/semantic'


@pytest.fixture
def gpu_robot(fake_gpu, robot, tmp_path):  # noqa: F811
    """Start nodes with a plan cache of their own; they end before the fake GPU does."""
    started = []

    def start(**parameters):
        each = robot(cache_dir=str(tmp_path / 'cache'), **parameters)
        started.append(each)
        return each

    yield start
    for each in started:
        each.close()


def engine_of(each):
    return each.diagnostics.get('engine', {}).get('engine', '').split()[:1]


def assert_right(mask):
    np.testing.assert_array_equal(mask, channel_classes(channel_image()))


def test_the_cpu_serves_while_the_plan_is_built_and_the_gpu_takes_over(
    gpu_robot, tmp_path, monkeypatch
):
    gate = tmp_path / 'gate'
    monkeypatch.setenv('FAKE_TENSORRT_GATE', str(gate))
    each = gpu_robot()
    semantic = each.listen(SEMANTIC, Image)
    assert_right(each.mask(semantic))
    each.wait(lambda: engine_of(each) and engine_of(each) != ['tensorrt'], 'a CPU engine')
    each.wait(lambda: each.diagnostics['engine']['build'], 'progress')
    assert each.diagnostics['engine']['model_pending']
    gate.touch()
    each.wait(lambda: engine_of(each) == ['tensorrt'], 'the GPU')
    assert_right(each.mask(semantic))
    each.wait(lambda: not each.diagnostics['engine']['build'], 'the end of the build')
    assert 'upload_ms_median' in each.diagnostics['engine'] or each.wait(
        lambda: 'upload_ms_median' in each.diagnostics['engine'], 'stages of the GPU'
    )


def test_a_second_start_takes_the_plan_from_the_cache(gpu_robot, tmp_path, monkeypatch):
    log = tmp_path / 'builds'
    monkeypatch.setenv('FAKE_TENSORRT_LOG', str(log))
    for _ in range(2):
        each = gpu_robot(engine='tensorrt')
        semantic = each.listen(SEMANTIC, Image)
        assert_right(each.mask(semantic))
        each.close()
    assert len(log.read_text().splitlines()) == 1


def test_configuring_reports_how_far_the_build_is(gpu_robot, tmp_path, monkeypatch, capfd):
    each = gpu_robot(engine='tensorrt', autostart=False)
    assert each.change_state(Transition.TRANSITION_CONFIGURE)
    assert '%)' in capfd.readouterr().err
    assert each.change_state(Transition.TRANSITION_ACTIVATE)


def test_what_tensorrt_does_not_take_fails_configuring_in_its_words(
    gpu_robot, channel_model, monkeypatch, capfd
):
    monkeypatch.setenv('FAKE_TENSORRT_DO', 'out of memory')
    each = gpu_robot(engine='tensorrt', autostart=False)
    assert not each.change_state(Transition.TRANSITION_CONFIGURE)
    assert 'Requested amount of GPU memory' in capfd.readouterr().err
    assert each.state() == 'unconfigured'
    monkeypatch.delenv('FAKE_TENSORRT_DO')
    assert each.change_state(Transition.TRANSITION_CONFIGURE)


def test_a_build_that_fails_leaves_the_cpu_serving_and_is_reported(gpu_robot, monkeypatch, capfd):
    monkeypatch.setenv('FAKE_TENSORRT_DO', 'segfault')
    each = gpu_robot()
    semantic = each.listen(SEMANTIC, Image)
    each.wait(
        lambda: each.node._models and not each.node._models.state.pending, 'the build to fail'
    )
    assert_right(each.mask(semantic))
    each.wait(lambda: engine_of(each), 'diagnostics')
    assert engine_of(each) != ['tensorrt']
    each.wait(lambda: 'SIGSEGV' in capfd.readouterr().err, 'the reason in the log')


def test_a_lost_context_costs_a_frame_and_a_second_loss_is_an_error(
    gpu_robot, fake_gpu  # noqa: F811
):
    each = gpu_robot(engine='tensorrt')
    semantic = each.listen(SEMANTIC, Image)
    assert_right(each.mask(semantic))
    for count in (1, 2):
        fake_gpu.fake_lose(ILLEGAL_ADDRESS, 0)
        each.send(each.image())
        each.wait(
            lambda count=count: each.diagnostics.get('camera', {}).get('dropped_failed')
            == str(count), 'the lost frame to be counted',
        )
        if count == 1:
            assert_right(each.mask(semantic))
    each.send(each.image())
    each.wait(lambda: 'has ended' in each.words.get('engine', ''), 'the error in diagnostics')
    assert each.state() == 'active'
    assert each.change_state(Transition.TRANSITION_DEACTIVATE)
    assert each.change_state(Transition.TRANSITION_CLEANUP)
    assert each.change_state(Transition.TRANSITION_CONFIGURE)
    assert each.change_state(Transition.TRANSITION_ACTIVATE)
    assert_right(each.mask(semantic))


def test_where_two_models_do_not_fit_the_old_one_is_freed_first(
    gpu_robot, fake_gpu, channel_model, tmp_path, capfd  # noqa: F811
):
    other = tmp_path / 'other.model.onnx'
    other.write_bytes(Path(channel_model).read_bytes())
    each = gpu_robot(engine='tensorrt')
    semantic = each.listen(SEMANTIC, Image)
    assert_right(each.mask(semantic))
    fake_gpu.fake_room(fake_gpu.fake_used() + 1000)
    assert each.set_parameter('model', str(other)).successful
    each.wait(
        lambda: each.diagnostics.get('engine', {}).get('model_active') == str(other),
        'the other model',
    )
    assert_right(each.mask(semantic))
    assert 'is closed first' in capfd.readouterr().err
