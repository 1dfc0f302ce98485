"""AIST++: dance to music with a known beat, SMPL at 60 fps, annotations CC BY 4.0.

A folder has the annotations as published: `motions/` or motions.zip with one pickle per sequence; the lists of the
crossmodal split, ignore_list.txt and the user's own copy of the music, in `wav/` or `music/` (mBR0.wav), are optional.
"""

import posixpath
import re
import zipfile
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import torch

from motiongen import limits
from motiongen.contacts import joint_speed
from motiongen.files import reading, visible
from motiongen.motion import Motion
from motiongen.retargeting import leg_length
from motiongen.rotation import quat_from_axis_angle
from motiongen.skeleton import SMPL22
from motiongen_datasets.aistpp_pickle import read_arrays
from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.captions import Labels
from motiongen_datasets.cleaning import MAX_SPEED, left_out, resampled
from motiongen_datasets.dance_styles import dance_meta

LICENCE = "CC BY 4.0"
FPS = 60.0
SMPL_JOINTS = 24
SMPL_LEGS = 0.818
"""Length of thigh and shin of SMPL's mean body, metres; the root's path is scaled to SMPL-22's legs by it."""
TEST_MUSIC = ("mBR0", "mPO1", "mLO2", "mMH3", "mLH4", "mHO5", "mWA0", "mKR2", "mJS3", "mJB5")
"""The songs of the crossmodal split's test side, one per genre."""
TEST_CHOREOGRAPHIES = ("ch01", "ch02")
"""The basic choreographies of its test side; each is danced to every song of its genre."""
MIN_SECONDS = 4.0
"""Shortest beginning that is kept of a clip whose joints jump later; the beat counts from its first frame."""
MAX_BYTES = 2**26
"""Largest pickle that is read out of a zip."""

GENRES = {
    "BR": "break",
    "PO": "pop",
    "LO": "lock",
    "MH": "middle hip-hop",
    "LH": "la hip-hop",
    "HO": "house",
    "WA": "waack",
    "KR": "krump",
    "JS": "street jazz",
    "JB": "ballet jazz",
}
"""Code of a genre, in the names of sequences -> dance style."""

_NAME = re.compile(
    r"g(?P<genre>[A-Z]{2})_s(?P<situation>[A-Z]{2})_c(?P<camera>All|\d+)_d(?P<dancer>\d+)"
    r"_(?P<music>m[A-Z]{2}[0-5])_(?P<choreography>ch\d+)"
)
_SPLITS = {
    "crossmodal_train.txt": "train",
    "crossmodal_val.txt": "test",
    "crossmodal_test.txt": "test",
}
_IGNORED = "ignore_list.txt"
_MUSIC_FOLDERS = ("wav", "wavs", "music")
_AUDIO = (".wav", ".flac", ".mp3", ".ogg")


def clips(root: Path) -> list[RawClip]:
    """Return every sequence below a folder, or in a zip, of motions as published."""
    files = _pickles(root)
    lists = {name: _names(root, name) for name in (*_SPLITS, _IGNORED)}
    music = _music(root)
    return [_clip(name, *files[name], lists, music) for name in sorted(files)]


def load(path: Path, member: str | None) -> Motion:
    """Return one sequence on SMPL-22 at 30 fps, on the ground, from its first frame on, from which the beat counts.

    Args:
        path: a pickle, or a zip.
        member: the pickle's name in the zip; None for a pickle.
    """
    return resampled(without_jumps(read_source(path, member))).grounded()


