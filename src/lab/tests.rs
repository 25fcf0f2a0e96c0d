//! The lab over TLS, and its world on disk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::path::Path;

use crate::xml::{Element, envelope};

use super::{
    Adjustment, Control, Endpoints, FaultRule, Lab, Opened, Running, ServeOptions, Setup,
    StagedFault, StatusDisk, reset,
};

fn setup() -> Setup {
    Setup {
        seed: 3,
        datacenter: "DC1".to_owned(),
        cluster: "Cluster1".to_owned(),
        hosts: vec!["esx-1".to_owned()],
        datastores: vec!["vsanDatastore".to_owned()],
        networks: vec!["VM Network".to_owned()],
        templates: Vec::new(),
        machines: Vec::new(),
        principals: Vec::new(),
        ..Setup::default()
    }
}

async fn serve(directory: &Path) -> Running {
    match Lab::open(directory, &setup()).unwrap() {
        Opened::Owned(lab) => lab.serve(ServeOptions::default()).await.unwrap(),
        Opened::Served(endpoints) => panic!("held by {endpoints:?}"),
    }
}

/// Sends one SOAP call.
async fn send(
    endpoints: &Endpoints,
    cookie: &str,
    action: &str,
    body: Element,
) -> reqwest::Result<reqwest::Response> {
    let ca = reqwest::Certificate::from_pem(endpoints.ca_pem.as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
    let request =
        client.post(format!("{}/sdk", endpoints.vcenter_url)).header("SOAPAction", action);
    request.header("Cookie", cookie).body(envelope(body)).send().await
}

/// One SOAP call; the answer's body and the cookie that it sets.
async fn call(
    endpoints: &Endpoints,
    cookie: &str,
    action: &str,
    body: Element,
) -> (u16, Element, Option<String>) {
    let response = send(endpoints, cookie, action, body).await.unwrap();
    let cookie =
        response.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let root = Element::parse(&response.text().await.unwrap()).unwrap();
    (status, root.child("Body").unwrap().children[0].clone(), cookie)
}

fn method(name: &str, class: &str, parameters: &[(&str, &str)]) -> Element {
    let parameters = parameters.iter().map(|(name, text)| Element::with_text(name, *text));
    let id = if class == "Folder" { "group-d1" } else { class };
    Element::new(name).push(Element::with_text("_this", id).attr("type", class)).extend(parameters)
}

async fn login(endpoints: &Endpoints) -> String {
    let parameters =
        [("userName", endpoints.username.as_str()), ("password", endpoints.password.as_str())];
    let (status, _, cookie) =
        call(endpoints, "", "urn:vim25/7.0", method("Login", "SessionManager", &parameters)).await;
    assert_eq!(status, 200);
    let cookie = cookie.unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

fn crypto() {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[tokio::test]
async fn a_world_outlives_the_process_that_served_it() {
    crypto();
    let directory = tempfile::tempdir().unwrap();
    let first = serve(directory.path()).await;
    let cookie = login(&first.endpoints).await;
    let create = || method("CreateFolder", "Folder", &[("name", "Elsewhere")]);
    let (status, made, _) = call(&first.endpoints, &cookie, "urn:vim25/7.0", create()).await;
    assert_eq!((status, made.name.as_str()), (200, "CreateFolderResponse"));
    let (digest, thumbprint) = (first.status().unwrap().digest, first.endpoints.thumbprint.clone());
    // Dropped, not shut down: as much as a test can do of a kill.
    drop(first);
    tokio::task::yield_now().await;
    let log = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let log = log.into_iter().find(|path| path.extension().is_some_and(|e| e == "log")).unwrap();
    std::fs::OpenOptions::new().append(true).open(log).unwrap().write_all(b"0000 {\"effe").unwrap();

    let second = serve(directory.path()).await;
    assert_eq!(
        (second.status().unwrap().digest, second.endpoints.thumbprint.clone()),
        (digest, thumbprint)
    );
    let (status, fault, _) = call(&second.endpoints, &cookie, "\"urn:vim25/7.0\"", create()).await;
    let fault = fault
        .child("detail")
        .unwrap()
        .child("DuplicateNameFault")
        .map(|fault| fault.child_text("name"));
    assert_eq!((status, fault), (500, Some(Some("Elsewhere"))));
    second.shutdown().await.unwrap();
}

#[tokio::test]
async fn others_find_the_owner_and_only_the_token_opens_the_side_door() {
    crypto();
    let directory = tempfile::tempdir().unwrap();
    let running = serve(directory.path()).await;
    let Opened::Served(endpoints) = Lab::open(directory.path(), &setup()).unwrap() else {
        panic!("two owners");
    };
    assert_eq!(*endpoints, running.endpoints);
    assert!(!format!("{endpoints:?}").contains(&endpoints.password));
    let control = Control::connect(&endpoints).unwrap();
    login(&endpoints).await;
    let status = control.status().await.unwrap();
    assert_eq!((status.sessions_ever, status.requests.get("Login")), (1, Some(&1)));
    assert_eq!(control.drift(1, 5).await.unwrap(), []);
    control.delay(5).await.unwrap();
    let wrong = Endpoints { control_token: "x".to_owned(), ..(*endpoints).clone() };
    assert!(
        Control::connect(&wrong).unwrap().status().await.unwrap_err().to_string().contains("403")
    );
    assert!(reset(directory.path()).unwrap_err().to_string().contains("held by another process"));
    running.shutdown().await.unwrap();
    reset(directory.path()).unwrap();
    assert!(!directory.path().exists());
}

#[tokio::test]
async fn a_newer_version_is_not_spoken() {
    crypto();
    let directory = tempfile::tempdir().unwrap();
    let running = serve(directory.path()).await;
    let content = || method("RetrieveServiceContent", "ServiceInstance", &[]);
    for (action, expected) in [
        ("urn:vim25/8.0.1.0", 500),
        ("urn:vim25/7.0", 200),
        ("urn:vim25/6.5", 200),
        ("", 200),
        ("urn:sms", 500),
    ] {
        let (status, _, _) = call(&running.endpoints, "", action, content()).await;
        assert_eq!(status, expected, "{action}");
    }
    running.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_side_door_stages_faults_and_changes_machines() {
    crypto();
    let directory = tempfile::tempdir().unwrap();
    let running = serve(directory.path()).await;
    let control = Control::connect(&running.endpoints).unwrap();
    let cookie = login(&running.endpoints).await;
    let cut = FaultRule::next("CreateFolder", StagedFault::DropAfter);
    let busy = FaultRule::next("CurrentTime", StagedFault::Unavailable);
    control.stage(&[cut, busy]).await.unwrap();
    assert_eq!(control.status().await.unwrap().faults.len(), 2);
    let create = method("CreateFolder", "Folder", &[("name", "Elsewhere")]);
    let lost = send(&running.endpoints, &cookie, "urn:vim25/7.0", create).await.unwrap_err();
    assert!(lost.is_request(), "{lost:?}");
    let time = method("CurrentTime", "ServiceInstance", &[]);
    let busy = send(&running.endpoints, &cookie, "urn:vim25/7.0", time).await.unwrap();
    assert_eq!(busy.status().as_u16(), 503);
    let status = control.status().await.unwrap();
    assert!(status.faults.is_empty());
    assert!(status.inventory.iter().any(|object| object.path == "/Elsewhere"));

    let (path, file) = ("/DC1/vm/Other Team/legacy-db", "[vsanDatastore] fcd/1.vmdk");
    control.attach(path, file).await.unwrap();
    let disk = StatusDisk { file: file.to_owned(), machine: Some(path.to_owned()) };
    assert_eq!(running.status().unwrap().foreign_disks, [disk]);
    let again = control.attach(path, file).await.unwrap_err().to_string();
    assert!(again.contains("400") && again.contains("already"), "{again}");
    running.detach(path, file).unwrap();
    let adjustment = Adjustment {
        path: path.to_owned(),
        connection_state: Some("lost".to_owned()),
        ..Adjustment::default()
    };
    assert!(
        control.set(&adjustment).await.unwrap_err().to_string().contains("no connection state")
    );
    assert!(running.set(&adjustment).unwrap_err().to_string().contains("no connection state"));
    running.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_guides_calls_work_as_curl_sends_them() {
    crypto();
    let directory = tempfile::tempdir().unwrap();
    let running = serve(directory.path()).await;
    let endpoints = &running.endpoints;
    let ca = reqwest::Certificate::from_pem(endpoints.ca_pem.as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
    let at = |path: &str| format!("{}{path}", endpoints.vcenter_url);
    let login = client.post(at("/rest/com/vmware/cis/session"));
    let login = login.basic_auth(&endpoints.username, Some(&endpoints.password)).send().await;
    let login: serde_json::Value = login.unwrap().json().await.unwrap();
    let session = login["value"].as_str().unwrap();
    for path in ["/rest/vcenter/datacenter", "/api/vcenter/cluster", "/api/vcenter/vm"] {
        let response = client.get(at(path)).header("vmware-api-session-id", session);
        let response = response.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "application/json");
    }
    assert_eq!(client.get(at("/api/vcenter/vm")).send().await.unwrap().status().as_u16(), 401);
    running.shutdown().await.unwrap();
}

#[tokio::test]
async fn two_clients_at_once_have_sessions_of_their_own() {
    crypto();
    let directory = tempfile::tempdir().unwrap();
    let running = serve(directory.path()).await;
    let (one, two) = tokio::join!(login(&running.endpoints), login(&running.endpoints));
    assert_ne!(one, two);
    let create = |name| method("CreateFolder", "Folder", &[("name", name)]);
    let ((first, ..), (second, ..)) = tokio::join!(
        call(&running.endpoints, &one, "urn:vim25/7.0", create("one")),
        call(&running.endpoints, &two, "urn:vim25/7.0", create("two")),
    );
    assert_eq!((first, second), (200, 200));
    let logout = method("Logout", "SessionManager", &[]);
    call(&running.endpoints, &one, "urn:vim25/7.0", logout).await;
    let users = running.status().unwrap().sessions_by_user;
    assert_eq!(users.into_values().collect::<Vec<_>>(), [1]);
    running.shutdown().await.unwrap();
}
