#!/usr/bin/env python3
"""VMware's own Python client as a strict judge of the lab's vCenter.

    pyvmomi_lab.py BOMA REPOSITORY

Applies the national example to a lab in a temporary folder, serves that lab, and reads, changes and
removes things in it with pyvmomi, which refuses answers that its type tables do not allow. Ends
with an exit code other than 0 at the first thing that is not as a vCenter 7.0 has it.
"""

import contextlib
import json
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.request

from pyVim.connect import Disconnect, SmartConnect
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl

SPEC = "examples/national-50-counties.toml"
MACHINES = [f"server-{n}" for n in range(1, 4)] + [f"agent-{n}" for n in range(1, 10)]
STORAGE = "VSPHERE.LOCAL\\cht-storage"
ROLES = {
    "CNS-VM": {
        "VirtualMachine.Config.AddExistingDisk",
        "VirtualMachine.Config.AddRemoveDevice",
    },
    "CNS-DATASTORE": {"Datastore.FileManagement"},
    "CNS-SEARCH-AND-SPBM": {"Cns.Searchable", "StorageProfile.View"},
}
# The server adds these to every role that somebody makes.
IMPLIED = {"System.Anonymous", "System.Read", "System.View"}
collector = vmodl.query.PropertyCollector


class Lab:
    """Where the lab answers."""

    def __init__(self, endpoints):
        self.url = endpoints["vcenter_url"]
        self.username, self.password = endpoints["username"], endpoints["password"]
        self.token = endpoints["control_token"]
        self.tls = ssl.create_default_context(cadata=endpoints["ca_pem"])

    def connect(self, password=None):
        host, port = self.url.removeprefix("https://").split(":")
        return SmartConnect(
            host=host,
            port=int(port),
            user=self.username,
            pwd=password or self.password,
            sslContext=self.tls,
        )

    def sessions(self):
        """How many are open, as the lab itself counts them."""
        request = urllib.request.Request(self.url + "/lab/status", headers={"x-lab-token": self.token})
        with urllib.request.urlopen(request, context=self.tls) as answer:
            return len(json.load(answer)["sessions"])


@contextlib.contextmanager
def served(boma, repository):
    """A lab to which the example is applied."""
    with tempfile.TemporaryDirectory() as home:
        home = pathlib.Path(home)
        shutil.copytree(repository / "examples", home / "examples")
        run = [boma, "apply", "--lab", "--yes", SPEC]
        applied = subprocess.run(run, cwd=home, capture_output=True, text=True)
        assert applied.returncode == 0, applied.stdout + applied.stderr
        serve = [boma, "lab", "serve", "--task-delay-ms", "50", SPEC]
        process = subprocess.Popen(serve, cwd=home, stdout=subprocess.PIPE)
        try:
            assert process.stdout.readline(), "the lab did not start"
            (endpoints,) = home.glob("state/**/endpoints.json")
            yield Lab(json.loads(endpoints.read_text()))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
        assert process.returncode == 0, process.returncode


@contextlib.contextmanager
def refuses(fault):
    """What is inside must end in that fault."""
    try:
        yield
    except fault:
        return
    raise AssertionError(f"no {fault.__name__}")


def view(content, kind):
    """All objects of a type, through a container view."""
    container = content.viewManager.CreateContainerView(content.rootFolder, [kind], True)
    try:
        return list(container.view)
    finally:
        container.Destroy()


def named(content, kind, name):
    (found,) = [each for each in view(content, kind) if each.name == name]
    return found


def check_about(content):
    about = content.about
    assert about.apiType == "VirtualCenter" and about.apiVersion.startswith("7.0."), about
    assert content.rootFolder._moId == "group-d1"
    assert content.sessionManager.currentSession.userName == "VSPHERE.LOCAL\\Administrator"


