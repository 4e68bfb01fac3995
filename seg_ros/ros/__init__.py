"""The ROS 2 node: messages in, masks out. Nothing outside this folder imports it."""
