"""Memory of image size that stays with the process, to be used again for the next frame."""

import ctypes

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1   # of mallopt


def keep_freed_memory() -> None:
    """
    Have glibc keep image-sized blocks instead of returning them to the kernel.

    Page faults on every received image otherwise cost about as much as reading it.
    """
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(_TRIM_THRESHOLD, 256 << 20)
    except (OSError, AttributeError):  # another C library: slower, not wrong
        pass