def check_roles(content):
    manager = content.authorizationManager
    roles = {role.name: role for role in manager.roleList}
    assert roles["Admin"].roleId == -1 and roles["ReadOnly"].roleId == -2
    for name, privileges in ROLES.items():
        assert set(roles[name].privilege) == privileges | IMPLIED, roles[name]
        assert not roles[name].system and roles[name].roleId > 0
    known = {privilege.privId for privilege in manager.privilegeList}
    assert all(privileges <= known for privileges in ROLES.values())
    with refuses(vim.fault.AlreadyExists):
        manager.AddAuthorizationRole("CNS-VM", [])
    with refuses(vmodl.fault.InvalidArgument):
        manager.AddAuthorizationRole("other", ["No.Such.Privilege"])


def check_permissions(content):
    """An entry is per principal: setting one leaves the others."""
    manager = content.authorizationManager
    machine = named(content, vim.VirtualMachine, "server-1")
    entries = lambda: {
        each.principal: each for each in manager.RetrieveEntityPermissions(machine, False)
    }
    before = entries()
    assert STORAGE in before and not before[STORAGE].propagate, before
    administrator = "VSPHERE.LOCAL\\Administrator"
    entry = vim.AuthorizationManager.Permission(
        principal=administrator, group=False, roleId=-1, propagate=True
    )
    manager.SetEntityPermissions(machine, [entry])
    assert set(entries()) == {*before, administrator}
    assert entries()[STORAGE].roleId == before[STORAGE].roleId
    manager.RemoveEntityPermission(machine, administrator, False)
    assert set(entries()) == set(before)
    with refuses(vmodl.fault.InvalidArgument):
        manager.SetEntityPermissions(machine.parent.parent, [entry])
    everywhere = manager.RetrieveAllPermissions()
    assert sum(each.principal == STORAGE for each in everywhere) >= len(MACHINES)
    inherited = manager.RetrieveEntityPermissions(machine, True)
    assert administrator in {each.principal for each in inherited}


def check_machines(content):
    machines = {each.name: each for each in view(content, vim.VirtualMachine)}
    assert set(MACHINES) < set(machines), machines
    for name in MACHINES:
        machine = machines[name]
        config = machine.config
        assert int(config.version.removeprefix("vmx-")) >= 15, config.version
        assert len(config.uuid) == len(config.instanceUuid) == 36 and config.uuid != config.instanceUuid
        options = {option.key.lower(): option.value for option in config.extraConfig}
        assert options["disk.enableuuid"] == "TRUE" and config.flags.diskUuidEnabled, options
        controllers = [
            device
            for device in config.hardware.device
            if isinstance(device, vim.vm.device.ParaVirtualSCSIController)
        ]
        assert controllers and controllers[0].busNumber == 0, config.hardware.device
        disks = [d for d in config.hardware.device if isinstance(d, vim.vm.device.VirtualDisk)]
        assert disks and disks[0].controllerKey == controllers[0].key, disks
        assert disks[0].backing.fileName.startswith("[vsanDatastore] "), disks[0].backing
        assert machine.summary.config.numCpu == config.hardware.numCPU
        assert machine.guest.toolsRunningStatus == "guestToolsRunning" and machine.guest.ipAddress
        assert machine.runtime.host.name.startswith("esxi-") and machine.resourcePool is not None
        # The BIOS UUID unless the instance UUID is asked for.
        index = content.searchIndex
        assert index.FindByUuid(None, config.uuid, True, False) == machine
        assert index.FindByUuid(None, config.instanceUuid, True, True) == machine
        assert index.FindByUuid(None, config.instanceUuid, True, False) is None
        assert index.FindByInventoryPath(f"DC1/vm/cht/{name}") == machine


