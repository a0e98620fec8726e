"""A receiver of webhooks on this machine, as good or as bad as a test wants it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """Answers with `status` and `body`, or, while `hangs`, not at all."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.status, self.body, self.headers = 200, b"", dict[str, str]()
        self.hangs = False
        self.messages: list[dict[str, Any]] = []
        self.arrived = threading.Semaphore(0)
        self.let_go = threading.Event()

    def url(self, scheme: str = "json", path: str = "", **options: str) -> str:
        query = "".join(f"&{name}={value}" for name, value in options.items())
        return f"{scheme}://127.0.0.1:{self.port}/{path}?rto=10{query}"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.messages]

    def take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        self.arrived.release()
        if self.hangs:
            self.let_go.wait(30)


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(json.loads(said))
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            """Who was let go may have nobody left to answer."""

    server = Server(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_address[1])
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.let_go.set()
        server.shutdown()
        server.server_close()
