from dataclasses import replace

import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from motiongen import checkpoint
from motiongen.conditions.text import TextCondition
from motiongen.heads.mogo.config import PRESETS, MogoConfig, MogoOptions
from motiongen.heads.mogo.loss import MogoBatch, loss
from motiongen.heads.mogo.model import Mogo
from motiongen.heads.mogo.sampler import MogoSampler
from motiongen.heads.streaming_head import TokenRequest

TINY = MogoConfig(
    num_quantizers=3, codebook_size=16, text_dim=8, text_tokens=4, context_dim=8, code_dim=8, layers=(2, 1, 1), dim=32,
    num_heads=2, feedforward_dim=48, window=6, fine_dim=24, fine_heads=2, fine_feedforward_dim=32, fine_window=3,
    max_count=20, label_smoothing=0.0, corruption=0.0,
)  # fmt: skip
SURE = MogoOptions(guidance_scale=1.0, temperature=0.0, fine_temperature=0.0)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def words(count, seed=1):
    tokens = torch.randn(count, 3, 8, generator=seeded(seed))
    return TextCondition(tokens, torch.zeros(count, 3, dtype=torch.bool), tokens.mean(dim=1))


def random_codes(count, seed=2):
    return torch.randint(16, (count, 3), generator=seeded(seed))


def loud(seed=0, memory=0):
    """A random model whose logits are far apart, as a trained one's are."""
    torch.manual_seed(seed)
    model = Mogo(replace(TINY, memory_clips=memory, memory_tokens=4)).eval()
    with torch.no_grad():
        model.code_out.weight.mul_(8)
        model.end_out.bias.fill_(-100)
    return model


def ask(count, **changes):
    asked = {
        "age": torch.ones(count, dtype=torch.long),
        "remaining": torch.zeros(count, dtype=torch.long),
        "guidance_scale": torch.full((count,), 2.0),
        "seed": torch.arange(count),
        "active": torch.ones(count, dtype=torch.bool),
    }
    return TokenRequest(**asked | changes)


def whole(codes, condition, ended=True):
    """The batch in which each clip obeys its one prompt from beginning to end."""
    items, tokens, _ = codes.shape
    position = torch.arange(tokens + 1).expand(items, -1)
    zeros = torch.zeros(items, tokens + 1, dtype=torch.long)
    return MogoBatch(
        codes=codes,
        lengths=torch.full((items,), tokens),
        ended=torch.full((items,), ended),
        is_cut=torch.zeros(items, dtype=torch.bool),
        condition=condition,
        drop_text=torch.zeros(items, 1, dtype=torch.bool),
        segment=zeros,
        age=position + 1,
        remaining=zeros,
    )


@pytest.fixture(scope="module")
def overfitted():
    """Two prompts and their clips of 9 and 6 tokens, learned by heart."""
    torch.manual_seed(0)
    model, generator = Mogo(TINY), seeded()
    clips, condition = [random_codes(9, seed=5), random_codes(6, seed=6)], words(2)
    batch = whole(pad_sequence(clips, batch_first=True).repeat(8, 1, 1), condition[[0, 1] * 8])
    batch = MogoBatch(**vars(batch) | {"lengths": torch.tensor([9, 6] * 8)})
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    for _ in range(200):
        loss(model, batch, generator)["loss"].backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval(), clips, condition


@pytest.mark.slow
def test_two_clips_learned_by_heart_come_back_with_their_ends(overfitted):
    model, clips, condition = overfitted
    for generated, clip in zip(
        MogoSampler(model).generate(condition, options=SURE, generator=seeded()), clips, strict=True
    ):
        assert torch.equal(generated, clip)


