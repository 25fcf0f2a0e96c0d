//! A small cluster on machines of a small vCenter.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::lab::k3s::{
    Changed, ClusterEffect, Clusters, Draft, Role, Start, Unsettled, start, stopped,
};
use crate::lab::kubernetes::controllers::site::Site;
use crate::lab::kubernetes::controllers::work::Work;
use crate::lab::kubernetes::{Key, StoreEffect, settle};
use crate::lab::vsphere::{World, complete};
use crate::lab::{AccountSetup, GrantSetup, MachineSetup, Setup};

pub const SEED: u64 = 7;
pub const ACCOUNT: &str = r"VSPHERE.LOCAL\cht-storage";
pub const SERVER: &str = "vcenter.example.org";

/// One cluster and its vCenter.
pub struct Rig {
    pub clusters: Clusters,
    pub world: World,
    pub site: Site,
    pub now_ms: u64,
}

/// What the storage account needs.
const PRIVILEGES: [&str; 5] = [
    "Cns.Searchable",
    "StorageProfile.View",
    "Datastore.FileManagement",
    "VirtualMachine.Config.AddExistingDisk",
    "VirtualMachine.Config.AddRemoveDevice",
];

impl Rig {
    /// Three servers and two agents, settled. `external` for nodes that wait for a cloud provider.
    pub fn new(external: bool) -> Self {
        let names = ["server-1", "server-2", "server-3", "agent-1", "agent-2"];
        let mut rig = Self::machines(&names);
        for (place, name) in names.iter().enumerate() {
            rig.up(name, place, external, &format!("vsphere://{}", rig.uuid(name)));
        }
        rig.settle();
        rig
    }

    /// Machines that run nothing yet.
    pub fn machines(names: &[&str]) -> Self {
        let machine = |(place, name): (usize, &&str)| MachineSetup {
            name: (*name).to_owned(),
            cpus: 4,
            memory_mib: 8192,
            address: Some(format!("10.20.0.{}", 11 + place)),
            ..MachineSetup::default()
        };
        let grant = GrantSetup {
            path: "/".to_owned(),
            privileges: PRIVILEGES.map(str::to_owned).to_vec(),
            propagate: true,
            group: None,
        };
        let setup = Setup {
            seed: SEED,
            datacenter: "DC1".to_owned(),
            cluster: "C1".to_owned(),
            hosts: vec!["esxi-1".to_owned()],
            datastores: vec!["vsan".to_owned()],
            networks: vec!["net".to_owned()],
            machines: names.iter().enumerate().map(machine).collect(),
            accounts: vec![AccountSetup {
                principal: ACCOUNT.to_owned(),
                groups: Vec::new(),
                grants: vec![grant],
            }],
            ..Setup::default()
        };
        let mut world = World::empty(SEED);
        complete(&mut world, &setup);
        let site =
            Site { vcenter: SERVER.to_owned(), passwords: BTreeMap::new(), old_images: false };
        Self { clusters: Clusters::default(), world, site, now_ms: 1_795_380_375_000 }
    }

    pub fn uuid(&self, name: &str) -> String {
        let administrator = r"VSPHERE.LOCAL\administrator";
        let found = self.world.find_machine(administrator, &|machine| machine.name == name);
        found.unwrap().uuid
    }

    /// Starts k3s on a machine; the first one makes the cluster.
    pub fn up(&mut self, name: &str, place: usize, external: bool, provider_id: &str) {
        let mut arguments: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut put = |key: &str, value: &str| {
            arguments.entry(key.to_owned()).or_default().push(value.to_owned());
        };
        put("token", "s");
        match place {
            0 => put("cluster-init", "true"),
            _ => put("server", "https://10.20.0.11:6443"),
        }
        if external {
            put("kubelet-arg", "cloud-provider=external");
            if !provider_id.is_empty() {
                put("kubelet-arg", &format!("provider-id={provider_id}"));
            }
        }
        let address = format!("10.20.0.{}", 11 + place);
        let uuid = self.uuid(name);
        let wanted = Start {
            host: name,
            hostname: name,
            address: &address,
            machine_uuid: &uuid,
            machine_id: "0123456789abcdef0123456789abcdef",
            role: if name.starts_with("server") { Role::Server } else { Role::Agent },
            docker: None,
            version: "v1.35.9+k3s1",
            arguments: &arguments,
            data: None,
            node_password: name,
            can_reach: &|_| true,
            now_ms: self.now_ms,
        };
        let started = start(&self.clusters, &wanted, SEED).unwrap();
        started.effects.iter().for_each(|effect| self.clusters.apply(effect));
        self.now_ms += 1000;
    }

    /// k3s on a machine is gone.
    pub fn stop(&mut self, name: &str) {
        let effects = stopped(&self.clusters, name, self.now_ms);
        effects.iter().for_each(|effect| self.clusters.apply(effect));
        self.settle();
    }

