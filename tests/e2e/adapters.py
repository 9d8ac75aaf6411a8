# SPDX-License-Identifier: Apache-2.0
"""What adapters of clients send besides plain JSON: pictures and uploads."""
import re
import struct
import uuid
import zlib

# RGBA of a snapshot's centre.
COLOURS = {"red": (254, 0, 0, 255), "green": (0, 255, 1, 255), "blue": (0, 0, 254, 255),
           "initial": (128, 128, 128, 255), "connecting": (68, 68, 68, 255)}
COMMENTS = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


def png(colour, width=7, height=5):
    """A PNG (8 bits, RGBA) whose centre has this colour and whose edges are white."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    rows = b""
    for y in range(height):
        rows += b"\0"  # no filter
        for x in range(width):
            edge = x in (0, width - 1) or y in (0, height - 1)
            rows += bytes((255, 255, 255, 255) if edge else COLOURS[colour])
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def multipart(files):
    """The content type, and the body in pieces, of {filename: bytes} as adapters send it:
    each part named "file", an octet stream."""
    boundary = f"--------------------------{uuid.uuid4().hex[:24]}"

    def pieces():
        for filename, content in files.items():
            yield (f"--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; "
                   f"filename=\"{filename}\"\r\n"
                   "Content-Type: application/octet-stream\r\n\r\n").encode()
            for start in range(0, len(content), 1000):
                yield content[start:start + 1000]
            yield b"\r\n"
        yield f"--{boundary}--\r\n".encode()

    return f"multipart/form-data; boundary={boundary}", pieces()


def without_comments(text):
    """The JSON of a definition file."""
    return COMMENTS.sub(lambda found: found[1] or "", text)
