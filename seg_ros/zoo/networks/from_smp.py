"""U-Net, DeepLab v3+, PSPNet and FPN as segmentation_models_pytorch has them."""

from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.layers.pooling import with_static_pooling
from torch import nn


def build(request: NetworkRequest) -> nn.Module:
    """
    Build the network that was asked for, with any of the library's encoders.

    :raises KeyError: by the library, if it has no such encoder.
    """
    import segmentation_models_pytorch as smp

    network = smp.create_model(
        request.name, request.chosen_encoder, encoder_weights=None, classes=request.classes,
        **request.options,
    )
    network.traced_first = True     # asked whether it is exported, it takes another way
    return with_static_pooling(network)
