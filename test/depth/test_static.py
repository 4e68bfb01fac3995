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

"""The static scene: dilation, hold and release, against a loop over pixels and a walk."""

import numpy as np
import pytest
from seg_ros.depth.static import dynamic_share, static_depth, StaticScene

FRAME_NS = 33_000_000


def at(column, size_hw=(40, 120)):
    mask = np.zeros(size_hw, bool)
    mask[10:30, column:column + 12] = True
    return mask


def in_cells(mask):
    """Mark all pixels of each 4 x 4 cell that has a marked one."""
    found = np.zeros_like(mask)
    for y in range(0, mask.shape[0], 4):
        for x in range(0, mask.shape[1], 4):
            found[y:y + 4, x:x + 4] = mask[y:y + 4, x:x + 4].any()
    return found


def grown(mask, reach):
    padded = np.pad(mask, reach)
    return np.logical_or.reduce([
        padded[y:y + mask.shape[0], x:x + mask.shape[1]]
        for y in range(2 * reach + 1) for x in range(2 * reach + 1)
    ])


@pytest.mark.parametrize('dilate_px', [0, 1, 8])
def test_the_mask_grows_by_so_many_pixels(dilate_px):
    found = StaticScene().update(at(30), 0, dilate_px, 0.0)
    np.testing.assert_array_equal(found, grown(at(30), dilate_px))


def test_one_missed_detection_shows_nobody():
    scene, nobody = StaticScene(), np.zeros((40, 120), bool)
    for frame in range(6):
        seen = nobody if frame == 4 else at(30)
        found = scene.update(seen, frame * FRAME_NS, 2, 0.5)
        np.testing.assert_array_equal(found, grown(at(30), 2))


def test_who_stops_stays_masked_however_long():
    scene = StaticScene()
    for frame in range(200):
        found = scene.update(at(30), frame * FRAME_NS, 0, 0.5)
    np.testing.assert_array_equal(found, at(30))


def test_a_place_is_held_for_the_hold_and_then_released():
    scene, nobody = StaticScene(), np.zeros((40, 120), bool)
    scene.update(at(30), 0, 0, 0.5)
    assert scene.update(nobody, 490_000_000, 0, 0.5).any()
    assert not scene.update(nobody, 510_000_000, 0, 0.5).any()


def test_who_leaves_is_released_at_once_where_depth_shows_what_stood_behind():
    scene = StaticScene()
    wall = np.full((40, 120), 3.0, np.float32)
    for frame in range(20):
        mask = at(10 + 3 * frame)
        metres = np.where(mask, np.float32(1.5), wall)
        found = scene.update(mask, frame * FRAME_NS, 0, 0.5, metres)
        np.testing.assert_array_equal(found, mask)
    by_time = StaticScene()
    for frame in range(20):
        held = by_time.update(at(10 + 3 * frame), frame * FRAME_NS, 0, 0.5)
    assert held.sum() > 3 * found.sum()


@pytest.mark.parametrize(('behind_m', 'held'), [(1.05, True), (1.2, False)])
def test_who_is_missed_is_released_where_it_is_a_tenth_farther_than_the_object_was(behind_m, held):
    scene, nobody = StaticScene(), np.zeros((40, 120), bool)
    scene.update(at(30), 0, 0, 0.5, np.ones((40, 120), np.float32))
    behind = np.full((40, 120), behind_m, np.float32)
    found = scene.update(nobody, FRAME_NS, 0, 0.5, behind)
    np.testing.assert_array_equal(found, in_cells(at(30)) & held)


def test_the_margin_of_who_leaves_is_released_with_the_rest():
    scene = StaticScene()
    for frame in range(20):
        mask = at(10 + 3 * frame)
        metres = np.where(mask, np.float32(1.5), np.float32(3.0))
        found = scene.update(mask, frame * FRAME_NS, 4, 0.5, metres)
        np.testing.assert_array_equal(found, grown(mask, 4))


def test_a_missed_person_is_held_by_depth_too_and_so_is_one_without_depth():
    scene, nobody = StaticScene(), np.zeros((40, 120), bool)
    metres = np.where(at(30), np.float32(1.5), np.float32(3.0))
    metres[20:25] = np.nan
    scene.update(at(30), 0, 0, 0.5, metres)
    found = scene.update(nobody, FRAME_NS, 8, 0.5, metres)
    assert found[at(30)].all()
    assert not (found & ~grown(at(30), 8)).any()


