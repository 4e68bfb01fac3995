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

"""The classical engine fulfils the contract of engines with every method."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from seg_ros.core.engine import Engine
from seg_ros.core.errors import ContractError, EngineError, SettingError
from seg_ros.core.frame import Frame
from seg_ros.core.settings import Settings
from seg_ros.core.tensors import Outputs
from seg_ros.engines.classical import METHODS, open_classical
from seg_ros.pipeline.process import segment as masks_of_frame
from seg_ros.pipeline.serving_model import ServingModel

FINDERS = tuple(method for method in METHODS if method != 'kmeans')
TENSORS = {
    'labels': ('uint8', (480, 640)),
    'confidence': ('uint8', (480, 640)),
    'scores': ('float32', (254,)),
    'classes': ('int32', (254,)),
    'instances': ('uint8', (480, 640)),
}


def scene(seed: int = 0, size_hw: tuple[int, int] = (480, 640)) -> np.ndarray:
    """Draw two coloured things on a grey table, with a camera's noise."""
    height, width = size_hw
    image = np.full((height, width, 3), 70, np.uint8)
    radius = min(height, width) // 8
    cv2.circle(image, (width // 3, height * 2 // 3), radius, (210, 160, 60), -1)
    box = (width // 2, height // 5), (width * 3 // 4, height * 2 // 5)
    cv2.rectangle(image, *box, (150, 200, 220), -1)
    noise = np.random.default_rng(seed).normal(0, 4, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def noise_image(kind: str) -> np.ndarray:
    draw = np.random.default_rng(5)
    size = (480, 640, 3)
    return {
        'black': lambda: np.zeros(size, np.uint8),
        'white': lambda: np.full(size, 255, np.uint8),
        'one colour': lambda: np.broadcast_to(np.uint8([200, 30, 90]), size).copy(),
        'weak noise': lambda: np.clip(draw.normal(90, 4, size), 0, 255).astype(np.uint8),
        'strong noise': lambda: np.clip(draw.normal(128, 60, size), 0, 255).astype(np.uint8),
        'uniform noise': lambda: draw.integers(0, 256, size).astype(np.uint8),
        'salt and pepper': lambda: draw.choice(np.uint8([0, 255]), size[:2])[..., None].repeat(
            3, 2
        ),
    }[kind]()


BLANKS = (
    'black', 'white', 'one colour', 'weak noise', 'strong noise', 'uniform noise',
    'salt and pepper',
)


@pytest.fixture(scope='module', params=METHODS)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    opened = open_classical(request.param)
    yield opened
    opened.close()


@pytest.fixture(scope='module', params=FINDERS)
def finder(request: pytest.FixtureRequest) -> Iterator[Engine]:
    opened = open_classical(request.param)
    yield opened
    opened.close()


def segment(engine: Engine, *images: np.ndarray) -> Outputs:
    return engine.submit(np.stack(images)).result(timeout=60)


def test_an_unknown_method_is_refused_and_all_six_are_named() -> None:
    with pytest.raises(SettingError) as caught:
        open_classical('snakes')
    assert 'snakes' in str(caught.value)
    for method in ('otsu', 'adaptive', 'edges', 'watershed', 'kmeans', 'grabcut'):
        assert method in str(caught.value)


def test_an_engine_says_what_it_is(engine: Engine) -> None:
    facts, card = engine.facts, engine.card
    assert (facts.engine, facts.device, facts.precision) == ('classical', 'CPU', 'u8')
    assert facts.version == cv2.__version__
    assert card.name in {f'classical-{method}' for method in METHODS}
    assert card.input.size == engine.signature.size_hw == (480, 640)
    assert (card.input.fit, card.input.resample, card.input.color) == ('stretch', 'area', 'rgb')
    assert engine.signature.max_batch == 0


def test_an_object_is_a_graspable_thing_before_a_background(finder: Engine) -> None:
    background, thing = finder.card.classes
    assert finder.card.task == 'panoptic'
    assert (background.id, background.name, background.thing) == (0, 'background', False)
    assert (thing.id, thing.name, thing.thing, thing.roles) == (1, 'object', True, ('graspable',))


def test_regions_are_stuff() -> None:
    engine = open_classical('kmeans')
    assert not any(item.thing for item in engine.card.classes)
    assert engine.signature.tensors == ('labels', 'confidence')
    engine.close()


def test_every_promised_tensor_comes_with_its_type_and_shape(engine: Engine) -> None:
    present = segment(engine, scene(), scene(1)).present()
    assert set(present) == set(engine.signature.tensors)
    for name, array in present.items():
        kind, shape = TENSORS[name]
        assert (str(array.dtype), array.shape) == (kind, (2, *shape))
    assert present['labels'].max() < len(engine.card.classes)


def test_slots_instances_and_labels_agree(finder: Engine) -> None:
    outputs = segment(finder, scene()).image(0)
    count = np.count_nonzero(outputs.scores)
    assert count == 2
    assert set(np.unique(outputs.instances)) == set(range(count + 1))
    assert (np.diff(outputs.scores) <= 0).all()
    assert (outputs.scores[count:] == 0).all()
    assert (outputs.classes[:count] == 1).all()
    np.testing.assert_array_equal(outputs.labels, outputs.instances > 0)
    for slot in range(count):
        inside = outputs.confidence[outputs.instances == slot + 1]
        assert outputs.scores[slot] == pytest.approx(inside.mean() / 255, abs=1e-5)


def test_a_batch_of_two_is_two_batches_of_one(engine: Engine) -> None:
    first, second = scene(2), scene(3)[:, ::-1]
    both = segment(engine, first, second)
    for index, image in enumerate((first, second)):
        for name, array in segment(engine, image).present().items():
            np.testing.assert_array_equal(both.present()[name][index], array[0])


def test_another_engine_gives_the_same_answer(engine: Engine) -> None:
    again = open_classical(engine.card.name.removeprefix('classical-'))
    segment(again, scene(8))
    expected = segment(engine, scene()).present()
    for name, array in segment(again, scene()).present().items():
        np.testing.assert_array_equal(array, expected[name])
    again.close()


@pytest.mark.parametrize('kind', BLANKS)
def test_an_image_of_nothing_is_all_background(finder: Engine, kind: str) -> None:
    outputs = segment(finder, noise_image(kind))
    assert not outputs.labels.any()
    assert not outputs.instances.any()
    assert not outputs.scores.any()
    assert not outputs.classes.any()


@pytest.mark.parametrize('kind', BLANKS)
def test_an_image_of_nothing_is_one_region(kind: str) -> None:
    engine = open_classical('kmeans')
    assert not segment(engine, noise_image(kind)).labels.any()
    engine.close()


def test_no_more_than_254_objects_are_kept() -> None:
    image = np.full((480, 640, 3), 40, np.uint8)
    for row in range(15):
        for column in range(20):
            corner = 32 * column + 5, 32 * row + 5
            image[corner[1]:corner[1] + 22, corner[0]:corner[0] + 22] = 200
    engine = open_classical('otsu')
    outputs = segment(engine, image).image(0)
    engine.close()
    assert np.count_nonzero(outputs.scores) == 254
    assert outputs.instances.max() == 254
    np.testing.assert_array_equal(outputs.labels, outputs.instances > 0)


def test_a_batch_of_another_size_is_refused(engine: Engine) -> None:
    with pytest.raises(ContractError, match='480, 640'):
        engine.submit(np.zeros((1, 240, 320, 3), np.uint8))


def test_a_closed_engine_refuses_work_and_closes_again() -> None:
    engine = open_classical('otsu')
    pending = engine.submit(scene()[None])
    engine.close()
    assert pending.done()
    engine.close()
    with pytest.raises(EngineError, match='closed'):
        engine.submit(scene()[None])


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('size_hw', [(480, 640), (720, 405)])
def test_the_masks_of_a_whole_segmentation_agree(method: str, size_hw: tuple[int, int]) -> None:
    settings = Settings(engine='classical', model=method)
    segmenter = ServingModel(open_classical(method), settings)
    segmentation = masks_of_frame(Frame(scene(size_hw=size_hw)), segmenter)
    segmenter.close()
    segmentation.verify()
    assert len(segmentation.segments) == (0 if method == 'kmeans' else 2)
    assert len(np.unique(segmentation.classes)) >= 2
