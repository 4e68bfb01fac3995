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

"""Image files by their names."""

from collections.abc import Collection
from pathlib import Path

# Formats that OpenCV reads. Suffixes, unlike content, also recognise damaged images.
IMAGE_SUFFIXES = frozenset({
    '.avif', '.bmp', '.dib', '.jp2', '.jpe', '.jpeg', '.jpg', '.pbm', '.pgm', '.png', '.pnm',
    '.ppm', '.ras', '.sr', '.tif', '.tiff', '.webp',
})
# For label maps, whose ids JPEG would change.
LABEL_SUFFIXES = IMAGE_SUFFIXES - {'.jpe', '.jpeg', '.jpg'}


def images_by_stem(
    folder: Path, suffixes: Collection[str] = IMAGE_SUFFIXES
) -> dict[str, list[Path]]:
    """
    Return the images in a folder by name without suffix, sorted.

    Suffixes are case-insensitive; hidden files are ignored. A missing folder has no images.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.glob('*')):
        if path.suffix.lower() in suffixes and not path.name.startswith('.'):
            found.setdefault(path.stem, []).append(path)
    return found