@pytest.mark.parametrize('dilate_px', [0, 8, 24])
@pytest.mark.parametrize('noise', [0.0, 0.02, 0.04])
def test_a_missed_person_with_an_arm_held_forward_is_held_through_the_noise_of_depth(
    noise, dilate_px
):
    random, scene = np.random.default_rng(0), StaticScene()
    mask = np.zeros((240, 320), bool)
    mask[50:225, 130:190] = True
    metres = np.where(mask, np.float32(2.0), np.float32(6.0))
    metres[100:115, 120:165] = 1.5
    mask[100:115, 120:165] = True
    for frame in range(6):
        seen = metres * (1 + noise * random.standard_normal(metres.shape)).astype(np.float32)
        seen[random.random(metres.shape) < 0.005] *= 0.85       # flying pixels
        shown = mask if frame < 5 else np.zeros_like(mask)
        found = scene.update(shown, frame * FRAME_NS, dilate_px, 0.5, seen)
    # Without a margin, the corners of cells are missing.
    assert found[mask].mean() > (0.999 if dilate_px else 0.99)


def test_a_mask_that_spills_onto_the_wall_leaves_nothing_held_behind_who_walks():
    scene, wall = StaticScene(), np.full((60, 240), 3.0, np.float32)
    for frame in range(15):
        body, mask = at(20 + 8 * frame, wall.shape), np.zeros(wall.shape, bool)
        mask[8:32, 18 + 8 * frame:34 + 8 * frame] = True        # two pixels over every edge
        metres = np.where(body, np.float32(1.5), wall)
        found = scene.update(mask, frame * FRAME_NS, 8, 0.5, metres)
    np.testing.assert_array_equal(found, grown(mask, 8))


@pytest.mark.parametrize('holes', [0.1, 0.3])
def test_holes_in_depth_do_not_keep_a_place_held_that_its_depth_releases(holes):
    random, scene = np.random.default_rng(0), StaticScene()
    mask = np.zeros((120, 160), bool)
    mask[20:100, 40:110] = True
    scene.update(mask, 0, 0, 0.5, np.where(mask, np.float32(1.5), np.float32(3.0)))
    wall = np.full(mask.shape, 3.0, np.float32)
    wall[random.random(mask.shape) < holes] = np.nan
    wall[40:64, 60:84] = np.nan
    found = scene.update(np.zeros_like(mask), FRAME_NS, 0, 0.5, wall)
    expected = np.zeros_like(mask)
    expected[40:64, 60:84] = True       # nothing shows that the person has gone from here
    assert (found != expected).mean() < 0.005


def walker(column, size_hw=(120, 240)):
    """Return the head, trunk and legs of a person in front of a wall, and the depth."""
    body = np.zeros(size_hw, bool)
    body[10:24, column + 8:column + 22] = True
    body[28:70, column:column + 30] = True
    body[74:120, column + 2:column + 12] = True
    body[74:120, column + 18:column + 28] = True
    return body, np.where(body, np.float32(1.5), np.float32(4.0))


def test_who_is_seen_in_part_is_masked_as_a_whole_and_nothing_else_is():
    body, metres = walker(100)
    part = body.copy()
    part[:40] = False       # neither the head nor the shoulders
    found = StaticScene().update(part, 0, 0, 0.5, metres)
    assert found[body].mean() > 0.97
    assert not (found & ~grown(body, 4)).any()


@pytest.mark.parametrize(('rows', 'whole'), [(46, False), (56, True)])
def test_a_surface_is_dynamic_as_a_whole_if_more_than_half_of_it_is(rows, whole):
    body = np.zeros((120, 120), bool)
    body[8:108, 40:80] = True
    part = body.copy()
    part[8 + rows:] = False
    metres = np.where(body, np.float32(1.5), np.float32(4.0))
    found = StaticScene().update(part, 0, 0, 0.5, metres)
    assert found[body].mean() == pytest.approx(1 if whole else rows / 100, abs=0.02)


def test_who_stands_behind_something_nearer_is_held_and_so_is_a_part_without_depth():
    scene = StaticScene()
    body, metres = walker(100)
    metres[40:64, 104:128] = np.nan
    metres[88:] = 0.7
    body[88:] = False
    scene.update(body, 0, 8, 0.5, metres)
    found = scene.update(np.zeros_like(body), FRAME_NS, 8, 0.5, metres)
    assert found[body].mean() > 0.99
    assert not found[96:].any()


def test_who_walks_on_while_missed_stays_masked_for_the_hold_and_no_longer():
    scene = StaticScene()
    for frame in range(30):
        body, metres = walker(20 + 6 * frame)
        seen = body if frame < 5 else np.zeros_like(body)
        found = scene.update(seen, frame * FRAME_NS, 0, 0.5, metres)
        if frame < 19:      # 0.46 s after the last detection
            assert found[body].mean() > 0.95
            assert not (found & ~grown(body, 8)).any()
    assert not found.any()


