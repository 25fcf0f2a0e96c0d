//! Where state and worlds live on this computer.

use std::path::{Path, PathBuf};

use super::args::Home;
use crate::spec::Spec;
use crate::state::Owner;

/// The default home of local state, in the current folder.
const ROOT: &str = "state";

/// The folder of a spec's state.
pub fn state_dir(home: &Home, spec: &Spec) -> PathBuf {
    match (&home.state, home.lab) {
        (Some(dir), _) => dir.clone(),
        (None, true) => lab_dir(spec).join("state"),
        (None, false) => Path::new(ROOT).join(&*spec.name),
    }
}

/// The folder of a spec's lab: its state, world, lock and plans.
pub fn lab_dir(spec: &Spec) -> PathBuf {
    Path::new(ROOT).join("lab").join(&*spec.name)
}

/// Who runs this command, for whoever finds the lock held. Arguments hold no secrets: a spec
/// refuses them, and no option takes one.
pub fn owner() -> Owner {
    let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let variable = |name: &str| std::env::var(name).ok();
    Owner {
        pid: std::process::id(),
        host: read("/proc/sys/kernel/hostname")
            .or_else(|| variable("HOSTNAME"))
            .unwrap_or_default(),
        user: variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_default(),
        command: std::env::args().collect::<Vec<_>>().join(" "),
        since: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}
