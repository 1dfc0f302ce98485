"""The whole evaluation on a small cache of swinging arms, with real but tiny networks."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from motiongen import features
from motiongen.conditions.bert import Bert, BertConfig
from motiongen.conditions.text import TextEncoder
from motiongen.data.cache import ClipCache, write_cache
from motiongen.data.caption_table import CaptionTable
from motiongen.engines import ENGINES, opened
from motiongen.evaluation.classifier import train_classifier
from motiongen.evaluation.config import EvaluateConfig
from motiongen.evaluation.evaluator import MotionTextEvaluator
from motiongen.evaluation.evaluator_config import EvaluatorConfig, EvaluatorTrainConfig
from motiongen.evaluation.evaluator_recipe import EvaluatorRecipe, all_captions
from motiongen.evaluation.generation import BatchMaker
from motiongen.evaluation.prompts import choose_prompts, retrieve
from motiongen.evaluation.report import Report, evaluate
from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle, quat_identity
from motiongen.skeleton import SMPL22
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.tokenizers.rvq_vae_config import RVQVAEConfig
from motiongen.training.config import TrainConfig
from motiongen.training.loop import Trainer

CONFIG = EvaluateConfig(prompts=8, variant_prompts=2, variants=2, batch_size=3)


def swinging(side, width, frames):
    rotations = quat_identity(frames, 22).clone()
    swing = width * torch.linspace(0, 6, frames).sin()[:, None] * torch.tensor([0.0, 0.0, 1.0])
    rotations[:, SMPL22.index(f"{side}_shoulder")] = quat_from_axis_angle(swing)
    return Motion(SMPL22, rotations, torch.tensor([[0.0, 1.0, 0.0]]).repeat(frames, 1), 30.0)


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> ClipCache:
    clips = []
    for i in range(24):
        side, style = ("left", "right")[i % 2], ("calm", "wild")[i // 2 % 2]
        other = "right" if side == "left" else "left"
        record = {
            "id": f"swing/{i}", "source": "swing", "licence": "none", "split": "test" if i % 6 in (0, 3) else "train",
            "captions": [f"{side} {style}"], "held_out_captions": [f"{style} {side}"],
            "mirrored_captions": [f"{other} {style}"], "mirrored_held_out_captions": [f"{style} {other}"],
            "content": f"swing-{side}", "style": style,
        }  # fmt: skip
        clips.append((record, swinging(side, {"calm": 0.3, "wild": 1.0}[style] + 0.01 * i, 40 + i)))
    return write_cache(tmp_path_factory.mktemp("cache"), clips)


def tiny_text() -> TextEncoder:
    """A real BERT of one layer that knows the captions' words."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    words = {word: i for i, word in enumerate(["[UNK]", "left", "right", "calm", "wild"])}
    tokenizer = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=5, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    return TextEncoder(Bert(config), tokenizer, "tiny")


@pytest.fixture(scope="module")
def text() -> TextEncoder:
    return tiny_text()


@pytest.fixture(scope="module")
def recipe(cache, text) -> EvaluatorRecipe:
    table = CaptionTable.build(text, all_captions(cache), cache.folder)
    torch.manual_seed(0)
    model = MotionTextEvaluator(EvaluatorConfig(text_encoder="tiny", text_dim=8, dim=16, embedding_dim=4))
    return EvaluatorRecipe(cache, table, EvaluatorTrainConfig(batch_size=8), model)


class RetrievalModel:
    """A model that returns the training clip with the nearest caption."""

    def __init__(self, cache: ClipCache, text: TextEncoder) -> None:
        self.cache, self.text = cache, text
        torch.manual_seed(0)
        config = RVQVAEConfig(
            width=16, frame_width=16, latent_dim=8, depth=1, num_quantizers=2, codebook_size=16
        )
        self.tokenizer = RVQVAE(config)

    def generate(self, prompts, *, generator):
        clips = retrieve(self.cache, list(prompts), self.text, generator[0])
        return [features.decode(clip) for clip in clips]


@pytest.fixture(scope="module")
def report(cache, text, recipe) -> Report:
    classifier = train_classifier(cache, steps=60)
    return evaluate(cache, RetrievalModel(cache, text), recipe.model, classifier, CONFIG, text=text)


def test_rows_are_real_reconstructed_retrieved_and_generated(report):
    assert list(report.rows) == ["real clips", "reconstruction", "nearest training caption", "model"]
    assert report.rows["real clips"]["content"] == 1.0
    assert report.rows["reconstruction"]["joint_error"] > 10  # an untrained tokenizer
    assert report.rows["model"]["multimodality"] >= 0


def test_a_model_that_copies_real_clips_moves_like_them(report):
    ratios = {claim: value for claim, value, _, _ in report.requirements()}
    assert ratios["jerk over real"] == pytest.approx(1.0, abs=0.25)
    assert report.rows["model"]["content"] == report.rows["nearest training caption"]["content"]


def test_the_report_is_a_table_and_json(report, tmp_path):
    report.save(tmp_path)
    markdown = (tmp_path / "report.md").read_text()
    assert "| real clips | 100.0% |" in markdown and "| what must hold |" in markdown
    record = json.loads((tmp_path / "report.json").read_text())
    assert set(record["rows"]["model"]) >= {"content", "top3", "fid", "skate_speed", "jerk"}
    assert len(record["directions"]) == 20


def retrieval(folder: Path) -> RetrievalModel:
    return RetrievalModel(ClipCache.open(folder), tiny_text())


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_workers_and_engines_change_no_number(engine, cache, text, recipe, request):
    if engine == "ray":
        request.getfixturevalue("two_nodes")
    load = partial(retrieval, cache.folder)
    parts = cache, load(), recipe.model, train_classifier(cache, steps=60), replace(CONFIG, own_seeds=2)
    alone = evaluate(*parts, text=text)
    with opened(engine, partial(BatchMaker, load), 2) as run:
        shared = evaluate(*parts, text=text, run=run)
    assert shared.to_json() == alone.to_json() and len(alone.own) == 2


def test_the_same_seed_gives_the_same_prompts(cache):
    first, second = (choose_prompts(cache, 5, torch.Generator().manual_seed(3)) for _ in range(2))
    assert first == second and len({prompt.clip for prompt in first}) == 5
    for prompt in first:
        record = cache.records[prompt.clip]
        assert record.split == "test"
        held_out = record.mirrored_held_out_captions if prompt.mirrored else record.held_out_captions
        assert prompt.text in held_out


def test_a_normal_style_is_not_a_requested_style(cache):
    prompt = choose_prompts(cache, 2, torch.Generator().manual_seed(0))[0]
    assert prompt.requested_style in ("calm", "wild")
    assert type(prompt)(**{**vars(prompt), "style": "normal"}).requested_style is None


def test_the_recipe_learns_in_the_shared_loop(recipe, tmp_path):
    before = recipe.validate(recipe.model)["top1"]
    config = TrainConfig(steps=40, learning_rate=1e-2, ema=0.8, autocast=False)
    after = Trainer(recipe, config, tmp_path).run()["top1"]
    assert after > max(before, 0.9)
    assert (tmp_path / "model.safetensors").is_file()


def test_true_captions_of_other_clips_are_marked(recipe):
    batch = recipe.sample(torch.Generator().manual_seed(0))
    assert batch["same"].diagonal().all() and batch["same"].any(dim=1).all()
    assert batch["same"].float().mean() > 1 / 8  # four captions among eight clips


def test_too_few_prompts_are_refused():
    with pytest.raises(ValueError, match="prompts: expected >= 4, got 1"):
        EvaluateConfig(prompts=1)
