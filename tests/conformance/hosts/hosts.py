#!/usr/bin/env python3
"""Test hosts: OpenSSH on real systemd, in network namespaces of their own.

  hosts.py up INSTANCE --root FOLDER --key FILE [--servers 3] [--agents 9]
           [--sudo-password HOST=PASSWORD]... [--disk-mib 20480] [--description FILE]
  hosts.py reset INSTANCE HOST...           boots these anew, with nothing on their disks
  hosts.py link INSTANCE HOST cut|restore   the host's cable
  hosts.py disk INSTANCE HOST full|free     the host's free space
  hosts.py inside INSTANCE COMMAND...       runs a command where the hosts can be reached
  hosts.py down INSTANCE                    ends all of it

--root is what build.sh prints, --key a private key whose public half lies beside it as FILE.pub.
`up` prints a JSON description (or writes it), once every host answers on port 22 and its systemd has
started everything. Several instances can run at once, each with the same addresses. Nothing routes
out of the namespaces. All processes of an instance are in one control group, so that `down` ends
just these, also after an `up` that did not come to its end; mounts go with the namespaces. A host's
clock is the machine's: it cannot be set, and a wrong clock is not shown here.

Needs root, iproute2, openssh-client, openssl, and a kernel with overlayfs and control groups 2.
"""

import argparse
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
STATE = pathlib.Path("/run/boma-hosts")
GATEWAY = "10.20.0.1"
DOWNLOADS = ["github.com", "objects.githubusercontent.com"]
BOOT_S = 90


