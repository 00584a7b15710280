"""What a ComfyUI tells its pages, read off its websocket: as much of RFC 6455 as a server's messages need."""

from __future__ import annotations

import base64
import io
import json
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

from PIL import Image

TEXT, BINARY, CLOSE = 1, 2, 8  # kinds of frames
PREVIEW = 1  # the event of a binary message that holds a picture; a 4-byte format and the file follow


class WebSocket:
    """A connection to /ws of a server on this machine; iterated, it gives (event, data) as they come.

    A message in JSON comes as its type and its data, a preview as ("preview", PIL image).
    """

    def __init__(self, port: int, client: str, timeout_seconds: float) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout_seconds)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /ws?clientId={client} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        self.stream = self.socket.makefile("rb")
        if b" 101 " not in self.stream.readline():
            raise ConnectionError("the server did not open a websocket")
        while self.stream.readline().strip():
            pass  # the rest of the headers

    def close(self) -> None:
        self.stream.close()
        self.socket.close()

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        while True:
            kind, data = self._frame()
            if kind == CLOSE:
                return
            if kind == TEXT:
                message = json.loads(data)
                yield message["type"], message["data"]
            elif kind == BINARY and struct.unpack(">I", data[:4])[0] == PREVIEW:
                yield "preview", Image.open(io.BytesIO(data[8:]))

    def _frame(self) -> tuple[int, bytes]:
        """The next frame: its kind and what it holds. A server's frames are whole and have no mask."""
        first, length = self._read(2)
        if length == 126:
            (length,) = struct.unpack(">H", self._read(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._read(8))
        return first & 0x0F, self._read(length)

    def _read(self, count: int) -> bytes:
        data = self.stream.read(count)
        if len(data) < count:
            raise ConnectionError("the server closed the websocket")
        return data
