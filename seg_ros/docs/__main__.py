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

"""Regenerate the parts of the documentation that come from code: `python -m seg_ros.docs`."""

from seg_ros.docs import ROOT
from seg_ros.docs.layers import arrows_from_source, svg
from seg_ros.docs.parameters import MOST_USED, with_table


def main() -> None:
    """Write the parameter tables and the diagram of the layers."""
    for page, names in (('README.md', MOST_USED), ('docs/parameters.md', None)):
        path = ROOT / page
        text = path.read_text(encoding='utf-8')
        made = with_table(text) if names is None else with_table(text, names)
        path.write_text(made, encoding='utf-8')
    drawing = svg(arrows_from_source(ROOT / 'seg_ros'))
    (ROOT / 'docs' / 'images' / 'layers.svg').write_text(drawing, encoding='utf-8')


if __name__ == '__main__':
    main()