def run(*command, **options):
    """Runs a command, and ends the program naming it where it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"FAILED (exit code {done.returncode}): {' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


class Instance:
    """What one instance has on the machine, found by its name alone."""

    def __init__(self, name):
        if not re.fullmatch("[a-z0-9]{1,20}", name):
            sys.exit(f"an instance's name is 1 to 20 of a-z and 0-9, not {name!r}")
        self.name = name
        self.state = STATE / name
        self.common = self.state / "common"
        self.groups = self.state / "groups"
        self.group = self.groups / f"boma-hosts-{name}"

    def namespace(self, host):
        return f"boma-{self.name}-{host}"

    def layer(self, host):
        return self.state / "hosts" / host

    def saved(self):
        path = self.state / "instance.json"
        if not path.exists():
            sys.exit(f"there is no instance {self.name}: start it with `up`")
        return json.loads(path.read_text())

    def save(self, told):
        write(self.state / "instance.json", json.dumps(told, indent=2) + "\n", 0o600)

    def start(self, host, command, log):
        """Starts a process of the host's group; the group is how it is found again."""
        group = self.group / host
        group.mkdir(exist_ok=True)
        enter = ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(group)]
        with open(log, "w") as output:
            return subprocess.Popen(
                enter + [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def end(self, group):
        """Kills every process of a group and those below it, and takes the groups away."""
        if not group.exists():
            return
        (group / "cgroup.kill").write_text("1")
        deadline = time.monotonic() + 20
        while "populated 1" in (group / "cgroup.events").read_text():
            if time.monotonic() > deadline:
                sys.exit(f"processes of {group} do not end")
            time.sleep(0.02)
        for folder, _, _ in os.walk(group, topdown=False):
            os.rmdir(folder)


def host_list(servers, agents):
    """Names, roles and addresses, servers first."""
    numbered = [("server", number, 10 + number) for number in range(1, servers + 1)]
    numbered += [("agent", number, 20 + number) for number in range(1, agents + 1)]
    return [
        {"name": f"{role}-{number}", "role": role, "address": f"10.20.0.{last}"}
        for role, number, last in numbered
    ]


def firmware(instance, host):
    """BIOS UUID, and the two texts in which Linux shows it on a virtual machine of VMware: the serial
    number in the UUID's order of bytes, product_uuid with the first three fields' bytes turned round."""
    bios = uuid.uuid5(uuid.NAMESPACE_DNS, f"{host}.{instance}.boma.test")
    pairs = [f"{byte:02x}" for byte in bios.bytes]
    serial = f"VMware-{' '.join(pairs[:8])}-{' '.join(pairs[8:])}"
    return str(bios), serial, str(uuid.UUID(bytes=bios.bytes_le))


def common_layer(instance, options, hosts):
    """The files that all hosts of the instance have beyond the shared root."""
    root, common = pathlib.Path(options.root), instance.common
    names = [f"{GATEWAY} {' '.join(DOWNLOADS)}"]
    names += [f"{host['address']} {host['name']}" for host in hosts]
    write(common / "etc/hosts", "\n".join(["127.0.0.1 localhost", *names]) + "\n")
    write(common / "etc/sudoers.d/ubuntu", "ubuntu ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    authority = certificates(instance.state)
    # The last step of update-ca-certificates, which takes seconds for each host.
    bundle = (root / "etc/ssl/certs/ca-certificates.crt").read_text()
    write(common / "etc/ssl/certs/ca-certificates.crt", bundle + authority)
    write(common / "usr/local/share/ca-certificates/boma-hosts.crt", authority)
    key = pathlib.Path(options.key + ".pub").read_text()
    write(common / "home/ubuntu/.ssh/authorized_keys", key, 0o600)
    (common / "home/ubuntu/.ssh").chmod(0o700)
    entry = next(
        line.split(":")
        for line in (root / "etc/passwd").read_text().splitlines()
        if line.startswith("ubuntu:")
    )
    for path in ["home/ubuntu", "home/ubuntu/.ssh", "home/ubuntu/.ssh/authorized_keys"]:
        os.chown(common / path, int(entry[2]), int(entry[3]))


def certificates(state):
    """An authority, and a certificate for the download sites. Gives the authority's PEM."""
    write(state / "site.ext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in DOWNLOADS))
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run("openssl", "req", "-x509", *new, "-days", 2, "-subj", "/CN=boma test hosts",
        "-keyout", state / "ca.key", "-out", state / "ca.pem")
    run("openssl", "req", *new, "-subj", "/CN=github.com",
        "-keyout", state / "site.key", "-out", state / "site.csr")
    run("openssl", "x509", "-req", "-in", state / "site.csr", "-CA", state / "ca.pem",
        "-CAkey", state / "ca.key", "-CAcreateserial", "-days", 2, "-extfile", state / "site.ext",
        "-out", state / "site.pem")
    return (state / "ca.pem").read_text()


def host_layer(instance, host, options):
    """The files that are the host's own. Completes its description."""
    layer, name = instance.layer(host["name"]) / "layer", host["name"]
    bios, serial, product = firmware(instance.name, name)
    machine = uuid.uuid5(uuid.NAMESPACE_URL, bios).hex
    write(layer / "etc/hostname", name + "\n")
    write(layer / "etc/machine-id", machine + "\n", 0o444)
    write(layer / "etc/firmware/product_serial", serial + "\n", 0o400)
    write(layer / "etc/firmware/product_uuid", product + "\n", 0o400)
    key = layer / "etc/ssh/ssh_host_ed25519_key"
    key.parent.mkdir(parents=True)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key)
    passwords = dict(pair.split("=", 1) for pair in options.sudo_password)
    if name in passwords:
        write(layer / "etc/sudoers.d/ubuntu", "ubuntu ALL=(ALL) ALL\n", 0o440)
        set_password(layer, options.root, passwords[name])
    host |= {
        "namespace": instance.namespace(name),
        "host_key": " ".join(key.with_suffix(".pub").read_text().split()[:2]),
        "fingerprint": run("ssh-keygen", "-l", "-f", key).split()[1],
        "machine_id": machine,
        "bios_uuid": bios,
        "product_serial": serial,
        "product_uuid": product,
        "sudo_password": passwords.get(name),
    }


def set_password(layer, root, password):
    hashed = run("openssl", "passwd", "-6", password).strip()
    shadow = pathlib.Path(root, "etc/shadow").read_text()
    text = re.sub(r"^ubuntu:[^:]*:", lambda _: f"ubuntu:{hashed}:", shadow, flags=re.M)
    write(layer / "etc/shadow", text, 0o640)
    shutil.chown(layer / "etc/shadow", group="shadow")


def cable(instance, host):
    """A namespace for the host, with a cable to the bridge."""
    gateway, own = instance.namespace("gateway"), instance.namespace(host["name"])
    run("ip", "netns", "add", own)
    run("ip", "-n", gateway, "link", "add", host["name"], "type", "veth",
        "peer", "name", "eth0", "netns", own)
    run("ip", "-n", gateway, "link", "set", host["name"], "master", "bridge", "up")
    run("ip", "-n", own, "link", "set", "lo", "up")
    # The same card after a reset: neighbours would ask for a new one only after seconds.
    card = "02:00:" + ":".join(f"{int(part):02x}" for part in host["address"].split("."))
    run("ip", "-n", own, "link", "set", "eth0", "address", card)
    run("ip", "-n", own, "address", "add", f"{host['address']}/24", "dev", "eth0")
    run("ip", "-n", own, "link", "set", "eth0", "up")
    run("ip", "-n", own, "route", "add", "default", "via", GATEWAY)


def boot(instance, told, host):
    """Starts a host. Its record gets the id of its first process, as the machine counts."""
    folder = instance.layer(host["name"])
    layers = f"{folder / 'layer'}:{instance.common}:{told['root']}"
    (folder / "disk").mkdir(exist_ok=True)
    process = instance.start(
        host["name"],
        ["nsenter", f"--net=/run/netns/{host['namespace']}", "unshare", "--fork", "--pid", "--mount",
         "--uts", "--ipc", "--cgroup", "sh", HERE / "boot.sh", host["name"], layers,
         folder / "disk", told["disk_mib"]],
        folder / "console",
    )
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (found := children.read_text().split()):
        if process.poll() is not None:
            sys.exit(ended(instance, host["name"]))
        time.sleep(0.01)
    host["pid"] = int(found[0])


def ended(instance, host):
    return f"FAILED: boot.sh of {host}\n{(instance.layer(host) / 'console').read_text()}"


def wait(instance, hosts):
    """Returns once every host answers as an SSH server and has started all its units."""
    asking = subprocess.Popen(
        ["nsenter", f"--net=/run/netns/{instance.namespace('gateway')}", sys.executable,
         str(HERE / "answers.py"), str(BOOT_S), *(host["address"] for host in hosts)],
        stdin=subprocess.DEVNULL,
    )
    while asking.poll() is None:
        for host in hosts:
            if not pathlib.Path(f"/proc/{host['pid']}").exists():
                asking.kill()
                asking.wait()
                sys.exit(ended(instance, host["name"]))
        time.sleep(0.05)
    if asking.returncode != 0:
        sys.exit(f"FAILED (exit code {asking.returncode}): {' '.join(asking.args)}")
    for host in hosts:
        command = ["nsenter", "--target", str(host["pid"]), "--all",
                   "timeout", str(BOOT_S), "systemctl", "is-system-running", "--wait"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.stdout.strip() != "running":
            failed = subprocess.run([*command[:4], "systemctl", "--failed", "--no-legend", "--plain"],
                                    capture_output=True, text=True)
            sys.exit(f"FAILED: {host['name']} is {done.stdout.strip()!r}\n"
                     f"{done.stderr}{failed.stdout}{failed.stderr}")


def up(options):
    instance = Instance(options.instance)
    down(instance)
    if os.geteuid() != 0:
        sys.exit("namespaces, mounts and control groups need root")
    hosts = host_list(options.servers, options.agents)
    instance.state.mkdir(parents=True, mode=0o700)
    instance.groups.mkdir()
    run("mount", "-t", "cgroup2", "cgroup2", instance.groups)
    instance.group.mkdir()
    common_layer(instance, options, hosts)
    gateway = instance.namespace("gateway")
    run("ip", "netns", "add", gateway)
    run("ip", "-n", gateway, "link", "set", "lo", "up")
    run("ip", "-n", gateway, "link", "add", "bridge", "type", "bridge")
    run("ip", "-n", gateway, "address", "add", f"{GATEWAY}/24", "dev", "bridge")
    run("ip", "-n", gateway, "link", "set", "bridge", "up")
    site = instance.start(
        "gateway",
        ["nsenter", f"--net=/run/netns/{gateway}", sys.executable, HERE / "site.py", GATEWAY,
         instance.state / "site.pem", instance.state / "site.key"],
        instance.state / "site.log",
    )
    told = {
        "instance": options.instance,
        "user": "ubuntu",
        "key": str(pathlib.Path(options.key).resolve()),
        "root": str(pathlib.Path(options.root).resolve()),
        "disk_mib": options.disk_mib,
        "gateway": {"address": GATEWAY, "namespace": gateway, "pid": site.pid,
                    "log": str(instance.state / "site.log")},
        "hosts": hosts,
    }
    for host in hosts:
        host_layer(instance, host, options)
        cable(instance, host)
        boot(instance, told, host)
    instance.save(told)
    wait(instance, hosts)
    if site.poll() is not None:
        sys.exit(f"FAILED: site.py\n{(instance.state / 'site.log').read_text()}")
    text = json.dumps(told, indent=2) + "\n"
    if options.description:
        write(pathlib.Path(options.description), text, 0o600)
    else:
        print(text, end="")


def reset(options):
    instance = Instance(options.instance)
    lock = open(instance.state / "lock", "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    told = instance.saved()
    hosts = [known(told, name) for name in options.host]
    for host in hosts:
        instance.end(instance.group / host["name"])
        # Firewall rules outlive the processes that set them, as the namespace is pinned.
        run("ip", "-n", instance.namespace("gateway"), "link", "del", host["name"])
        run("ip", "netns", "del", host["namespace"])
        cable(instance, host)
        boot(instance, told, host)
    instance.save(told)
    lock.close()
    wait(instance, hosts)


def known(told, name):
    for host in told["hosts"]:
        if host["name"] == name:
            return host
    sys.exit(f"there is no host {name}")


def link(instance, host, what):
    run("ip", "-n", instance.namespace("gateway"), "link", "set", host,
        {"cut": "down", "restore": "up"}[what])


def disk(instance, host, what):
    """Shrinks the host's disk to what is on it, or gives the size back."""
    told = instance.saved()
    enter = ["nsenter", "--target", known(told, host)["pid"], "--mount"]
    size = f"{told['disk_mib']}m"
    if what == "full":
        used = run(*enter, "stat", "-f", "-c", "%b %f %S", "/media").split()
        blocks, free, unit = map(int, used)
        size = (blocks - free) * unit
    run(*enter, "mount", "-o", f"remount,size={size}", "/media")


def down(instance):
    """Takes away all that an instance of that name left, however it ended."""
    if not instance.state.exists():
        return
    if instance.groups.exists():
        if not os.path.ismount(instance.groups):
            run("mount", "-t", "cgroup2", "cgroup2", instance.groups)
        instance.end(instance.group)
        run("umount", instance.groups)
    pinned = pathlib.Path("/run/netns")
    for path in sorted(pinned.glob(instance.namespace("*"))) if pinned.exists() else []:
        run("ip", "netns", "del", path.name)
    run("rm", "-rf", "--one-file-system", instance.state)


def inside(options):
    instance = Instance(options.instance)
    space = instance.saved()["gateway"]["namespace"]
    os.execvp("nsenter", ["nsenter", f"--net=/run/netns/{space}", "--", *options.command])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)

    def command(name, *positional):
        added = commands.add_parser(name)
        added.add_argument("instance")
        for words in positional:
            added.add_argument(words[0], **words[1])
        return added

    started = command("up")
    started.add_argument("--root", required=True)
    started.add_argument("--key", required=True)
    started.add_argument("--servers", type=int, default=3, choices=range(1, 10))
    started.add_argument("--agents", type=int, default=9, choices=range(0, 80))
    started.add_argument("--sudo-password", action="append", default=[], metavar="HOST=PASSWORD")
    started.add_argument("--disk-mib", type=int, default=20480)
    started.add_argument("--description")
    command("reset", ("host", {"nargs": "+"}))
    command("link", ("host", {}), ("how", {"choices": ["cut", "restore"]}))
    command("disk", ("host", {}), ("how", {"choices": ["full", "free"]}))
    command("inside", ("command", {"nargs": argparse.REMAINDER}))
    command("down")
    return parser.parse_args()


def main():
    # A caller that goes away must not leave an `up` half done without a word.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    options = arguments()
    instance = Instance(options.instance)
    match options.what:
        case "up":
            up(options)
        case "reset":
            reset(options)
        case "link":
            known(instance.saved(), options.host)
            link(instance, options.host, options.how)
        case "disk":
            disk(instance, options.host, options.how)
        case "inside":
            inside(options)
        case "down":
            down(instance)


if __name__ == "__main__":
    main()
