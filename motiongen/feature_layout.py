"""Rate, slices and channels of the features; without torch, so that configs can be read fast. See `features`."""

FPS = 30.0
"""Frame rate of the features."""

LAYOUT: dict[str, slice] = {
    "turn": slice(0, 1),  # rad/s about +Y since the frame before
    "velocity": slice(1, 3),  # m/s along x and z of the heading frame
    "height": slice(3, 4),  # metres of the pelvis over the floor
    "tilt": slice(4, 10),  # the pelvis without its heading, 6-D
    "joints": slice(10, 136),  # the 21 other local rotations, 6-D each
    "contacts": slice(136, 140),  # 0..1 in the order of contacts.CONTACT_JOINTS
}
FEATURE_DIM = 140
"""Channels of a frame."""
