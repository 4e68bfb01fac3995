"""SegFormer as Hugging Face's transformers has it, whose published weights load."""

from collections.abc import Mapping
from typing import Any

from seg_ros.zoo.architectures import NetworkRequest
from torch import nn, Tensor

# Table 6 of E. Xie et al., SegFormer, 2021.
_SEGFORMERS: Mapping[str, Mapping[str, Any]] = {
    'b0': {'depths': [2, 2, 2, 2], 'hidden_sizes': [32, 64, 160, 256], 'decoder_hidden_size': 256},
    'b1': {'depths': [2, 2, 2, 2], 'hidden_sizes': [64, 128, 320, 512],
           'decoder_hidden_size': 256},
    'b2': {'depths': [3, 4, 6, 3], 'hidden_sizes': [64, 128, 320, 512],
           'decoder_hidden_size': 768},
    'b3': {'depths': [3, 4, 18, 3], 'hidden_sizes': [64, 128, 320, 512],
           'decoder_hidden_size': 768},
    'b4': {'depths': [3, 8, 27, 3], 'hidden_sizes': [64, 128, 320, 512],
           'decoder_hidden_size': 768},
    'b5': {'depths': [3, 6, 40, 3], 'hidden_sizes': [64, 128, 320, 512],
           'decoder_hidden_size': 768},
}


class _Outputs(nn.Module):
    """The named tensors of a network's result, in order; alone where there is but one."""

    def __init__(self, network: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.network = network
        self.output_names = names

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        result = self.network(pixel_values=images)
        tensors = tuple(getattr(result, name) for name in self.output_names)
        return tensors if len(tensors) > 1 else tensors[0]


def build(request: NetworkRequest) -> nn.Module:
    """
    Build the network that was asked for.

    :raises KeyError: if there is no such size of it.
    """
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    config = SegformerConfig(
        num_labels=request.classes,
        **{**_SEGFORMERS[request.chosen_encoder], **request.options},
    )
    return _Outputs(SegformerForSemanticSegmentation(config), ('logits',))
