"""What ONNX Runtime tells and takes beyond what every runtime does."""

from contextlib import closing

import pytest
from seg_ros.core.settings import Settings
from tiny_model import echo_model

pytest.importorskip('onnxruntime', reason='ONNX Runtime is not installed')


@pytest.mark.parametrize('device', ['auto', 'CPU', 'cpu'])
def test_the_facts_tell_what_was_opened(tmp_path, device):
    from seg_ros.engines.onnxruntime import open_onnxruntime

    settings = Settings(device=device, threads=1, upsample='nearest')
    with closing(open_onnxruntime(echo_model(tmp_path), settings)) as engine:
        facts = engine.facts
    assert (facts.engine, facts.device, facts.precision) == ('onnxruntime', 'CPU', 'f32')
    assert (facts.threads, facts.upsample) == (1, 'nearest')
    assert facts.version.count('.') >= 2
