import torch

from motiongen.inference.recorded import record


def test_a_recorded_step_reads_what_is_sent_and_goes_on_from_its_state():
    def step(rate, total):
        total.add_(rate)
        return total * 2, total > 5

    total = torch.zeros(2)
    recorded = record(step, [torch.zeros(2)], [total])
    assert total.tolist() == [0, 0], "recording it with nothing to add leaves no trace"
    for turn in range(1, 4):
        doubled, is_large = recorded(torch.tensor([1.0, 2.0]))
        assert doubled.tolist() == [2 * turn, 4 * turn]
    assert total.tolist() == [3, 6] and is_large.tolist() == [False, True]
