import torch

from motiongen.heads.bamm.masking import hybrid_view, random_span, random_subset

MASK = 99


def view(valid, codes=None, **shares):
    codes = torch.arange(valid.numel()).view(valid.shape) % 50 if codes is None else codes
    return codes, hybrid_view(codes, valid, MASK, torch.Generator().manual_seed(0), **shares)


def test_half_of_the_batch_is_causal_with_a_loss_everywhere():
    valid = torch.arange(12) < torch.tensor([[12], [7], [9], [3]])
    codes, seen = view(valid, noise=0.0)
    assert seen.causal.sum() == 2
    assert torch.equal(seen.scored[seen.causal], valid[seen.causal])
    assert torch.equal(seen.inputs[seen.causal], codes[seen.causal])


def test_masked_items_have_a_loss_at_chosen_positions_and_show_the_rest():
    valid = torch.ones(64, 40, dtype=torch.bool)
    codes, seen = view(valid, causal_share=0.0)
    assert torch.equal(seen.inputs[~seen.scored], codes[~seen.scored])
    hidden = (seen.inputs == MASK)[seen.scored].float().mean()
    assert 0.82 < hidden < 0.88, f"85 % of those asked for are hidden, got {hidden}"
    # The mean of cos(pi u / 2) is 2 / pi.
    assert 0.56 < seen.scored.float().mean() < 0.71


def test_spans_are_whole_and_lie_where_they_may():
    valid = torch.zeros(50, 20, dtype=torch.bool)
    valid[:, 4:15] = True
    span = random_span(valid, torch.full((50,), 6), torch.Generator().manual_seed(0))
    assert (span.sum(dim=1) == 6).all() and not (span & ~valid).any()
    edges = span[:, 1:].int() - span[:, :-1].int()
    assert ((edges == 1).sum(dim=1) == 1).all()
    assert len(set(span.int().argmax(dim=1).tolist())) == 6, "every start 4..9 occurs"


def test_subsets_have_the_requested_sizes():
    valid = torch.arange(10) < torch.tensor([[10], [4]])
    chosen = random_subset(valid, torch.tensor([3, 4]), torch.Generator().manual_seed(0))
    assert chosen.sum(dim=1).tolist() == [3, 4] and not (chosen & ~valid).any()


def test_given_tokens_are_never_masked():
    valid = (torch.arange(10) >= 4).expand(32, 10)
    codes, seen = view(valid)
    assert torch.equal(seen.inputs[:, :4], codes[:, :4]) and not seen.scored[:, :4].any()
