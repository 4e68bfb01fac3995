#!/bin/bash
# Install ROS 2 ($ROS_DISTRO) from ROS' own packages, with what building a workspace needs.
# shellcheck disable=SC1090,SC1091     # files of ROS, which are not here
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

apt-get update
apt-get install -y --no-install-recommends ca-certificates curl
curl -fsSL https://raw.githubusercontent.com/ros/rosdistro/master/ros.key \
    -o /usr/share/keyrings/ros-archive-keyring.gpg
. /etc/os-release
echo "deb [signed-by=/usr/share/keyrings/ros-archive-keyring.gpg]" \
    "http://packages.ros.org/ros2/ubuntu $UBUNTU_CODENAME main" > /etc/apt/sources.list.d/ros2.list
apt-get update
apt-get install -y --no-install-recommends \
    "ros-$ROS_DISTRO-ros-base" python3-colcon-common-extensions python3-rosdep
rosdep init
rm -rf /var/lib/apt/lists/*
