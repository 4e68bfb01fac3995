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

"""Small variants of every architecture, with all of its parts, for tables and tests."""

from collections.abc import Mapping
from typing import Any

from seg_ros.zoo.architectures import NetworkRequest

CLASSES = 11

_SWIN = {'backbone': {
    'embed_dim': 24, 'depths': [1, 1, 2, 1], 'num_heads': [1, 2, 4, 8], 'window_size': 4,
}}
_DECODER = {
    'num_queries': 30, 'd_model': 32, 'encoder_layers': 1, 'decoder_layers': 2,
    'encoder_ffn_dim': 64, 'decoder_ffn_dim': 64, 'encoder_attention_heads': 4,
    'decoder_attention_heads': 4,
}
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    'segnet': {'width': 0.25},
    'deeplabv1': {'width': 0.25},
    'gscnn': {'width': 32},
    'panoptic_deeplab': {'width': 64},
    'mask_rcnn': {'before': 300, 'proposals': 60, 'candidates': 100, 'detections': 20},
    'maskformer': {
        **_SWIN, 'fpn_feature_size': 32, 'mask_feature_size': 32, 'decoder': _DECODER,
    },
    'mask2former': {
        **_SWIN, 'feature_size': 32, 'mask_feature_size': 32, 'hidden_dim': 32,
        'encoder_feedforward_dim': 64, 'dim_feedforward': 64, 'encoder_layers': 1,
        'decoder_layers': 2, 'num_attention_heads': 4, 'num_queries': 30,
    },
    'eomt': {
        'hidden_size': 48, 'num_hidden_layers': 4, 'num_attention_heads': 4, 'num_blocks': 2,
        'num_queries': 30,
    },
    'clipseg': {
        'vision': {
            'hidden_size': 48, 'num_hidden_layers': 4, 'num_attention_heads': 4,
            'intermediate_size': 96,
        },
        'text_config': {
            'hidden_size': 32, 'num_hidden_layers': 1, 'num_attention_heads': 4,
            'intermediate_size': 64,
        },
        'projection_dim': 32, 'extract_layers': [0, 1, 2], 'reduce_dim': 16,
        'decoder_num_attention_heads': 4, 'decoder_intermediate_size': 32,
    },
    'sam': {
        'vision': {
            'hidden_size': 48, 'num_hidden_layers': 3, 'num_attention_heads': 4, 'mlp_dim': 96,
            'output_channels': 32, 'window_size': 7, 'global_attn_indexes': [2],
            'num_pos_feats': 16,
        },
        'prompt': {'hidden_size': 32},
        'decoder': {
            'hidden_size': 32, 'mlp_dim': 64, 'num_attention_heads': 4, 'iou_head_hidden_dim': 32,
        },
        'prompts': 4,
    },
}
_ENCODERS = {
    'unet': 'resnet18', 'fpn': 'resnet18', 'pspnet': 'resnet18', 'deeplabv3plus': 'resnet18',
    'deeplabv3': 'mobilenet_v3_large', 'mask_rcnn': 'resnet18',
}
_SIZES = {'rf_detr_seg': (312, 312), 'eomt': (192, 192), 'clipseg': (192, 192), 'sam': (256, 256)}


def small_request(name: str, size_hw: tuple[int, int] = (192, 256)) -> NetworkRequest:
    """Return a small variant of an architecture; some have a fixed size."""
    return NetworkRequest(
        name, CLASSES, _SIZES.get(name, size_hw), _ENCODERS.get(name, ''),
        options=_OPTIONS.get(name, {}),
    )
