"""
Images between arrays and the middleware, without the copies that rclpy makes on the way.

Taking one, rclpy copies it three times; publishing one, twice as often as need be; and all the
while other workers wait for the interpreter's lock.
"""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription
from seg_ros.ros.convert import image_message, packed, unfilled_message
from seg_ros.ros.rcl_images import rcl_for_images
from sensor_msgs.msg import Image
from std_msgs.msg import Header


@dataclass(frozen=True, eq=False)
class Picture:
    """
    What an Image message says of an array.

    :param array: (H, W) or (H, W, channels), of any stride and byte order.
    :param encoding: what ROS calls this type of sample and this number of channels.
    :param header: carried on as it is.
    """

    array: NDArray[Any]
    encoding: str
    header: Header


def publish_image(publisher: 'Publisher[Image]', image: Picture) -> None:
    """Publish an array as an Image with packed rows and little-endian samples."""
    pixels = packed(image.array)
    rcl = rcl_for_images()
    if rcl is not None:
        image = unfilled_message(pixels, image.encoding, image.header)
        if rcl.publish(publisher, image, pixels):
            return
    publisher.publish(image_message(pixels, image.encoding, image.header))


def take_newest(subscription: 'Subscription[Any]') -> Any:
    """
    Take the newest message of a subscription, from any thread.

    :returns: `Taken`, or a message of rclpy; None if there is none.
    :raises rclpy.exceptions.InvalidHandle: if the subscription is no more.
    """
    kind = subscription.msg_type
    rcl = rcl_for_images() if kind is Image else None
    with subscription.handle:
        newest: Any = None
        if rcl is not None:
            newest, agreed = rcl.take_newest(subscription)
            if agreed:
                return newest
        # What rcl refuses, rclpy says in its own words.
        while taken := subscription.handle.take_message(kind, False):
            newest = taken[0]
        return newest