def test_a_mask_over_the_wall_between_the_legs_and_around_leaves_none_of_the_wall_held():
    scene = StaticScene()
    for frame in range(12):
        body, metres = walker(20 + 12 * frame)
        found = scene.update(grown(body, 12), frame * FRAME_NS, 0, 0.5, metres)
        np.testing.assert_array_equal(found, grown(body, 12))


def test_who_stands_on_the_floor_is_held_and_the_floor_is_not():
    scene, nobody = StaticScene(), np.zeros((120, 240), bool)
    body, metres = walker(100)
    floor = np.broadcast_to(np.linspace(2.2, 1.5, 60, dtype=np.float32)[:, None], (60, 240))
    metres[60:] = np.where(body[60:], np.float32(1.5), floor)
    scene.update(body, 0, 0, 0.5, metres)
    found = scene.update(nobody, FRAME_NS, 0, 0.5, metres)
    assert found[body].mean() > 0.97
    assert not (found & ~grown(body, 8)).any()


def test_of_two_people_at_different_distances_both_are_held():
    scene = StaticScene()
    (near, metres), (far, _) = walker(60), walker(100)
    metres[far & ~near] = 3.0
    scene.update(near | far, 0, 0, 0.5, metres)
    found = scene.update(np.zeros_like(far), FRAME_NS, 0, 0.5, metres)
    assert found[near].mean() > 0.97
    # Beside who is nearer, what is behind counts as background that the mask covers.
    assert found[far & ~grown(near, 20)].mean() > 0.95


def test_a_place_that_was_released_stays_so_where_its_depth_is_lost():
    scene, nobody = StaticScene(), np.zeros((40, 120), bool)
    near, far = (np.full((40, 120), metres, np.float32) for metres in (1.5, 3.0))
    scene.update(at(30), 0, 0, 0.5, near)
    assert not scene.update(nobody, FRAME_NS, 0, 0.5, far).any()
    assert not scene.update(nobody, 2 * FRAME_NS, 0, 0.5, far * np.float32(np.nan)).any()


def test_a_clock_that_starts_anew_and_another_size_begin_anew():
    scene, nobody = StaticScene(), np.zeros((40, 120), bool)
    scene.update(at(30), 10 ** 12, 0, 0.5)
    assert not scene.update(nobody, 1000, 0, 0.5).any()
    scene.update(at(30), 2000, 0, 0.5)
    assert not scene.update(np.zeros((20, 60), bool), 3000, 0, 0.5).any()
    scene.update(at(30), 4000, 0, 0.5)
    scene.reset()
    assert not scene.update(nobody, 5000, 0, 0.5).any()


def test_months_of_frames_do_not_wear_the_clock_out():
    scene, nobody = StaticScene(), np.zeros((4, 4), bool)
    one = ~nobody
    scene.update(one, 0, 0, 0.5)
    far = 200 * 24 * 3600 * 10 ** 9
    assert scene.update(one, far, 0, 0.5).all()
    assert scene.update(nobody, far + 400_000_000, 0, 0.5).all()
    assert not scene.update(nobody, far + 600_000_000, 0, 0.5).any()


@pytest.mark.parametrize('kind', [np.uint16, np.float32])
def test_dynamic_pixels_have_no_depth_and_all_others_keep_theirs(kind):
    depth = np.random.RandomState(0).randint(1, 5000, (40, 120)).astype(kind)
    if kind is np.float32:
        depth[0, 0] = np.nan
    found = static_depth(depth, at(30))
    assert found.dtype == kind
    assert not found[at(30)].any()
    np.testing.assert_array_equal(found[~at(30)], depth[~at(30)])


def test_the_share_is_that_of_the_pixels():
    assert dynamic_share(at(30)) == pytest.approx(240 / 4800)
    assert dynamic_share(np.ones((5, 5), bool)) == 1
    assert dynamic_share(np.zeros((5, 5), bool)) == 0


def test_a_recording_that_starts_over_shows_nobody_of_the_end_of_the_last_round():
    scene, nobody = StaticScene(), np.zeros((40, 120), bool)
    for frame in range(30):
        scene.update(at(30), frame * FRAME_NS, 0, 0.5)
    assert not scene.update(nobody, 0, 0, 0.5).any()
    assert not scene.update(nobody, FRAME_NS, 0, 0.5).any()


def test_stamps_that_stand_still_hold_nobody_for_ever():
    scene = StaticScene()
    scene.update(at(30), 7, 0, 0.5)
    assert not scene.update(np.zeros((40, 120), bool), 7, 0, 0.5).any()
