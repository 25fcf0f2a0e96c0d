#!/usr/bin/python3
"""Stands in for k3s on the test hosts: what an installer sees of it, and no Kubernetes.

It has the command lines, files, ports and refusals of k3s as far as they meet an installer: config.yaml
and its drop-ins, tokens in both forms, the CA's hash, joining, one etcd learner at a time, quorum, node
passwords, members that were removed, critical values that differ, sd_notify. There are no containers. It
proves what is done to a host, not what k3s does.

Every server holds the whole store and copies each write to the others; the first voter that answers
takes the writes. Starts, readiness and ends are lines of JSON in /var/log/k3s-stand-in.jsonl, outside
the data, as an uninstall takes those away. A process that is killed leaves no line for its end.
"""

import base64
import copy
import datetime
import hashlib
import http.client
import http.server
import json
import os
import pathlib
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

VERSION = "v0.0.0+k3s0"
ETC = pathlib.Path("/etc/rancher")
DATA = pathlib.Path("/var/lib/rancher/k3s")
TLS = DATA / "server/tls"
STORE = DATA / "server/db/store.json"
LOG = pathlib.Path("/var/log/k3s-stand-in.jsonl")
READY_S = 10
CRITICAL = ["cluster-cidr", "service-cidr", "cluster-dns", "cluster-domain", "flannel-backend",
            "disable-cloud-controller", "disable-network-policy", "egress-selector-mode",
            "secrets-encryption"]
SECRET = ["token", "agent-token", "datastore-endpoint"]


class Refused(Exception):
    """A reply other than 200."""

    def __init__(self, status, text):
        super().__init__(f"{status} {http.client.responses.get(status, '')}: {text.strip()}")
        self.status = status


def say(level, text):
    stamp = datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")
    print(f'time="{stamp}" level={level} msg={json.dumps(text)}', file=sys.stderr, flush=True)


def fatal(text):
    say("fatal", text)
    os._exit(1)


def record(event, **more):
    line = {"at": time.time(), "event": event, "version": VERSION, "pid": os.getpid(), **more}
    with open(LOG, "a") as log:
        log.write(json.dumps(line) + "\n")


def save(path, text, mode=0o600):
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.chmod(mode)
    new.rename(path)


# Configuration


def scalar(text):
    try:
        return json.loads(text)
    except ValueError:
        return text.strip("'")


def parse(path):
    """Keys with scalars, and lists of scalars, each on a line of its own."""
    found, key = {}, None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#") or bare == "---":
            continue
        if bare.startswith("- ") and isinstance(found.get(key), list):
            found[key].append(scalar(bare[2:].strip()))
            continue
        key, colon, rest = bare.partition(":")
        if not colon or line[0].isspace() or (rest and not rest.startswith(" ")):
            fatal(f"yaml: line {number} of {path}: could not find expected ':'")
        key = key.strip("\"'")
        found[key] = scalar(rest.strip()) if rest.strip() else []
    return found


def configured(arguments):
    """Keys to values: the file, its drop-ins by name, then the command line, the last one winning."""
    values = {}
    main = ETC / "k3s/config.yaml"
    for path in [main, *sorted((ETC / "k3s/config.yaml.d").glob("*.yaml"))]:
        if not path.exists():
            continue
        for key, value in parse(path).items():
            if key.endswith("+"):
                values.setdefault(key[:-1], []).extend(listed(value))
            else:
                values[key] = value
    given, rest = {}, list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            fatal(f"unknown argument {word!r}")
        key, equals, value = word[2:].partition("=")
        if not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else "true"
        given.setdefault(key, []).append(value)
    for key, many in given.items():
        values[key] = many if len(many) > 1 or key.endswith("-arg") else many[0]
    for key, name in [("token", "K3S_TOKEN"), ("server", "K3S_URL"), ("agent-token", "K3S_AGENT_TOKEN")]:
        if name in os.environ and key not in values:
            values[key] = os.environ[name]
    return values


def listed(value):
    return value if isinstance(value, list) else [value]


def written(value):
    return json.dumps(value) if isinstance(value, (bool, int, float)) else str(value)


def node_args(role, values):
    """The annotation k3s.io/node-args."""
    words = [role]
    for key, value in values.items():
        for each in listed(value):
            words += [f"--{key}", "********" if key in SECRET else written(each)]
    return words


def on(values, key):
    return written(values.get(key, False)) == "true"


