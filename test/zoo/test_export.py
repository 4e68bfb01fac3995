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

"""Exported and compiled networks, against PyTorch's forward and argmax at the image's size."""

from dataclasses import replace

import cv2
import numpy as np
import onnx
import pytest

torch = pytest.importorskip('torch', reason='torch is not installed')
from seg_ros.cli import main  # noqa: E402
from seg_ros.commands.architecture_options import read_options  # noqa: E402
from seg_ros.compile.compile_model import compile_model  # noqa: E402
from seg_ros.core.card_reading import read_card  # noqa: E402
from seg_ros.core.errors import ModelError, SettingError  # noqa: E402
from seg_ros.core.frame import Frame  # noqa: E402
from seg_ros.core.settings import Settings  # noqa: E402
from seg_ros.engines import open_engine  # noqa: E402
from seg_ros.pipeline.process import segment  # noqa: E402
from seg_ros.pipeline.serving_model import ServingModel  # noqa: E402
from seg_ros.zoo.architectures import ARCHITECTURES, NetworkRequest  # noqa: E402
from seg_ros.zoo.export import build_network, export_network, make_card  # noqa: E402
from seg_ros.zoo.weights import load_encoder  # noqa: E402
from torch.nn import functional  # noqa: E402

CLASSES, SIZE_HW, SOURCE_HW = 5, (96, 128), (150, 210)
SMALL = {
    'segnet': {'width': 0.2}, 'deeplabv1': {'width': 0.2}, 'gscnn': {'width': 16},
}
# CLIPSeg is square and leaves pixels without a class: test_clipseg.py.
SEMANTIC = [
    name for name, item in ARCHITECTURES.items()
    if item.task == 'semantic' and name != 'clipseg'
]

ON_MOBILENET = ['deeplabv2', 'deeplabv3', 'gscnn']


def needs_packages(name):
    for package in ARCHITECTURES[name].packages:
        pytest.importorskip(package, reason=f'{package} is not installed')


def photograph():
    """Return smooth colours with edges, uint8 (H, W, 3)."""
    random = np.random.default_rng(3)
    image = cv2.resize(random.integers(0, 256, (5, 7, 3)).astype(np.uint8), SOURCE_HW[::-1],
                       interpolation=cv2.INTER_CUBIC)
    for _ in range(8):
        center = [int(value) for value in random.uniform(0, 200, 2)]
        color = random.integers(0, 256, 3).tolist()
        cv2.circle(image, center, int(random.uniform(10, 40)), color, -1)
    return image


def network_input(image):
    """Resize and normalise as the card has it, in plain numbers."""
    small = cv2.resize(image, SIZE_HW[::-1], interpolation=cv2.INTER_LINEAR)
    pixels = (small / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32))


def scaled(network, images):
    """Let random weights say something: keep signals alive, and the classes' scores alike."""
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
            layer.train()
    with torch.no_grad():
        network(torch.cat([images, images.flip(3)]))
        scores = network.eval()(images)
        last = [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)][-1]
        last.weight.mul_(2 / scores.std((0, 2, 3))[:, None, None, None])
        if last.bias is not None:
            last.bias.sub_(network(images).mean((0, 2, 3)))
    return network


@pytest.mark.slow
@pytest.mark.parametrize(('name', 'encoder'), [
    *((name, '') for name in SEMANTIC), *((name, 'mobilenet_v2') for name in ON_MOBILENET),
])
def test_the_compiled_network_gives_pytorchs_labels_at_the_images_size(name, encoder, tmp_path):
    needs_packages(name)
    torch.manual_seed(1)
    request = NetworkRequest(name, CLASSES, SIZE_HW, encoder, options=SMALL.get(name, {}))
    image = photograph()
    images = network_input(image)
    network = scaled(build_network(request), images)
    with torch.no_grad():
        scores = functional.interpolate(network(images), SIZE_HW, mode='bilinear')
        expected = functional.interpolate(scores, SOURCE_HW, mode='bilinear')[0].argmax(0).numpy()
    assert len(np.unique(expected)) >= 2
    raw, path = tmp_path / 'raw.onnx', tmp_path / 'model.onnx'
    onnx.save(export_network(network, request).model, raw)
    rows = [{'id': index, 'name': str(index)} for index in range(CLASSES)]
    card = replace(make_card(request, rows), refine='none')
    onnx.save(compile_model(raw, card), path)
    settings = Settings(model=str(path), engine='onnxruntime')
    segmenter = ServingModel(open_engine(settings), settings)
    classes = segment(Frame(image, 'rgb', 0, ''), segmenter).classes
    segmenter.close()
    assert (classes == expected).mean() >= 0.995


def test_the_command_writes_a_network_and_a_card_that_compile_takes(tmp_path):
    (tmp_path / 'names.txt').write_text('road\ncar\nsky\n')
    raw = tmp_path / 'street.onnx'
    words = ['export', 'segnet', '--classes', str(tmp_path / 'names.txt'), '--size', '64', '96']
    assert main([*words, '-o', str(raw)]) == 0
    card = read_card(raw.with_suffix('.yaml'))
    assert [item.name for item in card.classes] == ['road', 'car', 'sky']
    assert card.input.size == (64, 96)
    assert 'random weights' in card.source
    assert card.scores == 'logits'
    assert main(['compile', str(raw), '--card', str(raw.with_suffix('.yaml')),
                 '-o', str(tmp_path / 'model.onnx')]) == 0