def read_source(path: Path, member: str | None = None) -> Motion:
    """Return one sequence on SMPL-22 at 60 fps, not yet on the ground.

    SMPL's rest pose and axes (Y up, facing +Z) are those of SMPL-22, so its rotations are taken over. The offset of
    SMPL's pelvis only moves the whole clip, and putting the clip on the ground corrects that.

    Args:
        path: a pickle, or a zip.
        member: the pickle's name in the zip; None for a pickle.

    Raises:
        ValueError: the file is no pickle of arrays, or the arrays are not as published.
    """
    name = posixpath.basename(member or path.name)
    arrays = read_arrays(_bytes(path, member), name)
    wanted = ("smpl_poses", "smpl_trans", "smpl_scaling")
    if missing := [key for key in wanted if key not in arrays]:
        raise ValueError(f"{name}: expected {', '.join(wanted)}, got no {missing[0]}; is this AIST++?")
    poses, path_of_root, scaling = (np.asarray(arrays[key], dtype=np.float64) for key in wanted)
    frames = len(path_of_root) if path_of_root.ndim else 0
    sizes = (poses.shape, path_of_root.shape, scaling.size)
    if not frames or poses.size != frames * SMPL_JOINTS * 3 or sizes[1:] != ((frames, 3), 1):
        raise ValueError(
            f"{name}: expected smpl_poses (T, 72), smpl_trans (T, 3) and one smpl_scaling, got "
            f"{poses.shape}, {path_of_root.shape} and {scaling.shape}; is this AIST++?"
        )
    if not (np.isfinite(poses).all() and np.isfinite(path_of_root).all() and 0 < scaling.item() < np.inf):
        raise ValueError(f"{name}: expected finite numbers and a positive scale, got NaN, infinity or zero")
    turns = torch.from_numpy(poses).reshape(frames, SMPL_JOINTS, 3)[:, : SMPL22.num_joints]
    scale = leg_length(SMPL22, {joint: joint for joint in SMPL22.names}) / SMPL_LEGS
    root = torch.from_numpy(path_of_root / scaling.item() * scale)
    return Motion(SMPL22, quat_from_axis_angle(turns).float(), root.float(), FPS)


def without_jumps(motion: Motion) -> Motion:
    """Return a motion up to the first frame in which a joint exceeds the speed limit of a person.

    Raises:
        ValueError: a joint does so within the first MIN_SECONDS.
    """
    fast = (joint_speed(motion.positions(), motion.fps).amax(dim=1)[1:] > MAX_SPEED).nonzero()
    if not len(fast):
        return motion
    last = int(fast[0]) + 1
    if last < MIN_SECONDS * motion.fps:
        raise ValueError(f"clip: joints jump within the first {MIN_SECONDS:.0f} s")
    return motion[:last]


def tempo(music: str) -> int:
    """Return the beats per minute of a song by its id: mBR0 to mBR5 have 80 to 130, house's mHO0 to mHO5 110 to 135."""
    step = int(music[3:])
    return 110 + 5 * step if music.startswith("mHO") else 80 + 10 * step


def held_out_split(music: str, situation: str, choreography: str) -> str | None:
    """Return the side of the crossmodal split, "train" or "test", on which a sequence is.

    The train side has no song and no basic choreography of the test side; None is returned for a sequence that has one
    of the two.

    Args:
        music: id of the song ("mBR0").
        situation: "BM" for a basic choreography, "FM" for an advanced one.
        choreography: number of the choreography ("ch01").
    """
    is_test_dance = situation == "BM" and choreography in TEST_CHOREOGRAPHIES
    if music in TEST_MUSIC and is_test_dance:
        return "test"
    return None if music in TEST_MUSIC or is_test_dance else "train"


def _clip(
    name: str, path: Path, member: str | None, lists: dict[str, set[str]], music: dict[str, Path]
) -> RawClip:
    parts = _NAME.fullmatch(name)
    assert parts is not None, name
    song, style = parts["music"], GENRES[parts["genre"]]
    if any(lists[file] for file in _SPLITS):
        split = next((side for file, side in _SPLITS.items() if name in lists[file]), None)
    else:
        split = held_out_split(song, parts["situation"], parts["choreography"])
    reason = None
    if name in lists[_IGNORED]:
        reason = "on AIST++'s ignore list"
    elif split is None:
        reason = "in neither split, as it shares music or choreography with the test"
    meta = {**dance_meta(style), "name": name, "music": song, "bpm": str(tempo(song)), "first_beat": "0"}
    meta |= {"subject": f"d{parts['dancer']}", "choreography": parts["choreography"]}
    if song in music:
        meta["audio"] = str(music[song].resolve())
    return RawClip(
        id=f"aistpp/{name}",
        source="aistpp",
        licence=LICENCE,
        load=partial(load, path, member) if reason is None else partial(left_out, reason),
        labels=Labels(content=style.replace(" ", "-") + "-dance"),
        meta=meta,
        split=split,
    )


