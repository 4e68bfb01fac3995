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

"""One call of the engine turns frames of any sizes into masks of the same sizes."""

from concurrent.futures import Future
from dataclasses import replace
from threading import Barrier, Thread

import numpy as np
import pytest
from seg_ros.core.card import ClassInfo, InputSpec, ModelCard
from seg_ros.core.engine import EngineFacts
from seg_ros.core.errors import CardError, EngineError, ImageError, SettingError
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import check_batch, Outputs
from seg_ros.masks.postprocess_context import PARTS
from seg_ros.pipeline.process import infer, postprocess, segment
from seg_ros.pipeline.serving_model import ServingModel
from seg_ros.temporal.prompt_memory import PromptMemory
from seg_ros.temporal.temporal_filter import TemporalFilter

NETWORK = (24, 32)
CARD = ModelCard(
    'quarters', 'panoptic',
    (ClassInfo(7, 'dark', (1, 0, 0)), ClassInfo(9, 'bright', (2, 0, 0), True)),
    input=InputSpec(NETWORK, fit='stretch'),
)


class Painter:
    """Labels pixels with red above 127 bright, and the upper left quarter one bright thing."""

    def __init__(self, card=CARD, max_batch=0):
        self.card = card
        self.signature = ModelSignature(
            NETWORK, ('labels', 'confidence', 'boxes', 'scores', 'classes', 'masks'),
            max_batch=max_batch, score_floor=0.1, max_instances=2,
        )
        self.facts = EngineFacts('fake', 'CPU', 'u8')
        self.batches, self.closed, self.meeting = [], 0, None

    def submit(self, batch):
        check_batch(batch, self.signature)
        self.batches.append(batch.copy())
        future = Future()
        if self.meeting:
            self.meeting.wait(10)
        if (batch == 13).all():
            future.set_exception(EngineError('an unlucky image'))
            return future
        count = len(batch)
        future.set_result(Outputs(
            labels=(batch[..., 0] > 127).astype(np.uint8),
            confidence=np.full((count, *NETWORK), 200, np.uint8),
            boxes=np.tile(np.array([[0, 0, 16, 12], [0, 0, 0, 0]], np.float32), (count, 1, 1)),
            scores=np.tile(np.array([0.6, 0], np.float32), (count, 1)),
            classes=np.tile(np.array([1, 0], np.int32), (count, 1)),
            masks=np.full((count, 2, 6, 8), 255, np.uint8),
        ))
        return future

    def close(self):
        self.closed += 1


def together(frames, segmenter, parts):
    """Segment frames in one call of the engine."""
    inferences = infer(frames, [PromptMemory() for _ in frames], segmenter)
    return [
        postprocess(inference, segmenter, wanted)
        for inference, wanted in zip(inferences, parts, strict=True)
    ]


def frame_of(size_hw, split=0.5):
    """Make an image that is bright to the right of `split`."""
    pixels = np.zeros((*size_hw, 3), np.uint8)
    pixels[:, int(split * size_hw[1]):] = 255
    return Frame(pixels)