def test_weights_load_whatever_their_trainer_put_before_their_names(tmp_path):
    request = NetworkRequest('deeplabv1', 3, (64, 64), options={'width': 0.1})
    trained = build_network(request)
    state = {f'module.{name}': value for name, value in trained.state_dict().items()}
    path = tmp_path / 'trained.pt'
    torch.save({'state_dict': state, 'epoch': 3}, path)
    loaded = build_network(
        NetworkRequest('deeplabv1', 3, (64, 64), weights=path, options={'width': 0.1})
    )
    for name, value in trained.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_weights_that_do_not_fit_are_refused(tmp_path):
    small = build_network(NetworkRequest('deeplabv1', 3, (64, 64), options={'width': 0.1}))
    path = tmp_path / 'trained.pt'
    torch.save(small.state_dict(), path)
    for other, message in (
        (NetworkRequest('deeplabv1', 4, (64, 64), weights=path, options={'width': 0.1}), 'shapes'),
        (NetworkRequest('segnet', 3, (64, 64), weights=path, options={'width': 0.1}), 'lacks'),
    ):
        with pytest.raises(ModelError, match=message):
            build_network(other)
    path.write_bytes(b'no weights')
    with pytest.raises(ModelError, match='cannot be read'):
        build_network(NetworkRequest('segnet', 3, (64, 64), weights=path))


class Segmenter(torch.nn.Module):
    """A network with an encoder in it."""

    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
        self.decoder = torch.nn.Sequential(torch.nn.Conv2d(4, 2, 1))


def test_a_classifiers_weights_find_their_place_in_the_encoder(tmp_path):
    classifier, path = Segmenter().encoder, tmp_path / 'classifier.pt'
    state = classifier.state_dict()
    torch.save({**state, 'fc.weight': torch.zeros(9, 4)}, path)
    network = Segmenter()
    loaded = load_encoder(network, path)
    assert set(loaded) == {f'encoder.{name}' for name in state}
    assert torch.equal(network.encoder[0].weight, classifier[0].weight)


def test_an_encoder_of_another_network_is_refused(tmp_path):
    path = tmp_path / 'classifier.pt'
    torch.save({'layer.weight': torch.zeros(3), 'layer.bias': torch.zeros(3)}, path)
    with pytest.raises(ModelError, match='0 of 2 weights'):
        load_encoder(Segmenter(), path)


def test_an_encoder_that_the_library_lacks_is_refused():
    needs_packages('fcn')
    with pytest.raises(SettingError, match='fcn with encoder resnet9000'):
        build_network(NetworkRequest('fcn', 3, (64, 64), 'resnet9000'))


@pytest.mark.parametrize('name', ON_MOBILENET)
def test_a_mobilenet_keeps_an_eighth_of_the_size_and_takes_its_classifiers_weights(name, tmp_path):
    needs_packages(name)
    from torchvision import models

    request = NetworkRequest(name, 3, (64, 96), 'mobilenet_v2', options=SMALL.get(name, {}))
    network = build_network(request)
    (encoder,) = (
        module for path, module in network.named_modules() if path.split('.')[-1] == 'features'
        and isinstance(module, torch.nn.Sequential)
    )
    assert encoder(torch.zeros(1, 3, 64, 96)).shape == (1, 320, 8, 12)
    classifier, path = models.mobilenet_v2(weights=None), tmp_path / 'mobilenet.pt'
    torch.save(classifier.state_dict(), path)
    assert len(load_encoder(network, path)) == len(encoder.state_dict())
    assert torch.equal(encoder[0][0].weight, classifier.features[0][0].weight)


def test_a_feature_pyramids_trunk_takes_a_mobilenets_weights(tmp_path):
    needs_packages('mask_rcnn')
    from torchvision import models

    request = NetworkRequest('mask_rcnn', 3, (64, 96), 'mobilenet_v2', options={'width': 16})
    network, path = build_network(request), tmp_path / 'mobilenet.pt'
    torch.save(models.mobilenet_v2(weights=None).state_dict(), path)
    trunk = network.network.backbone.body
    assert len(load_encoder(network, path)) == len(trunk.state_dict())


@pytest.mark.parametrize('name', ['segnet', 'deeplabv1'])
def test_random_weights_let_an_image_through_sixteen_layers(name):
    torch.manual_seed(0)
    network = build_network(NetworkRequest(name, 5, SIZE_HW, options=SMALL[name]))
    with torch.no_grad():
        before = network_input(photograph())
        features = before
        for layer in network.features:
            features = layer(features)
    assert 0.1 < features.std() / before.std() < 10


def test_options_of_an_architecture_are_numbers_with_names(tmp_path):
    assert read_options(['width=0.5', 'anchor=16']) == {'width': 0.5, 'anchor': 16}
    with pytest.raises(SettingError, match='width=wide'):
        read_options(['width=wide'])
    with pytest.raises(SettingError, match='depth'):
        build_network(NetworkRequest('segnet', 3, (64, 64), options={'depth': 3}))