def secret(values, key):
    """A token from its key or its file, or None."""
    if f"{key}-file" in values:
        path = pathlib.Path(values[f"{key}-file"])
        if not path.exists():
            fatal(f"open {path}: no such file or directory")
        return path.read_text().strip()
    return values.get(key)


def split(token):
    """CA hash or None, user name or None, password."""
    if not token.startswith("K10"):
        return None, None, token
    hashed, colons, credentials = token[3:].partition("::")
    if not colons or len(hashed) != 64:
        fatal("invalid token CA hash length" if colons else "invalid token format")
    user, colon, password = credentials.partition(":")
    return hashed, (user if colon else None), (password if colon else credentials)


# Certificates and calls


def openssl(*words, text=None):
    done = subprocess.run(["openssl", *map(str, words)], input=text, capture_output=True, text=True)
    if done.returncode != 0:
        fatal(f"openssl {words[0]}: {done.stderr}")
    return done.stdout


def new_authority():
    for name in ["server-ca", "client-ca"]:
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 3650,
                "-subj", f"/CN=k3s-{name}@{int(time.time())}", "-keyout", TLS / f"{name}.key", "-out", TLS / f"{name}.crt")


def leaf(folder, name, authority, subject, names=None):
    """A certificate for a year, and its key, where none of that name stands."""
    key, out = folder / f"{name}.key", folder / f"{name}.crt"
    folder.mkdir(parents=True, exist_ok=True)
    request = openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-subj", subject, "-keyout", key)
    extensions = []
    if names:
        save(folder / f"{name}.ext", "subjectAltName=" + ",".join(names))
        extensions = ["-extfile", folder / f"{name}.ext"]
    openssl("x509", "-req", "-CA", TLS / f"{authority}.crt", "-CAkey", TLS / f"{authority}.key",
            "-set_serial", secrets.randbits(60), "-days", 365, *extensions, "-out", out, text=request)
    return out.read_text(), key.read_text()


def call(address, method, path, auth=None, body=None, ca=None, cert=None, timeout=5):
    """One request to a server's port 6443. Text of a 200, Refused for other replies, OSError without one."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(str(ca))
    if cert:
        context.load_cert_chain(f"{cert}.crt", f"{cert}.key")
    headers = {}
    if auth:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
    host, _, port = address.partition(":")
    connection = http.client.HTTPSConnection(host, int(port or 6443), timeout=timeout, context=context)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        reply = connection.getresponse()
        text = reply.read().decode()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
    if reply.status != 200:
        raise Refused(reply.status, text)
    return text


def authority_of(address, token, path):
    """Fetches the CA that the server shows, and holds it against the token's hash."""
    pem = call(address, "GET", "/cacerts")
    hashed = split(token)[0]
    found = hashlib.sha256(pem.encode()).hexdigest()
    if hashed and hashed != found:
        fatal(f"token CA hash does not match the Cluster CA certificate hash: {hashed} != {found}")
    save(path, pem, 0o644)


def address_in(url):
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        fatal("Initial server URL host is not defined")
    return f"{parts.hostname}:{parts.port or 6443}"


def own_address(values):
    if "node-ip" in values:
        return listed(values["node-ip"])[0]
    route = subprocess.run(["ip", "-o", "route", "get", "192.0.2.1"], capture_output=True, text=True).stdout.split()
    if "src" not in route:
        fatal("no default routes found in \"/proc/net/route\" or \"/proc/net/ipv6_route\"")
    return route[route.index("src") + 1]


def node_password():
    path = ETC / "node/password"
    if not path.exists():
        save(path, secrets.token_hex(16) + "\n")
    return path.read_text().strip()


def read(path):
    return pathlib.Path(path).read_text().strip()


def system_uuid():
    return read("/sys/class/dmi/id/product_uuid")


