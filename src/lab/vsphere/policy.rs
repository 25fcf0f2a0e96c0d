//! Storage policies over PBM, vCenter's other SOAP service: a client shows the session that it has
//! with vim25 in a header of its envelope.

use serde_json::{Value, json};

use crate::xml::{Element, envelope};

use super::dispatch::{Begun, Desk, Reply, refused};
use super::fault::Fault;
use super::ids;
use super::permission::holds;
use super::world::{ROOT, Ref, World};

/// PBM's namespace.
const PBM: &str = "urn:pbm";
/// The one object that knows policies.
const MANAGER: (&str, &str) = ("PbmProfileProfileManager", "ProfileManager");
/// Held on the root folder by who sees them.
pub(super) const PRIVILEGE: &str = "StorageProfile.View";

/// The policies that come with vSAN and with vCenter: id, name, description.
const USUAL: [[&str; 3]; 2] = [
    [
        "aa6d5a82-1c88-45da-85d3-3d74b91a5bad",
        "vSAN Default Storage Policy",
        "Storage policy used as default for vSAN datastores",
    ],
    [
        "4d5f673c-536f-11e6-beb8-9e71128cae77",
        "VM Encryption Policy",
        "Sample storage policy for VMware's VM and virtual disk encryption",
    ],
];

impl Desk {
    /// Answers one PBM request.
    pub(in crate::lab) fn pbm(&mut self, text: &str, now: u64) -> Reply {
        let Begun { call, this, hits, reply } = match self.begin(text, now) {
            Ok(begun) => begun,
            Err(reply) => return reply,
        };
        let session = self.session(header(text).as_deref()).cloned();
        let answer = match session {
            _ if refused(&hits).is_err() => refused(&hits).map(|()| Vec::new()),
            None => Err(super::session::not_authenticated(&this)),
            Some(session) => {
                self.active.insert(session.key.clone(), now);
                answer(&self.world, &self.policies, &session.principal, &call, &this)
            }
        };
        match answer {
            Ok(returned) => {
                let body = Element::new(&format!("{}Response", call.name)).attr("xmlns", PBM);
                Reply { status: 200, body: envelope(body.extend(returned)), ..reply }
            }
            Err(fault) => reply.refused(&fault),
        }
    }
}

/// All policies as REST lists them.
pub(super) fn listed(world: &World, own: &[String]) -> Value {
    let one = |[id, name, description]: [String; 3]| json!({ "policy": id, "name": name, "description": description });
    Value::Array(policies(world, own).into_iter().map(one).collect())
}

fn policies(world: &World, own: &[String]) -> Vec<[String; 3]> {
    let usual = USUAL.iter().map(|policy| policy.map(str::to_owned));
    let own = own.iter().filter(|name| USUAL.iter().all(|[_, known, _]| known != name));
    let own = own
        .map(|name| [ids::uuid(world.seed, "70", &["policy", name]), name.clone(), String::new()]);
    usual.chain(own).collect()
}

/// The session's cookie in the header of an envelope.
fn header(text: &str) -> Option<String> {
    let root = Element::parse(text).ok()?;
    let cookie = root.child("Header")?.child_text("vcSessionCookie")?;
    Some(cookie.trim_matches('"').to_owned())
}

fn answer(
    world: &World,
    own: &[String],
    principal: &str,
    call: &Element,
    this: &Ref,
) -> Result<Vec<Element>, Fault> {
    if call.namespace.as_deref() != Some(PBM) {
        return Err(Fault::request(format!("{} is no method of {PBM}", call.name)));
    }
    if (this.class.as_str(), this.id.as_str()) != MANAGER {
        return Err(Fault::gone(this));
    }
    if !holds(world, principal, ROOT, PRIVILEGE) {
        return Err(Fault::permission(&Ref::new("Folder", ROOT), PRIVILEGE));
    }
    let all = policies(world, own);
    match call.name.as_str() {
        "PbmQueryProfile" => {
            let kind = call.child("resourceType").and_then(|kind| kind.child_text("resourceType"));
            if kind != Some("STORAGE") {
                return Err(Fault::argument("resourceType"));
            }
            let id = |policy: &[String; 3]| {
                Element::new("returnval").push(Element::with_text("uniqueId", &policy[0]))
            };
            Ok(all.iter().map(id).collect())
        }
        "PbmRetrieveContent" => {
            let wanted: Vec<&str> = call
                .children_named("profileIds")
                .filter_map(|id| id.child_text("uniqueId"))
                .collect();
            if wanted.is_empty() {
                return Err(Fault::argument("profileIds"));
            }
            let of_them = all.iter().filter(|[id, ..]| wanted.contains(&id.as_str()));
            Ok(of_them.map(profile).collect())
        }
        name => Err(Fault::unsimulated(name)),
    }
}

/// The parts of `PbmCapabilityProfile` that tell what it is called.
fn profile([id, name, description]: &[String; 3]) -> Element {
    let text = |name: &str, text: &str| Element::with_text(name, text);
    Element::new("returnval")
        .attr("xmlns:xsi", crate::xml::XSI)
        .attr("xsi:type", "PbmCapabilityProfile")
        .push(Element::new("profileId").push(text("uniqueId", id)))
        .push(text("name", name))
        .push(text("description", description))
        .push(text("profileCategory", "REQUIREMENT"))
}