def check_collector(content):
    """Power states page by page, a key inside a path, and a path that is wrong."""
    container = content.viewManager.CreateContainerView(
        content.rootFolder, [vim.VirtualMachine], True
    )
    step = collector.TraversalSpec(
        name="view", type=vim.view.ContainerView, path="view", skip=False
    )
    select = lambda *paths: collector.FilterSpec(
        propSet=[collector.PropertySpec(type=vim.VirtualMachine, pathSet=list(paths))],
        objectSet=[collector.ObjectSpec(obj=container, skip=True, selectSet=[step])],
    )
    marked = 'config.extraConfig["boma.mark"]'
    options = collector.RetrieveOptions(maxObjects=4)
    paths = select("name", "runtime.powerState", marked)
    result = content.propertyCollector.RetrievePropertiesEx([paths], options)
    found, pages = list(result.objects), 1
    while result.token:
        assert len(result.objects) == 4
        result = content.propertyCollector.ContinueRetrievePropertiesEx(result.token)
        found, pages = found + list(result.objects), pages + 1
    assert len(found) == len(container.view) and pages > 3, pages
    rows = [{each.name: each.val for each in row.propSet} for row in found]
    on = {row["name"] for row in rows if row["runtime.powerState"] == "poweredOn"}
    assert set(MACHINES) <= on, on
    assert {row["name"] for row in rows if marked in row} == set(MACHINES)
    with refuses(vmodl.query.InvalidProperty):
        content.propertyCollector.RetrievePropertiesEx([select("config.nothing")], options)
    container.Destroy()
    with refuses(vmodl.fault.ManagedObjectNotFound):
        content.propertyCollector.RetrievePropertiesEx([select("name")], options)


def check_tasks(content):
    """A clone from its making to its end, each task awaited through WaitForUpdates."""
    template = named(content, vim.VirtualMachine, "ubuntu-22.04")
    folder = content.searchIndex.FindByInventoryPath("DC1/vm/cht")
    location = vim.vm.RelocateSpec(
        datastore=named(content, vim.Datastore, "vsanDatastore"),
        pool=named(content, vim.ClusterComputeResource, "Cluster1").resourcePool,
    )
    clone = vim.vm.CloneSpec(
        location=location,
        template=False,
        powerOn=False,
        config=vim.vm.ConfigSpec(numCPUs=3, memoryMB=3072, annotation="made by pyvmomi"),
    )
    task = template.Clone(folder, "judge", clone)
    assert WaitForTask(task) == vim.TaskInfo.State.success
    machine = task.info.result
    assert (machine.name, machine.parent) == ("judge", folder)
    assert (machine.config.hardware.numCPU, machine.config.hardware.memoryMB) == (3, 3072)
    with refuses(vim.fault.DuplicateName):
        WaitForTask(template.Clone(folder, "judge", clone))

    changes = machine.config.changeVersion
    mark = vim.option.OptionValue(key="guestinfo.judge", value="yes")
    WaitForTask(machine.Reconfigure(vim.vm.ConfigSpec(changeVersion=changes, extraConfig=[mark])))
    assert "guestinfo.judge" in {option.key for option in machine.config.extraConfig}
    with refuses(vim.fault.ConcurrentAccess):
        WaitForTask(machine.Reconfigure(vim.vm.ConfigSpec(changeVersion=changes, numCPUs=4)))
    controller = vim.vm.device.ParaVirtualSCSIController(
        key=-1, busNumber=1, sharedBus=vim.vm.device.VirtualSCSIController.Sharing.noSharing
    )
    add = vim.vm.device.VirtualDeviceSpec(operation="add", device=controller)
    WaitForTask(machine.Reconfigure(vim.vm.ConfigSpec(deviceChange=[add])))
    kinds = [type(device) for device in machine.config.hardware.device]
    assert kinds.count(vim.vm.device.ParaVirtualSCSIController) == 2, kinds

    check_updates(content, machine)
    with refuses(vim.fault.InvalidPowerState):
        WaitForTask(machine.PowerOn())
    with refuses(vim.fault.InvalidPowerState):
        WaitForTask(machine.Destroy())
    WaitForTask(machine.PowerOff())
    WaitForTask(machine.UpgradeVM_Task("vmx-19"))
    assert machine.config.version == "vmx-19"
    with refuses(vim.fault.AlreadyUpgraded):
        WaitForTask(machine.UpgradeVM_Task("vmx-19"))
    WaitForTask(machine.Destroy())
    with refuses(vmodl.fault.ManagedObjectNotFound):
        machine.name


