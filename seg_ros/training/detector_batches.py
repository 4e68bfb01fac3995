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

"""Targets and losses for training torchvision's detectors."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from seg_ros.core.errors import SettingError
from seg_ros.training.augment import color_jitter, random_crop, random_erasing
from seg_ros.training.fine_tune import FineTuningOptions
from seg_ros.training.mixed_sources import MixedSources
from seg_ros.training.normalization import normalize
from seg_ros.training.sample import instances_known, TrainingSample
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

_MIN_KNOWN = 0.9    # fraction of an image with known instances; the rest counts as background
_MIN_AREA_PX = 16   # smaller visible parts of things are ignored
_MAX_DRAWS = 200    # images in a row without anything to learn from
_ERASING_PROBABILITY = 0.15


class DetectorBatch(NamedTuple):
    """
    Images and the things in them.

    :param rgb: uint8 (N, H, W, 3).
    :param targets: for each image, `boxes` float32 (things, 4), x0, y0, x1, y1; `labels` int64, 1
        for the first thing class; `masks` uint8 (things, H, W).
    """

    rgb: Tensor
    targets: list[dict[str, Tensor]]


class DetectorBatches(Dataset[DetectorBatch]):
    """
    The batch of each step, which depends only on the seed and the step number.

    Images with many unlabelled pixels and windows without things are skipped: torchvision's losses
    treat unlabelled pixels as background.
    """

    def __init__(self, samples: MixedSources, options: FineTuningOptions) -> None:
        self._samples, self._options = samples, options
        self._probabilities = samples.probabilities()
        self._things = samples.things()

    def __getitem__(self, step: int) -> DetectorBatch:
        """
        Draw images and augment them.

        :raises SettingError: if many images in a row have no things or too few labels.
        """
        rng = np.random.default_rng([self._options.seed, step])
        rows = [self._row(rng) for _ in range(self._options.batch)]
        rgb = torch.from_numpy(np.stack([rgb for rgb, _ in rows]))
        return DetectorBatch(rgb, [target for _, target in rows])

    def _row(self, rng: Generator) -> tuple[NDArray[np.uint8], dict[str, Tensor]]:
        size_hw = self._options.size_hw
        for _ in range(_MAX_DRAWS):
            number = int(rng.choice(len(self._samples), p=self._probabilities))
            sample = self._samples[number]
            if instances_known(sample, self._things).mean() < _MIN_KNOWN:
                continue
            sample = random_crop(sample, size_hw, size_hw, rng)
            if rng.random() < _ERASING_PROBABILITY:
                sample = random_erasing(sample, rng)
            target = detector_targets(sample, self._things)
            if len(target['labels']):
                return color_jitter(sample.rgb, rng), target
        raise SettingError(
            f'{_MAX_DRAWS} images in a row without things, or mostly without labels',
            'classes that are things, with their instances',
        )


def detector_targets(sample: TrainingSample, things: NDArray[np.bool_]) -> dict[str, Tensor]:
    """
    Return an image's things in the format of torchvision's detectors.

    :param things: (C), which classes are things.
    """
    labels, boxes, masks = [], [], []
    for number in np.unique(sample.instances[sample.instances > 0]):
        mask = sample.instances == number
        channel = int(np.bincount(sample.classes[mask]).argmax())
        if mask.sum() < _MIN_AREA_PX or channel >= len(things) or not things[channel]:
            continue
        x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
        labels.append(int(things[:channel + 1].sum()))
        boxes.append((x, y, x + width, y + height))
        masks.append(mask)
    size_hw = sample.classes.shape
    return {
        'labels': torch.tensor(labels, dtype=torch.int64),
        'boxes': torch.from_numpy(np.array(boxes, np.float32).reshape(-1, 4)),
        'masks': torch.from_numpy(np.array(masks, np.uint8).reshape(-1, *size_hw)),
    }


def detector_losses(
    network: Any, samples: MixedSources, options: FineTuningOptions
) -> Iterator[Tensor]:
    """
    Compute the loss of each step as torchvision does: proposals, classes, boxes and masks.

    :param network: `StaticMaskRcnn`, which wraps torchvision's.
    """
    from torchvision.models.detection.image_list import ImageList

    loader: DataLoader[DetectorBatch] = DataLoader(
        DetectorBatches(samples, options), batch_size=None, sampler=range(options.steps),
        num_workers=options.workers,
    )
    model = network.network
    for batch in loader:
        images = normalize(batch.rgb / 255)
        sizes = [options.size_hw] * len(images)
        with torch.autocast('cpu', torch.bfloat16, enabled=options.bfloat16):
            maps = model.backbone(images)
        maps = {name: level.float() for name, level in maps.items()}
        proposals, first = model.rpn(ImageList(images, sizes), maps, batch.targets)
        _, second = model.roi_heads(maps, proposals, sizes, batch.targets)
        yield torch.stack([*first.values(), *second.values()]).sum()
