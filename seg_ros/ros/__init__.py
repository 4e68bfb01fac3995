"""The ROS 2 node: messages in, masks out. Nothing outside this folder imports it."""

from seg_ros.threads import bound_blas

bound_blas()    # here, as the node's own modules begin with numpy
