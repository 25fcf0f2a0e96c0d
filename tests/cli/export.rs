//! `secrets export`: what only the cluster knows, for those who hold a key.

use serde_json::Value as Json;

use super::env::TestEnv;

const APPLY: [&str; 6] =
    ["apply", "--lab", "--yes", "--target", "project/*/Secret/**", "small.toml"];

fn export(env: &TestEnv, code: i32, arguments: &[&str]) -> super::process::Ran {
    let all: Vec<&str> =
        ["secrets", "export", "--lab", "small.toml"].iter().chain(arguments).copied().collect();
    env.expect(code, &all)
}

fn opened(identity: &age::x25519::Identity, text: &str) -> Json {
    assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"), "{text}");
    let plain = age::decrypt(identity, text.as_bytes()).expect("it is for this key");
    serde_json::from_slice(&plain).expect("JSON")
}

#[test]
fn what_is_exported_opens_with_each_key_and_is_the_same_each_time() {
    let env = TestEnv::new();
    env.expect(0, &APPLY);
    let (one, other) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
    let key = one.to_public().to_string();
    env.write("keys", format!("# the second\n\n{}\n", other.to_public()));
    let all =
        ["--recipient", key.as_str(), "--recipients-file", "keys", "--out", "credentials.age"];
    let ran = export(&env, 0, &all);
    let file = String::from_utf8(env.read("credentials.age")).expect("text");
    let found = opened(&one, &file);
    assert_eq!(found, opened(&other, &file));
    let projects = found["projects"].as_object().expect("projects");
    assert!(projects.len() > 1, "{ran}");
    for (name, project) in projects {
        assert_eq!(project["secret"], "cht-couchdb-credentials", "{name}");
        let data = project["data"].as_object().expect("data");
        for key in ["COUCHDB_USER", "COUCHDB_PASSWORD", "COUCHDB_SECRET", "COUCHDB_UUID"] {
            let value = data[key].as_str().expect("text");
            assert!(!value.is_empty() && !file.contains(value), "{name} {key}");
            assert!(key == "COUCHDB_USER" || !ran.stderr.contains(value) && ran.stdout.is_empty());
        }
    }
    let (name, project) = projects.iter().next().expect("a project");
    let alone = export(&env, 0, &["--recipient", key.as_str(), "--project", name.as_str()]);
    let alone = opened(&one, &alone.stdout);
    assert_eq!(alone["projects"].as_object().expect("projects").len(), 1);
    assert_eq!(alone["projects"][name], *project);
}

#[test]
fn nothing_is_written_that_nobody_or_everybody_could_read() {
    let env = TestEnv::new();
    let key = age::x25519::Identity::generate();
    let (public, private) = (key.to_public().to_string(), key.to_string());
    let private = secrecy::ExposeSecret::expose_secret(&private);
    let nobody = export(&env, 3, &["--out", "credentials.age"]);
    assert!(nobody.stderr.contains("no recipient is named"), "{nobody}");
    env.write("keys", private);
    let wrong = export(&env, 3, &["--recipients-file", "keys"]);
    assert!(wrong.stderr.contains("keys:1 is a private key"), "{wrong}");
    assert!(!wrong.stderr.contains(private));
    let unknown = export(&env, 1, &["--recipient", public.as_str(), "--project", "nowhere"]);
    assert!(unknown.stderr.contains("no project nowhere"), "{unknown}");
    let none = export(&env, 1, &["--recipient", public.as_str(), "--out", "credentials.age"]);
    assert!(none.stderr.contains("error"), "{none}");
    assert!(!env.path("credentials.age").exists());
}
