#!/usr/bin/env python3
"""kubectl as a strict judge of the lab's Kubernetes API.

    kubectl_lab.py BOMA KUBECTL REPOSITORY

Applies the national example to a lab in a temporary folder, serves that lab, and works in its
cluster with kubectl, which reads discovery and schemas and refuses what it cannot understand. Ends
with an exit code other than 0 at the first thing that is not as a Kubernetes cluster has it.
"""

import contextlib
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

SPEC = "examples/national-50-counties.toml"
NODES = {f"server-{n}" for n in range(1, 4)} | {f"agent-{n}" for n in range(1, 10)}
LIMIT = "--timeout=60s"


class Refused(Exception):
    """What kubectl said when it ended with an error."""


class Kubectl:
    """kubectl with the lab's kubeconfig, and no home folder of its own."""

    def __init__(self, program, kubeconfig, home):
        self.command = [program, "--kubeconfig", kubeconfig]
        self.environment = dict(os.environ, HOME=str(home), KUBECACHEDIR=str(home / "cache"))

    def __call__(self, *arguments, manifest=None):
        """What it prints. A manifest goes to its standard input."""
        done = subprocess.run(
            [*self.command, *arguments],
            env=self.environment,
            input=manifest and json.dumps(manifest),
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode != 0:
            raise Refused(f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    @contextlib.contextmanager
    def watching(self, *arguments):
        """The lines of a command that ends only when it is ended."""
        watch = subprocess.Popen(
            [*self.command, *arguments], env=self.environment, stdout=subprocess.PIPE, text=True
        )
        # Nothing is waited for longer than any other command may take.
        limit = threading.Timer(60, watch.kill)
        limit.start()
        try:
            yield watch.stdout
        finally:
            limit.cancel()
            watch.kill()
            watch.communicate()

    def json(self, *arguments):
        return json.loads(self(*arguments, "-o", "json"))

    def refused(self, *arguments, manifest=None):
        """What it says of something that must not work."""
        try:
            text = self(*arguments, manifest=manifest)
        except Refused as error:
            return str(error)
        raise AssertionError(f"kubectl {' '.join(arguments)} worked: {text}")


@contextlib.contextmanager
def served(boma, kubectl, repository):
    with tempfile.TemporaryDirectory() as home:
        home = pathlib.Path(home)
        shutil.copytree(repository / "examples", home / "examples")
        apply = [boma, "apply", "--lab", "--yes", SPEC]
        subprocess.run(apply, cwd=home, check=True, stdout=subprocess.DEVNULL)
        lab = subprocess.Popen([boma, "lab", "serve", SPEC], cwd=home, stdout=subprocess.PIPE, text=True)
        try:
            for line in lab.stdout:
                if line.startswith("kubeconfig"):
                    break
            kubeconfig = home / line.split()[1]
            yield Kubectl(kubectl, kubeconfig, home)
        finally:
            lab.send_signal(signal.SIGINT)
            lab.communicate(timeout=60)


def deployment(name, replicas=2):
    labels = {"app": name}
    container = {"name": "main", "image": "registry.k8s.io/pause:3.9"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "judge"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def config_map(name):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "judge"}}


def check_discovery(kubectl):
    assert kubectl("version", "--output=json")
    kinds = kubectl("api-resources", "--no-headers", "-o", "name").split()
    for kind in ("pods", "nodes", "deployments.apps", "storageclasses.storage.k8s.io"):
        assert kind in kinds, kinds
    assert kubectl("get", "--raw", "/readyz") == "ok"


def check_pages(kubectl):
    """A list that comes by pages has each object once."""
    whole = kubectl("get", "services", "-A", "-o", "name", "--chunk-size=0").split()
    assert len(whole) > 100 and kubectl("get", "services", "-A", "-o", "name", "--chunk-size=7").split() == whole


def check_installation(kubectl):
    """What boma has made is there, and works."""
    nodes = kubectl.json("get", "nodes")["items"]
    assert {node["metadata"]["name"] for node in nodes} == NODES
    assert all(node["spec"].get("providerID", "").startswith("vsphere://") for node in nodes)
    kubectl("wait", "--for=condition=Ready", "nodes", "--all", LIMIT)
    for namespace in ("kube-system", "vmware-system-csi"):
        for kind in ("deployments.apps", "daemonsets.apps"):
            for item in kubectl.json("get", kind, "-n", namespace)["items"]:
                name = f"{kind.removesuffix('s.apps')}/{item['metadata']['name']}"
                kubectl("rollout", "status", name, "-n", namespace, LIMIT)
    classes = kubectl.json("get", "storageclasses")["items"]
    default = "storageclass.kubernetes.io/is-default-class"
    defaults = [one for one in classes if one["metadata"].get("annotations", {}).get(default) == "true"]
    assert [one["metadata"]["name"] for one in defaults] == ["vmware-sc"], classes


def check_apply(kubectl):
    """Server-side apply: made, unchanged, in conflict, taken."""
    # From a manifest: what kubectl makes from its arguments alone it sends as protobuf.
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "judge"}}
    kubectl("create", "-f", "-", manifest=namespace)
    apply = ("apply", "--server-side", "-f", "-")
    assert "serverside-applied" in kubectl(*apply, manifest=deployment("web"))
    kubectl("rollout", "status", "deployment/web", "-n", "judge", LIMIT)
    before = kubectl.json("get", "deployment", "web", "-n", "judge")
    assert kubectl("diff", "--server-side", "-f", "-", manifest=deployment("web")) == ""
    said = kubectl.refused("diff", "--server-side", "-f", "-", manifest=deployment("web", replicas=5))
    assert "+  replicas: 5" in said, said
    kubectl(*apply, manifest=deployment("web"))
    after = kubectl.json("get", "deployment", "web", "-n", "judge")
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]

    more = deployment("web", replicas=3)
    said = kubectl.refused(*apply, "--field-manager=other", manifest=more)
    assert 'conflict with "kubectl"' in said and ".spec.replicas" in said, said
    kubectl(*apply, "--field-manager=other", "--force-conflicts", manifest=more)
    kubectl("wait", "--for=jsonpath={.status.availableReplicas}=3", "deployment/web", "-n", "judge", LIMIT)
    wrong = deployment("web")
    wrong["spec"]["replica"] = 1
    assert "replica" in kubectl.refused(*apply, manifest=wrong)
    other = deployment("web")
    other["spec"]["selector"]["matchLabels"] = {"app": "other"}
    other["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    said = kubectl.refused(*apply, "--force-conflicts", manifest=other)
    assert "field is immutable" in said, said


def check_watch(kubectl):
    """What happens is told as it happens."""
    events = ("get", "configmaps", "-n", "judge", "--watch-only", "--output-watch-events", "--no-headers")
    with kubectl.watching(*events) as lines:
        # Whether the watch has begun shows only by what it tells.
        done = threading.Event()

        def knock():
            number = 0
            while not done.wait(0.2):
                number += 1
                kubectl("create", "-f", "-", manifest=config_map(f"knock-{number}"))

        knocking = threading.Thread(target=knock)
        knocking.start()
        assert "ADDED" in next(lines)
        done.set()
        knocking.join()
        kubectl("create", "-f", "-", manifest=config_map("seen"))
        kubectl("patch", "configmap", "seen", "-n", "judge", "-p", '{"data":{"a":"b"}}')
        kubectl("delete", "configmap", "seen", "-n", "judge")
        told = [line.split()[0] for line in itertools.islice((line for line in lines if " seen " in line), 3)]
    assert told == ["ADDED", "MODIFIED", "DELETED"], told


def check_quota(kubectl):
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few", "namespace": "judge"},
        "spec": {"hard": {"count/configmaps": "1"}},
    }
    kubectl("create", "-f", "-", manifest=quota)
    said = kubectl.refused("create", "-f", "-", manifest=config_map("too-many"))
    assert "exceeded quota: few" in said, said
    kubectl("delete", "resourcequota", "few", "-n", "judge", LIMIT)


