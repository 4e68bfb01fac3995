"""What is lent stays usable until its last borrower is done, and the next one gets the new."""

from threading import Event, Thread

from seg_ros.pipeline.engine_holder import EngineHolder

PATIENCE_S = 10


def test_the_next_borrower_gets_the_new_and_the_old_comes_back():
    lease = EngineHolder('old')
    with lease.borrow() as item:
        assert item == 'old'
    assert lease.exchange('new') == 'old'
    assert lease.current == 'new'
    with lease.borrow() as item:
        assert item == 'new'


def test_an_exchange_waits_for_the_borrowers_of_the_old_but_not_for_those_of_the_new():
    lease, back = EngineHolder('old'), Event()

    def exchange():
        lease.exchange('new')
        back.set()

    first, second = lease.borrow(), lease.borrow()
    first.__enter__()
    second.__enter__()
    thread = Thread(target=exchange)
    thread.start()
    while lease.current == 'old':
        back.wait(0.001)
    with lease.borrow() as item:
        assert item == 'new'
        first.__exit__(None, None, None)
        assert not back.wait(0.05)
        second.__exit__(None, None, None)
        assert back.wait(PATIENCE_S)
    thread.join()


def test_a_borrower_that_fails_gives_back_too():
    lease = EngineHolder('old')
    try:
        with lease.borrow():
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert lease.exchange('new') == 'old'


def test_who_borrows_while_it_is_withdrawn_waits_and_gets_what_came_instead():
    lease, got = EngineHolder('old'), []

    def borrow():
        with lease.borrow() as item:
            got.append(item)

    with lease.withdrawn() as item:
        assert item == 'old'
        thread = Thread(target=borrow)
        thread.start()
        thread.join(0.05)
        assert not got
        assert lease.exchange('new') == 'old'
    thread.join(PATIENCE_S)
    assert got == ['new']


def test_it_is_withdrawn_only_once_nobody_uses_it():
    lease, withdrawn = EngineHolder('old'), Event()

    def withdraw():
        with lease.withdrawn():
            withdrawn.set()

    with lease.borrow():
        thread = Thread(target=withdraw)
        thread.start()
        assert not withdrawn.wait(0.05)
    assert withdrawn.wait(PATIENCE_S)
    thread.join(PATIENCE_S)
    with lease.borrow() as item:
        assert item == 'old'