def _pickles(root: Path) -> dict[str, tuple[Path, str | None]]:
    """Return sequence -> (file, member of the zip): the pickles in a folder, else those in zips."""
    unpacked = visible(root.rglob("*.pkl"), root) if root.is_dir() else []
    found: dict[str, tuple[Path, str | None]] = {}
    for path in unpacked:
        if _is_motion(path.as_posix()):
            found.setdefault(path.stem, (path, None))
    if found:
        return found
    for path in _zips(root):
        for member in _members(path):
            if _is_motion(f"{path.stem}/{member}"):
                found.setdefault(Path(member).stem, (path, member))
    return found


def _is_motion(path: str) -> bool:
    """Return whether a path is a sequence's motion; its keypoints have the same name in other folders."""
    folders, _, name = path.rpartition("/")
    is_sequence = (match := _NAME.fullmatch(name.removesuffix(".pkl"))) and match["genre"] in GENRES
    return bool(is_sequence) and name.endswith(".pkl") and "keypoints" not in folders.rpartition("/")[2]


def _zips(root: Path) -> list[Path]:
    # A broken zip is an error only if its path was given: a folder may also have zips of keypoints.
    return (
        [path for path in visible(root.rglob("*.zip"), root) if zipfile.is_zipfile(path)]
        if root.is_dir()
        else [root]
    )


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return sorted(archive.namelist())
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path}: expected a zip, got {error}; download it again") from error


def _names(root: Path, file: str) -> set[str]:
    """Return the sequences in a list of the dataset; none where there is no such list."""
    for folder in _folders(root):
        for path in (folder / file, folder / "splits" / file):
            if path.is_file():
                return _listed(path)
    for path in visible(root.rglob(file), root) if root.is_dir() else []:
        return _listed(path)
    for path in _zips(root):
        for member in _members(path):
            if posixpath.basename(member) == file:
                return set(_bytes(path, member).decode("utf-8").split())
    return set()


def _listed(path: Path) -> set[str]:
    with reading(path, "a list of sequences"):
        limits.check_file_size(path, limits.MAX_JSON_BYTES)
        return set(path.read_text(encoding="utf-8").split())


def _music(root: Path) -> dict[str, Path]:
    """Return song -> file of the user's own music."""
    folders = [folder / name for folder in _folders(root) for name in _MUSIC_FOLDERS]
    if root.is_dir():
        folders += [path for path in visible(root.rglob("*"), root) if path.name in _MUSIC_FOLDERS]
    files = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]
    found: dict[str, Path] = {}
    for path in sorted(files, key=lambda file: file.suffix.lower() != ".wav"):
        if path.suffix.lower() in _AUDIO:
            found.setdefault(path.stem, path)
    return found


def _folders(root: Path) -> list[Path]:
    """Return the folders in which lists and music are looked for: the given one, and the one around the motions."""
    return [root] if root.is_dir() and root.name != "motions" else [root, root.parent]


def _bytes(path: Path, member: str | None) -> bytes:
    if member is None:
        return path.read_bytes()
    try:
        with zipfile.ZipFile(path) as archive:
            size = archive.getinfo(member).file_size
            if size > MAX_BYTES:
                raise ValueError(f"{member}: expected at most {MAX_BYTES} bytes, got {size}; is this AIST++?")
            return archive.read(member)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{member}: expected a file in {path.name}, got {error}; unpack it") from error


DATASET = DatasetSpec(
    name="aistpp",
    title="AIST++",
    licence=LICENCE,
    expects="pickled motions named g*_s*_c*_d*_m*_ch*.pkl, or a zip of them",
    clips=clips,
    folder_names=("aist_plusplus_final",),
    reads_zip=True,
)
