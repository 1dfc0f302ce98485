import pytest
import torch

from motiongen import checkpoint
from motiongen.conditions.text import TextCondition
from motiongen.heads import HEADS, lookup
from motiongen.heads.bamm.config import PRESETS, BAMMConfig, BAMMOptions
from motiongen.heads.bamm.loss import BAMMBatch, loss
from motiongen.heads.bamm.model import BAMM
from motiongen.heads.bamm.sampler import BAMMSampler, _Clip, _Window

TINY = BAMMConfig(
    num_quantizers=3, codebook_size=16, max_tokens=20, text_dim=8, context_dim=8, code_dim=8, dim=32, num_layers=2,
    num_heads=2, feedforward_dim=48, residual_dim=24, residual_layers=1, residual_heads=2, residual_feedforward_dim=32,
    label_smoothing=0.0,
)  # fmt: skip
SURE = BAMMOptions(guidance_scale=1.0, refine_guidance_scale=1.0, temperature=0.0, residual_temperature=0.0)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def words(count, seed=1):
    tokens = torch.randn(count, 3, 8, generator=seeded(seed))
    return TextCondition(tokens, torch.zeros(count, 3, dtype=torch.bool), tokens.mean(dim=1))


def random_codes(count, seed=2):
    return torch.randint(16, (count, 3), generator=seeded(seed))


def loud(seed=0):
    """A random model whose logits are far apart, as a trained one's are."""
    torch.manual_seed(seed)
    model = BAMM(TINY).eval()
    with torch.no_grad():
        model.code_out.weight.mul_(8), model.residual.code_out.weight.mul_(8)
        model.end_out.bias.fill_(-100)
    return model


def batch(codes, lengths, ended, condition):
    return BAMMBatch(codes, lengths, ended, torch.zeros_like(lengths), condition)


@pytest.fixture(scope="module")
def overfitted():
    """Two prompts and their clips of 9 and 6 tokens, learned by heart."""
    torch.manual_seed(0)
    model, generator = BAMM(TINY), seeded()
    clips, condition = [random_codes(9, seed=5), random_codes(6, seed=6)], words(2)
    codes = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True).repeat(8, 1, 1)
    lengths, ended, items = torch.tensor([9, 6] * 8), torch.ones(16, dtype=torch.bool), [0, 1] * 8
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    for _ in range(160):
        loss(model, batch(codes, lengths, ended, condition[items]), generator)["loss"].backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval(), clips, condition


@pytest.mark.slow
def test_two_clips_learned_by_heart_come_back_with_their_ends(overfitted):
    model, clips, condition = overfitted
    for generated, clip in zip(
        BAMMSampler(model).generate(condition, options=SURE, generator=seeded()), clips, strict=True
    ):
        assert torch.equal(generated, clip)


@pytest.mark.slow
def test_a_gap_is_filled_with_what_was_learned(overfitted):
    model, clips, condition = overfitted
    keep = torch.tensor([True] * 3 + [False] * 3 + [True] * 3)
    shown = clips[0].masked_fill(~keep[:, None], 0)
    assert torch.equal(BAMMSampler(model).edit([shown], [keep], condition[:1], options=SURE)[0], clips[0])


@pytest.mark.slow
def test_guidance_follows_the_words(overfitted):
    model, clips, condition = overfitted
    guided = BAMMOptions(guidance_scale=4.0)
    for generated, clip in zip(
        BAMMSampler(model).generate(condition, options=guided, generator=seeded()), clips, strict=True
    ):
        assert len(generated) == len(clip) and (generated == clip).float().mean() > 0.9


