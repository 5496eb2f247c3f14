# SPDX-License-Identifier: ISC
"""A driverless printer that takes its time: it speaks IPP (RFC 8010, 8011) as far as
CUPS asks, tells what it can do after so many seconds, and keeps what it is sent."""
import http.server
import struct
import threading
import time

OPERATION, JOB, PRINTER, END = 1, 2, 4, 3
INTEGER, BOOLEAN, ENUM, RESOLUTION, RANGE = 0x21, 0x22, 0x23, 0x32, 0x33
TEXT, NAME, KEYWORD, URI, CHARSET, LANGUAGE, MIME = 0x41, 0x42, 0x44, 0x45, 0x47, 0x48, 0x49
COLLECTION, COLLECTION_END, MEMBER = 0x34, 0x37, 0x4a
PRINT_JOB, VALIDATE_JOB, CREATE_JOB, SEND_DOCUMENT = 2, 4, 5, 6
GET_JOB_ATTRIBUTES, GET_PRINTER_ATTRIBUTES = 9, 0x0b


def value(kind, content):
    if isinstance(content, bool):
        return bytes([content])
    if isinstance(content, int):
        return struct.pack(">i", content)
    if kind == RESOLUTION:
        return struct.pack(">iib", *content, 3)
    if kind == RANGE:
        return struct.pack(">ii", *content)
    return content.encode()


def field(kind, name, content):
    return bytes([kind]) + struct.pack(">H", len(name)) + name.encode() + \
        struct.pack(">H", len(content)) + content


def attribute(kind, name, *contents):
    return b"".join(field(kind, "" if at else name, value(kind, content))
                    for at, content in enumerate(contents))


def size(name, width, height):
    """A collection in a collection: media-size."""
    return field(COLLECTION, name, b"") + \
        b"".join(field(MEMBER, "", member.encode()) + field(INTEGER, "", value(INTEGER, length))
                 for member, length in (("x-dimension", width), ("y-dimension", height))) + \
        field(COLLECTION_END, "", b"")


def abilities(uri, formats):
    return b"".join((
        attribute(URI, "printer-uri-supported", uri),
        attribute(KEYWORD, "uri-authentication-supported", "none"),
        attribute(KEYWORD, "uri-security-supported", "none"),
        attribute(NAME, "printer-name", "slow"),
        attribute(TEXT, "printer-info", "Slow Laser"),
        attribute(TEXT, "printer-make-and-model", "Keyroom Slow Laser"),
        attribute(ENUM, "printer-state", 3),
        attribute(KEYWORD, "printer-state-reasons", "none"),
        attribute(BOOLEAN, "printer-is-accepting-jobs", True),
        attribute(INTEGER, "queued-job-count", 0),
        attribute(KEYWORD, "ipp-versions-supported", "1.1", "2.0"),
        attribute(ENUM, "operations-supported", PRINT_JOB, VALIDATE_JOB, CREATE_JOB, SEND_DOCUMENT,
                  8, GET_JOB_ATTRIBUTES, 0x0a, GET_PRINTER_ATTRIBUTES),
        attribute(CHARSET, "charset-configured", "utf-8"),
        attribute(CHARSET, "charset-supported", "utf-8"),
        attribute(LANGUAGE, "natural-language-configured", "en"),
        attribute(LANGUAGE, "generated-natural-language-supported", "en"),
        attribute(MIME, "document-format-default", formats[0]),
        attribute(MIME, "document-format-supported", *formats),
        attribute(KEYWORD, "compression-supported", "none"),
        attribute(BOOLEAN, "color-supported", False),
        attribute(KEYWORD, "print-color-mode-supported", "monochrome"),
        attribute(KEYWORD, "print-color-mode-default", "monochrome"),
        attribute(KEYWORD, "sides-supported", "one-sided"),
        attribute(KEYWORD, "sides-default", "one-sided"),
        attribute(RANGE, "copies-supported", (1, 99)),
        attribute(INTEGER, "copies-default", 1),
        attribute(RESOLUTION, "printer-resolution-supported", (300, 300)),
        attribute(RESOLUTION, "printer-resolution-default", (300, 300)),
        attribute(RESOLUTION, "pwg-raster-document-resolution-supported", (300, 300)),
        attribute(KEYWORD, "pwg-raster-document-type-supported", "sgray_8"),
        attribute(KEYWORD, "pwg-raster-document-sheet-back", "normal"),
        attribute(KEYWORD, "urf-supported", "V1.4", "W8", "RS300", "CP99"),
        attribute(KEYWORD, "media-supported", "na_letter_8.5x11in", "iso_a4_210x297mm"),
        attribute(KEYWORD, "media-default", "na_letter_8.5x11in"),
        attribute(KEYWORD, "media-ready", "na_letter_8.5x11in"),
        size("media-size-supported", 21590, 27940),
        size("", 21000, 29700),
    ))


class SlowPrinter:
    """jobs: what it was sent, each as its first bytes; asked: how often for what it can."""

    def __init__(self, seconds, formats=("image/pwg-raster", "image/urf")):
        self.seconds, self.jobs, self.asked = seconds, [], 0
        printer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def body(self):
                if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                pieces = []
                while length := int(self.rfile.readline().strip(), 16):
                    pieces.append(self.rfile.read(length))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(pieces)

            def do_POST(self):
                if self.headers.get("Expect"):
                    self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                answer = printer.answer(self.body())
                self.send_response(200)
                self.send_header("Content-Type", "application/ipp")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass                    # who asked has gone in the meantime

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.uri = f"ipp://localhost:{self.port}/ipp/print"
        self.abilities = abilities(self.uri, formats)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        operation, number = struct.unpack(">HI", request[2:8])
        said = b""
        if operation == GET_PRINTER_ATTRIBUTES:
            self.asked += 1
            time.sleep(self.seconds)
            said = bytes([PRINTER]) + self.abilities
        elif operation in (PRINT_JOB, CREATE_JOB, SEND_DOCUMENT, GET_JOB_ATTRIBUTES):
            said = bytes([JOB]) + attribute(INTEGER, "job-id", 1) + \
                attribute(URI, "job-uri", self.uri + "/1") + attribute(ENUM, "job-state", 9) + \
                attribute(KEYWORD, "job-state-reasons", "job-completed-successfully")
            if operation in (PRINT_JOB, SEND_DOCUMENT):
                self.jobs.append(document(request))
        return bytes([2, 0, 0, 0]) + struct.pack(">I", number) + bytes([OPERATION]) + \
            attribute(CHARSET, "attributes-charset", "utf-8") + \
            attribute(LANGUAGE, "attributes-natural-language", "en") + said + bytes([END])


def document(request):
    """What follows the attributes of a request."""
    at = 8
    while request[at] != END:
        if request[at] < 0x10:
            at += 1
            continue
        for _ in ("name", "value"):
            at += 1 if _ == "name" else 0
            at += 2 + struct.unpack(">H", request[at:at + 2])[0]
    return request[at + 1:]
