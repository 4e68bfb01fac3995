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

"""A build logs every phase and every tenth of it, and publishes at most once a second."""

from seg_ros.ros import build_progress
from seg_ros.ros.build_progress import BuildProgress


def test_every_phase_and_every_tenth_is_a_line(monkeypatch):
    now = iter(range(1000))
    monkeypatch.setattr(build_progress, 'monotonic', lambda: next(now))
    logged, published = [], []
    progress = BuildProgress(logged.append, published.append)
    for share in (0.0, 0.05, 0.12, 0.15, 0.5):
        progress('parsing', share)
    progress('kernels', 0.0)
    assert logged == [
        'parsing (0%)', 'parsing (12%)', 'parsing (50%)', 'kernels (0%)',
    ]
    assert progress.words == 'kernels (0%)'
    assert len(published) == 6
    progress.end()
    assert progress.words == ''


def test_words_are_published_at_most_once_a_second(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(build_progress, 'monotonic', lambda: now[0])
    published = []
    progress = BuildProgress(lambda words: None, published.append)
    for _ in range(5):
        progress('kernels', 0.1)
    now[0] = 101.5
    progress('kernels', 0.2)
    assert published == ['kernels (10%)', 'kernels (20%)']