def node_object(role, values, name, address, etcd):
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
              "beta.kubernetes.io/instance-type": "k3s"}
    annotations = {"k3s.io/hostname": name, "k3s.io/internal-ip": address, "k3s.io/node-env": "{}",
                   "k3s.io/node-args": json.dumps(node_args(role, values), separators=(",", ":"))}
    annotations["k3s.io/node-config-hash"] = hashlib.sha256(annotations["k3s.io/node-args"].encode()).hexdigest()
    kubelet = dict(each.partition("=")[::2] for each in listed(values.get("kubelet-arg", [])))
    if role == "server":
        labels |= {"node-role.kubernetes.io/control-plane": "true"}
    if etcd:
        labels["node-role.kubernetes.io/etcd"] = "true"
        annotations |= {"etcd.k3s.cattle.io/node-address": address, "etcd.k3s.cattle.io/node-name": f"{name}-{read('/etc/machine-id')[:8]}"}
    for label in listed(values.get("node-label", [])):
        key, _, value = label.partition("=")
        labels[key] = value
    spec = {"podCIDR": "10.42.0.0/24"}
    if "provider-id" in kubelet:
        spec["providerID"] = kubelet["provider-id"]
    elif not (kubelet.get("cloud-provider") == "external" or on(values, "disable-cloud-controller")):
        spec["providerID"] = f"k3s://{name}"
    if kubelet.get("cloud-provider") == "external":
        spec["taints"] = [{"key": "node.cloudprovider.kubernetes.io/uninitialized", "value": "true", "effect": "NoSchedule"}]
    info = {"kubeletVersion": VERSION, "kubeProxyVersion": VERSION, "machineID": read("/etc/machine-id"),
            "systemUUID": system_uuid(), "architecture": "amd64", "operatingSystem": "linux",
            "osImage": "Debian GNU/Linux 12 (bookworm)", "kernelVersion": os.uname().release,
            "containerRuntimeVersion": "docker://24.0.9" if on(values, "docker") else "containerd://2.0.5-k3s1"}
    return {"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": labels, "annotations": annotations},
            "spec": spec,
            "status": {"addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
                       "nodeInfo": info}}


def lease(name, renewed):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(renewed)) + f".{int(renewed % 1 * 1e6):06}Z"
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": name, "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": stamp}}


def notify(text):
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(text.encode(), "\0" + path[1:] if path[0] == "@" else path)


# The server


class Cluster:
    """A server's copy of the cluster's data, and who it is in it."""

    def __init__(self, name, address, store):
        self.name, self.address, self.store = name, address, store
        self.lock = threading.RLock()
        self.writing = threading.Lock()
        self.beats = {}
        self.ready = False

    def auth(self):
        return ("server", self.store["token"])

    def voters(self):
        members = self.store["members"]
        return [member for _, member in sorted(members.items()) if not member["learner"]]

    def answering(self):
        """Addresses of the voters that answer, this one among them."""
        found = []
        for member in self.voters():
            if member["address"] == self.address or alive(member["address"]):
                found.append(member["address"])
        return found

    def leader(self):
        """The voter that takes the writes, or Refused where most do not answer."""
        found = self.answering()
        if self.store["etcd"] and len(found) < len(self.voters()) // 2 + 1:
            raise Refused(503, "etcdserver: no leader")
        return found[0]

    def keep(self, store):
        with self.lock:
            if store["serial"] <= self.store["serial"]:
                return
            self.store = store
            save(STORE, json.dumps(store))

    def change(self, alter):
        """Alters the store on the leader, which copies it to the others. Only for the leader."""
        with self.writing:
            store = copy.deepcopy(self.store)
            auth = self.auth()
            # A member that is taken away is told so as well.
            copied_to = list(store["members"].values())
            told = alter(store)
            store["serial"] += 1
            self.keep(store)
            for member in copied_to:
                if member["address"] != self.address:
                    try:
                        call(member["address"], "PUT", "/stand-in/store", auth, store, timeout=2)
                    except (OSError, Refused):
                        pass
            return told

    def nodes(self):
        """The Node objects with their conditions, as of now."""
        now, found = time.time(), []
        for name, node in sorted(self.store["nodes"].items()):
            node = copy.deepcopy(node)
            fresh = now - self.beats.get(name, 0) < READY_S
            state = ("True", "KubeletReady") if fresh else ("Unknown", "NodeStatusUnknown")
            conditions = [condition("Ready", *state)]
            member = self.store["members"].get(name)
            if member and self.store["etcd"]:
                state = ("False", "MemberIsLearner") if member["learner"] else ("True", "MemberNotLearner")
                conditions.append(condition("EtcdIsVoter", *state))
            node["status"]["conditions"] = conditions
            found.append(node)
        return found

    # What others ask of the leader

    def join(self, asked):
        def alter(store):
            for key in CRITICAL:
                if store["critical"].get(key) != asked["critical"].get(key):
                    raise Refused(400, f"critical configuration value mismatch between servers: {key}")
            if asked["name"] in store["members"]:
                raise Refused(400, "duplicate node name found, please use a unique name for this node")
            if any(member["learner"] for member in store["members"].values()):
                raise Refused(503, "etcdserver: too many learner members in cluster")
            if not store["etcd"]:
                raise Refused(400, "starting kubernetes: preparing server: etcd disabled")
            store["members"][asked["name"]] = {"address": asked["address"], "learner": True}

        self.change(alter)
        keys = {path.name: path.read_text() for path in TLS.glob("*-ca.*")}
        return {"keys": keys, "store": self.store}

    def promote(self, asked):
        def alter(store):
            store["members"][asked["name"]]["learner"] = False

        return self.change(alter)

    def register(self, asked):
        """What a kubelet does when it starts."""
        node, name = asked["node"], asked["node"]["metadata"]["name"]

        def alter(store):
            hashed = hashlib.sha256(asked["password"].encode()).hexdigest()
            if store["passwords"].setdefault(name, hashed) != hashed:
                raise Refused(403, "Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not match server node-passwd entry")
            old = store["nodes"].get(name)
            if old:
                kept = {key: value for key, value in old["metadata"]["annotations"].items() if key not in node["metadata"]["annotations"]}
                node["metadata"]["annotations"] |= kept
                node["metadata"]["uid"] = old["metadata"]["uid"]
                node["spec"] = old["spec"] | ({} if old["spec"].get("providerID") else node["spec"])
            else:
                node["metadata"]["uid"] = secrets.token_hex(16)
            store["nodes"][name] = node

        self.change(alter)
        address = node["status"]["addresses"][0]["address"]
        folder = DATA / "server/issued" / name
        issued = {}
        for file, authority, subject in [("client-kubelet", "client-ca", f"/O=system:nodes/CN=system:node:{name}"),
                                         ("serving-kubelet", "server-ca", f"/CN={name}")]:
            issued[f"{file}.crt"], issued[f"{file}.key"] = leaf(folder, file, authority, subject, [f"IP:{address}"])
        return {"files": issued, "servers": [member["address"] for member in self.voters()]}

    def patch(self, asked):
        def alter(store):
            if asked["name"] not in store["nodes"]:
                raise Refused(404, f'nodes "{asked["name"]}" not found')
            merge(store["nodes"][asked["name"]], asked["patch"])
            return store["nodes"][asked["name"]]

        return self.change(alter)

    def delete(self, asked):
        def alter(store):
            if asked["name"] not in store["nodes"]:
                raise Refused(404, f'nodes "{asked["name"]}" not found')
            del store["nodes"][asked["name"]]
            store["passwords"].pop(asked["name"], None)
            if len(store["members"]) > 1:
                store["members"].pop(asked["name"], None)

        return self.change(alter)

    def rotate(self, asked):
        if asked["old"] != self.store["token"]:
            raise Refused(401, "Unauthorized")
        self.change(lambda store: store.update(token=asked["new"]))
        return ""


