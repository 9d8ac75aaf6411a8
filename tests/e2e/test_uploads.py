# SPDX-License-Identifier: Apache-2.0
"""Files that clients upload: taken, named, judged by their colour, shown, given back."""
import os
import struct
import threading
import unittest
import zlib
from pathlib import Path

from harness import (DAEMON, OWN_ACTIONS, ServerTest, connection, junit_outcome, later,
                     raw_socket, read_all, request, solo, together, wait_until)

BOUNDARY = "--------------------------850237410836164930284756"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
RED, GREEN, GREY = (255, 0, 0, 255), (0, 255, 0, 255), (12, 34, 56, 255)
MIB = 1 << 20


def png(colour, width=8, height=6, edge=(1, 2, 3, 255)):
    """An RGBA picture, of that colour in the middle and another at its edges."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    rows = b""
    for y in range(height):
        rows += b"\0"
        for x in range(width):
            inside = 0 < y < height - 1 and 0 < x < width - 1
            rows += bytes(colour if inside else edge)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8,
                                                             6, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def part(content, filename, name="file", headers=""):
    if isinstance(filename, str):
        filename = filename.encode()
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
    head += b'; filename="' + filename + b'"' if filename is not None else b""
    return (head + b"\r\nContent-Type: application/octet-stream\r\n" + headers.encode()
            + b"\r\n" + content + b"\r\n")


def form(*parts):
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def pieces(body, size=3000):
    """As adapters stream it, in chunks."""
    return (body[at:at + size] for at in range(0, len(body), size))


def upload(client, content, filename):
    """Upload one file as the adapters do."""
    return client.call("POST", "upload", pieces(form(part(content, filename))), FORM)


class UploadTest(ServerTest):
    def begin(self, *definitions, config=None, **more):
        settings = {"server": {"listen": "127.0.0.1:0", "state-dir": self.folder / "state"}}
        for section, keys in (config or {}).items():
            settings.setdefault(section, {}).update(keys)
        return self.start(*(definitions or [solo()]), config=settings, **more)

    @property
    def files(self):
        """Below which the daemon keeps what was uploaded."""
        return self.folder / "state" / "files"

    def dancer(self, **more):
        self.begin(**more)
        client = self.client()
        client.expect("dance")
        return client

    def get_file(self, name, **more):
        return self.daemon.get(f"/status/{self.daemon.case()['id']}/files/{name}", **more)

    def stored(self):
        """All files that there are on the disk, temporary ones too."""
        return sorted(path.name for path in self.files.rglob("*")
                      if path.is_file())

    def assertNothingKept(self):
        self.assertEqual(self.daemon.case()["files"], [])
        self.assertEqual(self.stored(), [])


class TakingTest(UploadTest):
    def test_before_a_role(self):
        self.begin(solo(type="element-android"))
        client = self.client("element-web")
        self.assertProblem(upload(client, b"x", "a.txt"), 409)
        nobody = self.client(register=False)
        self.assertProblem(upload(nobody, b"x", "a.txt"), 404)
        self.assertNothingKept()

    def test_as_adapters_do(self):
        client = self.dancer()
        content = bytes(range(256)) * 100 + f"--{BOUNDARY[:-1]}\r\n--\r\n".encode()
        self.assertTaken(upload(client, content, "out.txt"))
        self.assertEqual(self.daemon.case()["files"], ["red_out.txt"])
        answer = self.get_file("red_out.txt")
        self.assertEqual((answer.status, answer.body), (200, content))
        self.assertEqual(answer.headers["Content-Disposition"],
                         'attachment; filename="red_out.txt"')
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        self.assertRegex(answer.headers["Content-Type"], "^text/plain")
        head = request(self.daemon.url, "HEAD",
                       f"/status/{self.daemon.case()['id']}/files/red_out.txt")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(head.headers["Content-Length"], str(len(content)))
        mode = next((self.folder / "state").rglob("red_out.txt")).parent.stat().st_mode
        self.assertEqual(mode & 0o777, 0o750)

    def test_it_is_shown(self):
        client = self.dancer()
        self.assertTaken(upload(client, png(RED), "a b.png"))
        case = self.daemon.case()
        page = self.daemon.get(f"/status/{case['id']}/status").body.decode()
        self.assertIn("files/red_a_b.png", page)
        self.assertIn("upload", page)
        outcome = junit_outcome(self.daemon.junit())
        self.assertIn(f"/status/{case['id']}/files/red_a_b.png", outcome.transcript)
        lines = self.daemon.get(f"/status/{case['id']}/status.json").json["transcript"]
        line = next(line for line in lines if line["kind"] == "upload")
        self.assertEqual(line["role"], "red")
        self.assertIn("red_a_b.png", line["text"])

    def test_types(self):
        client = self.dancer()
        for name, wanted in (("a.png", "image/png"), ("a.webm", "video/webm"),
                             ("a.MP4", "video/mp4"), ("a.log", "text/plain; charset=utf-8"),
                             ("a.html", "application/octet-stream"),
                             ("a.svg", "application/octet-stream"),
                             ("png", "application/octet-stream")):
            self.assertTaken(upload(client, b"<script>", name))
            answer = self.get_file("red_" + name)
            self.assertEqual(answer.headers["Content-Type"], wanted, name)
            self.assertEqual(answer.body, b"<script>")

    def test_the_same_name_replaces(self):
        client = self.dancer()
        for content in (b"first" * 100000, b"second", b""):
            self.assertTaken(upload(client, content, "a.txt"))
            self.assertEqual(self.get_file("red_a.txt").body, content)
        self.assertEqual(self.daemon.case()["files"], ["red_a.txt"])
        self.assertEqual(self.stored(), ["red_a.txt"])

    def test_one_that_is_being_read_while_it_is_replaced(self):
        client = self.dancer()
        first = os.urandom(8 * MIB)
        self.assertTaken(upload(client, first, "a.mp4"))
        link = connection(self.daemon.url)
        self.addCleanup(link.close)
        link.request("GET", f"/status/{self.daemon.case()['id']}/files/red_a.mp4")
        reply = link.getresponse()
        begun = reply.read(1000)
        self.assertTaken(upload(client, b"second", "a.mp4"))
        self.assertEqual(begun + reply.read(), first)
        self.assertEqual(self.get_file("red_a.mp4").body, b"second")

    def test_after_the_end(self):
        client = self.dancer()
        client.report("danced")
        client.expect_exit()
        self.assertTaken(upload(client, b"video", "recording.mp4"))
        case = self.assertOutcome("success")
        self.assertEqual(case["files"], ["red_recording.mp4"])
        self.assertEqual(self.get_file("red_recording.mp4").body, b"video")

    def test_several_at_once(self):
        client = self.dancer()
        body = form(part(b"field", None, name="note"), part(b"one", "1.txt"),
                    part(b"two", "2.txt"), part(b"three", "1.txt"))
        self.assertTaken(client.call("POST", "upload", body, FORM))
        self.assertEqual(self.daemon.case()["files"], ["red_1.txt", "red_2.txt"])
        self.assertEqual(self.get_file("red_1.txt").body, b"three")

    def test_hostile_names(self):
        client = self.dancer()
        for given, name in (("../../../etc/passwd", "red_passwd"),
                            ("C:\\Users\\me\\shot.png", "red_shot.png"),
                            ("..\\..", "red_file"), (".htaccess", "red_htaccess"),
                            ("a\tb;c*|.txt", "red_a_b_c__.txt"), ("/", "red_file"),
                            ('q\\"uote.txt', "red_q_uote.txt"), ("%2e%2e%2fx", "red__2e_2e_2fx"),
                            ("x" * 300 + ".png", "red_" + "x" * 192 + ".png"),
                            (b"\xff\xfe.txt", "red___.txt")):
            self.assertTaken(upload(client, b"content", given))
            self.assertIn(name, self.daemon.case()["files"])
            self.assertEqual(self.get_file(name).body, b"content", name)
        for path in self.files.rglob("*"):
            self.assertRegex(path.name, r"^[A-Za-z0-9._-]+$")

    def test_names_that_are_not_there(self):
        client = self.dancer()
        self.assertTaken(upload(client, b"x", "a.txt"))
        (self.folder / "state" / "secret").write_text("secret")
        for name in ("a.txt", "red_b.txt", "..%2f..%2fsecret", "%2e%2e", ".", "..",
                     "red_a.txt%00", "..%2F" + self.daemon.case()["id"] + "%2Fred_a.txt"):
            self.assertProblem(self.get_file(name), 404)
        self.assertProblem(self.daemon.get("/status/nobody/files/red_a.txt"), 404)

    def test_a_thousand_files_are_enough(self):
        client = self.dancer()
        for batch in range(10):
            body = form(*(part(b"", f"{batch}-{i}.txt") for i in range(100)))
            self.assertTaken(client.call("POST", "upload", body, FORM))
        self.assertProblem(upload(client, b"x", "more.txt"), 409)
        self.assertTaken(upload(client, b"x", "0-0.txt"))
        self.assertEqual(len(self.daemon.case()["files"]), 1000)
        self.assertEqual(len(self.stored()), 1000)

    def test_the_folder_that_systemd_names(self):
        state = self.folder / "state"
        os.environ["STATE_DIRECTORY"] = f"{state}:/nonexistent"
        self.addCleanup(os.environ.pop, "STATE_DIRECTORY")
        self.start(solo())
        client = self.client()
        client.expect("dance")
        self.assertTaken(upload(client, b"x", "a.txt"))
        self.assertEqual(self.stored(), ["red_a.txt"])


def painting(condition, then="assert"):
    return {"name": "Painting", "clients": {"red": ["element-web"]}, "actions": OWN_ACTIONS,
            "steps": [{"red": "dance"}, {then: {"colour": condition}}, {"red": "sing"}]}


class ColourTest(UploadTest):
    def see(self, content, wanted, filename="snap.png"):
        self.begin(painting([f"red_{filename}", wanted]))
        client = self.client()
        client.expect("dance")
        self.assertTaken(upload(client, content, filename))
        client.act("dance", "danced")
        return client

    def test_upload_before_the_report(self):
        client = self.see(png(RED), "red")
        client.act("sing", "sung")
        self.assertOutcome("success")

    def test_another_colour(self):
        self.see(png(GREY), "red")
        case = self.assertOutcome("failure", "red_snap.png", "red")
        self.assertIn("(12,34,56,255)", case["message"])

    def test_no_picture(self):
        self.see(b"\x89PNG\r\n\x1a\n and so on", "red")
        self.assertOutcome("failure", "red_snap.png")

    def test_the_latest_counts(self):
        self.begin(painting(["red_snap.png", "green"]))
        client = self.client()
        client.expect("dance")
        self.assertTaken(upload(client, png(RED), "snap.png"))
        self.assertTaken(upload(client, png(GREEN), "snap.png"))
        client.act("dance", "danced")
        client.act("sing", "sung")
        self.assertOutcome("success")


class RefusingTest(UploadTest):
    def refuse(self, body, status, *words, headers=None):
        client = self.dancer()
        self.assertProblem(client.call("POST", "upload", body, headers or FORM), status,
                           *words)
        self.assertNothingKept()
        self.assertTaken(upload(client, b"x", "a.txt"))

    def test_without_boundary(self):
        self.refuse(form(part(b"x", "a.txt")), 400, "boundary",
                    headers={"Content-Type": "multipart/form-data"})

    def test_another_boundary(self):
        self.refuse(form(part(b"x", "a.txt")), 400, "boundary",
                    headers={"Content-Type": "multipart/form-data; boundary=other"})

    def test_other_types(self):
        client = self.dancer()
        for kind in ("application/json", "multipart/mixed; boundary=x", "text/plain",
                     "multipart/form-dataX; boundary=x", ""):
            answer = client.call("POST", "upload", "{}", {"Content-Type": kind})
            self.assertProblem(answer, 415, "multipart/form-data")
        self.assertNothingKept()

    def test_no_file(self):
        self.refuse(form(part(b"x", None)), 422, "filename")

    def test_an_empty_body(self):
        self.refuse(b"", 400)

    def test_the_boundary_in_the_content(self):
        inside = f"text\r\n--{BOUNDARY}\r\nmore".encode()
        self.refuse(form(part(inside, "a.txt")), 400, "part 2")

    def test_line_feeds_only(self):
        self.refuse(form(part(b"x", "a.txt")).replace(b"\r\n", b"\n"), 400)

    def test_ten_thousand_parts(self):
        self.refuse(form(*(part(b"x", f"{i}.txt") for i in range(10000))), 400, "100 parts")

    def test_a_form_that_is_cut(self):
        whole = form(part(b"x" * 50, "a.txt"), part(b"y", "b.txt"))
        client = self.dancer()
        for size in range(0, len(whole) - 4, 7):
            self.assertProblem(client.call("POST", "upload", whole[:size], FORM), 400)
        self.assertNothingKept()

    def test_a_client_that_leaves_in_the_middle(self):
        client = self.dancer()
        head = (f"POST /client/{client.id}/upload HTTP/1.1\r\nHost: a\r\nContent-Type: "
                f"{FORM['Content-Type']}\r\n")
        whole = form(part(b"x" * 100000, "a.txt"))
        for text in (head + f"Content-Length: {len(whole)}\r\n\r\n",
                     head + "Transfer-Encoding: chunked\r\n\r\nfffff\r\n"):
            with raw_socket(self.daemon.url) as link:
                link.sendall(text.encode() + whole[:50000])
        self.assertTaken(upload(client, b"x", "b.txt"))
        self.assertEqual(self.daemon.case()["files"], ["red_b.txt"])

    def test_a_client_that_leaves_before_the_answer(self):
        client = self.dancer()
        whole = form(part(b"x" * 3 * MIB, "a.txt"))
        for _ in range(10):
            link = raw_socket(self.daemon.url)
            link.sendall(f"POST /client/{client.id}/upload HTTP/1.1\r\nHost: a\r\n"
                         f"Content-Type: {FORM['Content-Type']}\r\n"
                         f"Content-Length: {len(whole)}\r\n\r\n".encode() + whole)
            link.close()
        wait_until(lambda: self.daemon.case()["files"] == ["red_a.txt"])

    def test_too_large(self):
        client = self.dancer(config={"limits": {"upload": "1M", "body": "64K"}})
        self.assertTaken(upload(client, b"x" * (MIB - 1000), "fits.txt"))
        big = form(part(b"x" * MIB, "big.txt"))
        self.assertProblem(client.call("POST", "upload", big, FORM), 413, str(MIB))
        client.link.close()
        self.assertProblem(client.call("POST", "upload", pieces(big), FORM), 413, str(MIB))
        client.link.close()
        self.assertEqual(self.daemon.case()["files"], ["red_fits.txt"])
        self.assertEqual(self.stored(), ["red_fits.txt"])
        long = client.call("POST", "report", '{"a": "' + "x" * 66000 + '"}')
        self.assertProblem(long, 413, "65536")
        client.link.close()

    def test_a_disk_that_refuses(self):
        client = self.dancer()
        self.files.write_text("no folder")
        for _ in range(3):
            self.assertProblem(upload(client, b"x", "a.txt"), 500, "Not a directory")
        self.assertEqual(self.daemon.case()["files"], [])
        self.files.unlink()
        self.assertTaken(upload(client, b"x", "a.txt"))
        wait_until(self.lost)
        self.assertEqual(len(self.lost()), 1, self.lost())

    def lost(self):
        return [line for line in self.daemon.log if "an upload is lost" in line]

    def test_a_file_that_is_lost(self):
        client = self.dancer()
        self.assertTaken(upload(client, b"x", "a.txt"))
        next((self.folder / "state").rglob("red_a.txt")).unlink()
        self.assertProblem(self.get_file("red_a.txt"), 404)


class ManyTest(UploadTest):
    """More bytes at once than may be in memory: everybody waits a moment, nobody is refused."""

    def memory(self):
        text = Path(f"/proc/{self.daemon.pid}/status").read_text()
        return int(text.split("VmHWM:")[1].split()[0]) * 1024

    def test_uploads_from_everywhere(self):
        client = self.dancer(config={"limits": {"upload": "4M"}})
        content = os.urandom(3 * MIB)
        before = self.memory()

        def send(number):
            one = self.again(client)
            return upload(one, content, f"{number}.mp4")

        answers = together(*(lambda n=n: send(n) for n in range(24)))
        self.assertEqual([a.status for a in answers], [200] * 24, answers[0].body)
        for number in range(24):
            self.assertEqual(self.get_file(f"red_{number}.mp4").body, content)
        if not any(word in DAEMON.read_bytes() for word in (b"__asan_init", b"__tsan_init")):
            self.assertLess(self.memory() - before, 40 * MIB)

    def test_slow_ones_do_not_stop_the_others(self):
        client = self.dancer(config={"limits": {"upload": "1M"}})
        slow, go_on = [], threading.Event()
        whole = form(part(b"x" * (900 << 10), "slow.txt"))

        def send(link):
            link.sendall(whole[:600 << 10])
            go_on.wait(30)
            link.sendall(whole[600 << 10:])

        for _ in range(6):  # 3.6 MiB, and 2 may be there
            link = raw_socket(self.daemon.url, 30)
            self.addCleanup(link.close)
            link.sendall(f"POST /client/{client.id}/upload HTTP/1.1\r\nHost: a\r\n"
                         f"Content-Type: {FORM['Content-Type']}\r\nConnection: close\r\n"
                         f"Content-Length: {len(whole)}\r\n\r\n".encode())
            slow.append((link, later(send, link)))
        quick = later(upload, self.again(client), b"x", "quick.txt")
        self.assertEqual(self.daemon.get("/healthz").status, 200)
        go_on.set()
        for link, sent in slow:
            sent.result(30)
            self.assertTrue(read_all(link).startswith(b"HTTP/1.1 200"))
        self.assertTaken(quick.result(10))
        self.assertEqual(sorted(self.daemon.case()["files"]),
                         ["red_quick.txt", "red_slow.txt"])


if __name__ == "__main__":
    unittest.main()
