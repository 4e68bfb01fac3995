from seg_ros.pipeline.level_hysteresis import CALM_S, LevelHysteresis

OK, WARN, ERROR = b'\0', b'\1', b'\2'


def test_trouble_is_told_at_once_and_until_it_has_been_calm_for_a_while():
    now = [100.0]
    alarm = LevelHysteresis(lambda: now[0])
    assert alarm.settle(OK, 'active') == (OK, 'active')
    assert alarm.settle(WARN, 'silent') == (WARN, 'silent')
    now[0] += CALM_S - 0.1
    assert alarm.settle(OK, 'active') == (WARN, 'silent')
    now[0] += 0.1
    assert alarm.settle(OK, 'active') == (OK, 'active')


def test_trouble_that_returns_begins_the_while_anew():
    now = [0.0]
    alarm = LevelHysteresis(lambda: now[0])
    alarm.settle(ERROR, 'lost')
    now[0] = CALM_S - 1
    alarm.settle(ERROR, 'lost again')
    now[0] = CALM_S + 1
    assert alarm.settle(WARN, 'slow') == (ERROR, 'lost again')
    now[0] = 2 * CALM_S
    assert alarm.settle(WARN, 'slow') == (WARN, 'slow')


def test_words_of_the_same_level_change_at_once():
    alarm = LevelHysteresis(lambda: 0.0)
    alarm.settle(OK, 'active')
    assert alarm.settle(OK, 'nobody reads its masks') == (OK, 'nobody reads its masks')
