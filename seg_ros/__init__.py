"""
Camera images in, semantic, instance and panoptic masks out.

Importing the package is cheap: what the names below need is imported when they are first used.
"""

from typing import Any, TYPE_CHECKING

if TYPE_CHECKING:
    from seg_ros.api import Masks, Segmenter

__version__ = '0.1.0'
__all__ = ['Masks', 'Segmenter', '__version__']


def __getattr__(name: str) -> Any:
    """Import a public name at its first use."""
    if name in ('Masks', 'Segmenter'):
        from seg_ros import api

        return getattr(api, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
