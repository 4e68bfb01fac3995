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

"""Nav2's parameters are completed by the layers that read masks, and otherwise stay."""

from pathlib import Path
from typing import Any

import pytest
from seg_ros.core.errors import SettingError
from seg_ros.nav2_file import completed_file
import yaml

LAYERS = str(Path(__file__).parents[1] / 'config' / 'nav2.yaml')
GIVEN = """
controller_server:
  ros__parameters: {controller_frequency: 20.0}
local_costmap:
  local_costmap:
    ros__parameters:
      width: 3
      plugins: [voxel_layer, inflation_layer]
      inflation_layer: {plugin: "nav2_costmap_2d::InflationLayer", inflation_radius: 0.7}
"""


def costmap(content: Any) -> Any:
    return content['local_costmap']['local_costmap']['ros__parameters']


def written(folder: Path, given: str, topics: str = '/robot/eyes/front') -> Any:
    path = folder / 'nav2.yaml'
    path.write_text(given, encoding='utf-8')
    done = Path(completed_file(str(path), LAYERS, topics))
    content = yaml.safe_load(done.read_text(encoding='utf-8'))
    done.unlink()
    return content


def test_our_layers_come_before_those_that_are_there(tmp_path: Path) -> None:
    content = written(tmp_path, GIVEN)
    assert costmap(content)['plugins'] == [
        'semantic_layer', 'camera_obstacle_layer', 'voxel_layer', 'inflation_layer',
    ]
    assert costmap(content)['semantic_layer']['enabled']


def test_what_is_given_stays(tmp_path: Path) -> None:
    content = written(tmp_path, GIVEN)
    assert content['controller_server'] == {'ros__parameters': {'controller_frequency': 20.0}}
    assert costmap(content)['width'] == 3
    assert costmap(content)['inflation_layer'] == {
        'plugin': 'nav2_costmap_2d::InflationLayer', 'inflation_radius': 0.7,
        'cost_scaling_factor': 3.0,
    }


def test_a_file_that_has_the_layers_already_stays_the_same(tmp_path: Path) -> None:
    once = written(tmp_path, GIVEN)
    assert written(tmp_path, yaml.safe_dump(once)) == once


def test_topics_are_those_of_the_camera(tmp_path: Path) -> None:
    text = yaml.safe_dump(written(tmp_path, GIVEN))
    assert '/robot/eyes/front/nav2/mask' in text
    assert '/robot/eyes/front/obstacles/points' in text
    assert '/segmentation/camera' not in text


def test_obstacles_that_are_gone_are_cleared_by_rays_to_the_floor() -> None:
    # observation_buffer.cpp keeps points between the two heights of their source, which
    # obstacle_layer.cpp declares as 0 and 0; an empty cloud clears nothing.
    layer = costmap(yaml.safe_load(Path(LAYERS).read_text(encoding='utf-8')))[
        'camera_obstacle_layer']
    floor = layer['ground']
    assert 'ground' in layer['observation_sources'].split()
    assert floor['topic'].endswith('/ground/points')
    assert (floor['marking'], floor['clearing']) == (False, True)
    assert floor['min_obstacle_height'] < -0.1 < 0.1 < floor['max_obstacle_height']
    assert layer['obstacles']['marking']
    # voxel_layer.cpp: a camera above the voxels clears nothing, and there are at most 16.
    assert layer['z_voxels'] <= 16
    assert layer['z_voxels'] * layer['z_resolution'] >= layer['obstacles']['max_obstacle_height']


@pytest.mark.parametrize('given', ['a: [', 'just words', ''])
def test_a_file_that_is_none_of_parameters_is_refused_with_its_name(
    tmp_path: Path, given: str
) -> None:
    with pytest.raises(SettingError, match=r'nav2\.yaml'):
        written(tmp_path, given)


def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r'absent\.yaml'):
        completed_file(str(tmp_path / 'absent.yaml'), LAYERS, '/a')
