"""Masks as images, raw and compressed, and the camera_info that belongs to them."""

from typing import Any

from seg_ros.image.encodings import encode_jpeg, encode_png
from seg_ros.ros.convert import compressed_message, scaled_camera_info
from seg_ros.ros.outputs import Output, View
from seg_ros.ros.pixels import Picture
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

CLASSES = frozenset({'classes'})
INSTANCES = frozenset({'instances'})


def _semantic(view: View) -> Picture:
    encoding = 'mono8' if view.card.unlabelled == 255 else '16UC1'
    return Picture(view.scaled(view.segmentation.classes), encoding, view.header)


def _confidence(view: View) -> Picture:
    return Picture(view.scaled(view.segmentation.confidence), 'mono8', view.header)


def _instance(view: View) -> Picture:
    return Picture(view.scaled(view.segmentation.instances), '16UC1', view.header)


def _panoptic(view: View) -> Picture:
    return Picture(view.scaled(view.segmentation.panoptic()), '32SC1', view.header)


def _png(array: Any, view: View) -> CompressedImage:
    return compressed_message(encode_png(array), 'png', view.header)


def _camera_info(view: View) -> CameraInfo | None:
    if view.camera_info is None:
        return None
    return scaled_camera_info(
        view.camera_info, view.header.stamp, 1 / view.step, rectified=view.rectified
    )


IMAGES = (
    Output('semantic', Image, CLASSES, _semantic),
    Output('confidence', Image, CLASSES | {'confidence'}, _confidence),
    Output('instance', Image, INSTANCES, _instance),
    Output('panoptic', Image, CLASSES | INSTANCES, _panoptic),
    Output('color', Image, CLASSES, lambda view: Picture(view.color, 'rgb8', view.header)),
    Output(
        'overlay', Image, CLASSES | INSTANCES,
        lambda view: Picture(view.overlay, 'rgb8', view.header),
    ),
    Output(
        'semantic/compressed', CompressedImage, CLASSES,
        lambda view: _png(view.scaled(view.segmentation.classes), view),
    ),
    Output(
        'instance/compressed', CompressedImage, INSTANCES,
        lambda view: _png(view.scaled(view.segmentation.instances), view),
    ),
    Output('color/compressed', CompressedImage, CLASSES, lambda view: _png(view.color, view)),
    Output(
        'overlay/compressed', CompressedImage, CLASSES | INSTANCES,
        lambda view: compressed_message(encode_jpeg(view.overlay), 'jpeg', view.header),
    ),
    Output('camera_info', CameraInfo, frozenset(), _camera_info),
)
