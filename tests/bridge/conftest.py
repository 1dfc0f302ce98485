import pytest

from motiongen import load
from tests.bridge import viewer_page
from tests.core.inference.tiny import save_tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small random model that obeys sentences."""
    return load("mogo", save_tiny(tmp_path_factory.mktemp("weights")), "cpu")


@pytest.fixture(scope="module")
def browser():
    with viewer_page.browsing() as browser:
        yield browser


@pytest.fixture
def page(browser, server):
    """The page of the module's server, with one character that has begun to move."""
    with viewer_page.showing(browser, server.url) as page:
        yield page
