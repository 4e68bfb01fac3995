#!/bin/bash
# Run a command in the environment of ROS and, where there is one, of the workspace.
# shellcheck disable=SC1090,SC1091     # files of ROS, which are not here
set -e
. "/opt/ros/$ROS_DISTRO/setup.bash"
if [ -f /ws/install/setup.bash ]; then
    . /ws/install/setup.bash
fi
exec "$@"
