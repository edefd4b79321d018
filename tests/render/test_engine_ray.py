"""The address of a Ray cluster."""

import socket

import pytest

from iebench.errors import UsageError
from iebench.render.engine_ray import check_address


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_an_address_where_nothing_listens_is_refused_at_once(listening):
    check_address(f"127.0.0.1:{listening}")
    with socket.socket() as held:  # nobody else can listen there meanwhile
        held.bind(("127.0.0.1", 0))
        closed = held.getsockname()[1]
        for address in (f"127.0.0.1:{closed}", f"ray://127.0.0.1:{closed}", "127.0.0.1:99999", "no host:1"):
            with pytest.raises(UsageError, match=rf"--ray-address {address}: nothing answers within 5 s"):
                check_address(address)


@pytest.mark.parametrize("address", [None, "auto", "local", "a-name"])
def test_other_words_are_for_ray_to_judge(address):
    check_address(address)
