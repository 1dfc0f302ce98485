import gc

from motiongen.lazy import uncollected


def test_the_collector_is_off_in_the_block_and_on_after_it():
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.unfreeze()
