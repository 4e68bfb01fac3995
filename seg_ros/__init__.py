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
Semantic, instance and panoptic segmentation of camera images.

Importing the package is cheap: the public names are imported at their first use.
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