def condition(kind, status, reason):
    stamp = datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": kind, "status": status, "reason": reason, "message": reason, "lastHeartbeatTime": stamp, "lastTransitionTime": stamp}


def merge(target, patch):
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            merge(target.setdefault(key, {}), value)
        else:
            target[key] = value


def alive(address):
    try:
        return call(address, "GET", "/ping", timeout=1) == "pong"
    except (OSError, Refused):
        return False


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster = None

    def log_message(self, *_):
        pass

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        try:
            status, told = 200, self.answer(urllib.parse.urlsplit(self.path).path, body)
        except Refused as refused:
            status, told = refused.status, str(refused).partition(": ")[2] + "\n"
        except OSError as error:
            status, told = 503, f"{error}\n"
        content = (told if isinstance(told, str) else json.dumps(told)).encode()
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", "Basic")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any

    def answer(self, path, body):
        cluster = self.cluster
        if path == "/ping":
            return "pong"
        if path == "/cacerts":
            return (TLS / "server-ca.crt").read_text()
        if path == "/v1-k3s/readyz":
            self.allow("node", "server")
            if not cluster.ready:
                raise Refused(503, "apiserver not ready")
            cluster.leader()
            return "ok"
        if path == "/v1-k3s/token" and self.command == "PUT":
            # What `k3s token rotate` calls.
            self.allow("server")
            return self.ask("rotate", {"old": cluster.store["token"], "new": split(body["newToken"])[2]})
        if path == "/stand-in/store":
            self.allow("server")
            if self.command == "PUT":
                cluster.keep(body)
            return cluster.store
        if path == "/stand-in/beat":
            self.allow("node", "server")
            if body["name"] in cluster.store["nodes"]:
                cluster.beats[body["name"]] = time.time()
            return {"servers": [member["address"] for member in cluster.voters()]}
        if path.startswith("/stand-in/ask/"):
            what = path.rpartition("/")[2]
            self.allow(*(["node", "server"] if what == "register" else ["server"]))
            return self.ask(what, body)
        self.admin()
        if path in ["/readyz", "/livez"]:
            if not cluster.ready:
                raise Refused(500, "etcd failed")
            cluster.leader()
            return "ok"
        return self.api(path, body)

    def api(self, path, body):
        """The Kubernetes API, as far as there is one: nodes."""
        cluster = self.cluster
        cluster.leader()
        if path == "/api/v1/nodes" and self.command == "GET":
            return {"apiVersion": "v1", "kind": "NodeList", "metadata": {"resourceVersion": str(cluster.store["serial"])}, "items": cluster.nodes()}
        if path.startswith("/api/v1/nodes/"):
            name = path.rpartition("/")[2]
            if self.command == "PATCH":
                return self.ask("patch", {"name": name, "patch": body})
            if self.command == "DELETE":
                return self.ask("delete", {"name": name})
            for node in cluster.nodes():
                if node["metadata"]["name"] == name:
                    return node
            raise Refused(404, f'nodes "{name}" not found')
        leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/"
        if path.startswith(leases) and self.command == "GET":
            name = path.removeprefix(leases)
            if name not in cluster.store["nodes"]:
                raise Refused(404, f'leases.coordination.k8s.io "{name}" not found')
            return lease(name, cluster.beats.get(name, 0))
        raise Refused(404, "the server could not find the requested resource")

    def ask(self, what, body):
        """Does it here where this is the leader, and passes it on otherwise."""
        cluster = self.cluster
        leader = cluster.leader()
        if leader != cluster.address:
            return json.loads(call(leader, "POST", f"/stand-in/ask/{what}", cluster.auth(), body))
        if what not in ["join", "promote", "register", "patch", "delete", "rotate"]:
            raise Refused(404, what)
        return getattr(cluster, what)(body)

    def allow(self, *users):
        given = self.headers.get("Authorization", "")
        user, password = "", ""
        if given.startswith("Basic "):
            user, _, password = base64.b64decode(given[6:]).decode().partition(":")
        store = self.cluster.store
        good = {"server": [store["token"]], "node": [store["token"], store["agent_token"]]}
        if user not in users or password not in good[user]:
            raise Refused(401, "Unauthorized")

    def admin(self):
        shown = self.connection.getpeercert() or {}
        if (("commonName", "system:admin"),) not in shown.get("subject", ()):
            raise Refused(401, "Unauthorized")


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    context = None

    def finish_request(self, request, client):
        request.settimeout(30)
        with self.context.wrap_socket(request, server_side=True) as encrypted:
            super().finish_request(encrypted, client)

    def handle_error(self, request, client):
        pass