def test_the_first_pass_with_its_cache_equals_whole_sequences_without():
    model, condition, prefix = loud(), words(2), [random_codes(2), random_codes(5)]
    window = _Window(model, condition, [seeded(), seeded()], SURE)
    clips, _ = window.sample_autoregressive(prefix, [6, 4])
    lengths = torch.tensor([8, 9])
    for i, clip in enumerate(clips):
        context = _Window(model, condition[[i]], [seeded()], SURE)
        first = model.first_token(context.sentence, lengths[[i, i]])
        for n in range(len(prefix[i]), len(clip.codes)):
            x = torch.cat([first, model.embed(clip.codes[None, :n, 0].repeat(2, 1))], dim=1)
            logits = model.logits(model.transformer(x, context.context, causal=True)[:1, -1])
            assert logits[0, :16].argmax() == clip.codes[n, 0]


def test_an_item_of_a_batch_is_what_it_is_alone():
    model, condition = loud(), words(3)
    lengths, prefixes = [7, 12, 5], [random_codes(2), random_codes(0), random_codes(4)]
    together = BAMMSampler(model).generate(
        condition, lengths=lengths, prefix_codes=prefixes, generator=[seeded(i) for i in range(3)]
    )
    alone = BAMMSampler(model).generate(
        condition[[1]], lengths=lengths[1], prefix_codes=prefixes[1:2], generator=[seeded(1)]
    )
    assert torch.equal(together[1], alone[0])


def test_the_same_seed_gives_the_same_codes_and_another_does_not():
    model, condition = loud(), words(2)
    first, again, other = (
        BAMMSampler(model).generate(condition, lengths=8, generator=seeded(s)) for s in (0, 0, 1)
    )
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_a_guidance_scale_of_one_is_conditional_sampling():
    model, condition = loud(), words(1)
    before = BAMMSampler(model).generate(condition, lengths=8, options=SURE)[0]
    with torch.no_grad():
        model.text.no_pooled.add_(3), model.text.no_tokens.add_(3)
    same = BAMMOptions(**vars(SURE) | {"residual_guidance_scale": 1.0})
    assert torch.equal(BAMMSampler(model).generate(condition, lengths=8, options=same)[0][:, 0], before[:, 0])


def test_the_least_confident_codes_are_resampled(monkeypatch):
    # Confidence .9 .1 .8 .2 .7 after two given codes; 40 % of five are two: the second and the fourth.
    model = loud()
    window = _Window(model, words(1), [seeded()], BAMMOptions(refine_share=0.4))
    prefix = random_codes(2)
    clip = _Clip(random_codes(7), torch.arange(7) < 2, ended=True)
    written = ([clip], [torch.tensor([0.0, 0.0, 0.9, 0.1, 0.8, 0.2, 0.7])])
    revised = []
    monkeypatch.setattr(window, "sample_autoregressive", lambda *_: written)
    monkeypatch.setattr(window, "sample_masked", lambda clips, steps: revised.append(~clips[0].keep))
    window.sample([prefix], [5])
    assert revised[0].tolist() == [False, False, False, True, False, True, False]


@pytest.mark.parametrize("kept_part", ["both ends", "start", "end", "nothing"])
@pytest.mark.parametrize("tokens", [15, 47])
def test_an_edit_keeps_the_kept_tokens_and_resamples_the_rest(kept_part, tokens):
    model, codes = loud(), random_codes(tokens)
    index = torch.arange(tokens)
    keep = {
        "both ends": (index < 4) | (index > 9),
        "start": index < 5,
        "end": index > 9,
        "nothing": index < 0,
    }[kept_part]
    edited = BAMMSampler(model).edit(
        [codes], [keep], words(1), generator=seeded(), options=BAMMOptions(overlap=4)
    )[0]
    assert edited.shape == codes.shape and torch.equal(edited[keep], codes[keep])
    assert not torch.equal(edited[~keep], codes[~keep])
    assert torch.equal(codes, random_codes(tokens)), "the caller's codes are theirs"


def test_an_edit_obeys_its_words():
    model, codes, keep = loud(), random_codes(12), torch.arange(12) < 4
    bows, kicks = (
        BAMMSampler(model).edit([codes], [keep], words(1, seed), generator=seeded())[0] for seed in (1, 2)
    )
    assert not torch.equal(bows, kicks)


