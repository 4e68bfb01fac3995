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

"""CLIPSeg with text embeddings in its weights, against transformers' own forward."""

from dataclasses import replace

import cv2
import numpy as np
import onnx
import pytest

torch = pytest.importorskip('torch', reason='torch is not installed')
pytest.importorskip('transformers', reason='transformers is not installed')
from seg_ros.compile.compile_model import compile_model  # noqa: E402
from seg_ros.core.frame import Frame  # noqa: E402
from seg_ros.core.settings import Settings  # noqa: E402
from seg_ros.engines import open_engine  # noqa: E402
from seg_ros.pipeline.process import segment  # noqa: E402
from seg_ros.pipeline.serving_model import ServingModel  # noqa: E402
from seg_ros.zoo.export import build_network, export_network, make_card  # noqa: E402
from seg_ros.zoo.small import small_request  # noqa: E402
from torch.nn import functional  # noqa: E402

SOURCE_HW = (150, 210)


def library_scores(network, images):
    """Return the logits of the library's own forward, which encodes the image once a text."""
    count = len(network.embeddings)
    with torch.no_grad():
        return network.network(
            pixel_values=images.expand(count, -1, -1, -1),
            conditional_embeddings=network.embeddings,
        ).logits[None]


@pytest.fixture(name='network')
def seeded_network():
    torch.manual_seed(1)
    return build_network(small_request('clipseg'))


def test_encoding_the_image_once_changes_no_score(network):
    images = torch.randn(2, 3, 192, 192)
    expected = torch.cat([library_scores(network, image[None]) for image in images])
    with torch.no_grad():
        torch.testing.assert_close(network(images), expected, atol=1e-3, rtol=0)


def test_a_checkpoint_of_the_library_loads_with_embeddings_of_its_own_texts(network, tmp_path):
    library = network.network
    embeddings = library.get_conditional_embeddings(
        11, torch.randint(0, 90, (11, 6)), torch.ones(11, 6).long(),
    ).detach()
    path = tmp_path / 'texts.pt'
    torch.save({**library.state_dict(), 'embeddings': embeddings}, path)
    loaded = build_network(replace(small_request('clipseg'), weights=path))
    torch.testing.assert_close(loaded.embeddings, embeddings)


@pytest.mark.slow
def test_the_compiled_network_labels_what_a_text_fits_and_nothing_else(network, tmp_path):
    request = small_request('clipseg')
    random = np.random.default_rng(3)
    image = cv2.resize(random.integers(0, 256, (5, 7, 3)).astype(np.uint8), SOURCE_HW[::-1])
    small = cv2.resize(image, (192, 192)) / 255
    pixels = (small - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    images = torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32))
    scores = functional.interpolate(library_scores(network, images), SOURCE_HW, mode='bilinear')
    value, expected = scores[0].max(0)
    expected[value < 0] = 255       # independent sigmoids: no class where none passes 0.5
    assert 255 in expected
    assert len(expected.unique()) >= 3
    raw, path = tmp_path / 'raw.onnx', tmp_path / 'model.onnx'
    onnx.save(export_network(network, request).model, raw)
    rows = [{'id': index, 'name': str(index)} for index in range(request.classes)]
    onnx.save(compile_model(raw, make_card(request, rows)), path)
    settings = Settings(model=str(path), engine='onnxruntime')
    segmenter = ServingModel(open_engine(settings), settings)
    classes = segment(Frame(image, 'rgb', 0, ''), segmenter).classes
    segmenter.close()
    assert (classes == expected.numpy()).mean() >= 0.995
