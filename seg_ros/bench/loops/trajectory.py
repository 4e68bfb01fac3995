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

"""Error of an estimated trajectory."""

import numpy as np
from numpy.typing import NDArray


def trajectory_error_m(estimate: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """
    Return the absolute trajectory error, the root mean square of position errors, in metres.

    The estimate is first aligned with the truth by the best rotation and translation (Umeyama
    1991, without scale), as in the TUM RGB-D benchmark (Sturm et al. 2012).

    :param estimate: (N, 3), at the same times as `truth`.
    """
    centred, true = estimate - estimate.mean(axis=0), truth - truth.mean(axis=0)
    u, _, vt = np.linalg.svd(true.T @ centred)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    residual = centred @ (u @ flip @ vt).T - true
    return float(np.sqrt((residual ** 2).sum(axis=1).mean()))