@pytest.mark.parametrize("length", [1, 20, 53])
def test_any_length_can_be_asked_for(length):
    generated = BAMMSampler(loud()).generate(words(2), lengths=[length, 3], options=BAMMOptions(overlap=4))
    assert [tuple(codes.shape) for codes in generated] == [(length, 3), (3, 3)]
    assert all(codes.min() >= 0 and codes.max() < 16 for codes in generated)


def test_finer_levels_are_predicted_from_those_below_only():
    model, codes = loud(), random_codes(6)[None]
    changed = codes.clone()
    changed[..., 1:] = (changed[..., 1:] + 1) % 16
    window = _Window(model, words(1), [seeded()], SURE)
    padding = torch.zeros(2, 6, dtype=torch.bool)
    below, same = (
        model.residual(
            c.repeat(2, 1, 1),
            torch.tensor([1, 1]),
            padding,
            window.residual_context,
            window.sentence,
            model.vectors,
        )
        for c in (codes, changed)
    )
    torch.testing.assert_close(below, same, rtol=0, atol=1e-6)


def test_code_vectors_start_as_the_codebooks_do():
    model, codebooks = (
        BAMM(TINY),
        torch.randn(3, 16, 12, generator=seeded()) * torch.tensor([1, 0.1, 0.01])[:, None, None],
    )
    model.vectors.start_from(codebooks)
    scales = model.vectors.vectors.detach().std(dim=(1, 2))
    assert scales[0] == pytest.approx(1)
    assert (scales * model.vectors.log_scale.detach().exp()).tolist() == pytest.approx([1] * 3)


def test_padding_after_an_item_does_not_change_its_loss():
    torch.manual_seed(0)
    model, codes = BAMM(TINY).eval(), random_codes(9)[None].repeat(2, 1, 1)
    longer = torch.cat([codes, (codes + 1) % 16], dim=1)
    lengths, ended = torch.tensor([9, 9]), torch.tensor([True, True])
    short = loss(model, batch(codes, lengths, ended, words(2)), seeded())
    assert torch.isfinite(short["loss"]) and torch.isfinite(
        loss(model, batch(longer, lengths, ended, words(2)), seeded())["loss"]
    )


def test_a_saved_head_is_the_same_head(tmp_path):
    model = loud()
    checkpoint.save(model, model.config, tmp_path)
    loaded = checkpoint.load(tmp_path, lookup("bamm").model()).eval()
    same = [BAMMSampler(m).generate(words(1), lengths=6, generator=seeded())[0] for m in (model, loaded)]
    assert torch.equal(*same)


@pytest.mark.parametrize(("preset", "limit"), [("small", 3.25e6), ("open", 1.65e6)])
def test_shipped_sizes(preset, limit):
    assert 0.9 * limit < sum(p.numel() for p in BAMM(PRESETS[preset]).parameters()) < limit


def test_wrong_sizes_are_refused_with_a_reason():
    model = loud()
    with pytest.raises(ValueError, match="lengths: expected 2, one a prompt, got 3"):
        BAMMSampler(model).generate(words(2), lengths=[1, 2, 3])
    with pytest.raises(ValueError, match=r"codes: expected \(N, 3\) in 0..15, got \(4, 2\)"):
        BAMMSampler(model).generate(words(1), prefix_codes=[torch.zeros(4, 2)])
    with pytest.raises(ValueError, match=r"keep_mask: expected \(4,\) bools, got \(3,\)"):
        BAMMSampler(model).edit([random_codes(4)], [torch.ones(3, dtype=torch.bool)], words(1))
    with pytest.raises(ValueError, match="condition: expected 8 channels, got 5"):
        BAMMSampler(model).generate(
            TextCondition(torch.zeros(1, 2, 5), torch.zeros(1, 2, dtype=torch.bool), torch.zeros(1, 5))
        )


def test_a_misspelt_head_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean bamm"):
        lookup("bam")
    assert set(HEADS) == {"bamm", "mogo", "badm", "carp"}
