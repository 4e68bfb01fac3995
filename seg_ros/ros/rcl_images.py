"""
rcl's own calls for sensor_msgs Images, which copy less than rclpy's.

The interpreter's lock is held as rclpy holds it: what rcl logs relies on that.
The C messages are made, filled and given back by the functions that rclpy calls for it; only
where in them the fields lie is written here, and compared before it is relied on.
"""

from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import (
    c_bool,
    c_char_p,
    c_int32,
    c_size_t,
    c_ubyte,
    c_uint32,
    c_void_p,
    py_object,
    PyDLL,
    PYFUNCTYPE,
    pythonapi,
    string_at,
    Structure,
)
from dataclasses import dataclass
from functools import cache
import os
from typing import Any

from builtin_interfaces.msg import Time
from numpy.typing import NDArray
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.type_support import check_for_type_support
from sensor_msgs.msg import Image
from std_msgs.msg import Header

_OK, _NOTHING_THERE = 0, 401     # of rcl/types.h


@dataclass(frozen=True, eq=False)
class Taken:
    """The fields of an Image message; `data` is a buffer that lies where rcl has put it."""

    header: Header
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: Any


class _Bytes(Structure):
    """A string or a sequence of bytes as C has them."""

    _fields_ = (('data', c_void_p), ('size', c_size_t), ('capacity', c_size_t))

    def text(self) -> str:
        return string_at(self.data, self.size).decode(errors='replace') if self.size else ''


class Fields(Structure):
    """A sensor_msgs Image as C has it."""

    _fields_ = (
        ('sec', c_int32), ('nanosec', c_uint32), ('frame_id', _Bytes), ('height', c_uint32),
        ('width', c_uint32), ('encoding', _Bytes), ('is_bigendian', c_ubyte), ('step', c_uint32),
        ('data', _Bytes),
    )


class CImage:
    """A message of rcl's, given back when nobody holds it any more."""

    def __init__(self, rcl: 'Rcl') -> None:
        self._rcl = rcl
        self.address = rcl.create()
        self.fields = Fields.from_address(self.address)

    def __del__(self) -> None:
        self._rcl.destroy(self.address)

    @contextmanager
    def showing(self, pixels: NDArray[Any]) -> Iterator[None]:
        """Let it have an array's bytes for its own meanwhile."""
        fields = self.fields
        own = fields.data.data, fields.data.size, fields.data.capacity
        fields.data = _Bytes(pixels.ctypes.data, pixels.nbytes, pixels.nbytes)
        try:
            yield
        finally:
            fields.data = _Bytes(*own)

    def taken(self) -> Taken:
        """Show what is in it; the bytes keep it."""
        fields = self.fields
        data: Any = b''
        if fields.data.size:
            data = (c_ubyte * fields.data.size).from_address(fields.data.data)
            data.owner = self
        stamp = Time(sec=fields.sec, nanosec=fields.nanosec)
        return Taken(
            Header(stamp=stamp, frame_id=fields.frame_id.text()), fields.height, fields.width,
            fields.encoding.text(), fields.is_bigendian, fields.step, data,
        )


class Rcl:
    """
    The functions of rcl, and those for Image messages that rclpy calls itself.

    :raises AttributeError: where one of them goes by another name, or rclpy does not tell where
        its publishers and subscriptions lie; OSError where a library goes by another name.
    """

    def __init__(self) -> None:
        for kind in (rclpy_implementation.Publisher, rclpy_implementation.Subscription):
            _ = kind.pointer
        check_for_type_support(Image)
        image: Any = type(Image)
        self.create = PYFUNCTYPE(c_void_p)(_address(image._CREATE_ROS_MESSAGE))
        self.destroy = PYFUNCTYPE(None, c_void_p)(_address(image._DESTROY_ROS_MESSAGE))
        self._fill = PYFUNCTYPE(c_bool, py_object, c_void_p)(_address(image._CONVERT_FROM_PY))
        rcl = PyDLL('librcl.so', os.RTLD_NOLOAD)
        self._take, self._publish = rcl.rcl_take, rcl.rcl_publish
        self._take.argtypes, self._publish.argtypes = (c_void_p,) * 4, (c_void_p,) * 3
        self._forget_error = PyDLL('librcutils.so', os.RTLD_NOLOAD).rcutils_reset_error

    def filled(self, image: Image) -> CImage:
        """Return a message that says the same."""
        message = CImage(self)
        self._fill(image, message.address)
        return message

    def publish(self, publisher: Any, image: Image, pixels: NDArray[Any]) -> bool:
        """Publish an image that lacks but its pixels; tells whether rcl agreed to it."""
        message = self.filled(image)
        with message.showing(pixels), publisher.handle:
            code = self._publish(publisher.handle.pointer, message.address, None)
        if code != _OK:
            self._forget_error()
        return bool(code == _OK)

    def take_newest(self, subscription: Any) -> tuple[Taken | None, bool]:
        """
        Take every image that is there.

        :returns: the last, or None where there was none; and whether rcl agreed to it.
        """
        message, found, code = CImage(self), False, _OK
        while code == _OK:
            code = self._take(subscription.handle.pointer, message.address, None, None)
            found |= code == _OK
        agreed = code == _NOTHING_THERE
        if not agreed:
            self._forget_error()
        return message.taken() if found else None, agreed

    def finds_fields(self) -> bool:
        """Tell whether the fields lie in a message where `Fields` has them."""
        sample = Image(
            header=Header(stamp=Time(sec=1, nanosec=2), frame_id='a frame'), height=3, width=4,
            encoding='rgb8', is_bigendian=1, step=12, data=array('B', range(36)),
        )
        message = self.filled(sample)
        fields = message.fields
        # Sizes first: an address is followed only where its neighbours are right.
        sizes = fields.frame_id.size, fields.encoding.size, fields.data.size
        if sizes != (len('a frame'), len('rgb8'), len(sample.data)):
            return False
        taken = message.taken()
        return bytes(taken.data) == bytes(sample.data) and all(
            getattr(taken, name) == getattr(sample, name)
            for name in ('header', 'height', 'width', 'encoding', 'is_bigendian', 'step')
        )


@cache
def rcl_for_images() -> Rcl | None:
    """Return rcl, unless it is another than the one that this was written for."""
    try:
        rcl = Rcl()
    except (AttributeError, OSError):
        return None
    return rcl if rcl.finds_fields() else None


def _address(capsule: Any) -> int:
    """Return what a capsule without a name holds."""
    pointer = PYFUNCTYPE(c_void_p, py_object, c_char_p)(('PyCapsule_GetPointer', pythonapi))
    return int(pointer(capsule, None))
