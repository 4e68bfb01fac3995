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

"""Malformed requests, which no ROS tool sends, are answered and do not end the node."""

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    ListParameters,
    SetParameters,
    SetParametersAtomically,
)
from rosgraph_msgs.msg import Clock
from test_node_process import Bystander, node_process

pytestmark = pytest.mark.ros
STRANGE = [
    ParameterValue(type=42), ParameterValue(type=255), ParameterValue(type=0),
    ParameterValue(type=2, integer_value=2**62), ParameterValue(type=3, double_value=float('nan')),
    ParameterValue(type=5, byte_array_value=[b'a']), ParameterValue(type=9),
]


def test_the_node_answers_whatever_is_asked_and_goes_on() -> None:
    with node_process('-p', 'engine:=classical', '-p', 'use_sim_time:=true') as process:
        tester = Bystander()
        try:
            tester.wait(lambda: '/segmentation/get_state' in dict(
                tester.tester.get_service_names_and_types()), 'the node')
            while tester.state() != 'active':
                assert process.poll() is None
            for kind, name in (
                (SetParameters, 'set_parameters'),
                (SetParametersAtomically, 'set_parameters_atomically'),
            ):
                for value in STRANGE:
                    for parameter in ('engine', 'cameras', 'score_threshold', 'none', ''):
                        request = kind.Request(
                            parameters=[Parameter(name=parameter, value=value)]
                        )
                        answer = tester.call(kind, name, request)
                        result = (getattr(answer, 'results', None) or [answer.result])[0]
                        # An empty list sets the default.
                        if value.type > ParameterType.PARAMETER_STRING_ARRAY:
                            assert not result.successful
                            assert result.reason
            misspelt = Parameter(
                name='score_treshold', value=ParameterValue(type=3, double_value=0.5)
            )
            request = SetParameters.Request(parameters=[misspelt])
            (result,) = tester.call(SetParameters, 'set_parameters', request).results
            assert result.reason == (
                "this node has no parameter 'score_treshold'; did you mean score_threshold?"
            )
            for kind, name in (
                (GetParameters, 'get_parameters'), (DescribeParameters, 'describe_parameters'),
            ):
                tester.call(kind, name, kind.Request(names=['', 'none', 'x' * 1000]))
            tester.call(ListParameters, 'list_parameters', ListParameters.Request(depth=2**63))
            for transition in (0, 1, 99, 255):
                assert not tester.change_state(transition)
            clock = tester.tester.create_publisher(Clock, '/clock', 10)
            tester.wait(clock.get_subscription_count, 'the reader of /clock')
            for second in (-1, -2**31, 0, 2**31 - 1, -5):
                message = Clock()
                message.clock.sec = second
                clock.publish(message)
            assert tester.call(
                SetParameters, 'set_parameters', SetParameters.Request(parameters=[Parameter(
                    name='max_rate_hz', value=ParameterValue(type=3, double_value=5.0)
                )])
            ).results[0].successful
            assert tester.state() == 'active'
            assert process.poll() is None
        finally:
            tester.close()
