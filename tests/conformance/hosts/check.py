#!/usr/bin/env python3
"""Checks that the hosts and the stand-in refuse what a real host and k3s refuse: check.py DESCRIPTION

What boma is tested against has to be able to fail. Uses server-1 to server-3 and agent-1, newly booted.
"""

import json
import pathlib
import subprocess
import sys
import time

DESCRIPTION = json.loads(pathlib.Path(sys.argv[1]).read_text())
HOSTS = {host["name"]: host for host in DESCRIPTION["hosts"]}
UNIT = """[Unit]
After=network-online.target
[Service]
Type=notify
ExecStart=/usr/local/bin/k3s {role}
Restart=always
RestartSec=5s
TimeoutStartSec=0
"""


def on(host, script, expect=0):
    """Runs a script on the host through SSH. Gives what it prints."""
    known = pathlib.Path(DESCRIPTION["key"]).with_name("known_hosts")
    known.write_text("".join(f"{each['address']} {each['host_key']}\n" for each in HOSTS.values()))
    done = subprocess.run(
        ["nsenter", f"--net=/run/netns/{DESCRIPTION['gateway']['namespace']}", "ssh", "-F", "none",
         "-i", DESCRIPTION["key"], "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes",
         f"ubuntu@{HOSTS[host]['address']}", "sudo sh -eu"],
        input=script, capture_output=True, text=True)
    if done.returncode != expect:
        sys.exit(f"FAILED on {host} (exit code {done.returncode}, expected {expect}):\n"
                 f"{script}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def until(what, question, seconds=40):
    deadline = time.monotonic() + seconds
    while not (found := question()):
        if time.monotonic() > deadline:
            sys.exit(f"FAILED: not within {seconds} s: {what}")
        time.sleep(0.3)
    return found


def install(host, version, role, config, token):
    base = f"https://github.com/k3s-io/k3s/releases/download/{version.replace('+', '%2B')}"
    unit = {"server": "k3s", "agent": "k3s-agent"}[role]
    lines = "\n".join(f"{key}: {json.dumps(value)}" for key, value in config.items())
    on(host, f"""
cd /usr/local/bin
curl -fsSL --proto =https -o k3s {base}/k3s
curl -fsSL --proto =https {base}/sha256sum-amd64.txt | grep '  k3s$' | sha256sum -c - >/dev/null
chmod 755 k3s
test "$(k3s --version | head -n 1 | cut -d ' ' -f 3)" = {version}
mkdir -p /etc/rancher/k3s
(umask 077; echo '{token}' >/etc/rancher/k3s/token)
cat >/etc/rancher/k3s/config.yaml <<'END'
token-file: /etc/rancher/k3s/token
{lines}
END
cat >/etc/systemd/system/{unit}.service <<'END'
{UNIT.format(role=role)}END
systemctl daemon-reload
systemctl restart --no-block {unit}
""")
    return unit


def active(host, unit):
    return on(host, f"systemctl is-active {unit} || true").strip() == "active"


def nodes(host="server-1"):
    listed = json.loads(on(host, "k3s kubectl get nodes -o json"))["items"]
    return {
        node["metadata"]["name"]: {each["type"]: each["status"] for each in node["status"]["conditions"]}
        for node in listed
    }


def journal(host, unit, text):
    return until(f"{host}'s journal has: {text}", lambda: text in on(host, f"journalctl -u {unit} -o cat"))


def main():
    version, first = "v1.35.8+k3s1", f"https://{HOSTS['server-1']['address']}:6443"
    on("server-1", "date -s 2020-01-01", expect=1)
    unit = install("server-1", version, "server", {"cluster-init": True, "cluster-cidr": "10.42.0.0/16"}, "secret-1")
    until("server-1 is active", lambda: active("server-1", unit))
    assert nodes() == {"server-1": {"Ready": "True", "EtcdIsVoter": "True"}}, nodes()
    full = on("server-1", "cat /var/lib/rancher/k3s/server/token").strip()

    join = {"server": first, "cluster-cidr": "10.42.0.0/16"}
    install("server-2", version, "server", join, "wrong")
    journal("server-2", unit, "401 Unauthorized")
    install("server-2", version, "server", join, "K10" + "0" * 64 + "::server:secret-1")
    journal("server-2", unit, "CA hash does not match")
    install("server-2", version, "server", join | {"cluster-cidr": "10.99.0.0/16"}, full)
    journal("server-2", unit, "critical configuration value mismatch")
    assert list(nodes()) == ["server-1"]
    install("server-2", version, "server", join, full)
    install("server-3", version, "server", join, full)
    voters = {f"server-{number}": {"Ready": "True", "EtcdIsVoter": "True"} for number in [1, 2, 3]}
    until("three voters", lambda: nodes() == voters)
    assert nodes("server-3") == voters

    kubelet = {"kubelet-arg": "provider-id=vsphere://x"}
    install("agent-1", version, "agent", {"server": first} | kubelet, "wrong")
    journal("agent-1", "k3s-agent", "401 Unauthorized")
    install("agent-1", version, "agent", {"server": first} | kubelet, full)
    until("the agent is ready", lambda: nodes().get("agent-1") == {"Ready": "True"})
    on("server-2", "k3s kubectl cordon agent-1; k3s kubectl annotate node agent-1 a/b=c; k3s kubectl drain agent-1", expect=1)
    agent = json.loads(on("server-3", "k3s kubectl get node agent-1 -o json"))
    assert agent["spec"]["unschedulable"] and agent["spec"]["providerID"] == "vsphere://x", agent
    assert agent["metadata"]["annotations"]["a/b"] == "c", agent
    assert "********" not in agent["metadata"]["annotations"]["k3s.io/node-args"], agent
    on("server-1", "k3s etcd-snapshot save --name before && ls /var/lib/rancher/k3s/server/db/snapshots/before-*")

    on("server-2", "systemctl stop k3s")
    on("server-2", "k3s kubectl get nodes -o json", expect=1)
    on("server-1", "k3s kubectl cordon server-2")
    on("server-3", "systemctl stop k3s")
    assert "no leader" in on("server-1", "k3s kubectl uncordon server-2", expect=1)
    on("server-3", "systemctl start k3s")
    on("server-2", "systemctl start k3s")
    until("all again", lambda: nodes().get("server-2", {}).get("Ready") == "True")
    on("server-1", "k3s kubectl uncordon server-2")

    on("server-1", "k3s kubectl delete node server-3")
    journal("server-3", unit, "has been removed from the cluster")
    assert sorted(nodes()) == ["agent-1", "server-1", "server-2"]
    until("the rotated token is written", lambda: "Token rotated" in on(
        "server-1", "K3S_TOKEN=secret-1 k3s token rotate --new-token secret-2"))
    on("server-1", "systemctl restart --no-block k3s")
    journal("server-1", unit, "encrypted with different token")
    events = [json.loads(line) for line in on("server-1", "cat /var/log/k3s-stand-in.jsonl").splitlines()]
    assert [each["event"] for each in events][:3] == ["start", "ready", "stop"], events
    print("The hosts and the stand-in refuse what they should.")


main()
