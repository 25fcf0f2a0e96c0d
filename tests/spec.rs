//! The examples, their schema, and what is said of specs that are wrong.

use std::fs;
use std::path::{Path, PathBuf};

use boma::lock::{FILE, Lock, read_spec};
use boma::spec::{Spec, parse, schema};
use serde_json::{Value, json};

const EXAMPLES: [&str; 2] = ["national-50-counties.toml", "guide-as-written.toml"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn example(name: &str) -> String {
    fs::read_to_string(root().join("examples").join(name)).expect(name)
}

fn sound(name: &str) -> Spec {
    let parsed = parse(name, &example(name));
    assert_eq!(parsed.diagnostics, [], "{name}");
    parsed.spec.expect(name)
}

/// A TOML document as other tools see it: dates are text.
fn as_json(text: &str) -> Value {
    fn turn(value: toml::Value) -> Value {
        match value {
            toml::Value::Datetime(date) => json!(date.to_string()),
            toml::Value::Array(items) => items.into_iter().map(turn).collect(),
            toml::Value::Table(table) => {
                let pairs = table.into_iter().map(|(key, value)| (key, turn(value)));
                Value::Object(pairs.collect())
            }
            other => json!(other),
        }
    }
    turn(toml::Value::Table(text.parse().expect("TOML")))
}

fn invalid_specs() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("examples/invalid")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths
}

/// Compares with a committed file; BOMA_BLESS=1 writes it instead.
fn check_pinned(path: &Path, now: &str) {
    if std::env::var_os("BOMA_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        return fs::write(path, now).unwrap();
    }
    let pinned = fs::read_to_string(path).unwrap_or_default();
    let lines = pinned.lines().zip(now.lines()).enumerate();
    let differing = lines.filter(|(_, (then, now))| then != now).map(|(at, pair)| (at + 1, pair));
    let first = differing.take(1).collect::<Vec<_>>();
    assert!(
        pinned == now,
        "{} is not current: run this test with BOMA_BLESS=1 and review; first at {first:?}",
        path.display()
    );
}

#[test]
fn the_examples_are_sound_and_what_they_say_they_are() {
    let national = sound(EXAMPLES[0]);
    assert_eq!(national.projects.len(), 50);
    assert_eq!(national.servers.len(), 3);
    assert_eq!(national.agents.len(), 9);
    let agent = &national.agents[8];
    assert_eq!((agent.name.as_str(), *agent.cpus, *agent.memory_mib), ("agent-9", 48, 192 * 1024));
    assert_eq!(agent.address.to_string(), "10.20.0.29");
    let county = &national.projects[0];
    assert_eq!(county.host.value, "county-01.cht.example.org");
    assert_eq!(*county.couchdb.storage_mib, 700 * 1024);
    assert_eq!(*county.couchdb.nodes, 3);

    let guide = sound(EXAMPLES[1]);
    assert_eq!(guide.cloud_provider.version.value, "v1.25.3");
    assert!(guide.docker.is_some() && guide.backup.is_none() && guide.k3s.agent_token.is_none());
    assert_eq!(guide.waivers.len(), 17);
}

#[test]
fn the_examples_are_locked() {
    let lock = Lock::parse(&example(FILE)).expect("a lock");
    for name in EXAMPLES {
        let (_, standing) = read_spec(name, &example(name), &lock);
        assert_eq!(standing.expect(name).owed(), [], "run `boma lock examples/{name}`");
    }
}

#[test]
fn the_committed_schema_is_the_one_boma_prints() {
    let now = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    check_pinned(&root().join("schema/boma.schema.json"), &now);
}

#[test]
fn the_examples_name_the_schema_and_pass_it() {
    let validator = jsonschema::draft202012::new(&schema()).expect("a valid schema");
    for name in EXAMPLES {
        let text = example(name);
        assert!(text.starts_with("#:schema ../schema/boma.schema.json\n"), "{name}");
        let errors: Vec<String> = validator
            .iter_errors(&as_json(&text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn the_schema_refuses_what_the_parser_refuses() {
    let validator = jsonschema::draft202012::new(&schema()).expect("a valid schema");
    let text = example(EXAMPLES[0]);
    for (from, to) in [
        ("name = \"national\"", "nme = \"national\""),
        ("name = \"national\"", "name = \"National\""),
        ("count      = 3", "count = \"3\""),
        ("count      = 3", "count = 4000000000"),
        ("memory     = \"8GiB\"", "memory = 8"),
        ("memory     = \"8GiB\"", "memory = \"8GB\""),
        ("{ env = \"VCENTER_PASSWORD\" }", "\"hunter2\""),
        ("{ env = \"VCENTER_PASSWORD\" }", "{ env = \"A\", file = \"b\" }"),
        ("\"prefer\"", "\"prefered\""),
        ("class = \"vmware-sc\"", "reclaim = \"Retain\""),
        ("cht     = \"5.3.1\"", "cht = \"3.17.0\""),
        ("[projects.rollout]", "[projects.rolout]"),
    ] {
        assert!(text.contains(from), "{from}");
        let wrong = text.replacen(from, to, 1);
        assert!(!validator.is_valid(&as_json(&wrong)), "the schema takes {to}");
        assert!(parse("f", &wrong).spec.is_none(), "the parser takes {to}");
    }
}

#[test]
fn wrong_specs_are_explained() {
    let paths = invalid_specs();
    assert!(paths.len() >= 8);
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let parsed = parse(name, &text);
        assert!(parsed.spec.is_none(), "{name} has no error");
        let shown = boma::render::diagnostics(&text, name, &parsed.diagnostics, false, 100);
        check_pinned(&path.with_extension("txt"), &shown);
    }
}

#[test]
fn every_explanation_belongs_to_a_spec() {
    for entry in fs::read_dir(root().join("examples/invalid")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            assert!(path.with_extension("toml").exists(), "{}", path.display());
        }
    }
}
