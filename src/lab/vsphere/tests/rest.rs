//! The guide's REST calls.

use serde_json::{Value, json};

use crate::lab::{FaultRule, Lab, StagedFault};

use super::super::dispatch::Reply;
use super::super::rest::RestRequest;
use super::super::status::status;
use super::client::Client;

const ADMINISTRATOR: &str = "administrator@vsphere.local";

fn send(client: &mut Client, call: &str, authorization: Option<&str>, session: &str) -> Reply {
    let (method, path) = call.split_once(' ').unwrap();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let session = (!session.is_empty()).then_some(session);
    client.now += 1;
    let request = RestRequest { method, path, query, authorization, session, agent: "curl" };
    client.desk.rest(&request, client.now)
}

fn get(client: &mut Client, path: &str, session: &str) -> (u16, Value) {
    let reply = send(client, &format!("GET {path}"), None, session);
    (reply.status, serde_json::from_str(&reply.body).unwrap_or_default())
}

fn basic(user: &str, password: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = format!("{user}:{password}");
    let mut coded = String::from("Basic ");
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            coded.push(char::from(DIGITS[((bits >> (18 - 6 * place)) & 63) as usize]));
        }
        coded.push_str(&"==="[..3 - chunk.len()]);
    }
    coded
}

/// A session, by `/rest` or `/api`.
fn login(client: &mut Client, path: &str) -> String {
    let credentials = basic(ADMINISTRATOR, &Lab::password_of(7, ADMINISTRATOR));
    let reply = send(client, &format!("POST {path}"), Some(&credentials), "");
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    let (status, id) = if path.starts_with("/api") { (201, &body) } else { (200, &body["value"]) };
    assert_eq!(reply.status, status);
    id.as_str().unwrap().to_owned()
}

#[test]
fn sessions_of_both_forms_are_sessions_of_soap_and_end() {
    let mut client = Client::new();
    for (path, ended) in [("/rest/com/vmware/cis/session", 200), ("/api/session", 204)] {
        let before = status(&client.desk).sessions.len();
        let session = login(&mut client, path);
        assert_eq!(status(&client.desk).sessions.len(), before + 1);
        client.cookie = Some(session.clone());
        client.ok("CurrentTime", "ServiceInstance:ServiceInstance", "");
        assert_eq!(get(&mut client, "/api/vcenter/vm", &session).0, 200);
        assert_eq!(send(&mut client, &format!("DELETE {path}"), None, &session).status, ended);
        assert_eq!(status(&client.desk).sessions.len(), before);
        assert_eq!(get(&mut client, "/api/vcenter/vm", &session).0, 401);
    }
}

#[test]
fn what_is_wrong_is_said_in_each_form() {
    let mut client = Client::new();
    let (status, body) = get(&mut client, "/api/vcenter/vm", "");
    assert_eq!((status, &body["error_type"]), (401, &json!("UNAUTHENTICATED")));
    let (status, body) = get(&mut client, "/rest/vcenter/vm", "x");
    assert_eq!(
        (status, &body["type"]),
        (401, &json!("com.vmware.vapi.std.errors.unauthenticated"))
    );
    let wrong = basic(ADMINISTRATOR, "wrong");
    assert_eq!(send(&mut client, "POST /api/session", Some(&wrong), "").status, 401);
    assert_eq!(send(&mut client, "POST /api/session", None, "").status, 401);
    let session = login(&mut client, "/api/session");
    let (status, body) = get(&mut client, "/api/vcenter/vm/vm-1", &session);
    assert_eq!((status, &body["error_type"]), (404, &json!("NOT_FOUND")));
    let (status, body) = get(&mut client, "/rest/vcenter/vm/vm-1", &session);
    assert_eq!((status, &body["type"]), (404, &json!("com.vmware.vapi.std.errors.not_found")));
    assert_eq!(get(&mut client, "/api/vcenter/none", &session).0, 404);
}

#[test]
fn machines_are_listed_without_templates_and_shown_with_both_uuids() {
    let mut client = Client::new();
    let machine = client.clone_vm("server 1", "", true);
    let session = login(&mut client, "/api/session");
    let (_, list) = get(&mut client, "/api/vcenter/vm", &session);
    let names: Vec<_> = list.as_array().unwrap().iter().map(|vm| vm["name"].clone()).collect();
    assert_eq!(names.len(), 4);
    assert!(!names.contains(&json!("ubuntu-22.04")));
    let (_, one) = get(&mut client, "/api/vcenter/vm?names=server%201", &session);
    let id = machine.trim_start_matches("VirtualMachine:");
    assert_eq!(
        one,
        json!([{ "vm": id, "name": "server 1", "power_state": "POWERED_ON", "cpu_count": 2,
            "memory_size_MiB": 2048 }])
    );
    assert_eq!(
        get(&mut client, "/rest/vcenter/vm?filter.names=server+1", &session).1["value"],
        one
    );
    let (_, info) = get(&mut client, &format!("/api/vcenter/vm/{id}"), &session);
    assert_eq!(info["identity"]["bios_uuid"], json!(client.text(&machine, "config.uuid")));
    assert_eq!(
        info["identity"]["instance_uuid"],
        json!(client.text(&machine, "config.instanceUuid"))
    );
    assert_eq!(info["hardware"]["version"], "VMX_13");
    assert_eq!(info["scsi_adapters"]["1000"]["type"], "PVSCSI");
    let (_, older) = get(&mut client, &format!("/rest/vcenter/vm/{id}"), &session);
    assert_eq!(older["value"]["scsi_adapters"][0]["key"], "1000");
}

#[test]
fn places_and_policies_are_listed_for_who_may_see_them() {
    let mut client = Client::new();
    let session = login(&mut client, "/rest/com/vmware/cis/session");
    for (path, field, name) in [
        ("/rest/vcenter/datacenter", "datacenter", "DC1"),
        ("/api/vcenter/datacenter", "datacenter", "DC1"),
        ("/api/vcenter/cluster", "cluster", "Cluster1"),
        ("/api/vcenter/storage/policies", "policy", "vSAN Default Storage Policy"),
    ] {
        let (status, body) = get(&mut client, path, &session);
        let list = if path.starts_with("/rest") { &body["value"] } else { &body };
        assert_eq!((status, &list[0]["name"]), (200, &json!(name)), "{path}");
        assert!(list[0][field].is_string());
    }
    let storage = basic("cht-storage@vsphere.local", &Lab::password_of(7, "cht-storage"));
    let reply = send(&mut client, "POST /api/session", Some(&storage), "");
    let session: String = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(get(&mut client, "/api/vcenter/vm", &session), (200, json!([])));
    assert_eq!(get(&mut client, "/api/vcenter/storage/policies", &session).0, 403);
}

#[test]
fn faults_are_staged_for_rest_calls_too() {
    let mut client = Client::new();
    let session = login(&mut client, "/api/session");
    let next = |fault| FaultRule::next("GET /api/vcenter/vm/{vm}", fault);
    client.desk.staging.set(vec![next(StagedFault::Unavailable)]);
    assert_eq!(get(&mut client, "/api/vcenter/vm/vm-1", &session).0, 503);
    client.desk.staging.set(vec![next(StagedFault::DropBefore)]);
    assert!(send(&mut client, "GET /api/vcenter/vm/vm-1", None, &session).cut);
    client.desk.staging.set(vec![next(StagedFault::ExpireSession)]);
    assert_eq!(get(&mut client, "/api/vcenter/vm/vm-1", &session).0, 401);
}
