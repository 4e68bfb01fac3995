"""FCN, DeepLab v3 and LR-ASPP as torchvision has them, whose published weights load."""

from seg_ros.zoo.architectures import NetworkRequest
from torch import nn, Tensor


class _ScoresOnly(nn.Module):
    """The main head's scores at the image's size; torchvision's result is a dictionary."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.network(images)['out']
        return scores


def build(request: NetworkRequest) -> nn.Module:
    """
    Build the network that was asked for.

    :raises ValueError: by torchvision, if it has no such network.
    """
    from torchvision import models

    name = f'{request.name}_{request.chosen_encoder}'
    return _ScoresOnly(models.get_model(
        name, weights=None, weights_backbone=None, num_classes=request.classes, **request.options
    ))
