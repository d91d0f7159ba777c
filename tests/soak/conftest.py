"""The browser and the api of the web tests, for their matrices."""

from tests.integration.web.conftest import browser as browser
from tests.integration.web.conftest import site as site
