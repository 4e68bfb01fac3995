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

"""SAM from Hugging Face's transformers, encoder and decoder in one, prompted by points."""

from collections.abc import Mapping
from typing import Any

from seg_ros.core.errors import SettingError
from seg_ros.zoo.architectures import NetworkRequest
import torch
from torch import nn, Tensor

# A. Kirillov et al., Segment Anything, 2023, appendix A: channels, layers, heads, and the layers
# with global attention.
_ENCODERS = {
    'vit-base': (768, 12, 12, [2, 5, 8, 11]),
    'vit-large': (1024, 24, 16, [5, 11, 17, 23]),
    'vit-huge': (1280, 32, 16, [7, 15, 23, 31]),
}
_PATCH = 16
_PROMPTS, _MAX_PROMPTS = 8, 256


class Prompted(nn.Module):
    """
    SAM for prompts of two points with labels.

    Labels are 2 and 3 for the corners of a box, 1 for a point on the object, 0 for a point outside
    it, -1 for no point. The image is encoded once; each prompt gets three masks, as in the paper.

    :param network: transformers' SamModel.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        model = self.network
        embeddings = model.vision_encoder(images).last_hidden_state
        _, dense = model.prompt_encoder(None, None, points.reshape(1, -1, 4), None)
        masks, scores = model.mask_decoder(
            image_embeddings=embeddings,
            image_positional_embeddings=model.get_image_wide_positional_embeddings(),
            sparse_prompt_embeddings=self._tokens(points, labels),
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )
        return masks, scores

    def _tokens(self, points: Tensor, labels: Tensor) -> Tensor:
        """
        Embed points as in appendix A of the paper: (1, P, 2, C).

        The library supports points or boxes, but not both in one graph.
        """
        encoder = self.network.prompt_encoder
        places = encoder.shared_embedding((points + 0.5) / encoder.input_image_size)
        for label, kind in enumerate(encoder.point_embed):
            places = places + (labels == label)[..., None].float() * kind.weight
        nowhere = (labels == -1)[..., None].float()
        return places * (1 - nowhere) + nowhere * encoder.not_a_point_embed.weight


def prompts_from_boxes(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """
    Return the points and labels that prompt for boxes.

    :param boxes: (P, 4), x0, y0, x1, y1 in pixels of the network's image.
    """
    labels = torch.tensor([2.0, 3.0]).expand(1, len(boxes), 2)
    return boxes.reshape(1, len(boxes), 2, 2), labels


def example_prompts(request: NetworkRequest) -> tuple[Tensor, Tensor]:
    """Return as many prompts as the exported network has."""
    return prompts_from_boxes(torch.zeros(_prompt_count(request), 4))


def build(request: NetworkRequest) -> nn.Module:
    """
    Build the requested network.

    :raises KeyError: if the encoder is unknown.
    :raises SettingError: if the number of prompts is 0 or too large.
    """
    from transformers import SamModel

    count = _prompt_count(request)
    if not 0 < count <= _MAX_PROMPTS:
        raise SettingError(f'prompts={count}', f'1 to {_MAX_PROMPTS}')
    return Prompted(SamModel(_config(request, request.options)))


def _prompt_count(request: NetworkRequest) -> int:
    return int(request.options.get('prompts', _PROMPTS))


def _config(request: NetworkRequest, options: Mapping[str, Any]) -> Any:
    """Return the library's configuration; options are grouped by its parts."""
    from transformers import SamConfig
    from transformers.models.sam import (
        SamMaskDecoderConfig,
        SamPromptEncoderConfig,
        SamVisionConfig,
    )

    channels, layers, heads, whole = _ENCODERS[request.chosen_encoder]
    side = request.size_hw[0]
    vision = {
        'hidden_size': channels, 'num_hidden_layers': layers, 'num_attention_heads': heads,
        'global_attn_indexes': whole, 'image_size': side, 'patch_size': _PATCH,
        'mlp_dim': 4 * channels, **options.get('vision', {}),
    }
    prompt = {'image_size': side, 'patch_size': _PATCH, **options.get('prompt', {})}
    return SamConfig(
        vision_config=SamVisionConfig(**vision),
        prompt_encoder_config=SamPromptEncoderConfig(**prompt),
        mask_decoder_config=SamMaskDecoderConfig(**options.get('decoder', {})),
    )