def listen(cluster):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "serving-kube-apiserver.crt", TLS / "serving-kube-apiserver.key")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(str(TLS / "client-ca.crt"))
    Handler.cluster = cluster
    Listener.context = context
    server = Listener(("0.0.0.0", 6443), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def new_store(values, name, address, token, agent_token):
    TLS.mkdir(parents=True, exist_ok=True)
    new_authority()
    etcd = on(values, "cluster-init")
    return {"serial": 1, "etcd": etcd, "token": token, "agent_token": agent_token, "critical": critical(values),
            "members": {name: {"address": address, "learner": False}}, "nodes": {}, "passwords": {}}


def critical(values):
    return {key: values[key] for key in CRITICAL if key in values}


def joined_store(values, name, address, token):
    """Joins the server that the configuration names; tries again while that may help."""
    target = address_in(values["server"])
    ca = DATA / "server/joined-ca.crt"
    while True:
        try:
            authority_of(target, token, ca)
            asked = {"name": name, "address": address, "critical": critical(values)}
            told = json.loads(call(target, "POST", "/stand-in/ask/join", ("server", split(token)[2]), asked, ca=ca))
            break
        except Refused as refused:
            if refused.status != 503:
                fatal(f"starting kubernetes: preparing server: /v1-k3s/server-bootstrap: {refused}")
            say("info", f"waiting to join: {refused}")
        except OSError as error:
            say("info", f"failed to get CA certs from https://{target}: {error}")
        time.sleep(1)
    for file, text in told["keys"].items():
        save(TLS / file, text)
    return told["store"]


def standing_store(token):
    store = json.loads(STORE.read_text())
    if token is not None and token != store["token"]:
        fatal("bootstrap data already found and encrypted with different token")
    return store


def server(values):
    name = values.get("node-name") or socket.gethostname()
    address = own_address(values)
    token = secret(values, "token")
    password = split(token)[2] if token else None
    etcd = DATA / "server/db/etcd"
    if STORE.exists():
        store = standing_store(password)
    elif "server" in values:
        if not token:
            fatal("--token is required to join a cluster")
        store = joined_store(values, name, address, token)
    else:
        password = password or secrets.token_hex(16)
        agent = secret(values, "agent-token")
        store = new_store(values, name, address, password, split(agent)[2] if agent else password)
    save(STORE, json.dumps(store))
    if store["etcd"]:
        (etcd / "member").mkdir(parents=True, exist_ok=True)
        save(etcd / "name", name)
    names = ["IP:127.0.0.1", f"IP:{address}", f"DNS:{name}", "DNS:kubernetes"]
    for each in listed(values.get("tls-san", [])):
        names.append(f"IP:{each}" if each.replace(".", "").isdigit() else f"DNS:{each}")
    leaf(TLS, "serving-kube-apiserver", "server-ca", "/CN=kube-apiserver", list(dict.fromkeys(names)))
    leaf(TLS, "client-admin", "client-ca", "/O=system:masters/CN=system:admin")
    cluster = Cluster(name, address, store)
    listen(cluster)
    catch_up(cluster)
    tokens(cluster)
    kubeconfig(values)
    begin(cluster, values)
    serve(cluster)


def catch_up(cluster):
    """Waits for most voters, and takes the newest store of those that answer."""
    while True:
        for member in cluster.store["members"].values():
            if member["address"] != cluster.address:
                try:
                    newer = call(member["address"], "GET", "/stand-in/store", cluster.auth(), timeout=2)
                    cluster.keep(json.loads(newer))
                except Refused as refused:
                    if refused.status == 401:
                        fatal("bootstrap data already found and encrypted with different token")
                except OSError:
                    pass
        removed(cluster)
        try:
            cluster.leader()
            return
        except Refused:
            say("info", "Waiting for other members to finish joining etcd cluster: etcdserver: no leader")
            time.sleep(1)


def removed(cluster):
    if cluster.name not in cluster.store["members"]:
        fatal("etcd: this server has been removed from the cluster; delete its database directory to rejoin")


def tokens(cluster):
    hashed = hashlib.sha256((TLS / "server-ca.crt").read_bytes()).hexdigest()
    save(DATA / "server/token", f"K10{hashed}::server:{cluster.store['token']}\n")
    save(DATA / "server/agent-token", f"K10{hashed}::node:{cluster.store['agent_token']}\n")
    node = DATA / "server/node-token"
    if not node.is_symlink():
        node.symlink_to("token")


def kubeconfig(values):
    def data(path):
        return base64.b64encode(path.read_bytes()).decode()

    text = f"""apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {data(TLS / "server-ca.crt")}
    server: https://127.0.0.1:6443
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
users:
- name: default
  user:
    client-certificate-data: {data(TLS / "client-admin.crt")}
    client-key-data: {data(TLS / "client-admin.key")}
"""
    save(ETC / "k3s/k3s.yaml", text, int(str(values.get("write-kubeconfig-mode", "600")), 8))


def begin(cluster, values):
    """The server's own kubelet registers; then the unit counts as started."""
    node = node_object("server", values, cluster.name, cluster.address, cluster.store["etcd"])
    told = enrol([cluster.address], cluster.auth(), node)
    keep_issued(told["files"])
    cluster.ready = True
    cluster.beats[cluster.name] = time.time()
    started("server", values)


def started(role, values):
    record("ready", role=role, args=node_args(role, values))
    say("info", f"k3s {role} is up and running")
    notify("READY=1")


def enrol(servers, auth, node):
    """Registers a node with the first server that answers; tries again until one does."""
    while True:
        for each in servers:
            try:
                asked = {"node": node, "password": node_password()}
                return json.loads(call(each, "POST", "/stand-in/ask/register", auth, asked))
            except (OSError, Refused) as error:
                say("error", f"Failed to register node with https://{each}: {error}")
        time.sleep(1)


def keep_issued(files):
    for file, text in files.items():
        save(DATA / "agent" / file, text)


def serve(cluster):
    turns = 0
    while True:
        removed(cluster)
        member = cluster.store["members"][cluster.name]
        try:
            # A learner has caught up after a moment.
            if member["learner"] and turns > 1:
                call(cluster.address, "POST", "/stand-in/ask/promote", cluster.auth(), {"name": cluster.name})
        except (OSError, Refused) as error:
            say("error", f"promoting: {error}")
        beat([each["address"] for each in cluster.store["members"].values()], cluster.auth(), cluster.name)
        turns += 1
        time.sleep(1)


def beat(servers, auth, name):
    """Tells every server that the node lives. Gives the servers that are voters by now, if one told."""
    found = None
    for each in servers:
        try:
            found = json.loads(call(each, "POST", "/stand-in/beat", auth, {"name": name}, timeout=1))["servers"]
        except (OSError, Refused):
            pass
    return found


# The agent


def agent(values):
    token = secret(values, "token")
    if not token:
        fatal("--token is required")
    if "server" not in values:
        fatal("--server is required")
    name = values.get("node-name") or socket.gethostname()
    known = DATA / "agent/etc/k3s-agent-load-balancer.json"
    servers = [address_in(values["server"])]
    if known.exists():
        servers += [each for each in json.loads(known.read_text())["ServerAddresses"] if each not in servers]
    auth = ("node", split(token)[2])
    accept(servers, token, auth)
    node = node_object("agent", values, name, own_address(values), False)
    told = enrol(servers, auth, node)
    keep_issued(told["files"])
    servers = told["servers"]
    began = False
    while True:
        save(known, json.dumps({"ServerURL": values["server"], "ServerAddresses": servers}))
        servers = beat(servers, auth, name) or servers
        if not began:
            started("agent", values)
            began = True
        time.sleep(1)


def accept(servers, token, auth):
    """Waits for a server that takes the token and is ready."""
    while True:
        for each in servers:
            try:
                authority_of(each, token, DATA / "agent/server-ca.crt")
                call(each, "GET", "/v1-k3s/readyz", auth, ca=DATA / "agent/server-ca.crt")
                return
            except (OSError, Refused) as error:
                say("error", f"Failed to retrieve agent configuration: server https://{each} is not ready: {error}")
        time.sleep(1)


# Other commands


def admin(method, path, body=None):
    if not (TLS / "client-admin.crt").exists():
        sys.exit('error: error loading config file "/etc/rancher/k3s/k3s.yaml": no such file or directory')
    try:
        return call("127.0.0.1", method, path, body=body, ca=TLS / "server-ca.crt", cert=TLS / "client-admin")
    except OSError as error:
        sys.exit(f"The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port? ({error})")


FLAGS = ["--ignore-daemonsets", "--delete-emptydir-data", "--force", "--overwrite", "--ignore-not-found", "--wait"]
VALUED = ["-n", "--namespace", "-o", "--output", "--timeout", "--grace-period", "--raw", "--request-timeout", "--kubeconfig"]


def options(words):
    """Plain words, and flags with their values; unknown flags are refused."""
    plain, flags, rest = [], {}, list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word.startswith("-") and word != "-" and not (plain and word.endswith("-") and not word.startswith("--")):
            if name in VALUED:
                if not equals and not rest:
                    sys.exit(f"error: flag needs an argument: {name}")
                flags[name] = value if equals else rest.pop(0)
            elif name in FLAGS:
                flags[name] = value if equals else "true"
            else:
                sys.exit(f"error: unknown flag: {name}")
        else:
            plain.append(word)
    return plain, flags


def kubectl(words):
    plain, flags = options(words)
    try:
        print(kubectl_command(plain, flags))
    except Refused as refused:
        if refused.status == 404 and flags.get("--ignore-not-found") == "true":
            return
        name = "NotFound" if refused.status == 404 else "ServiceUnavailable"
        sys.exit(f"Error from server ({name}): {str(refused).partition(': ')[2]}")


def kubectl_command(plain, flags):
    output = flags.get("-o", flags.get("--output"))
    match plain:
        case ["get"] if "--raw" in flags:
            return admin("GET", flags["--raw"])
        case ["get", "nodes" | "node", *names] if output == "json":
            if not names:
                found = json.loads(admin("GET", "/api/v1/nodes"))
                return json.dumps(found | {"kind": "List"}, indent=4)
            return json.dumps(json.loads(admin("GET", f"/api/v1/nodes/{names[0]}")), indent=4)
        case ["get", "lease", name] if output == "json":
            namespace = flags.get("-n", flags.get("--namespace", "default"))
            path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}"
            return json.dumps(json.loads(admin("GET", path)), indent=4)
        case ["cordon", name]:
            return cordon(name, True)
        case ["uncordon", name]:
            return cordon(name, False)
        case ["drain", name]:
            if flags.get("--ignore-daemonsets") != "true":
                sys.exit(f'error: unable to drain node "{name}" due to error: cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): kube-system/svclb-traefik')
            return f"{cordon(name, True)}\nnode/{name} drained"
        case ["annotate", "node" | "nodes", name, *pairs] if pairs:
            return annotate(name, pairs, flags)
        case ["delete", "node" | "nodes", name]:
            admin("DELETE", f"/api/v1/nodes/{name}")
            return f'node "{name}" deleted'
    sys.exit(f"error: the stand-in does not know: kubectl {' '.join(plain)} {flags}")


