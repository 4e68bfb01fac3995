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

"""
A stand-in for the part of `pycuda.driver` that the engines use, over the driver library.

It keeps pycuda's rules about threads: what a thread made is freed where its very Context is
current, else there is a warning and a leak; a thread that ends with a Context on its stack ends
the process, which here is noted by the driver's stand-in.
"""

from ctypes import byref, c_char, c_float, c_int, c_size_t, c_uint64, c_void_p, cast, CDLL, POINTER
from threading import get_ident, local
import warnings

import numpy as np

_lib = CDLL('libcuda.so.1')
_thread = local()


class Error(Exception):
    pass


class MemoryError(Error):  # noqa: A001
    pass


class LogicError(Error):
    pass


class LaunchError(Error):
    pass


class event_flags:  # noqa: N801
    DEFAULT, BLOCKING_SYNC, DISABLE_TIMING = 0, 1, 2


class host_alloc_flags:  # noqa: N801
    PORTABLE, DEVICEMAP, WRITECOMBINED = 1, 2, 4


def _call(name, *arguments):
    code = getattr(_lib, name)(*arguments)
    if code:
        text = c_void_p()
        _lib.cuGetErrorString(code, byref(text))
        words = cast(text, POINTER(c_char * 64)).contents.value.decode()
        kinds = {2: MemoryError, 702: LaunchError, 719: LaunchError, 999: Error}
        raise kinds.get(code, LogicError)(f'{name.split("_")[0]} failed: {words}')


def _stack():
    if not hasattr(_thread, 'stack'):
        _thread.stack = []
    return _thread.stack


def init(flags=0):
    _call('cuInit', flags)


class Device:

    def __init__(self, index):
        self._device = c_int()
        _call('cuDeviceGet', byref(self._device), index)

    def retain_primary_context(self):
        handle = c_void_p()
        _call('cuDevicePrimaryCtxRetain', byref(handle), self._device)
        return Context(handle, self._device)


class Context:

    def __init__(self, handle, device):
        self._handle, self._device = handle, device
        self._thread, self.valid = get_ident(), True

    @property
    def handle(self):
        return self._handle.value

    def push(self):
        if _stack():
            _call('cuCtxPopCurrent_v2', byref(c_void_p()))
        _call('cuCtxPushCurrent_v2', self._handle)
        _stack().append(self)

    @staticmethod
    def pop():
        if not _stack():
            raise LogicError('context::pop failed: cannot pop non-current context')
        _call('cuCtxPopCurrent_v2', byref(c_void_p()))
        _stack().pop()
        if _stack():
            _call('cuCtxPushCurrent_v2', _stack()[-1]._handle)

    def detach(self):
        if not self.valid:
            raise LogicError('context::detach failed: cannot detach from invalid context')
        if _stack() and _stack()[-1] is self:
            _lib.cuDevicePrimaryCtxRelease_v2(self._device)
            _stack().pop()
        elif get_ident() == self._thread:
            _lib.cuCtxPushCurrent_v2(self._handle)
            _lib.cuDevicePrimaryCtxRelease_v2(self._device)
        self.valid = False

    @staticmethod
    def synchronize():
        _call('cuCtxSynchronize')


class _Owned:
    """What belongs to the Context that was current when it was made."""

    _context = None

    def _own(self):
        if not _stack():
            raise LogicError('explicit_context_dependent failed: no currently active context?')
        self._context = _stack()[-1]

    def _free(self, name, *arguments):
        context, self._context = self._context, None
        if context is None or not context.valid:
            return
        if _stack() and _stack()[-1] is context:
            getattr(_lib, name)(*arguments)
        elif get_ident() == context._thread:
            context.push()
            getattr(_lib, name)(*arguments)
            context.pop()
        else:
            kind = type(self).__name__
            warnings.warn(
                f'{kind} in out-of-thread context could not be cleaned up', UserWarning,
                stacklevel=2,
            )


class Stream(_Owned):

    def __init__(self, flags=0):
        self._handle = c_void_p()
        _call('cuStreamCreate', byref(self._handle), flags)
        self._own()

    @property
    def handle(self):
        return self._handle.value

    def wait_for_event(self, event):
        _call('cuStreamWaitEvent', self._handle, event._handle, 0)

    def synchronize(self):
        _call('cuStreamSynchronize', self._handle)

    def __del__(self):
        self._free('cuStreamDestroy_v2', self._handle)


class Event(_Owned):

    def __init__(self, flags=0):
        self._handle = c_void_p()
        _call('cuEventCreate', byref(self._handle), int(flags))
        self._own()

    def record(self, stream):
        _call('cuEventRecord', self._handle, stream._handle)
        return self

    def synchronize(self):
        _call('cuEventSynchronize', self._handle)
        return self

    def time_till(self, later):
        ms = c_float()
        _call('cuEventElapsedTime', byref(ms), self._handle, later._handle)
        return ms.value

    def __del__(self):
        self._free('cuEventDestroy_v2', self._handle)


class DeviceAllocation(_Owned):

    def __init__(self, size):
        self._address = c_uint64()
        _call('cuMemAlloc_v2', byref(self._address), c_size_t(size))
        self._own()

    def __int__(self):
        return self._address.value

    def free(self):
        if self._context is None:
            raise LogicError('device_allocation::free failed: invalid handle')
        self._free('cuMemFree_v2', self._address)

    def __del__(self):
        self._free('cuMemFree_v2', self._address)


class PagelockedHostAllocation(_Owned):

    def __init__(self, shape, dtype, flags):
        dtype = np.dtype(dtype)
        self._data = c_void_p()
        size = int(np.prod(shape)) * dtype.itemsize
        _call('cuMemHostAlloc', byref(self._data), c_size_t(size), int(flags))
        self._own()
        self.__array_interface__ = {
            'version': 3, 'shape': tuple(shape), 'typestr': dtype.str,
            'data': (self._data.value, False),
        }

    def get_device_pointer(self):
        address = c_uint64()
        _call('cuMemHostGetDevicePointer_v2', byref(address), self._data, 0)
        return address.value

    def free(self):
        if self._context is None:
            raise LogicError('pagelocked_host_allocation::free failed: invalid handle')
        self._free('cuMemFreeHost', self._data)

    def __del__(self):
        self._free('cuMemFreeHost', self._data)


mem_alloc = DeviceAllocation


def pagelocked_empty(shape, dtype, order='C', mem_flags=0):
    return np.asarray(PagelockedHostAllocation(shape, dtype, mem_flags))


def memcpy_htod_async(to, array, stream):
    _call(
        'cuMemcpyHtoDAsync_v2', c_uint64(int(to)), c_void_p(array.ctypes.data),
        c_size_t(array.nbytes), stream._handle,
    )


def memcpy_dtoh_async(array, address, stream):
    _call(
        'cuMemcpyDtoHAsync_v2', c_void_p(array.ctypes.data), c_uint64(int(address)),
        c_size_t(array.nbytes), stream._handle,
    )