@pytest.mark.slow
def test_a_prompt_that_changes_at_a_token_is_obeyed_from_there(overfitted):
    model, clips, condition = overfitted
    state = model.init_state(1)
    model.set_text(state, [0], condition[:1])
    first, _ = model.step(state, ask(1, guidance_scale=torch.ones(1)), SURE)
    model.set_text(state, [0], condition[1:])
    state.reset(torch.tensor([True]))
    second, _ = model.step(state, ask(1, guidance_scale=torch.ones(1)), SURE)
    assert torch.equal(first[0], clips[0][0]) and torch.equal(second[0], clips[1][0])


@pytest.mark.parametrize("clips", [None, random_codes(8).view(1, 2, 4, 3)])
def test_the_loss_of_a_clip_is_the_cross_entropy_of_a_stream_given_its_tokens(clips):
    # Teacher forcing over a clip longer than both windows, against steps with caches: the same scores at every token.
    model, condition, codes = loud(memory=2).double(), words(1), random_codes(11)[None]
    condition = TextCondition(
        condition.tokens.double(), condition.padding_mask, condition.pooled.double(), clips
    )
    with torch.no_grad():
        losses = loss(model, whole(codes, condition, ended=False), seeded())
    state, surprises = model.init_state(1), []
    model.set_text(state, [0], condition)
    for n in range(11):
        age = torch.tensor([[n + 1]])
        features = model._base_step(
            state, state.past[:, -1:], age, torch.zeros_like(age), torch.zeros(1, 1).bool()
        )
        surprises.append(-model.base_logits(features[:1, 0]).log_softmax(-1)[0, codes[0, n, 0]])
        state.past.copy_(codes[:, n : n + 1])
    torch.testing.assert_close(torch.stack(surprises).mean().float(), losses["base"], rtol=0, atol=1e-6)


def test_pushed_tokens_leave_the_state_of_sampled_ones():
    model = loud()
    written, given = model.init_state(2, spare=2), model.init_state(2, spare=2)
    codes = torch.stack([model.step(written, ask(2), SURE)[0] for _ in range(8)], dim=1)
    # Pushed tokens have no age here, so only the finer levels and the past are the same.
    model.push(codes, given)
    assert torch.equal(written.past, given.past) and torch.equal(written.lengths, given.lengths)
    assert torch.equal(written.fine.positions, given.fine.positions)


@pytest.mark.parametrize("chunks", [[8], [1] * 8, [3, 5]])
def test_tokens_pushed_in_any_chunks_leave_the_same_state(chunks):
    model, codes = loud(), torch.stack([random_codes(8), random_codes(8, seed=3)])
    state = model.init_state(2, spare=2)
    for part in codes.split(chunks, dim=1):
        model.push(part, state)
    alone = model.init_state(2, spare=2)
    model.push(codes, alone)
    torch.testing.assert_close(state.fine.memory, alone.fine.memory, rtol=0, atol=1e-5)
    assert torch.equal(model.step(state, ask(2))[0], model.step(alone, ask(2))[0])


def test_undone_tokens_are_sampled_again():
    model = loud()
    state = model.init_state(2, spare=3)
    model.set_text(state, range(2), words(2))
    for _ in range(9):
        model.step(state, ask(2))
    last = [model.step(state, ask(2))[0] for _ in range(3)]
    state.rewind(torch.tensor([3, 1]))
    again = [model.step(state, ask(2))[0] for _ in range(3)]
    assert all(torch.equal(old[0], new[0]) for old, new in zip(last, again, strict=True))
    assert torch.equal(again[0][1], last[2][1]), "the second item took back one token only"


def test_a_stream_is_what_it_is_alone_whatever_its_neighbours_do():
    model, condition = loud(), words(4)
    alone, together = model.init_state(4), model.init_state(4)
    active = torch.tensor([False, False, True, False])
    model.set_text(alone, [2], condition[[2]]), model.set_text(together, range(4), condition)
    for n in range(12):
        busy = torch.tensor([n % 2 == 0, n % 3 == 0, True, n > 5])
        if n == 4:
            model.set_text(together, [0, 3], condition[[3, 0]])
            together.reset(torch.tensor([True, False, False, False]))
        first, _ = model.step(alone, ask(4, active=active))
        second, _ = model.step(together, ask(4, active=busy))
        assert torch.equal(first[2], second[2])