def cordon(name, wanted):
    word = "cordoned" if wanted else "uncordoned"
    node = json.loads(admin("GET", f"/api/v1/nodes/{name}"))
    if bool(node["spec"].get("unschedulable")) == wanted:
        return f"node/{name} already {word}"
    admin("PATCH", f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True if wanted else None}})
    return f"node/{name} {word}"


def annotate(name, pairs, flags):
    node = json.loads(admin("GET", f"/api/v1/nodes/{name}"))
    changes = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals and not pair.endswith("-"):
            sys.exit("error: at least one annotation update is required")
        changes[key if equals else pair[:-1]] = value if equals else None
        old = node["metadata"]["annotations"].get(key)
        if equals and old is not None and old != value and flags.get("--overwrite") != "true":
            sys.exit(f"error: --overwrite is false but found the following declared annotation(s): '{key}' already has a value ({old})")
    admin("PATCH", f"/api/v1/nodes/{name}", {"metadata": {"annotations": changes}})
    return f"node/{name} annotated"


def snapshot(words):
    if words[:1] != ["save"]:
        sys.exit("the stand-in knows etcd-snapshot save only")
    given = dict(zip(words[1::2], words[2::2]))
    if set(given) - {"--name"}:
        sys.exit(f"flag provided but not defined: {' '.join(words[1:])}")
    try:
        admin("GET", "/readyz")
    except Refused as refused:
        sys.exit(f"Error: {refused}")
    if not json.loads(STORE.read_text())["etcd"]:
        sys.exit("Error: etcd datastore disabled")
    name = f"{given.get('--name', 'on-demand')}-{socket.gethostname()}-{int(time.time())}"
    save(DATA / "server/db/snapshots" / name, STORE.read_text())
    print(f"Snapshot {name} saved.")


