"""Where the server listens, and whether anybody on the way can listen in."""

from __future__ import annotations

import errno
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from study.errors import ConductError, OutOfRange, StorageError

_BACKLOG = 2048


@dataclass(frozen=True)
class Doors:
    """How the server can be reached.

    Args:
        host, port: where it listens.
        certificate, key: its own TLS, PEM files; both or neither.
        proxies: addresses of a TLS proxy in front of it, whose word is believed.
        names: what browsers may call it by, beside its own addresses; empty for any name.
        is_insecure: somebody said that it may be reached without TLS from other machines.
    """

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    proxies: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    is_insecure: bool = False

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it by TLS."""
        return self.certificate is not None or bool(self.proxies)

    @property
    def is_loopback(self) -> bool:
        """Whether this machine alone can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_served_insecurely(self) -> bool:
        """Whether what people say could be read on the way."""
        return not self.is_loopback and not self.is_secure

    @property
    def hosts(self) -> frozenset[str]:
        """Names in a Host header that are this server's; its addresses go without saying."""
        own = {"localhost", socket.gethostname().lower(), self.host.lower()}
        return frozenset(own | {name.lower().rstrip(".") for name in self.names})

    @property
    def url(self) -> str:
        """Where a browser opens it."""
        scheme = "https" if self.is_secure else "http"
        if self.names:
            port = "" if self.proxies or self.port == 443 else f":{self.port}"
            return f"{scheme}://{self.names[0]}{port}/"
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/"

    def check(self) -> None:
        """Refuse doors that would not do, before anything is started.

        Raises:
            ConductError: they stand open, or options contradict each other.
            OutOfRange: a proxy's address is none.
            StorageError: the certificate or key cannot be used.
        """
        if (self.certificate is None) != (self.key is None):
            given, missing = ("--tls-cert", "--tls-key")[:: 1 if self.certificate else -1]
            raise ConductError(given, "is given alone", f"give {missing} too")
        if self.certificate is not None and self.proxies:
            raise ConductError(
                "--behind-proxy", "is given with --tls-cert", "leave TLS to the proxy, or leave the proxy out"
            )
        for proxy in self.proxies:
            _check_address(proxy)
        if self.is_served_insecurely and not self.is_insecure:
            raise ConductError(
                f"--host {self.host}",
                "other machines could read what people say, since there is no TLS",
                "give --tls-cert and --tls-key, or --behind-proxy, or say --insecure (it is recorded)",
            )
        if self.certificate is not None and self.key is not None:
            _check_pair(self.certificate, self.key)

    def listen(self) -> socket.socket:
        """The listening socket.

        Raises:
            ConductError: the port is taken, may not be used, or the address is not this machine's.
        """
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            family, _, _, _, address = found[0]
            # asyncio sends at once (TCP_NODELAY) only on what says that it is TCP.
            listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            try:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listening.bind(address)
                listening.listen(_BACKLOG)
            except OSError:
                listening.close()
                raise
        except OSError as problem:
            raise self._refusal(problem) from problem
        listening.setblocking(False)
        return listening

    def _refusal(self, problem: OSError) -> ConductError:
        where = f"{self.host}:{self.port}"
        if problem.errno == errno.EADDRINUSE:
            return ConductError(where, "another program listens there", "end it, or give another --port")
        if problem.errno in (errno.EACCES, errno.EPERM):
            return ConductError(where, "may not be listened to by this user", "give a --port from 1024")
        return ConductError(where, "is not an address of this machine", "give --host 127.0.0.1 or 0.0.0.0")


def _check_address(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise OutOfRange(
            "--behind-proxy",
            f"{text!r} is not an address",
            "write the proxy's, e.g. 127.0.0.1 or 10.0.0.0/24",
        ) from None


def _check_pair(certificate: Path, key: Path) -> None:
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as problem:
            raise StorageError(
                str(path), f"cannot be read ({problem.strerror})", "name a PEM file this user may read"
            ) from problem
    try:
        # A password would be asked for on the terminal of a server that has none.
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            certificate, key, password=lambda: ""
        )
    except ssl.SSLError as problem:
        if problem.reason == "KEY_VALUES_MISMATCH":
            raise StorageError(
                str(key), f"is not the key of {certificate}", "name the two that belong together"
            ) from problem
        raise StorageError(
            f"{certificate}, {key}",
            "are not a certificate and its key as PEM, without a password",
            "name the chain the authority gave, and the key it was asked with",
        ) from problem
