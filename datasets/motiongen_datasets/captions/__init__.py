"""Captions from labels: a grammar of English sentences, with paraphrases that are held out of training."""

from motiongen_datasets.captions.caption_set import KNOWN, CaptionSet, captions_for, content_sentence, known
from motiongen_datasets.captions.labels import Labels
from motiongen_datasets.captions.mirror import mirror_caption

__all__ = ["KNOWN", "CaptionSet", "Labels", "captions_for", "content_sentence", "known", "mirror_caption"]