def token(words):
    """k3s token rotate --token OLD --new-token NEW; the old one also from K3S_TOKEN."""
    if words[:1] != ["rotate"]:
        sys.exit("the stand-in knows token rotate only")
    given = {"--token": os.environ.get("K3S_TOKEN")}
    rest = words[1:]
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        name = "--token" if name == "-t" else name
        if name not in ["--token", "--new-token"]:
            sys.exit(f"flag provided but not defined: {name}")
        given[name] = value if equals else rest.pop(0)
    if not given["--token"]:
        sys.exit("Error: token is required")
    old = split(given["--token"])[2]
    new = split(given.get("--new-token") or secrets.token_hex(16))[2]
    try:
        call("127.0.0.1", "PUT", "/v1-k3s/token", ("server", old), {"newToken": new})
    except (OSError, Refused) as error:
        sys.exit(f"Error: {error}")
    print("Token rotated, restart k3s nodes with new token")


def ended(role):
    def end(*_):
        record("stop", role=role)
        os._exit(0)

    return end


def main():
    match sys.argv[1:]:
        case ["--version" | "-v"]:
            print(f"k3s version {VERSION} (0123abcd)\ngo version go1.24.6")
        case ["server" | "agent" as role, *rest]:
            if os.geteuid() != 0:
                fatal("must run as root unless --rootless is specified")
            values = configured(rest)
            signal.signal(signal.SIGTERM, ended(role))
            record("start", role=role, args=node_args(role, values))
            say("info", f"Starting k3s {VERSION} (0123abcd)")
            {"server": server, "agent": agent}[role](values)
        case ["kubectl", *rest]:
            kubectl(rest)
        case ["etcd-snapshot", *rest]:
            snapshot(rest)
        case ["token", *rest]:
            token(rest)
        case words:
            sys.exit(f"the stand-in does not know: k3s {' '.join(words)}")


main()
