"""VMC over loopback: what a receiver makes of it is what the stream showed."""

import socket

import numpy as np
import pytest
import torch
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_server import BlockingOSCUDPServer

from motiongen.rotation import quat_multiply, quat_rotate
from motiongen.skeleton import SMPL22
from motiongen_bridge.vmc import BONES, VMCSender
from tests.core.motions import t_pose, wobble

OFFSETS = SMPL22.offsets.numpy()


class Receiver(BlockingOSCUDPServer):
    """python-osc's receiver, which keeps what it hears and the sizes of the datagrams."""

    def __init__(self):
        self.heard, self.sizes = [], []
        dispatcher = Dispatcher()
        dispatcher.set_default_handler(lambda address, *values: self.heard.append((address, values)))
        super().__init__(("127.0.0.1", 0), dispatcher)
        self.timeout = 5.0

    def verify_request(self, request, client_address):
        self.sizes.append(len(request[0]))
        return super().verify_request(request, client_address)

    def pose(self):
        """Receive up to the end of a pose: its bones by name, and its root."""
        self.heard.clear()
        while not self.heard or self.heard[-1][0] != "/VMC/Ext/Blend/Apply":
            count = len(self.sizes)
            self.handle_request()
            assert len(self.sizes) > count, "nothing came"
        bones = {values[0]: values[1:] for address, values in self.heard if address == "/VMC/Ext/Bone/Pos"}
        return bones, next(values for address, values in self.heard if address == "/VMC/Ext/Root/Pos")


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def sender(receiver):
    sender = VMCSender(*receiver.server_address)
    yield sender
    sender.close()


def unity_positions(bones, root):
    """World positions (22, 3) as Unity has them: its formulas for q v and q p are ours, only seen left-handed."""
    turns, places = [], []
    base, turn = torch.tensor(root[1:4]), torch.tensor(root[4:])
    for joint, (name, bone) in enumerate(BONES.items()):
        assert SMPL22.names[joint] == name
        above = SMPL22.parents[joint]
        place, local = torch.tensor(bones[bone][:3]), torch.tensor(bones[bone][3:])
        parent_place, parent_turn = (places[above], turns[above]) if above >= 0 else (base, turn)
        places.append(parent_place + quat_rotate(parent_turn, place))
        turns.append(quat_multiply(parent_turn, local))
    return torch.stack(places)


@pytest.mark.parametrize("seed", range(3))
def test_a_receiver_rebuilds_the_joints_where_they_are(receiver, sender, seed):
    motion = wobble(60, seed)
    for frame in (0, 29, 59):
        sender.send(motion.rotations[frame].numpy(), motion.root[frame].numpy(), frame / 30)
        mirrored = unity_positions(*receiver.pose()) * torch.tensor([-1.0, 1.0, 1.0])
        torch.testing.assert_close(mirrored, motion.positions()[frame], rtol=0, atol=1e-5)


def test_the_left_hand_of_a_t_pose_is_at_minus_x_in_unity(receiver, sender):
    motion = t_pose()
    sender.send(motion.rotations[0].numpy(), motion.root[0].numpy(), 0.0)
    bones, root = receiver.pose()
    assert all(values[3:] == (0.0, 0.0, 0.0, 1.0) for values in bones.values())
    assert unity_positions(bones, root)[SMPL22.index("left_wrist")][0] < -0.6


def test_a_turn_to_our_left_faces_the_left_of_unity(receiver, sender):
    rotations, half = np.tile(np.float32([0, 0, 0, 1]), (22, 1)), np.float32(np.sqrt(0.5))
    rotations[0] = [0, half, 0, half]  # a quarter turn about +Y: from +Z to +X, our left
    sender.send(rotations, np.zeros(3, np.float32), 0.0)
    bones, _ = receiver.pose()
    np.testing.assert_allclose(bones["Hips"][3:], [0, -half, 0, half], atol=1e-7)
    front = quat_rotate(torch.tensor(bones["Hips"][3:]), torch.tensor([0.0, 0.0, 1.0]))
    torch.testing.assert_close(front, torch.tensor([-1.0, 0.0, 0.0]), rtol=0, atol=1e-6)  # Unity's left


def test_the_root_walks_on_the_floor_and_the_hips_have_the_height(receiver, sender):
    rotations = np.tile(np.float32([0, 0, 0, 1]), (22, 1))
    sender.send(rotations, np.float32([2.0, 0.9, 3.0]), 0.0)
    bones, root = receiver.pose()
    assert root == ("root", -2.0, 0.0, 3.0, 0.0, 0.0, 0.0, 1.0)
    assert bones["Hips"][:3] == pytest.approx((0.0, 0.9, 0.0))


def test_a_pose_says_that_it_is_there_when_and_that_it_is_whole(receiver, sender):
    motion = t_pose()
    sender.send(motion.rotations[0].numpy(), motion.root[0].numpy(), 12.5)
    receiver.pose()
    assert receiver.heard[:2] == [("/VMC/Ext/OK", (1,)), ("/VMC/Ext/T", (12.5,))]
    assert receiver.heard[-1] == ("/VMC/Ext/Blend/Apply", ())
    assert [values[0] for address, values in receiver.heard if "Bone" in address] == list(BONES.values())


@pytest.mark.parametrize(("max_bytes", "datagrams"), [(1400, 2), (600, 4), (100, 25)])
def test_datagrams_are_whole_bundles_below_their_limit(max_bytes, datagrams):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        heard.settimeout(5.0)
        sender = VMCSender(*heard.getsockname(), OFFSETS, max_bytes=max_bytes)
        sender.send(t_pose().rotations[0].numpy(), np.zeros(3, np.float32), 0.0)
        received = [heard.recv(65536) for _ in range(datagrams)]
        sender.close()
    assert max(len(datagram) for datagram in received) <= max_bytes
    assert sum(OscBundle(datagram).num_contents for datagram in received) == 26


def test_nobody_receiving_does_not_disturb():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    sender = VMCSender("127.0.0.1", port, OFFSETS)
    for frame in range(20):
        sender.send(t_pose().rotations[0].numpy(), np.zeros(3, np.float32), frame / 30)
    assert sender.lost == 0
    sender.close()


def test_a_receiver_that_comes_late_gets_the_next_pose():
    with Receiver() as early:
        address = early.server_address
    sender = VMCSender(*address, OFFSETS)
    sender.send(t_pose().rotations[0].numpy(), np.zeros(3, np.float32), 0.0)
    with Receiver() as late:
        late.socket.close()
        late.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        late.socket.bind(address)
        sender.send(t_pose().rotations[0].numpy(), np.zeros(3, np.float32), 1.0)
        assert len(late.pose()[0]) == 22
    sender.close()


def test_what_cannot_be_sent_is_counted():
    sender = VMCSender("127.0.0.1", 39539, OFFSETS)
    sender.close()
    sender.send(t_pose().rotations[0].numpy(), np.zeros(3, np.float32), 0.0)
    assert sender.lost == 2


def test_other_skeletons_and_bundles_without_room_are_refused():
    with pytest.raises(ValueError, match=r"offsets: expected shape \(22, 3\)"):
        VMCSender("127.0.0.1", 39539, OFFSETS[:21])
    with pytest.raises(ValueError, match="max_bytes: expected room for"):
        VMCSender("127.0.0.1", 39539, OFFSETS, max_bytes=64)
    sender = VMCSender("127.0.0.1", 39539, OFFSETS)
    with pytest.raises(ValueError, match=r"pose: expected rotations \(22, 4\)"):
        sender.send(np.zeros((21, 4)), np.zeros(3), 0.0)
    sender.close()
