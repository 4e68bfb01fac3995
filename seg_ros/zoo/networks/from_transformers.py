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

"""SegFormer, MaskFormer, Mask2Former, EoMT and CLIPSeg from Hugging Face's transformers."""

from collections.abc import Callable, Mapping
from typing import Any

from seg_ros.zoo.architectures import NetworkRequest
import torch
from torch import nn, Tensor

# Table 6 of E. Xie et al., SegFormer, 2021: depths, channels, channels of the decoder.
_SEGFORMERS = {
    'b0': ([2, 2, 2, 2], [32, 64, 160, 256], 256),
    'b1': ([2, 2, 2, 2], [64, 128, 320, 512], 256),
    'b2': ([3, 4, 6, 3], [64, 128, 320, 512], 768),
    'b3': ([3, 4, 18, 3], [64, 128, 320, 512], 768),
    'b4': ([3, 8, 27, 3], [64, 128, 320, 512], 768),
    'b5': ([3, 6, 40, 3], [64, 128, 320, 512], 768),
}
# Table 7 of Z. Liu et al., Swin Transformer, 2021: channels, depths, heads, window.
_SWINS = {
    'swin-tiny': (96, [2, 2, 6, 2], [3, 6, 12, 24], 7),
    'swin-small': (96, [2, 2, 18, 2], [3, 6, 12, 24], 7),
    'swin-base': (128, [2, 2, 18, 2], [4, 8, 16, 32], 12),
    'swin-large': (192, [2, 2, 18, 2], [6, 12, 24, 48], 12),
}
# M. Oquab et al., DINOv2, 2023: channels, layers, heads.
_VISION_TRANSFORMERS = {
    'small': (384, 12, 6), 'base': (768, 12, 12), 'large': (1024, 24, 16),
}
# T. Lueddecke and A. Ecker, CLIPSeg, 2022: whether the decoder ends in several convolutions.
_CLIPSEGS = {'rd64': False, 'rd64-refined': True}


class _Outputs(nn.Module):
    """Returns the named tensors of a network's result, in order; a single one without a tuple."""

    def __init__(self, network: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.network = network
        self.names = names

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        result = self.network(pixel_values=images)
        tensors = tuple(getattr(result, name) for name in self.names)
        return tensors if len(tensors) > 1 else tensors[0]


class _TextPrompted(nn.Module):
    """CLIPSeg with the classes' text embeddings as weights; encodes each image only once."""

    def __init__(self, network: nn.Module, classes: int) -> None:
        super().__init__()
        self.network = network
        width = network.config.projection_dim
        self.register_buffer('embeddings', torch.randn(classes, width))

    def forward(self, images: Tensor) -> Tensor:
        config = self.network.config
        states = self.network.clip.vision_model(
            pixel_values=images, output_hidden_states=True, interpolate_pos_encoding=True,
        ).hidden_states
        count, texts = len(images), len(self.embeddings)
        shared = [
            states[layer + 1].repeat_interleave(texts, 0) for layer in config.extract_layers
        ]
        logits = self.network.decoder(shared, self.embeddings.repeat(count, 1)).logits
        return logits.reshape(count, texts, *images.shape[2:])


def build(request: NetworkRequest) -> nn.Module:
    """
    Build the requested network; options are those of the library's configuration.

    :raises KeyError: if the encoder is unknown.
    """
    return _BUILDERS[request.name](request, dict(request.options))


def _segformer(request: NetworkRequest, options: dict[str, Any]) -> nn.Module:
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    depths, channels, decoder = _SEGFORMERS[request.chosen_encoder]
    settings = {'depths': depths, 'hidden_sizes': channels, 'decoder_hidden_size': decoder}
    config = SegformerConfig(num_labels=request.classes, **{**settings, **options})
    return _Outputs(SegformerForSemanticSegmentation(config), request.architecture.outputs)


def _mask2former(request: NetworkRequest, options: dict[str, Any]) -> nn.Module:
    from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation

    config = Mask2FormerConfig(
        backbone_config=_swin(request, options), num_labels=request.classes, **options
    )
    return _Outputs(Mask2FormerForUniversalSegmentation(config), request.architecture.outputs)


def _maskformer(request: NetworkRequest, options: dict[str, Any]) -> nn.Module:
    from transformers import DetrConfig, MaskFormerConfig, MaskFormerForInstanceSegmentation

    backbone = _swin(request, options)
    decoder = DetrConfig(**options.pop('decoder', {}))
    config = MaskFormerConfig(
        backbone_config=backbone, decoder_config=decoder, num_labels=request.classes, **options
    )
    return _Outputs(MaskFormerForInstanceSegmentation(config), request.architecture.outputs)


def _eomt(request: NetworkRequest, options: dict[str, Any]) -> nn.Module:
    from transformers import EomtConfig, EomtForUniversalSegmentation

    channels, layers, heads = _VISION_TRANSFORMERS[request.chosen_encoder]
    settings = {
        'hidden_size': channels, 'num_hidden_layers': layers, 'num_attention_heads': heads,
        'image_size': request.size_hw[0], 'num_labels': request.classes,
    }
    config = EomtConfig(**{**settings, **options})
    return _Outputs(EomtForUniversalSegmentation(config), request.architecture.outputs)


def _clipseg(request: NetworkRequest, options: dict[str, Any]) -> nn.Module:
    from transformers import CLIPSegConfig, CLIPSegForImageSegmentation

    # Position embeddings are learnt for 224 pixels and interpolated to any other size.
    vision = {'image_size': 224, **options.pop('vision', {})}
    options.setdefault('use_complex_transposed_convolution', _CLIPSEGS[request.chosen_encoder])
    config = CLIPSegConfig(vision_config={'patch_size': 16, **vision}, **options)
    return _TextPrompted(CLIPSegForImageSegmentation(config), request.classes)


def _swin(request: NetworkRequest, options: dict[str, Any]) -> Any:
    """Return the backbone's configuration, including the options under `backbone`."""
    from transformers import SwinConfig

    channels, depths, heads, window = _SWINS[request.chosen_encoder]
    settings = {
        'embed_dim': channels, 'depths': depths, 'num_heads': heads, 'window_size': window,
        'image_size': max(request.size_hw),
        'out_features': ['stage1', 'stage2', 'stage3', 'stage4'],
    }
    return SwinConfig(**{**settings, **options.pop('backbone', {})})


_BUILDERS: Mapping[str, Callable[[NetworkRequest, dict[str, Any]], nn.Module]] = {
    'segformer': _segformer, 'mask2former': _mask2former, 'maskformer': _maskformer,
    'eomt': _eomt, 'clipseg': _clipseg,
}
