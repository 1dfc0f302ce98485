"""Trains motiongen/music/pulse.safetensors, the tempo and phase model, on songs, grooves and noises.

    python benchmarks/fit_pulse.py [--songs 34] [--hidden 12]

Songs have the seeds 0 .. songs - 1 in every style, so that seeds from 1000 on are left for validation.
"""

import argparse
import logging
import time

import numpy as np
import torch
from torch import nn

from motiongen.checkpoint import write_tensors
from motiongen.music.audio import SAMPLE_RATE
from motiongen.music.features import resample
from motiongen.music.pulse import (
    FASTEST,
    LAYERS,
    PHASES,
    RATE,
    SLOWEST,
    STEP,
    TEMPI,
    WEIGHTS,
    WINDOW,
    envelopes,
    mel_levels,
    normalised,
    pulse_features,
)
from motiongen.music.synthesis import STYLES, synthesise
from motiongen.music.synthesis.drums import DRUMS

logger = logging.getLogger(__name__)
SECONDS = 14.0
LEARNING_RATE = 6e-3
DROPPED = 0.15


def song_tempo(style, rng):
    """Return a tempo, mostly one at which a style is played: that tells a beat from its half."""
    if rng.uniform() < 0.25:
        return float(70 * (160 / 70) ** rng.uniform())
    low, high = STYLES[style].tempo
    return float(np.clip(0.9 * low * (high * 1.1 / (low * 0.9)) ** rng.uniform(), SLOWEST + 1, FASTEST - 3))


