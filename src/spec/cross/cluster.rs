//! CSI, snapshots and backups.

use crate::diag::Diagnostic;
use crate::spec::releases::{RENDERED, SIDECARS, Version, is_rendered};
use crate::spec::source::{Wrong, nearest};
use crate::spec::{BackupMode, ProjectBackup, Spec};

/// CNS keeps no more of the name.
const CLUSTER_ID_MAX: usize = 64;

pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    csi(spec, found);
    rendering(spec, found);
    sidecars(spec, found);
    backup(spec, found);
}

fn csi(spec: &Spec, found: &mut Vec<Diagnostic>) {
    if let Some(id) = spec.csi.cluster_id.as_ref()
        && id.len() > CLUSTER_ID_MAX
    {
        let wrong = Wrong::new(
            format!("`csi.cluster_id` is longer than {CLUSTER_ID_MAX} characters"),
            "too long",
            "choose a shorter name, unique among the Kubernetes clusters of the vCenter",
        );
        found.push(wrong.error(&id.place));
    }
    if let Some(replicas) = &spec.csi.replicas {
        let servers = spec.servers.len();
        let fits = usize::try_from(**replicas).is_ok_and(|replicas| replicas <= servers);
        if servers > 0 && !fits {
            let wrong = Wrong::new(
                format!("`csi.replicas` is {replicas} and there are {servers} servers"),
                "more than there are servers",
                "each replica needs its own server: lower the number or leave it out",
            );
            found.push(wrong.error(&replicas.place));
        }
    }
}

/// What a driver of another series needs is not to be guessed: volumes depend on it.
fn rendering(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let version = &spec.csi.version;
    // What is no version at all was told already.
    let Some(parsed) = Version::parse(version) else { return };
    if spec.csi.manifest.is_some() || is_rendered(parsed) {
        return;
    }
    let series = RENDERED.map(|(major, minor)| format!("v{major}.{minor}")).join(", ");
    let wrong = Wrong::new(
        format!("boma has no manifest of CSI {version} on record"),
        "not on record",
        format!("write a `version` of {series}, or name upstream's own as `manifest` in [csi]"),
    );
    found.push(wrong.error(&version.place));
}

fn sidecars(spec: &Spec, found: &mut Vec<Diagnostic>) {
    for (name, version) in &spec.csi.sidecars {
        if SIDECARS.contains(&name.as_str()) {
            continue;
        }
        let help = match nearest(name, SIDECARS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the sidecars are {}", SIDECARS.join(", ")),
        };
        let message = format!("`csi.sidecars` has \"{name}\", which is no sidecar of the driver");
        found.push(Wrong::new(message, "no such sidecar", help).error(&version.place));
    }
}

fn backup(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let Some(backup) = &spec.backup else {
        return;
    };
    if backup.mode.value != BackupMode::Managed {
        return;
    }
    if !*spec.snapshots.enabled {
        let wrong = Wrong::new(
            "backups of projects need volume snapshots, which are off",
            "snapshots are off",
            "leave out snapshots.enabled, or set backup.mode = \"external\" with a reason",
        );
        found.push(wrong.error(&spec.snapshots.enabled.place));
    }
    let own = spec.projects.iter().filter_map(|project| project.backup.as_ref());
    for backup in own.chain([&backup.projects]) {
        keep(backup, spec, found);
    }
}

/// The driver refuses the snapshot that is one too many, and the backup fails.
fn keep(backup: &ProjectBackup, spec: &Spec, found: &mut Vec<Diagnostic>) {
    let limit = &spec.csi.snapshots_per_volume;
    if *backup.keep > **limit {
        let wrong = Wrong::new(
            format!("{} snapshots are kept and a volume can have {limit}", backup.keep),
            "more than a volume can have",
            format!("keep {limit} at most, or raise csi.snapshots_per_volume"),
        );
        found.push(wrong.error(&backup.keep.place));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use crate::spec::cross::testing::check;

    fn check_section(text: &str, expected: &[&str]) {
        check(&[("[backup]", &format!("{text}\n[backup]"))], expected);
    }

    #[test]
    fn the_driver_gets_what_it_can_take() {
        let id = "x".repeat(65);
        check_section(&format!("[csi]\ncluster_id = \"{id}\""), &["longer than 64"]);
        check_section(
            "[csi]\ncluster_id = \"a\"\nkeep_generated_id = true",
            &["both `cluster_id`"],
        );
        check(
            &[
                ("count = 3", "count = 1"),
                ("11-13", "11"),
                ("[backup]", "[csi]\nreplicas = 3\n[backup]"),
            ],
            &["there are 1 servers"],
        );
        check_section("[csi]\nversion = \"v3.4.0\"", &["no manifest of CSI v3.4.0"]);
        check_section("[csi]\nversion = \"v3.9.0\"", &["no manifest of CSI v3.9.0"]);
        let digest = "ab".repeat(32);
        let manifest = format!("manifest = {{ from = \"csi.yaml\", sha256 = \"{digest}\" }}");
        check_section(&format!("[csi]\nversion = \"v3.4.0\"\n{manifest}"), &[]);
        check_section("[csi]\nsidecars = { csi-resize = \"v1.12.0\" }", &["no sidecar"]);
        check_section("[cloud_provider]\nzone = \"z\"", &["without the other"]);
    }

    #[test]
    fn backups_can_be_taken() {
        check_section("[snapshots]\nenabled = false", &["need volume snapshots"]);
        check(
            &[("\"managed\"", "\"managed\"\nprojects = { keep = 4 }")],
            &["4 snapshots are kept"],
        );
        check(&[("\"managed\"", "\"external\"")], &["need `reason`"]);
        check(
            &[("\"managed\"", "\"external\"\nreason = \"Veeam\"\nprojects = { keep = 2 }")],
            &["no effect"],
        );
        check(&[("cht = \"5.3.1\"", "backup = { keep = 9 }")], &["9 snapshots are kept"]);
    }
}
