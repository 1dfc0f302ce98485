import torch

from motiongen.modules.observation import Normaliser, ObservationEncoder
from motiongen.modules.policy_config import PolicyConfig
from motiongen.modules.visual_encoder import VisualEncoder


def test_a_normaliser_keeps_a_range_and_moments_for_each_task():
    normaliser = Normaliser(num_tasks=2, dim=2)
    normaliser.fit_range(0, torch.tensor([[0.0, 5.0], [4.0, 5.0]]))  # the second never changes
    normaliser.fit_moments(1, torch.tensor([[1.0], [3.0]]))  # the task has one number only
    x = torch.tensor([[[4.0, 5.0]], [[3.0, 0.0]]])
    task = torch.tensor([0, 1])
    assert normaliser(x, task).tolist() == [[[1.0, 0.0]], [[1.0, 0.0]]]
    torch.testing.assert_close(normaliser.inverse(normaliser(x, task), task), x)


def test_images_are_cropped_in_the_centre_or_at_random():
    encoder = ObservationEncoder(PolicyConfig(image_size=20, crop_size=16, image_width=4))
    image = torch.arange(400).view(20, 20).expand(5, 2, 3, 20, 20)
    middle = encoder._cropped(image, None)
    assert middle.shape == (5, 2, 3, 16, 16) and int(middle[0, 0, 0, 0, 0]) == 2 * 20 + 2
    drawn = encoder._cropped(image, torch.Generator().manual_seed(0))
    corners = drawn[:, 0, 0, 0, 0].tolist()
    assert len(set(corners)) > 1  # items differ
    assert torch.equal(drawn[:, 0], drawn[:, 1])  # frames of an item do not


def test_spatial_softmax_says_where_a_bright_spot_is():
    """With the points' maps made of the picture's brightness, the vector is the spot's position."""
    torch.manual_seed(0)
    encoder = VisualEncoder(width=4, size=64)
    assert encoder.rows.shape == encoder.columns.shape == (16,)  # 64 / 16, squared
    weights = torch.zeros(1, 1, 16)
    weights[..., 7] = 1.0  # row 1, column 3 of 4
    assert float(weights @ encoder.columns) == 1.0
    torch.testing.assert_close(float(weights @ encoder.rows), -1 / 3, rtol=1e-5, atol=0)
    assert encoder(torch.zeros(2, 3, 64, 64, dtype=torch.uint8)).shape == (2, encoder.dim) == (2, 16)


def test_coordinates_stay_within_the_image():
    encoder = VisualEncoder(width=4, size=30)
    image = torch.randint(256, (3, 3, 30, 30), generator=torch.Generator().manual_seed(0)).byte()
    assert float(encoder(image).detach().abs().max()) <= 1


def test_pairs_are_differences_normalised_by_themselves():
    encoder = ObservationEncoder(PolicyConfig(state_dim=3, obs_steps=1, pairs=True))
    states = torch.tensor([[1.0, 1.1, 0.0], [3.0, 3.3, 0.0]])
    encoder.fit(0, states)
    pairs = encoder.pair_normaliser(encoder._pairs(states[:, None]), torch.zeros(2, dtype=torch.long))
    assert encoder._pairs(states)[0].tolist() == [
        1.0 - torch.tensor(1.1).item(),
        1.0,
        torch.tensor(1.1).item(),
    ]
    torch.testing.assert_close(
        pairs[:, 0], torch.tensor([[1.0, -1.0, -1.0], [-1.0, 1.0, 1.0]])
    )  # a difference of .1 and .3
    assert encoder({"state": states[:, None]}).shape == (2, 128)


def test_scene_numbers_that_images_do_not_show_are_the_mean_given_or_predicted():
    config = PolicyConfig(state_dim=1, obs_steps=1, image_size=16, crop_size=16, image_width=4, scene_dim=3)
    encoder = ObservationEncoder(config)
    truth = torch.randn(200, 1, 3, generator=torch.Generator().manual_seed(0)) * 5 + 2
    encoder.fit(0, torch.cat([truth[..., :1], truth], dim=-1)[:, 0])
    encoder.scene_error.copy_(torch.tensor([0.0, 0.4, 0.6]))
    image = torch.randint(256, (200, 1, 3, 16, 16), generator=torch.Generator().manual_seed(1)).byte()
    seen = {"state": truth[..., :1], "image": image}
    with torch.no_grad():
        given = [encoder({**seen, "scene": truth + torch.eye(3)[number]}) for number in range(3)]
        plain = encoder({**seen, "scene": truth})
        assert not torch.allclose(given[0], plain) and not torch.allclose(given[1], plain)
        assert torch.equal(given[2], plain)
        read = encoder.predict_scene(seen)
        assert torch.equal(encoder(seen), encoder({**seen, "scene": read}))
        read[..., 2] += 9
        assert torch.equal(encoder(seen), encoder({**seen, "scene": read}))
