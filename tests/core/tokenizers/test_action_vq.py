import pytest
import torch

from motiongen import checkpoint
from motiongen.tokenizers.action_decoder import ActionDecoder
from motiongen.tokenizers.action_vq import ActionVQ
from motiongen.tokenizers.action_vq_config import ActionVQConfig


@pytest.fixture
def tokenizer():
    return ActionVQ(ActionVQConfig(action_dim=3, codebook_size=16)).eval()


def chunks(count, seed=0):
    return torch.rand(count, 16, 3, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_a_chunk_becomes_one_two_three_and_four_codes_a_dimension(tokenizer):
    codes = tokenizer.encode(chunks(5))
    assert codes.shape == (5, 10, 3) and codes.dtype == torch.int64
    assert [tokenizer.positions(scale) for scale in range(4)] == [
        slice(0, 1),
        slice(1, 3),
        slice(3, 6),
        slice(6, 10),
    ]
    assert tokenizer.decode(codes).shape == (5, 16, 3)


def test_area_and_cubic_interpolation_are_those_of_a_hand_made_example(tokenizer):
    latents = torch.arange(4.0).view(1, 1, 4, 1)  # 0 1 2 3
    assert tokenizer.downsample(latents, 0).flatten().tolist() == [1.5]
    assert tokenizer.downsample(latents, 1).flatten().tolist() == [0.5, 2.5]
    assert tokenizer.downsample(latents, 2).flatten().tolist() == [0.5, 1.5, 2.5]  # each of three sees two
    assert tokenizer.downsample(latents, 3).flatten().tolist() == [0, 1, 2, 3]
    constant = torch.ones(1, 1) @ tokenizer._up[tokenizer.positions(0)]
    torch.testing.assert_close(constant, torch.ones(1, 4), rtol=0, atol=1e-6)


def test_each_number_is_coded_by_itself(tokenizer):
    """Grouped convolutions and codebooks of its own: another number's actions change nothing of it."""
    actions, changed = chunks(4), chunks(4)
    changed[..., 1] = chunks(4, seed=9)[..., 1]
    before, after = tokenizer.encode(actions), tokenizer.encode(changed)
    assert torch.equal(before[..., [0, 2]], after[..., [0, 2]])
    torch.testing.assert_close(
        tokenizer.decode(before)[..., 0], tokenizer.decode(after)[..., 0], rtol=0, atol=0
    )


def test_inputs_of_a_scale_are_what_the_coarser_scales_sum_to(tokenizer):
    codes = tokenizer.encode(chunks(2))
    inputs = tokenizer.inputs(codes)  # (B, N, A, D)
    assert not inputs[:, 0].any()
    total = tokenizer.add(tokenizer.zero_latents(2), 0, codes[:, :1])
    torch.testing.assert_close(inputs[:, 1:3], tokenizer.downsample(total, 1))
    changed = codes.clone()
    changed[:, 6:] = (changed[:, 6:] + 1) % 16  # the last scale
    torch.testing.assert_close(tokenizer.inputs(changed), inputs, rtol=0, atol=0)


@pytest.mark.slow
def test_it_learns_to_code_smooth_actions():
    generator = torch.Generator().manual_seed(0)
    tokenizer = ActionVQ(ActionVQConfig(action_dim=2, codebook_size=64, widths=(4, 8, 16)))
    optimizer = torch.optim.Adam(tokenizer.parameters(), lr=1e-2)
    ends = torch.rand(256, 2, 2, generator=generator) * 2 - 1
    ramp = torch.linspace(0, 1, 16)[:, None]
    actions = ends[:, :1] * (1 - ramp) + ends[:, 1:] * ramp  # (B, H, A)
    for _ in range(200):
        losses, seen = tokenizer.training_pass(actions, generator)
        tokenizer.learn(**seen, generator=generator)
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
    error = (tokenizer.eval().decode(tokenizer.encode(actions)) - actions).abs().mean()
    assert error < 0.08, error  # the mean of all would be .5 off
    used = tokenizer.encode(actions)[..., 0].unique()
    assert len(used) > 20


def test_dead_codes_are_revived(tokenizer):
    tokenizer.train()
    with torch.no_grad():
        tokenizer.codebooks[:, 8:] = 100.0
    tokenizer.uses[:, :8] = 1.0
    generator = torch.Generator().manual_seed(0)
    _, seen = tokenizer.training_pass(chunks(8), generator)
    tokenizer.learn(**seen, generator=generator)
    assert float(tokenizer.codebooks.detach().abs().max()) < 50


def test_a_saved_tokenizer_gives_the_same_codes(tokenizer, tmp_path):
    checkpoint.save(tokenizer, tokenizer.config, tmp_path)
    loaded = checkpoint.load(tmp_path, ActionVQ).eval()
    assert torch.equal(loaded.encode(chunks(3)), tokenizer.encode(chunks(3)))


@pytest.mark.parametrize(
    ("field", "value"), [("scales", (1, 2, 3)), ("scales", (1, 3, 2, 4)), ("horizon", 18)]
)
def test_sizes_that_do_not_fit_are_named(field, value):
    with pytest.raises(ValueError, match="scales: expected"):
        ActionVQConfig(**{field: value})


def test_the_matrix_decoder_equals_the_convolutions():
    tokenizer = ActionVQ(ActionVQConfig(action_dim=3, widths=(4, 8, 16)))
    for parameter in tokenizer.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    decoder = ActionDecoder(tokenizer)
    codes = torch.randint(512, (5, 10, 3), generator=torch.Generator().manual_seed(0))
    total = tokenizer.zero_latents(5)
    for scale in range(4):
        total = decoder.add(total, scale, codes[:, tokenizer.positions(scale)])
    torch.testing.assert_close(decoder.decode_latents(total), tokenizer.decode(codes))


def test_the_matrix_decoder_notices_changed_weights():
    tokenizer = ActionVQ(ActionVQConfig())
    decoder = ActionDecoder(tokenizer)
    assert decoder.is_current(tokenizer) and not decoder.is_current(ActionVQ(ActionVQConfig()))
    tokenizer.load_state_dict(ActionVQ(ActionVQConfig()).state_dict())
    assert not decoder.is_current(tokenizer)
    decoder = ActionDecoder(tokenizer)
    tokenizer.double()
    assert not decoder.is_current(tokenizer)