def test_an_item_that_is_not_active_stays_as_it_was():
    model = loud()
    state, plain = model.init_state(2), model.init_state(2)
    for n in range(6):
        model.step(state, ask(2, active=torch.tensor([True, n % 2 == 0])))
        if n % 2 == 0:
            model.step(plain, ask(2))
    assert state.lengths.tolist() == [6, 3] and torch.equal(state.past[1], plain.past[1])


def test_clips_do_not_depend_on_the_batch_and_repeat_by_seed():
    model, condition = loud(), words(3)
    together = MogoSampler(model).generate(
        condition, lengths=[5, 9, 7], generator=[seeded(i) for i in range(3)]
    )
    alone = MogoSampler(model).generate(condition[[1]], lengths=9, generator=[seeded(1)])
    assert torch.equal(together[1], alone[0]) and [len(codes) for codes in together] == [5, 9, 7]


def test_a_clip_goes_on_from_its_prefix():
    model, condition = loud(), words(2)
    prefixes = [random_codes(9), random_codes(2)]
    generated = MogoSampler(model).generate(
        condition, lengths=4, prefix_codes=prefixes, generator=seeded(), options=SURE
    )
    alone = MogoSampler(model).generate(
        condition[[1]], lengths=4, prefix_codes=prefixes[1:], generator=seeded(), options=SURE
    )
    assert torch.equal(generated[1], alone[0])


def test_an_end_is_drawn_only_where_it_is_plausible():
    model = loud()
    with torch.no_grad():
        model.end_out.bias.fill_(100)
    assert [len(codes) for codes in MogoSampler(model).generate(words(2), generator=seeded())] == [
        4,
        4,
    ]  # min_tokens


def test_corrupted_and_dropped_clips_train_every_parameter():
    torch.manual_seed(0)
    model = Mogo(MogoConfig(**vars(TINY) | {"corruption": 0.3, "condition_dropout": 0.5}))
    codes = torch.stack([random_codes(7, seed=n) for n in range(6)])
    loss(model, whole(codes, words(6)), seeded())["loss"].backward()
    without = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().any()}
    assert without == set()


@pytest.mark.parametrize(("preset", "megabytes"), [("small", 7.0), ("open", 4.0)])
def test_shipped_sizes(preset, megabytes):
    size = sum(p.numel() for p in Mogo(PRESETS[preset]).parameters()) * 2 / 1e6
    assert 0.8 * megabytes < size < megabytes


def test_a_saved_head_loads_to_the_same_codes(tmp_path):
    model = loud()
    checkpoint.save(model, model.config, tmp_path / "mogo", "card", half=False)
    loaded = checkpoint.load(tmp_path / "mogo", Mogo).eval()
    generated = [
        MogoSampler(head).generate(words(1), lengths=6, generator=seeded())[0] for head in (model, loaded)
    ]
    assert torch.equal(*generated)


def test_wrong_sizes_are_refused_with_a_reason():
    model = loud()
    with pytest.raises(ValueError, match="lengths: expected 2, one a prompt, got 3"):
        MogoSampler(model).generate(words(2), lengths=[1, 2, 3])
    with pytest.raises(ValueError, match=r"codes: expected \(N, 3\) in 0..15, got \(4, 2\)"):
        MogoSampler(model).generate(words(1), prefix_codes=[torch.zeros(4, 2)])
    with pytest.raises(ValueError, match="layers: expected 3 numbers >= 1"):
        MogoConfig(num_quantizers=3, layers=(1, 1))
    with pytest.raises(ValueError, match="min_tokens: expected 1 <= min_tokens <= max_tokens, got 9 and 5"):
        MogoOptions(min_tokens=9, max_tokens=5)
