//! House rules that a machine can check.

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names that `use crate::…` brings into a file, tests left out.
fn uses(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let code: String = code.collect::<Vec<_>>().join("\n");
    let names = code.split("crate::").skip(1);
    names
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

/// Folder, and what of the crate it may know. Arrows point down to data.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("resource", &["resource"]),
    ("graph", &["graph"]),
    ("spec", &["spec", "resource", "diag"]),
    ("lock", &["lock", "spec"]),
    ("lower", &["lower", "spec", "resource", "diag", "plan"]),
    ("state", &["state", "resource", "diag"]),
    ("plan", &["plan", "resource", "graph", "state", "diag"]),
    ("rules", &["rules", "lock", "spec", "resource", "graph", "state", "plan", "diag"]),
    ("provider", &["provider", "resource", "plan", "diag", "xml"]),
    ("apply", &["apply", "plan", "graph", "provider", "resource", "state"]),
    ("twin", &["twin", "provider", "resource", "plan", "state", "apply", "graph"]),
    ("render", &["render", "plan", "graph", "apply", "diag", "resource", "spec"]),
    ("lab", &["lab", "xml"]),
];

#[test]
fn folders_know_only_what_stands_below_them() {
    for (folder, allowed) in MAY_KNOW {
        for path in sources(&root().join("src").join(folder)) {
            if path.components().any(|part| part.as_os_str() == "tests")
                || path.ends_with("tests.rs")
            {
                continue;
            }
            for name in uses(&fs::read_to_string(&path).unwrap()) {
                assert!(allowed.contains(&name.as_str()), "{} uses crate::{name}", path.display());
            }
        }
    }
}

#[test]
fn the_core_has_no_clock_no_environment_and_nothing_asynchronous() {
    let banned =
        ["async fn", "std::env", "std::fs", "SystemTime", "Instant::now", "tokio", "reqwest"];
    for folder in ["resource", "graph", "spec", "lower", "plan", "rules"] {
        for path in sources(&root().join("src").join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in banned {
                assert!(!code.contains(word), "{} has {word}", path.display());
            }
        }
    }
}

#[test]
fn every_test_file_is_part_of_the_program() {
    let tests = root().join("tests");
    for path in sources(&tests) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let folder = path.parent().unwrap();
        let (parent, name) = match (name, folder == tests) {
            ("main", true) => continue,
            ("mod", _) => {
                let above = folder.parent().unwrap();
                let parent = if above == tests { "main.rs" } else { "mod.rs" };
                (above.join(parent), folder.file_name().unwrap().to_str().unwrap())
            }
            (name, true) => (tests.join("main.rs"), name),
            (name, false) => (folder.join("mod.rs"), name),
        };
        let declared = fs::read_to_string(&parent).unwrap().contains(&format!("mod {name};"));
        assert!(
            declared,
            "{} is in no test program: declare it in {}",
            path.display(),
            parent.display()
        );
    }
}