    /// Lets everything come to rest, and makes sure that it has.
    #[track_caller]
    pub fn settle(&mut self) {
        self.now_ms += 1000;
        let mut before = self.clusters.clone();
        let effects = self.step();
        // Whoever reads the log comes to the same cluster.
        effects.iter().for_each(|effect| before.apply(effect));
        let stands = |clusters: &Clusters| serde_json::to_string(clusters).unwrap();
        assert_eq!(stands(&before), stands(&self.clusters));
        // What it looked at was enough.
        self.unsettle();
        let effects = self.step();
        assert!(effects.is_empty(), "{effects:#?}");
    }

    /// Has the next settling look at everything.
    fn unsettle(&mut self) {
        let cluster = self.clusters.all.values_mut().next().unwrap();
        cluster.unsettled = Unsettled::default();
    }

    pub fn step(&mut self) -> Vec<ClusterEffect> {
        let (id, cluster) = self.clusters.all.pop_first().unwrap();
        let settled = settle(cluster, &self.world, &self.site, self.now_ms);
        self.clusters.all.insert(id, settled.cluster);
        settled.vsphere.iter().for_each(|entry| self.world.apply(entry));
        settled.effects
    }

    pub fn cluster(&self) -> &crate::lab::k3s::Cluster {
        self.clusters.all.values().next().unwrap()
    }

    /// Makes or replaces an object as a client would, and settles.
    #[track_caller]
    pub fn put(&mut self, key: &Key, object: Json) {
        let effects = {
            let mut work = Work::new(self.cluster().clone(), &self.world, &self.site, self.now_ms);
            match work.get(key) {
                None => {
                    work.create(key, object);
                }
                Some(known) => {
                    let mut changed = object;
                    changed["metadata"] = known["metadata"].clone();
                    if changed.get("status").is_none() && known.get("status").is_some() {
                        changed["status"] = known["status"].clone();
                    }
                    work.put(key, changed);
                }
            }
            work.draft.effects
        };
        effects.iter().for_each(|effect| self.clusters.apply(effect));
        self.settle();
    }

    /// Changes an object in place, and settles.
    #[track_caller]
    pub fn edit(&mut self, key: &Key, change: impl FnOnce(&mut Json)) {
        let mut object = self.get(key);
        change(&mut object);
        self.put(key, object);
    }

    /// Deletes an object as a client would, and settles.
    #[track_caller]
    pub fn delete(&mut self, key: &Key) {
        let effects = {
            let mut work = Work::new(self.cluster().clone(), &self.world, &self.site, self.now_ms);
            work.delete(key);
            work.draft.effects
        };
        effects.iter().for_each(|effect| self.clusters.apply(effect));
        self.settle();
    }

    /// Removes an object at once.
    pub fn gone(&mut self, key: &Key) {
        let mut draft = Draft::of(self.cluster());
        draft.change(Changed::Object(StoreEffect::Gone(key.clone())));
        draft.effects.iter().for_each(|effect| self.clusters.apply(effect));
        self.settle();
    }

    #[track_caller]
    pub fn get(&self, key: &Key) -> Json {
        let found = self.cluster().store.get(key);
        (**found.unwrap_or_else(|| panic!("no {key}"))).clone()
    }

    pub fn has(&self, key: &Key) -> bool {
        self.cluster().store.has(key)
    }

    /// Pods whose name begins so: name, node, phase, reason why the first container waits.
    pub fn pods(&self, name: &str) -> Vec<(String, String, String, String)> {
        let of = |path: &str, pod: &Json| {
            pod.pointer(path).and_then(Json::as_str).unwrap_or_default().to_owned()
        };
        let all = self.cluster().store.list("", "pods");
        let named = all.filter(|(key, _)| key.name.starts_with(name));
        let told = named.map(|(key, pod)| {
            (
                key.name.clone(),
                of("/spec/nodeName", pod),
                of("/status/phase", pod),
                of("/status/containerStatuses/0/state/waiting/reason", pod),
            )
        });
        told.collect()
    }

    /// Messages of Events of a reason.
    pub fn events(&self, reason: &str) -> Vec<String> {
        let all = self.cluster().store.list("", "events");
        let mine = all.filter(|(_, event)| event["reason"] == reason);
        mine.map(|(_, event)| event["message"].as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    pub fn assert_event(&self, reason: &str, part: &str) {
        let events = self.events(reason);
        assert!(events.iter().any(|message| message.contains(part)), "{part} in {events:#?}");
    }

    pub fn space(&mut self, name: &str) {
        let key = Key::new("", "namespaces", "", name);
        self.put(&key, json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {}}));
    }
}

/// A Deployment of one container.
pub fn deployment(name: &str, replicas: u32, spec: &Json) -> Json {
    let labels = json!({"app": name});
    let mut pod = json!({"containers": [{"name": "main", "image": "example.org/main:1"}]});
    for (key, value) in spec.as_object().into_iter().flatten() {
        pod[key] = value.clone();
    }
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    })
}

pub fn deployments(namespace: &str, name: &str) -> Key {
    Key::new("apps", "deployments", namespace, name)
}

/// The standard base 64 of a text, as Secrets carry it.
pub fn encoded(text: &str) -> String {
    crate::lab::k3s::ids::base64(text.as_bytes())
}