def check_edits(kubectl):
    """Patches of all three sorts, labels, scale and images."""
    web = ("deployment", "web", "-n", "judge")
    kubectl("label", *web, "zone=a")
    assert "zone" in kubectl.refused("label", *web, "zone=b")
    kubectl("label", *web, "zone=b", "--overwrite")
    assert kubectl.json("get", *web)["metadata"]["labels"]["zone"] == "b"
    kubectl("label", *web, "zone-")
    kubectl("annotate", *web, "note=x")
    kubectl("patch", *web, "--type=merge", "-p", '{"spec":{"paused":true}}')
    kubectl("patch", *web, "--type=json", "-p", '[{"op":"remove","path":"/spec/paused"}]')
    container = '{"name":"main","env":[{"name":"A","value":"1"}]}'
    kubectl("patch", *web, "-p", f'{{"spec":{{"template":{{"spec":{{"containers":[{container}]}}}}}}}}')
    (only,) = kubectl.json("get", *web)["spec"]["template"]["spec"]["containers"]
    assert only["image"].endswith("pause:3.9") and only["env"] == [{"name": "A", "value": "1"}], only
    kubectl("scale", "deployment/web", "-n", "judge", "--replicas=1")
    kubectl("set", "image", "deployment/web", "-n", "judge", "main=registry.k8s.io/pause:3.10")
    kubectl("rollout", "status", "deployment/web", "-n", "judge", LIMIT)
    pods = kubectl.json("get", "pods", "-n", "judge", "-l", "app=web")["items"]
    running = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    assert [pod["spec"]["containers"][0]["image"][-4:] for pod in running] == ["3.10"], running