def expected_classes(size_hw, split=0.5):
    height, width = size_hw
    classes = np.full(size_hw, 7)
    classes[:, int(split * width):] = 9
    classes[:height // 2, :width // 2] = 9
    return classes


@pytest.mark.parametrize('size', [(24, 32), (240, 320), (480, 960), (12, 16)])
def test_a_frame_becomes_masks_of_its_own_size(size):
    result = segment(frame_of(size), ServingModel(Painter(), Settings()))
    result.verify()
    np.testing.assert_array_equal(result.classes, expected_classes(size))
    (found,) = result.segments
    height, width = size
    assert found.xyxy == (0, 0, width // 2, height // 2)
    assert (found.id, found.class_id) == (1, 9)
    assert found.score == pytest.approx(0.6)
    np.testing.assert_array_equal(
        result.confidence, np.where(result.instances == 1, round(0.6 * 255), 200)
    )


def test_frames_of_different_sizes_and_colors_share_one_call():
    engine = Painter()
    frames = [frame_of((24, 32)), frame_of((60, 80), 0.75), frame_of((48, 64), 0.25)]
    frames[1] = Frame(frames[1].pixels[:, :, 0], 'gray')
    frames[2] = Frame(frames[2].pixels, 'bgr')
    parts = [PARTS, frozenset({'classes'}), frozenset({'instances'})]
    results = together(frames, ServingModel(engine, Settings()), parts)
    assert [len(batch) for batch in engine.batches] == [3]
    assert [result.size_hw for result in results] == [(24, 32), (60, 80), (48, 64)]
    np.testing.assert_array_equal(results[0].classes, expected_classes((24, 32)))
    np.testing.assert_array_equal(results[1].classes, expected_classes((60, 80), 0.75))
    assert results[2].instances[:24, :32].all()
    assert results[1].confidence is results[1].instances is None
    assert results[2].classes is results[2].confidence is None


def test_the_engine_sees_the_image_as_the_card_wants_it():
    card = replace(CARD, input=InputSpec(NETWORK, fit='letterbox', color='bgr', pad=5))
    engine = Painter(card)
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:] = (10, 20, 30)
    segment(Frame(pixels), ServingModel(engine, Settings()))
    (batch,) = engine.batches
    assert (batch[0, :4] == 5).all()
    assert (batch[0, 20:] == 5).all()
    assert (batch[0, 4:20] == (30, 20, 10)).all()


def test_thresholds_change_while_it_runs():
    segmenter, frame = ServingModel(Painter(), Settings()), frame_of((24, 32))
    assert len(segment(frame, segmenter).segments) == 1
    segmenter.change(Settings(score_threshold=0.7))
    assert segment(frame, segmenter).segments == ()
    segmenter.change(Settings(classes=('dark',)))
    assert set(np.unique(segment(frame, segmenter).classes)) == {7, 255}


@pytest.mark.parametrize(('settings', 'kind'), [
    ({'score_threshold': 0.05}, SettingError), ({'classes': ('sky',)}, CardError),
])
def test_a_threshold_that_does_not_suit_is_refused_and_the_old_one_stays(settings, kind):
    with pytest.raises(kind):
        ServingModel(Painter(), Settings(**settings))
    segmenter = ServingModel(Painter(), Settings(score_threshold=0.7))
    with pytest.raises(kind):
        segmenter.change(Settings(**settings))
    assert segment(frame_of((24, 32)), segmenter).segments == ()


def test_a_failure_of_the_engine_comes_through_and_the_next_frame_is_served():
    segmenter = ServingModel(Painter(), Settings())
    with pytest.raises(EngineError, match='unlucky'):
        segment(Frame(np.full((24, 32, 3), 13, np.uint8)), segmenter)
    assert segment(frame_of((24, 32)), segmenter).classes is not None


def semantic_masks(label, confidence):
    """Segment with an engine that returns one label and one confidence, if any, everywhere."""
    card = replace(CARD, task='semantic', classes=CARD.classes[:1])
    engine = Painter(card)
    future = Future()
    future.set_result(Outputs(
        labels=np.full((1, *NETWORK), label, np.uint8),
        confidence=None if confidence is None else np.full((1, *NETWORK), confidence, np.uint8),
    ))
    engine.submit = lambda batch: future
    return segment(frame_of((24, 32)), ServingModel(engine, Settings()))


def test_labels_of_a_softmax_that_nothing_speaks_for_are_refused():
    with pytest.raises(EngineError, match='NaN'):
        semantic_masks(label=0, confidence=0)


def test_an_image_of_a_batch_for_which_the_network_computes_nan_is_refused_alone():
    engine = Painter()
    paint = engine.submit

    def submit(batch):
        outputs, future = paint(batch).result(), Future()
        outputs.confidence[1] = 0
        future.set_result(outputs)
        return future

    engine.submit = submit
    segmenter, memories = ServingModel(engine, Settings()), [PromptMemory(), PromptMemory()]
    sound, broken = infer([frame_of((24, 32))] * 2, memories, segmenter)
    postprocess(sound, segmenter).verify()
    with pytest.raises(EngineError, match='NaN'):
        postprocess(broken, segmenter)


def test_faint_labels_and_none_at_all_are_no_fault_of_the_network():
    assert set(np.unique(semantic_masks(label=0, confidence=1).classes)) == {7}
    assert set(np.unique(semantic_masks(label=0, confidence=None).classes)) == {7}
    unlabelled = semantic_masks(label=255, confidence=0)
    assert set(np.unique(unlabelled.classes)) == {unlabelled.unlabelled}


def test_frames_of_one_camera_are_followed_and_those_of_none_are_not():
    segmenter, camera = ServingModel(Painter(), Settings(tracking=True)), TemporalFilter()
    elsewhere = Segmentation((24, 32), segments=(Segment(1, 9, 0.5, (28, 20, 32, 24), 16),))
    camera.update(elsewhere, 1, CARD, segmenter.settings, PARTS, segmenter.timing)
    for temporal, number in ((camera, 2), (None, 1)):
        frame = Frame(frame_of((24, 32)).pixels, stamp_ns=2)
        (found,) = segment(frame, segmenter, temporal=temporal).segments
        assert found.id == number


def test_two_threads_are_in_the_engine_at_once():
    engine = Painter()
    engine.meeting = Barrier(2)
    segmenter, results = ServingModel(engine, Settings()), {}

    def work(split):
        results[split] = segment(frame_of((24, 32), split), segmenter)

    threads = [Thread(target=work, args=(split,)) for split in (0.25, 0.75)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for split, result in results.items():
        np.testing.assert_array_equal(result.classes, expected_classes((24, 32), split))
    assert len(results) == 2


def test_every_stage_is_timed_once_a_call():
    segmenter = ServingModel(Painter(), Settings())
    timing = segmenter.timing
    together([frame_of((24, 32))] * 2, segmenter, [PARTS] * 2)
    assert timing.stages() == ['fit', 'network', 'paint']
    assert all(timing.quantiles(stage) for stage in timing.stages())


@pytest.mark.parametrize(('max_batch', 'limit'), [(1, 1), (4, 4), (0, 64)])
def test_the_batch_limit_is_that_of_the_engine(max_batch, limit):
    assert ServingModel(Painter(max_batch=max_batch), Settings()).batch_limit == limit


def test_it_closes_its_engine():
    engine = Painter()
    segmenter = ServingModel(engine, Settings())
    assert segmenter.card is CARD
    segmenter.close()
    assert engine.closed == 1


def test_an_image_of_another_size_than_the_engine_was_opened_for_is_refused():
    painter = Painter()
    painter.signature = replace(painter.signature, source_hw=(48, 64))
    segmenter = ServingModel(painter, Settings())
    with pytest.raises(ImageError, match='an image of 32x24; expected 64x48, as source_size'):
        segment(Frame(np.zeros((24, 32, 3), np.uint8), 'rgb'), segmenter)


def test_what_the_runtime_measured_of_its_own_stages_is_noted():
    painter = Painter()
    whole = painter.submit

    def submit(batch):
        future = Future()
        future.set_result(replace(whole(batch).result(), stage_ms={'upload': 0.25}))
        return future

    painter.submit = submit
    segmenter = ServingModel(painter, Settings())
    segment(Frame(np.zeros((24, 32, 3), np.uint8), 'rgb'), segmenter)
    assert segmenter.timing.quantiles('upload') == (0.25, 0.25, 0.25)
