import torch

from motiongen.step_compiler import StepCompiler


def test_a_compiled_step_reads_its_inputs_and_updates_its_state():
    def step(rate, total):
        total.add_(rate)
        return total * 2, total > 5

    total = torch.zeros(2)
    recorded = StepCompiler().record(step, [torch.zeros(2)], [total])
    assert total.tolist() == [0, 0], "recording it with nothing to add leaves no trace"
    for turn in range(1, 4):
        doubled, is_large = recorded(torch.tensor([1.0, 2.0]))
        assert doubled.tolist() == [2 * turn, 4 * turn]
    assert total.tolist() == [3, 6] and is_large.tolist() == [False, True]


def test_states_of_the_same_shapes_share_a_trace_and_nothing_else():
    traced = []

    def step(rate, total):
        traced.append(1)
        return (total.add_(rate) * 2,)

    compiler, totals = StepCompiler(), [torch.zeros(2), torch.ones(2), torch.zeros(3)]
    first, second, _third = (compiler.record(step, [torch.zeros(())], [total]) for total in totals)
    assert len(traced) == 2, "one a shape"
    assert [doubled.tolist() for doubled in (*first(torch.tensor(1.0)), *second(torch.tensor(2.0)))] == [
        [2, 2],
        [6, 6],
    ]
    assert [total.tolist() for total in totals] == [[1, 1], [3, 3], [0, 0, 0]]