def check_nodes(kubectl):
    kubectl("taint", "nodes", "agent-1", "judge=x:NoSchedule")
    kubectl("label", "node", "agent-1", "judge=x")
    node = kubectl.json("get", "node", "agent-1")
    taint = {"key": "judge", "value": "x", "effect": "NoSchedule"}
    assert taint in node["spec"]["taints"] and node["metadata"]["labels"]["judge"] == "x"
    kubectl("taint", "nodes", "agent-1", "judge-")
    kubectl("label", "node", "agent-1", "judge-")
    kubectl("cordon", "agent-1")
    assert kubectl.json("get", "node", "agent-1")["spec"]["unschedulable"] is True
    kubectl("uncordon", "agent-1")
    assert "unschedulable" not in kubectl.json("get", "node", "agent-1")["spec"]


def check_volumes(kubectl):
    """A claim is bound by the driver that boma has installed."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "judge"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    kubectl("create", "-f", "-", manifest=claim)
    user = deployment("user", replicas=1)
    pod = user["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    pod["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    kubectl("create", "-f", "-", manifest=user)
    kubectl("wait", "--for=jsonpath={.status.phase}=Bound", "pvc/data", "-n", "judge", LIMIT)
    kubectl("rollout", "status", "deployment/user", "-n", "judge", LIMIT)
    (volume,) = [
        volume
        for volume in kubectl.json("get", "pv")["items"]
        if volume["spec"]["claimRef"]["namespace"] == "judge"
    ]
    assert volume["spec"]["csi"]["driver"] == "csi.vsphere.vmware.com", volume


def check_removal(kubectl):
    """Finalizers hold, and a namespace takes along what is in it."""
    kubectl("create", "-f", "-", manifest=config_map("held"))
    hold = '{"metadata":{"finalizers":["boma.dev/judge"]}}'
    kubectl("patch", "configmap", "held", "-n", "judge", "--type=merge", "-p", hold)
    kubectl("delete", "namespace", "judge", "--wait=false")
    kubectl("wait", "--for=delete", "deployment/web", "-n", "judge", LIMIT)
    namespace = kubectl.json("get", "namespace", "judge")
    assert namespace["status"]["phase"] == "Terminating", namespace
    said = kubectl.refused("create", "-f", "-", manifest=config_map("late"))
    assert "being terminated" in said, said
    free = '{"metadata":{"finalizers":null}}'
    kubectl("patch", "configmap", "held", "-n", "judge", "--type=merge", "-p", free)
    kubectl("wait", "--for=delete", "namespace/judge", LIMIT)
    assert "not found" in kubectl.refused("get", "namespace", "judge")
    # All that boma has made stands as it stood.
    check_installation(kubectl)


def main():
    boma, program, repository = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    with served(boma, program, repository) as kubectl:
        for check in (
            check_discovery,
            check_pages,
            check_installation,
            check_apply,
            check_watch,
            check_quota,
            check_edits,
            check_nodes,
            check_volumes,
            check_removal,
        ):
            check(kubectl)
            print(f"kubectl: {check.__name__.removeprefix('check_')}", flush=True)


if __name__ == "__main__":
    main()
