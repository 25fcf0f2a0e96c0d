//! The lab's world from outside.

use std::collections::BTreeSet;

use super::env::TestEnv;

/// What is in the world of a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// One line for each object: its type and its path.
    pub inventory: Vec<String>,
    /// Equal worlds have equal digests.
    pub digest: String,
    pub sessions_open: u64,
}

impl World {
    /// Looks at the world of a spec.
    #[track_caller]
    pub fn of(env: &TestEnv, spec: &str) -> Self {
        let status = env.json(0, &["lab", "status", spec]);
        let text = env.expect(0, &["lab", "status", spec]).stdout;
        // After an empty line come the objects.
        let inventory = text.lines().skip_while(|line| !line.is_empty()).skip(1);
        let inventory = inventory.map(str::to_owned).collect();
        Self {
            inventory,
            digest: status["digest"].as_str().expect("a digest").to_owned(),
            sessions_open: status["sessions"]["open"].as_u64().expect("a number"),
        }
    }

    /// No VM, role or permission is there twice.
    #[track_caller]
    pub fn assert_nothing_twice(&self) {
        let different: BTreeSet<&String> = self.inventory.iter().collect();
        assert_eq!(different.len(), self.inventory.len(), "{:#?}", self.inventory);
    }
}

/// The addresses that the state has.
#[track_caller]
pub fn recorded(env: &TestEnv) -> BTreeSet<String> {
    let list = env.expect(0, &["state", "list", "--lab", "small.toml"]);
    list.stdout.lines().map(str::to_owned).collect()
}

/// The addresses that a plan has once it is made from nothing.
#[track_caller]
pub fn planned(env: &TestEnv) -> BTreeSet<String> {
    let plan = env.json(0, &["plan", "--offline", "--state", "none", "small.toml"]);
    let changes = plan["changes"].as_array().expect("changes");
    changes
        .iter()
        .map(|change| change["address"].as_str().expect("an address").to_owned())
        .collect()
}
