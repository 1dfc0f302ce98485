import pytest
import torch

from motiongen import checkpoint
from motiongen.data.chains import Chain, Link
from motiongen.heads.mogo.config import MogoConfig, MogoTrainConfig
from motiongen.heads.mogo.model import Mogo
from motiongen.heads.mogo.recipe import MogoRecipe
from motiongen.training.config import TrainConfig
from motiongen.training.loop import Trainer
from tests.core.training.tiny import captioned_cache, tiny_encoder, tiny_tokenizer

SIZES = {
    "context_dim": 8,
    "code_dim": 8,
    "layers": (1, 1, 1),
    "dim": 16,
    "num_heads": 2,
    "feedforward_dim": 16,
}
SIZES |= {"window": 8, "fine_dim": 16, "fine_heads": 2, "fine_feedforward_dim": 16, "fine_window": 4}


@pytest.fixture
def recipe(tmp_path):
    config = MogoTrainConfig(batch_size=8, chains=12, train_window=24, phases=2)
    sizes = MogoConfig(num_quantizers=3, **SIZES)
    return MogoRecipe.from_cache(
        captioned_cache(tmp_path / "cache"), tiny_tokenizer(), sizes, config, tiny_encoder()
    )


def chain_of_two(**changes):
    """Arguments of a chain of two whole motions of 5 and 7 tokens, with the remaining lengths given."""
    links = (Link(0, 5, 0, True, "first"), Link(5, 12, 0, True, "second"))
    return {"codes": torch.zeros(12, 3), "links": links, "start": 0, "draws": [0.0] * 5} | changes


def test_each_token_of_a_chain_has_its_own_prompt_age_and_remaining_length(recipe):
    example = recipe._of_links(**chain_of_two())
    assert example.segment.tolist() == [0] * 5 + [1] * 8
    assert example.age.tolist() == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6, 7, 8]
    assert example.remaining.tolist() == [5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0]
    assert example.ended and not example.is_cut and example.captions == ("first", "second")


def test_a_cropped_chain_continues_its_counts(recipe):
    example = recipe._of_links(**chain_of_two(start=3))
    assert example.segment.tolist() == [0] * 2 + [1] * 8
    assert example.age[:3].tolist() == [4, 5, 1] and example.is_cut


def test_a_link_without_text_has_no_age_and_the_last_always_has_text(recipe):
    example = recipe._of_links(**chain_of_two(draws=[1.0] * 5))
    assert example.drop_text == (True, False)
    assert example.age[:5].tolist() == [0] * 5 and example.age[5] == 1 and not example.remaining.any()


def test_chains_have_whole_tokens_in_order_and_captions_of_their_motions(recipe):
    for chain in recipe.chains:
        begins = [link.begin for link in chain.links]
        assert begins == sorted(begins) and begins[0] == 0 and chain.links[-1].end == len(chain.codes)
        assert all(
            before.end == after.begin for before, after in zip(chain.links, chain.links[1:], strict=False)
        )
        assert all("captions" in link.caption for link in chain.links)


def test_an_end_stands_only_where_a_motion_ends(recipe):
    example = recipe._of_links(
        **chain_of_two(codes=torch.zeros(12, 3), links=(Link(0, 15, 0, True, "cut off"),))
    )
    assert not example.ended


def test_the_same_generator_gives_the_same_batch(recipe):
    first, second = (recipe.sample(torch.Generator().manual_seed(3)) for _ in range(2))
    assert first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)
    assert first["segment"].shape[1] == first["codes"].shape[1] + 1


def test_every_parameter_is_in_one_group(recipe):
    grouped = [id(p) for group in recipe.parameter_groups() for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in recipe.model.parameters())


def test_a_recipe_trains_validates_and_exports(recipe, tmp_path):
    metrics = Trainer(recipe, TrainConfig(steps=2, log_every=1), tmp_path / "mogo").run()
    assert {"held_out/base", "held_out/end", "held_out/fine"} <= metrics.keys()
    assert isinstance(checkpoint.load(tmp_path / "mogo", Mogo), Mogo)


def test_made_chains_are_the_same_again(recipe, tmp_path):
    again = MogoRecipe.from_cache(
        captioned_cache(tmp_path / "other"), tiny_tokenizer(), MogoConfig(num_quantizers=3, **SIZES),
        recipe.config, tiny_encoder(),
    )  # fmt: skip
    assert all(
        isinstance(chain, Chain) and torch.equal(chain.codes, other.codes) and chain.links == other.links
        for chain, other in zip(recipe.chains, again.chains, strict=True)
    )
