"""What ``--display_server`` and ``--display_env`` may be."""

import pytest

from options.errors import UserError
from util.dashboard.address import environment_name, parse_address


@pytest.mark.parametrize(
    ("server", "port", "expected"),
    [
        ("http://localhost", 8097, ("http://localhost", 8097, "")),
        ("localhost", 8097, ("http://localhost", 8097, "")),
        ("localhost", 9000, ("http://localhost", 9000, "")),
        ("localhost:9000", 8097, ("http://localhost", 9000, "")),
        ("localhost:9000", 9000, ("http://localhost", 9000, "")),
        (" http://localhost/ ", 8097, ("http://localhost", 8097, "")),
        ("https://gpu1.example.org/visdom/", 443, ("https://gpu1.example.org", 443, "/visdom")),
        ("https://gpu1.example.org:8443/a/b", 8097, ("https://gpu1.example.org", 8443, "/a/b")),
        ("gpu1/visdom", 8097, ("http://gpu1", 8097, "/visdom")),
        ("192.168.1.5", 80, ("http://192.168.1.5", 80, "")),
        ("::1", 8097, ("http://[::1]", 8097, "")),
        ("[::1]:9000", 8097, ("http://[::1]", 9000, "")),
        ("http://[fe80::2]/x", 8097, ("http://[fe80::2]", 8097, "/x")),
    ],
)
def test_an_address_may_lack_scheme_port_and_path(server: str, port: int, expected: tuple[str, int, str]) -> None:
    address = parse_address(server, port)
    assert tuple(address) == expected
    assert str(address) == f"{expected[0]}:{expected[1]}{expected[2]}"


@pytest.mark.parametrize(
    "server",
    [
        "",
        "http://",
        "http://:8097",
        "ftp://localhost",
        "localhost:port",
        "localhost:0",
        "localhost:99999",
        "http://user:secret@localhost",
        "user@localhost",
        "[::1",
        "http://[::1",
        "http://my host",
    ],
)
def test_what_is_no_address_is_refused_in_a_sentence(server: str) -> None:
    with pytest.raises(UserError, match=r"--display_server .*is no address.*http://host.*VISDOM_USERNAME"):
        parse_address(server, 8097)


def test_two_ports_are_refused() -> None:
    with pytest.raises(UserError, match="localhost:9000 and --display_port 9001 name two ports; leave one out"):
        parse_address("localhost:9000", 9001)


@pytest.mark.parametrize(
    ("server", "local"),
    [
        ("localhost", True),
        ("http://LOCALHOST:9000/x", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("gpu1", False),
        ("http://localhost.example.org", False),
        ("192.168.1.5", False),
    ],
)
def test_this_machine_is_told_from_others(server: str, local: bool) -> None:
    assert parse_address(server, 8097).is_local is local


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("horse2zebra", "horse2zebra"),
        ("run-1.5", "run-1.5"),
        ("run_1", "run-1"),
        ("a/b", "a-b"),
        ("../x", "x"),
        ("a b\n<c>", "a-b--c"),
        ("Ölbild", "Ölbild"),
        ("", "main"),
        ("___", "main"),
        (".", "main"),
    ],
)
def test_an_environment_has_a_name_that_the_server_keeps(text: str, name: str) -> None:
    assert environment_name(text) == name
    assert environment_name(name) == name
