//! A raw SOAP client of a world in memory.

use crate::lab::{MachineSetup, Setup, TemplateSetup};
use crate::xml::{Element, envelope};

use super::super::call::Settings;
use super::super::dispatch::{Desk, Reply};
use super::super::genesis::complete;
use super::super::world::{Entry, Ref, World};

/// A desk, a session, a clock, and all records so far.
pub(super) struct Client {
    pub desk: Desk,
    pub cookie: Option<String>,
    pub settings: Settings,
    pub now: u64,
    pub entries: Vec<Entry>,
}

pub(super) fn setup() -> Setup {
    Setup {
        seed: 7,
        datacenter: "DC1".to_owned(),
        cluster: "Cluster1".to_owned(),
        hosts: vec!["esx-1".to_owned(), "esx-2".to_owned()],
        datastores: vec!["vsanDatastore".to_owned()],
        networks: vec!["VM Network".to_owned(), "Other".to_owned()],
        templates: vec![TemplateSetup {
            name: "ubuntu-22.04".to_owned(),
            cpus: 2,
            memory_mib: 2048,
            disk_gib: 20,
            hardware_version: 13,
            ..TemplateSetup::default()
        }],
        machines: vec![MachineSetup {
            name: "standing-1".to_owned(),
            folder: "old/site".to_owned(),
            cpus: 4,
            memory_mib: 8192,
            disk_gib: 50,
            disk_uuid: true,
            hardware_version: 15,
            powered_on: true,
            address: Some("10.20.0.99".to_owned()),
            ..MachineSetup::default()
        }],
        principals: vec![r"VSPHERE.LOCAL\cht-storage".to_owned()],
        ..Setup::default()
    }
}

impl Client {
    /// Logged in as the administrator.
    pub(super) fn new() -> Self {
        Self::of(&setup())
    }

    /// The same in a world of one's own.
    pub(super) fn of(setup: &Setup) -> Self {
        let mut world = World::empty(7);
        let entries = complete(&mut world, setup);
        let mut client = Self {
            desk: Desk::new(world),
            cookie: None,
            settings: Settings { task_delay_ms: 0, page_size: 100 },
            now: 1_000_000,
            entries,
        };
        client.login("administrator@vsphere.local");
        client
    }

    pub(super) fn login(&mut self, user: &str) {
        let password = crate::lab::Lab::password_of(7, user);
        let body = format!("<userName>{user}</userName><password>{password}</password>");
        self.ok("Login", "SessionManager:SessionManager", &body);
    }

    /// Sends a whole document; true for HTTP 200.
    pub(super) fn send(&mut self, text: &str) -> (bool, Element) {
        self.now += 1;
        let cookie = self.cookie.clone();
        let reply = self.desk.handle(text, cookie.as_deref(), "test", self.settings, self.now);
        self.cookie = reply.cookie.or(cookie);
        self.entries.extend(reply.entries);
        let root = Element::parse(&reply.body).unwrap();
        let body = root.child("Body").unwrap().children[0].clone();
        (reply.status == 200, body)
    }

    /// Calls a method of `Class:id` with the XML of its parameters.
    pub(super) fn call(
        &mut self,
        method: &str,
        this: &str,
        parameters: &str,
    ) -> Result<Element, Element> {
        let (class, id) = this.split_once(':').unwrap();
        let document = envelope(
            Element::new(method).push(Ref::new(class, id).element("_this")).push(Element::new("x")),
        );
        let (ok, body) = self.send(&document.replace("<x/>", parameters));
        if ok { Ok(body) } else { Err(body) }
    }

    /// The whole HTTP reply to a call.
    pub(super) fn raw(&mut self, method: &str, this: &str, parameters: &str) -> Reply {
        let (class, id) = this.split_once(':').unwrap();
        let call = Element::new(method).push(Ref::new(class, id).element("_this"));
        let text = envelope(call.push(Element::new("x"))).replace("<x/>", parameters);
        self.desk.handle(&text, self.cookie.as_deref(), "test", self.settings, self.now)
    }

    /// Whether the connection is cut instead of an answer.
    pub(super) fn is_cut(&mut self, method: &str, this: &str, parameters: &str) -> bool {
        self.raw(method, this, parameters).cut
    }

