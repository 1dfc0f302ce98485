"""Public functions `generate`, `variants` and `edit`: text to motion, and editing by text."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from motiongen.conditions.plan import plan_all
from motiongen.constraints import Constraint
from motiongen.constraints.hold import hold
from motiongen.inference.constrained import constrained
from motiongen.inference.humanoid_clip import canonical
from motiongen.inference.load import load_words
from motiongen.inference.model import PromptedMotion
from motiongen.inference.perform import perform
from motiongen.motion import Motion
from motiongen.reward import CANDIDATES, SEED_STRIDE, Guide, Reward


def generate(
    prompts: str | Sequence[str],
    *,
    seconds: float | None = None,
    seed: int = 0,
    best_of: int = 1,
    guidance_scale: float | None = None,
    temperature: float | None = None,
    start_from: Motion | None = None,
    plan: bool = True,
    lock_feet: bool = True,
    head: str = "bamm",
    weights: str | Path = "open",
    device: str = "auto",
    memory: str | Path | None = None,
    constraints: Sequence[Constraint] = (),
    reward: Reward | None = None,
    candidates: int = CANDIDATES,
) -> Motion:
    """Return the motion of a prompt, or of several prompts in sequence without a break.

    Args:
        prompts: a sentence, or several.
        seconds: length of the motion of each prompt; None lets the model decide.
        seed: the same seed gives the same motion on the same device.
        best_of: tries of each prompt, of which the one nearest to real clips that are like it is taken: slower, surer.
        guidance_scale: classifier-free guidance scale; 1 for no guidance; None for the model's default.
        temperature: sampling temperature; 1 is that of the data; None for the model's default.
        start_from: a motion to continue.
        plan: read sentences for acts that follow each other, counts, speeds and turns (`conditions.plan`); without, the
            head alone hears them. A sentence that says none of that gives the same bits either way.
        lock_feet: keep standing feet from sliding; see `Motion.with_locked_feet`.
        head: name of the head.
        weights: "open" (free sources), "full" (non-commercial) or a folder.
        device: "auto", "cpu" or "cuda".
        memory: a folder that `motiongen remember` wrote; "0" for none; None for that of the weights.
        constraints: what to meet, exactly where a body can (`motiongen.constraints`); the motion becomes at least as
            long as they last.
        reward: a function that scores candidates, of which the best is returned. It takes joints (N, T, 22, 3) of N
            candidates of equal length: the whole motion as it would be returned, in the world, metres, Y up, of the 22
            joints of `motiongen.SMPL22` (`SMPL22.index("head")`), T frames of 1/30 s. It returns N numbers, higher is
            better. None for none.
        candidates: motions that are written at once for a reward, 1 to 32: the more, the surer, and the slower; see
            docs/constraints.md. Without constraints the first is the motion that there is without a reward.

    Raises:
        ValueError: an empty prompt, a number out of range, or a reward that fails (`motiongen.reward.RewardError`).
    """
    return variants(
        prompts,
        count=1,
        seconds=seconds,
        seed=seed,
        best_of=best_of,
        guidance_scale=guidance_scale,
        temperature=temperature,
        start_from=start_from,
        plan=plan,
        lock_feet=lock_feet,
        head=head,
        weights=weights,
        device=device,
        memory=memory,
        constraints=constraints,
        reward=reward,
        candidates=candidates,
    )[0].motion


def variants(
    prompts: str | Sequence[str],
    *,
    count: int = 1,
    seconds: float | None = None,
    seed: int = 0,
    best_of: int = 1,
    guidance_scale: float | None = None,
    temperature: float | None = None,
    start_from: Motion | None = None,
    plan: bool = True,
    lock_feet: bool = True,
    head: str = "bamm",
    weights: str | Path = "open",
    device: str = "auto",
    memory: str | Path | None = None,
    constraints: Sequence[Constraint] = (),
    reward: Reward | None = None,
    candidates: int = CANDIDATES,
) -> list[PromptedMotion]:
    """Return several variants of the motion that `generate` returns, with the time span of each prompt.

    Args:
        prompts: a sentence, or several.
        count: number of variants; the first one is that of `generate`, the others have the next seeds.
        seconds: as in `generate`.
        seed: of the first variant.
        best_of: as in `generate`.
        guidance_scale: as in `generate`.
        temperature: as in `generate`.
        start_from: as in `generate`.
        plan: as in `generate`.
        lock_feet: as in `generate`.
        head: as in `generate`.
        weights: as in `generate`.
        device: as in `generate`.
        memory: as in `generate`.
        constraints: as in `generate`; how well each is met is in `PromptedMotion.outcomes`.
        reward: as in `generate`; each variant is the best of candidates of its own.
        candidates: as in `generate`.
    """
    guide = None if reward is None else Guide(reward, candidates)
    prompts = [prompts] if isinstance(prompts, str) else list(prompts)
    model = load_words(head, weights, device, memory=memory)
    options = model.spec.options().adjusted(guidance_scale, temperature)
    model.note_far([part.text for part in plan_all(prompts) if not part.rests] if plan else prompts)
    begin = partial(perform, model) if plan else model.sequence

    def written(count: int, seed: int, stride: int) -> list[PromptedMotion]:
        """Return motions of so many seeds, held to the constraints."""

        def write(length: float | None) -> list[PromptedMotion]:
            new: list[PromptedMotion] = begin(
                prompts,
                count=count,
                seconds=length,
                start_from=start_from,
                seed=seed,
                stride=stride,
                best_of=best_of,
                options=options,
            )
            return [_locked(each) for each in new] if lock_feet else new

        if not constraints:
            return write(seconds)
        start = None if start_from is None else canonical(start_from)
        return constrained(write, constraints, prompts=len(prompts), seconds=seconds, start=start)

    if guide is None:
        return written(count, seed, 1)
    best = []
    for own in range(seed, seed + count):
        found = written(guide.candidates, own, SEED_STRIDE)
        best.append(found[guide.best([each.motion.positions() for each in found])])
    return best


def _locked(written: PromptedMotion) -> PromptedMotion:
    begun = round(written.parts[0][0] * written.motion.fps)  # what is continued stays as it is
    return replace(written, motion=written.motion.with_locked_feet(begun))


def edit(
    motion: Motion,
    prompt: str,
    *,
    between: tuple[float, float],
    keep_path: bool = False,
    lock_feet: bool = True,
    seed: int = 0,
    guidance_scale: float | None = None,
    temperature: float | None = None,
    head: str = "bamm",
    weights: str | Path = "open",
    device: str = "auto",
    memory: str | Path | None = None,
    constraints: Sequence[Constraint] = (),
) -> Motion:
    """Return a motion with a span regenerated to a prompt. Frames before it are unchanged.

    So are the poses after it; as a whole they are turned and moved over the floor to where the span ends.

    Args:
        motion: of any humanoid, at any rate.
        prompt: for the span.
        between: start and end of the span, seconds.
        keep_path: leave all frames after the span where they are too; the span is steered to meet them.
        lock_feet: keep standing feet of the span from sliding.
        seed: as in `generate`.
        guidance_scale: as in `generate`.
        temperature: as in `generate`.
        head: as in `generate`; one that edits.
        weights: as in `generate`.
        device: as in `generate`.
        memory: as in `generate`.
        constraints: what the span and all after it meet, of SMPL-22; see `generate`. Frames before the span stay.

    Raises:
        ValueError: a head that does not edit, a span outside the motion, or constraints after its end or with
            `keep_path`.
    """
    if constraints and keep_path:
        raise ValueError("constraints: expected a path that may bend, got keep_path; leave one of them out")
    model = load_words(head, weights, device, memory=memory, edits=True)
    model.note_far([prompt])
    options = model.spec.options().adjusted(guidance_scale, temperature)
    edited = model.edit(
        motion, prompt, between, keep_path=keep_path, lock_feet=lock_feet, seed=seed, options=options
    )
    if not constraints:
        return edited
    return hold(edited, constraints, first=round(between[0] * edited.fps)).motion
