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

"""Facts and options of ONNX Runtime that other runtimes do not share."""

from contextlib import closing

import pytest
from seg_ros.core.settings import Settings
from tiny_model import echo_model

pytest.importorskip('onnxruntime', reason='ONNX Runtime is not installed')


@pytest.mark.parametrize('device', ['auto', 'AUTO', 'CPU', 'cpu', 'Cpu'])
def test_the_facts_say_what_was_opened(tmp_path, device):
    from seg_ros.engines.onnxruntime import open_onnxruntime

    settings = Settings(device=device, threads=1, upsample='nearest')
    with closing(open_onnxruntime(echo_model(tmp_path), settings)) as engine:
        facts = engine.facts
    assert (facts.engine, facts.device, facts.precision) == ('onnxruntime', 'CPU', 'f32')
    assert (facts.threads, facts.upsample) == (1, 'nearest')
    assert facts.version.count('.') >= 2


def test_a_source_size_without_effect_is_noted(tmp_path):
    from seg_ros.engines.onnxruntime import open_onnxruntime

    settings = Settings(source_size='9x9', upsample='nearest')
    with closing(open_onnxruntime(echo_model(tmp_path), settings)) as engine:
        assert 'source_size: 9x9 has no effect: upsample is nearest' in engine.facts.notes[0]
