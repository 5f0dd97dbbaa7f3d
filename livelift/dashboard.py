"""`livelift dashboard`: the application on a port."""

import signal
import socket
import webbrowser
from contextlib import suppress
from ipaddress import ip_address
from threading import Thread

import uvicorn

from consumers.dashboard.app import charts_script, make_dashboard
from consumers.dashboard.config import Here
from livelift.logs import configure_logs
from livelift.settings import Settings

BACKLOG = 256
GRACE_S = 3


ACL = """\
user {user} on >{password} resetchannels &{prefix}updates -@all +ping +hello +client|setinfo +subscribe +unsubscribe \
+@read -@dangerous -scan -randomkey %R~{prefix}*"""
"""A Redis user that may read snapshots and hear which of them have changed; nothing else."""


class NotGuarded(ValueError):
    """The dashboard would be open to whoever reaches this machine."""


def here_of(settings: Settings) -> Here:
    """What the application is handed."""
    token = settings.dashboard_token
    return Here(
        redis_url=settings.dashboard_redis or settings.require_redis(),
        redis_prefix=settings.redis_prefix,
        kafka=settings.kafka_python() if settings.kafka else {},
        namespace=settings.namespace,
        token=None if token is None else token.get_secret_value(),
        proxy_header=settings.dashboard_proxy_header,
        names=settings.dashboard_names,
        stale_s=settings.dashboard_stale_s,
    )


def serve(settings: Settings, host: str, port: int, open_browser: bool = False) -> None:
    """Serve until Ctrl-C or SIGTERM. Raises NotGuarded for an address that others reach without anybody asking."""
    here = here_of(settings)
    if not is_loopback(host) and here.token is None and here.proxy_header is None:
        raise NotGuarded(
            f"{host} can be reached from elsewhere: set LIVELIFT_DASHBOARD_TOKEN, or LIVELIFT_DASHBOARD_PROXY_HEADER "
            "where a proxy asks who it is; and LIVELIFT_DASHBOARD_NAMES to the names it is reached by"
        )
    configure_logs("dashboard")
    listening = listen(host, port)
    url = f"http://{host if host != '0.0.0.0' else 'localhost'}:{listening.getsockname()[1]}/"
    print(url, flush=True)
    if settings.ready_file is not None:
        settings.ready_file.touch()
    if open_browser:
        webbrowser.open(url)
    Thread(target=charts_script, daemon=True).start()  # it takes seconds: nobody who opens a chart has to wait for it
    config = uvicorn.Config(make_dashboard(here), log_config=None, access_log=False, server_header=False,
                            timeout_graceful_shutdown=GRACE_S)  # fmt: skip
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):  # with which uvicorn tells of the end that was asked for
        uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket to serve on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise OSError(f"port {port} on {host} cannot be used ({error.strerror}): name another with --port") from error
    found.listen(BACKLOG)
    return found


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
