#!/usr/bin/env python3
"""Stands in for github.com's release downloads of k3s: site.py ADDRESS CERTIFICATE KEY

GET /k3s-io/k3s/releases/download/VERSION/k3s and .../sha256sum-amd64.txt, which redirect to another
host name as GitHub does. The program is k3s.py with the version in its first lines. One line of log
per request, on standard error.
"""

import hashlib
import http.server
import pathlib
import ssl
import sys
import urllib.parse

VERSIONS = ["v1.34.5+k3s1", "v1.35.8+k3s1", "v1.35.9+k3s1"]
BASE = "/k3s-io/k3s/releases/download/"
STORE = "/release-assets"
PROGRAM = (pathlib.Path(__file__).resolve().parent / "k3s.py").read_bytes()


def program(version):
    return PROGRAM.replace(b'VERSION = "v0.0.0+k3s0"', f'VERSION = "{version}"'.encode(), 1)


def asset(path):
    """What a release holds under that path, or None."""
    version, _, name = path.rpartition("/")
    if version not in VERSIONS:
        return None
    if name == "k3s":
        return program(version)
    if name == "sha256sum-amd64.txt":
        images = hashlib.sha256(version.encode()).hexdigest()
        lines = [f"{images}  k3s-airgap-images-amd64.tar.zst"]
        lines.append(f"{hashlib.sha256(program(version)).hexdigest()}  k3s")
        return ("\n".join(lines) + "\n").encode()
    return None


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        host = self.headers.get("Host", "")
        path = urllib.parse.unquote(self.path)
        if host == "github.com" and path.startswith(BASE) and asset(path[len(BASE):]):
            where = f"https://objects.githubusercontent.com{STORE}{self.path}"
            return self.reply(302, b"", {"Location": where})
        if host == "objects.githubusercontent.com" and path.startswith(STORE + BASE):
            content = asset(path[len(STORE + BASE):])
            if content:
                return self.reply(200, content, {"Content-Type": "application/octet-stream"})
        return self.reply(404, b"Not Found")

    def reply(self, status, content, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main():
    address, certificate, key = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        # The handshake belongs to the connection's own thread: a client that hangs holds up no other.
        def finish_request(self, request, client):
            with context.wrap_socket(request, server_side=True) as encrypted:
                super().finish_request(encrypted, client)

    Server((address, 443), Site).serve_forever()


main()
