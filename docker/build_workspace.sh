#!/bin/bash
# Build the workspace that the working folder is, with the engine packages that are named.
# shellcheck disable=SC1090,SC1091     # files of ROS, which are not here
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# ROS' setup files read variables that are not set.
set +u
. "/opt/ros/$ROS_DISTRO/setup.bash"
set -u

apt-get update
apt-get install -y --no-install-recommends python3-pip
rosdep update --rosdistro "$ROS_DISTRO"
rosdep install --from-paths src --ignore-src -y --dependency-types exec --dependency-types build
rm -rf /var/lib/apt/lists/*

# pip must not replace the system's numpy and OpenCV, which ROS' own packages are built for.
python3 -c 'import numpy, yaml; print(f"numpy=={numpy.__version__}\nPyYAML=={yaml.__version__}")' \
    > /tmp/constraints.txt
export PIP_BREAK_SYSTEM_PACKAGES=1
python3 -m pip install --no-cache-dir --constraint /tmp/constraints.txt "$@"

colcon build --packages-select seg_ros
