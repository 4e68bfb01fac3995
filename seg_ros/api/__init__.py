"""Segmentation from Python, without ROS: the node's own data path as one call."""

from seg_ros.api.masks import Masks
from seg_ros.api.segmenter import Segmenter

__all__ = ['Masks', 'Segmenter']
