"""RF-DETR for segmentation as the package rfdetr has it, whose published weights load."""

from typing import Any

from seg_ros.zoo.architectures import NetworkRequest
from torch import nn, Tensor

_CONFIGS = {
    'nano': 'RFDETRSegNanoConfig', 'small': 'RFDETRSegSmallConfig',
    'medium': 'RFDETRSegMediumConfig', 'large': 'RFDETRSegLargeConfig',
}


class _Exported(nn.Module):
    """The network in its own form for export, scores and masks of every query."""

    output_names = ('class_scores', 'masks', 'boxes')

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        network.export()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        boxes, scores, masks = self.network(images)
        return scores, masks, boxes


def build(request: NetworkRequest) -> nn.Module:
    """
    Build the network that was asked for, for square images.

    :raises KeyError: if there is no such size of it.
    """
    from rfdetr import config
    from rfdetr.models.lwdetr import build_model_from_config

    kind = getattr(config, _CONFIGS[request.chosen_encoder])
    patch = kind.model_fields['patch_size'].default
    # Its number of classes leaves out the background that the network counts.
    settings = kind(
        num_classes=request.classes - 1, resolution=request.size_hw[0], pretrain_weights='none',
        positional_encoding_size=request.size_hw[0] // patch, device='cpu', **request.options,
    )
    return _Exported(build_model_from_config(settings).eval())
