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

"""Explanations of depth outputs: why they are empty, wrong or missing, and what to do."""

from collections.abc import Collection

import numpy as np
from seg_ros.core.card import ModelCard
from seg_ros.depth.planes import MAX_TILT_RAD
from seg_ros.depth.static import POOR_SHARE
from seg_ros.ros.camera_info import distortion_px
from seg_ros.ros.depth_view import DepthView
from seg_ros.temporal.stamp_matching import KEPT_S, WAIT_S

OTHER_CLOCK_MS = 10_000
SLOW_MS = 500   # larger offsets may also come from slow processing
OFF_THE_FLOOR_M = 0.08      # larger offsets are reported; slopes and tilted mounts cause less
DISTORTED_SHARE = 0.01      # of the width; larger distortion is reported
GROUND = frozenset({'scan', 'free_space', 'obstacles/points', 'ground/points'})
_SET_HEIGHT = 'set camera_height_m, of a camera that is level from side to side'
_SET_GROUND = 'set ground to tf, or camera_height_m, of a camera that is level from side to side'


def why_unpaired(offset_ms: float, tolerance_ms: float) -> str:
    """
    Return why an image has no depth, and what to do.

    :param offset_ms: offset of the nearest depth from the image; negative if depth is older.
    :param tolerance_ms: the parameter depth_tolerance_ms.
    """
    words = f'no depth within {tolerance_ms:g} ms of the image: offset '
    if abs(offset_ms) >= OTHER_CLOCK_MS:
        return f'{words}{offset_ms / 1000:.0f} s: their clocks differ, or one has no stamps'
    slow = ''
    if offset_ms < -SLOW_MS:
        slow = f', or depth comes more than {WAIT_S:g} s after the masks'
    elif offset_ms > SLOW_MS:
        slow = f', or masks take longer than the {KEPT_S:g} s for which depth is kept'
    return (
        f'{words}{offset_ms:.0f} ms: the cameras or their clocks are not synchronised{slow}; '
        'synchronise them, or raise depth_tolerance_ms'
    )


def why_distorted(view: DepthView) -> str:
    """Return why points are wrong where the image is not rectified; empty if they are right."""
    info = view.image_view.camera_info
    if info is None or view.image_view.rectified:
        return ''
    moved_px = distortion_px(info)
    if moved_px <= DISTORTED_SHARE * view.image_view.frame.size_hw[1]:
        return ''
    why = f'{info.distortion_model} distortion' if any(info.d) else 'P with R is not K'
    return (
        f'points and boxes are off by up to {moved_px:.0f} pixels: by its camera_info the image '
        f'is not rectified ({why}), and depth is taken as that of a rectified one; feed '
        'image_rect and set rectified: true'
    )


def why_empty(view: DepthView, topics: Collection[str], no_transform: str) -> str:
    """
    Return why outputs of a view are empty or missing; an empty string where none is.

    :param topics: the outputs that have subscribers.
    :param no_transform: why TF has no transform of the camera; empty where it has one.
    """
    on_ground = GROUND.intersection(topics)
    nearest_m, most_m = view.depth.nearest_m, view.settings.max_depth_m
    if most_m < nearest_m < float('inf'):
        return (
            f'no depth within max_depth_m ({most_m:g} m): the nearest is {nearest_m:.1f} m; 16UC1 '
            'is read as millimetres, 32FC1 as metres'
        )
    if 'nav2/mask' in topics and view.card.unlabelled > 255:
        return (
            f'no nav2/mask, which Nav2 reads as bytes: {view.card.name} has class ids above 254; '
            'number its classes from 0 to 254 in the card'
        )
    if on_ground and view.ground_plane is None:
        why = _no_ground(view, no_transform)
        return f'no {", ".join(sorted(on_ground))}, as no ground is found: {why}'
    if 'free_space' in on_ground and view.base_from_optical is None:
        return f'no free_space: {no_transform}'
    if view.settings.ground == 'fit':
        return ''
    return no_transform or (_off_the_floor(view) if on_ground else '')


def _no_ground(view: DepthView, no_transform: str) -> str:
    """Return why no ground was found, and what to do."""
    settings, tilt_rad = view.settings, view.ground_fit.tilt_rad
    if tilt_rad is None or not MAX_TILT_RAD <= tilt_rad < np.inf:
        why = _no_plane(view)
    else:
        degrees, most = np.rad2deg((tilt_rad, MAX_TILT_RAD))
        if view.base_from_tf is not None:
            return (
                f'the floor found is {degrees:.0f} degrees off level, {most:.0f} are allowed, by '
                f'TF: see that the camera is mounted in {settings.base_frame} as TF says'
            )
        why = (
            f'the floor found is {degrees:.0f} degrees off level, {most:.0f} are allowed, by '
            f'camera_pitch_deg ({settings.camera_pitch_deg:g}): set camera_pitch_deg, or provide '
            f'TF to {settings.base_frame}'
        )
    return f'{why}; {no_transform}' if settings.ground == 'tf' else why


def _no_plane(view: DepthView) -> str:
    """Return why no plane fits the traversable pixels, and what to do."""
    by_tf = view.settings.ground == 'tf'
    if not view.card.ids_with_role('traversable'):
        cause = (
            f'no class of {view.card.name} has the role traversable: give it to floors in the card'
        )
        return f'{cause}; or {_SET_HEIGHT}' if by_tf else f'{cause}; {_SET_GROUND}'
    if view.ground_fit.tilt_rad is None:
        cause = 'too few traversable pixels with depth'
    else:
        cause = 'traversable pixels with depth lie on no plane'
    return f'{cause}; {_SET_HEIGHT if by_tf else _SET_GROUND}'


def _off_the_floor(view: DepthView) -> str:
    """Warn where z = 0 of the base frame, which counts as the ground, is not the floor."""
    height_m = 0.0 if view.coarse_ground is None else view.coarse_ground.floor_height_m
    if not abs(height_m) > OFF_THE_FLOOR_M:
        return ''
    frame = view.settings.base_frame
    return (
        f'the floor lies {abs(height_m):.2f} m {"above" if height_m > 0 else "below"} z = 0 of '
        f'{frame}, which counts as the ground: set base_frame to a frame on the floor, such as '
        'base_footprint, or ground to fit'
    )


def nothing_dynamic(card: ModelCard) -> str:
    """Warn where no class of a card is dynamic."""
    if card.ids_with_role('dynamic'):
        return ''
    return (
        f'no class of {card.name} has the role dynamic: static/* leaves nothing out; give it to '
        'classes in the card'
    )


def poor_odometry(share: float) -> str:
    """Warn where too much of an image is dynamic for odometry on the rest."""
    if share <= POOR_SHARE:
        return ''
    return (
        f'{100 * share:.0f} % of the image is dynamic: odometry on the rest will be poor, '
        'and may lose its way'
    )