def song(style, seed, rng):
    """Return samples of a window of a song, and its (BPM, seconds from the last beat to the end)."""
    bpm = song_tempo(style, rng)
    track = synthesise(style, bpm, SECONDS, seed, first_beat=float(rng.uniform(0, 0.6)))
    length = float(rng.choice([4.0, 6.0, 8.0, 10.0]))
    begin = float(rng.uniform(0, SECONDS - length))
    samples = resample(track.samples, track.sample_rate)
    part = samples[int(begin * SAMPLE_RATE) :][: int(length * SAMPLE_RATE)]
    end = begin + ((len(part) - WINDOW) // STEP * STEP + WINDOW / 2) / SAMPLE_RATE
    return part, (bpm, (end - track.beats[0]) % (60 / bpm))


def metronome(rng):
    """Return samples of clicks or of a drum on every beat, and their (BPM, seconds from the last beat to the end).

    The first clicks of bars may be higher or louder, and what comes halfway is softer; over a low drum it may be loud.
    """
    bpm, length = float(57 * (197 / 57) ** rng.uniform()), float(rng.choice([4.0, 6.0, 8.0, 10.0]))
    begin, bar = rng.uniform(0, 60 / bpm), int(rng.choice([1, 2, 3, 4]))
    samples = np.zeros(int(length * SAMPLE_RATE))
    if rng.uniform() < 0.4:
        lows = [drum for drum in DRUMS.values() if drum.role == "low"]
        others = [drum for drum in DRUMS.values() if drum.role != "low"]
        low, other = (kind[rng.integers(len(kind))].render(rng, SAMPLE_RATE) for kind in (lows, others))
        sounds, gains = (low, low, other), (1.0, rng.uniform(1, 1.3), rng.uniform(0, 1.2) * (bpm < 165))
    else:
        t = np.arange(int(rng.uniform(0.02, 0.1) * SAMPLE_RATE)) / SAMPLE_RATE
        hertz, fall = rng.uniform(300, 2000), np.exp(-rng.uniform(20, 90) * t)
        tone, high = (np.sin(2 * np.pi * hertz * ratio * t) * fall for ratio in (1, rng.uniform(1, 2)))
        half = rng.uniform(0, 0.5) if bpm < 130 and rng.uniform() < 0.5 else 0.0
        sounds, gains = (tone, high, tone if rng.uniform() < 0.5 else high), (1.0, rng.uniform(1, 1.6), half)
    for index in range(int(length * bpm / 30) + 1):
        kind = 2 if index % 2 else 1 if index % (2 * bar) == 0 else 0
        start = int((begin + index * 30 / bpm) * SAMPLE_RATE)
        part = sounds[kind][: max(0, len(samples) - start)]
        samples[start : start + len(part)] += 0.3 * gains[kind] * part
    end = ((len(samples) - WINDOW) // STEP * STEP + WINDOW / 2) / SAMPLE_RATE
    return samples, (bpm, (end - begin) % (60 / bpm))


def in_noise(samples, rng, share):
    """Return samples with a microphone's noise, in a share of calls."""
    if rng.uniform() > share:
        return samples
    level = np.abs(samples).max() * 10 ** rng.uniform(-2.5, -0.7)
    return samples + level * rng.standard_normal(len(samples))


SUB, BASS, LOW, HIGH, TREBLE = range(5)


def groove(rng):
    """Return the envelope (n, 6) of a random groove, and its (BPM, seconds from the last beat to the end).

    The songs' styles know a few hundred bars. These know no style: only that beats are struck more than what lies
    between them, that bass drums begin bars and snares answer them, and that bars return.
    """
    bpm, length = float(70 * (160 / 70) ** rng.uniform()), float(rng.choice([4.0, 6.0, 8.0, 10.0]))
    parts = 3 if rng.uniform() < 0.2 else 4  # of a beat
    beats = 3 if rng.uniform() < 0.1 else 4  # of a bar
    count = int(length * RATE)
    begin = rng.uniform(0, 60 / bpm)
    steps = np.arange(beats * parts * int(rng.integers(1, 3)))  # of a pattern of a bar or two
    on_beat, beat = steps % parts == 0, steps // parts % beats
    half = (steps % parts == parts // 2) & (parts == 4)
    rises = np.zeros((count + 20, 6))
    players = [
        # chance on the first beat, on the others, halfway, elsewhere; where its sound lies; how often it plays at all
        (0.95, rng.choice([0.3, 0.6, 1.0]), rng.choice([0.1, 0.4]), 0.1, (SUB, BASS), 0.9),
        (0.05, 0.0, 0.1, 0.06, (LOW, HIGH, TREBLE), 0.8),
        (0.9, 0.9, rng.choice([0.3, 1.0]), rng.choice([0.0, 0.3, 1.0]), (TREBLE,), 0.8),
        (0.1, 0.1, 0.9, 0.05, (TREBLE,), 0.15),
        (0.8, 0.5, 0.4, 0.15, (SUB, BASS), 0.7),
        (0.7, 0.6, 0.4, 0.15, (LOW, HIGH), 0.7),
        (0.6, 0.5, 0.4, 0.2, (LOW,), 0.5),
    ]
    for number, (first, others, middle, elsewhere, bands, share) in enumerate(players):
        if rng.uniform() > share and number != 0:
            continue
        chance = np.where(on_beat, np.where(beat == 0, first, others), np.where(half, middle, elsewhere))
        if number == 1:
            chance = np.where(on_beat & (beat % 2 == 1), 0.9, chance)
        struck = rng.uniform(size=len(steps)) < chance
        accent = np.where(on_beat, 1.0, rng.uniform(0.5, 1.0)) * rng.uniform(0.6, 1.0, len(steps))
        loud = rng.uniform(0.2, 1.0, 6) * 0.25
        loud[list(bands)] = rng.uniform(0.7, 1.5, len(bands))
        loud[5] = rng.uniform(0.1, 0.5)
        for index in range(-len(steps), int(length * bpm / 60 * parts) + 1):
            own = index % len(steps)
            at = (begin + index * 60 / bpm / parts + rng.normal(0, 0.006)) * RATE
            if not 1 <= at < count + 10 or not struck[own] or rng.uniform() < 0.06:
                continue
            low = int(at)
            rises[low : low + 2] += np.outer([1 - at + low, at - low], accent[own] * loud)
    for bar in range(int(length * bpm / 60 / beats) + 1):  # chords
        at = int((begin + bar * beats * 60 / bpm) * RATE)
        if rng.uniform() < 0.7:
            rises[max(at - 6, 0) : at + 7, 5] += rng.uniform(0, 0.3)
    rises += rng.uniform(0.0, 0.04) * np.abs(rng.standard_normal(rises.shape))
    rises *= rng.uniform(size=6) > 0.1
    return normalised(20 * rises[:count]), (bpm, ((count - 1) / RATE - begin) % (60 / bpm))


def pulseless(kind, rng):
    """Return samples without a pulse: hiss, a drone, clicks or chords at odd times, or a murmur."""
    count = int(rng.choice([4.0, 6.0, 8.0, 10.0]) * SAMPLE_RATE)
    time_axis = np.arange(count) / SAMPLE_RATE
    hiss = rng.standard_normal(count)
    if kind == "hiss":
        return hiss * 0.1
    if kind == "drone":
        return sum(np.sin(2 * np.pi * f * time_axis) for f in rng.uniform(60, 2000, 5)) * 0.05 + hiss * 1e-3
    samples = hiss * 1e-3
    at = 0.0
    while (at := at + rng.exponential(0.35) + 0.05) < time_axis[-1]:
        since = np.maximum(time_axis - at, 0)
        started = time_axis >= at
        if kind == "clicks":
            samples += started * np.exp(-since * 40) * hiss * rng.uniform(0.05, 0.5)
        elif kind == "chords":
            samples += started * np.exp(-since * 4) * np.sin(2 * np.pi * rng.uniform(80, 900) * since) * 0.2
        else:
            samples += (
                started * np.exp(-since * 9) * np.minimum(since * 30, 1) * hiss * rng.uniform(0.02, 0.2)
            )
    return samples


def coloured(samples, rng):
    """Return levels as another room, loudness and recording would have them."""
    levels = mel_levels(samples.astype(np.float32)) + rng.uniform(-30, 0)
    levels = levels + np.interp(np.arange(40), np.linspace(0, 39, 5), rng.uniform(-8, 8, 5))
    floor = levels.max() - rng.uniform(40, 90)
    return 10 * np.log10(10 ** (levels / 10) + 10 ** (floor / 10))


def right(bpm, since):
    """Return (192, 12) bool: the hypotheses that are right."""
    tempo = np.abs(np.log(TEMPI / bpm)) < 0.012
    phase = (PHASES - 1 - since * bpm / 60 * PHASES) % PHASES
    distance = np.abs((np.arange(PHASES) - phase + PHASES / 2) % PHASES - PHASES / 2)
    return tempo[:, None] & (distance <= 0.8)


def collect(seeds, noises, grooves, rng):
    """Return descriptions (M, 192, 12, F) fp16 and what is right (M, 192, 12); all false for a noise."""
    described, targets, began = [], [], time.monotonic()
    for seed in seeds:
        for style in STYLES:
            part, (bpm, since) = song(style, seed, rng)
            described.append(
                pulse_features(envelopes(coloured(in_noise(part, rng, 0.3), rng))).astype(np.float16)
            )
            targets.append(right(bpm, since))
        for _ in range(20):
            part, (bpm, since) = metronome(rng)
            described.append(
                pulse_features(envelopes(coloured(in_noise(part, rng, 0.6), rng))).astype(np.float16)
            )
            targets.append(right(bpm, since))
        logger.info("seed %d, %.0f s", seed, time.monotonic() - began)
    for index in range(noises):
        kind = ("hiss", "drone", "clicks", "chords", "murmur")[index % 5]
        described.append(pulse_features(envelopes(coloured(pulseless(kind, rng), rng))).astype(np.float16))
        targets.append(np.zeros_like(targets[0]))
    for _ in range(grooves):
        envelope, (bpm, since) = groove(rng)
        described.append(pulse_features(envelope).astype(np.float16))
        targets.append(right(bpm, since))
    return torch.from_numpy(np.stack(described)), torch.from_numpy(np.stack(targets))


def loss_of(scores, targets):
    """Return -log of the share of what is right, among all hypotheses and the one that there is no pulse (score 0)."""
    scores = torch.cat([scores.flatten(1), scores.new_zeros(len(scores), 1)], dim=1)
    targets = torch.cat([targets.flatten(1), ~targets.flatten(1).any(dim=1, keepdim=True)], dim=1)
    return (scores.logsumexp(1) - scores.masked_fill(~targets, -1e9).logsumexp(1)).mean()


def accuracy(net, inputs, targets):
    """Return the share of examples whose best hypothesis is right."""
    with torch.no_grad():
        scores = torch.cat([net(part.float()).squeeze(-1) for part in inputs.split(32)]).flatten(1)
    best = scores.argmax(dim=1, keepdim=True)
    hit = targets.flatten(1).gather(1, best).squeeze(1) & (scores.amax(dim=1) > 0)
    none = ~targets.flatten(1).any(dim=1)
    return hit[~none].float().mean().item(), (scores.amax(dim=1) < 0)[none].float().mean().item()


def main():
    """Collect, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=34)
    parser.add_argument("--hidden", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    inputs, targets = collect(range(options.songs), 10 * options.songs, 42 * options.songs, rng)
    held_inputs, held_targets = collect(range(1000, 1004), 20, 0, rng)
    sample = inputs[::9].float().flatten(0, 2)
    mean, std = sample.mean(dim=0), sample.std(dim=0) + 1e-2
    width = inputs.shape[-1]
    net = nn.Sequential(nn.Linear(width, options.hidden), nn.Tanh(), nn.Linear(options.hidden, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
    for epoch in range(options.epochs):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - epoch / options.epochs)
        order, total = torch.randperm(len(inputs)), 0.0
        for part in order.split(16):
            # Input dropout, shared by all hypotheses.
            mask = (torch.rand(len(part), 1, 1, width) > DROPPED) / (1 - DROPPED)
            scores = net((inputs[part].float() - mean) / std * mask).squeeze(-1)
            loss = loss_of(scores, targets[part])
            penalty = 1e-4 * sum(p.square().sum() for p in net.parameters())
            optimizer.zero_grad()
            (loss + penalty).backward()
            optimizer.step()
            total += loss.item() * len(part)
        normed = (held_inputs.float() - mean) / std
        songs, noises = accuracy(net, normed, held_targets)
        logger.info(
            "epoch %d: loss %.3f, held songs %.3f, noises %.3f", epoch, total / len(inputs), songs, noises
        )
    first = net[0].weight.detach().T / std[:, None]  # the normaliser is folded into the first layer
    bias = net[0].bias.detach() - mean @ first
    tensors = (first, bias, net[2].weight.detach()[0], net[2].bias.detach())
    write_tensors(WEIGHTS, {name: t.contiguous() for name, t in zip(LAYERS, tensors, strict=True)})


if __name__ == "__main__":
    main()