    pub(super) fn ok(&mut self, method: &str, this: &str, parameters: &str) -> Element {
        self.call(method, this, parameters)
            .unwrap_or_else(|fault| panic!("{method}: {}", fault.to_xml()))
    }

    /// The type and text of the fault that a call must end in.
    pub(super) fn fault(&mut self, method: &str, this: &str, parameters: &str) -> (String, String) {
        let fault = self.call(method, this, parameters).expect_err(method);
        let detail = &fault.child("detail").unwrap().children[0];
        let kind = detail.xsi_type().unwrap().to_owned();
        assert_eq!(detail.name, format!("{kind}Fault"));
        (kind, fault.child_text("faultstring").unwrap().to_owned())
    }

    /// Runs a task to its end; the fault's type when it fails, else its result's id.
    pub(super) fn task(
        &mut self,
        method: &str,
        this: &str,
        parameters: &str,
    ) -> Result<String, String> {
        let task = self.ok(method, this, parameters).child_text("returnval").unwrap().to_owned();
        let info = self.get(&format!("Task:{task}"), "info").unwrap();
        match info.child_text("state") {
            Some("success") => Ok(info.child_text("result").unwrap_or_default().to_owned()),
            Some("error") => Err(info
                .child("error")
                .unwrap()
                .child("fault")
                .unwrap()
                .xsi_type()
                .unwrap()
                .to_owned()),
            other => panic!("{method} is {other:?}"),
        }
    }

    /// One property of one object.
    pub(super) fn get(&mut self, object: &str, path: &str) -> Option<Element> {
        let (class, id) = object.split_once(':').unwrap();
        let spec = format!(
            "<specSet><propSet><type>{class}</type><pathSet>{path}</pathSet></propSet>\
             <objectSet><obj type=\"{class}\">{id}</obj></objectSet></specSet>"
        );
        let path = path.replace('&', "&amp;");
        let answer = self.ok("RetrieveProperties", "PropertyCollector:propertyCollector", &spec);
        let found = answer
            .child("returnval")?
            .children_named("propSet")
            .find(|set| set.child_text("name") == Some(&path))?;
        found.child("val").cloned()
    }

    pub(super) fn text(&mut self, object: &str, path: &str) -> String {
        self.get(object, path).map(|val| val.text).unwrap_or_default()
    }

    /// `Class:id` of an inventory path.
    pub(super) fn at(&mut self, path: &str) -> Option<String> {
        let body = format!("<inventoryPath>{path}</inventoryPath>");
        let answer = self.ok("FindByInventoryPath", "SearchIndex:SearchIndex", &body);
        let found = answer.child("returnval")?;
        Some(format!("{}:{}", found.attribute("type").unwrap(), found.text))
    }

    pub(super) fn reference(&mut self, name: &str, path: &str) -> String {
        let object = self.at(path).expect(path);
        let (class, id) = object.split_once(':').unwrap();
        format!("<{name} type=\"{class}\">{id}</{name}>")
    }

    /// Parameters that clone into the datacenter's VM folder.
    pub(super) fn clone_parameters(&mut self, name: &str, config: &str, power_on: bool) -> String {
        let folder = self.reference("folder", "/DC1/vm");
        let datastore = self.reference("datastore", "/DC1/datastore/vsanDatastore");
        let pool = self.reference("pool", "/DC1/host/Cluster1/Resources");
        format!(
            "{folder}<name>{name}</name><spec><location>{datastore}{pool}</location><template>false</template>\
             {config}<powerOn>{power_on}</powerOn></spec>"
        )
    }

    /// Clones the template; gives `VirtualMachine:id`.
    pub(super) fn clone_vm(&mut self, name: &str, config: &str, power_on: bool) -> String {
        let template = self.at("/DC1/vm/ubuntu-22.04").unwrap();
        let parameters = self.clone_parameters(name, config, power_on);
        let id = self.task("CloneVM_Task", &template, &parameters).unwrap();
        format!("VirtualMachine:{id}")
    }

    pub(super) fn reconfigure(&mut self, machine: &str, spec: &str) -> Result<String, String> {
        self.task("ReconfigVM_Task", machine, &format!("<spec>{spec}</spec>"))
    }
}