def check_updates(content, machine):
    """Turns a machine on and is told of it."""
    pc = content.propertyCollector
    spec = collector.FilterSpec(
        propSet=[collector.PropertySpec(type=vim.VirtualMachine, pathSet=["runtime.powerState"])],
        objectSet=[collector.ObjectSpec(obj=machine)],
    )
    update = pc.CreateFilter(spec, True)
    at_once = collector.WaitOptions(maxWaitSeconds=0)
    first = pc.WaitForUpdatesEx("", at_once)
    (entered,) = first.filterSet[0].objectSet
    assert (entered.kind, entered.changeSet[0].val) == ("enter", "poweredOff"), entered
    assert pc.WaitForUpdatesEx(first.version, at_once) is None
    task = machine.PowerOn()
    second = pc.WaitForUpdatesEx(first.version, collector.WaitOptions(maxWaitSeconds=30))
    (modified,) = second.filterSet[0].objectSet
    assert (modified.kind, modified.changeSet[0].val) == ("modify", "poweredOn"), modified
    assert second.version != first.version
    again = pc.WaitForUpdatesEx(first.version, at_once)
    assert again.filterSet[0].objectSet[0].changeSet[0].val == "poweredOn", again
    with refuses(vmodl.query.InvalidCollectorVersion):
        pc.WaitForUpdatesEx("77777", at_once)
    update.Destroy()
    assert WaitForTask(task) == vim.TaskInfo.State.success


def check_rules(content):
    """DRS rules can be read, added by name, and removed by key."""
    cluster = named(content, vim.ClusterComputeResource, "Cluster1")
    before = {rule.key: rule.name for rule in cluster.configurationEx.rule}
    machines = [named(content, vim.VirtualMachine, f"server-{n}") for n in (1, 2)]
    info = vim.cluster.AntiAffinityRuleSpec(name="judge", enabled=True, mandatory=False, vm=machines)
    reconfigure = lambda rule: WaitForTask(
        cluster.ReconfigureComputeResource_Task(vim.cluster.ConfigSpecEx(rulesSpec=[rule]), True)
    )
    reconfigure(vim.cluster.RuleSpec(operation="add", info=info))
    (made,) = [rule for rule in cluster.configurationEx.rule if rule.key not in before]
    assert made.name == "judge" and set(made.vm) == set(machines) and made.ruleUuid, made
    reconfigure(vim.cluster.RuleSpec(operation="remove", removeKey=made.key))
    assert {rule.key: rule.name for rule in cluster.configurationEx.rule} == before


def check_sessions(lab):
    with refuses(vim.fault.InvalidLogin):
        lab.connect("wrong")
    assert lab.sessions() == 0
    one, two = lab.connect(), lab.connect()
    own = one.content.sessionManager.currentSession
    keys = [session.key for session in one.content.sessionManager.sessionList]
    assert len(keys) == 2 and own.key in keys
    assert one.content.sessionManager.SessionIsActive(own.key, own.userName)
    Disconnect(two)
    assert lab.sessions() == 1
    machine = view(one.content, vim.VirtualMachine)[0]
    Disconnect(one)
    with refuses(vim.fault.NotAuthenticated):
        machine.name
    assert lab.sessions() == 0


def main():
    boma, repository = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    with served(boma, repository) as lab:
        check_sessions(lab)
        connection = lab.connect()
        content = connection.RetrieveContent()
        for check in (
            check_about,
            check_roles,
            check_permissions,
            check_machines,
            check_collector,
            check_tasks,
            check_rules,
        ):
            check(content)
            print(f"pyvmomi: {check.__name__.removeprefix('check_')}", flush=True)
        Disconnect(connection)
        assert lab.sessions() == 0
        print("pyvmomi: sessions")


if __name__ == "__main__":
    main()
