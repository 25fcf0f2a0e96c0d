//! `no-backup`: nothing brings a county's data or the cluster's back after a mistake. Snapshots of
//! etcd that stay on the servers (k3s' default) are lost with them.

use super::{Facts, Problem, Rule};
use crate::spec::{Backup, BackupMode, Spec};

/// See the file's head.
pub const RULE: Rule = Rule::deny("no-backup", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    match &facts.spec.backup {
        None => report.push(missing(facts.spec)),
        Some(backup) if backup.mode.value == BackupMode::Managed => {
            report.extend(local_only(backup));
        }
        Some(_) => {}
    }
}

fn missing(spec: &Spec) -> Problem {
    let help = "add [backup]: mode = \"managed\", or mode = \"external\" with a `reason`";
    let message = format!("nothing takes backups of `{}`", spec.name);
    Problem::at(&spec.name.place, message, help)
}

fn local_only(backup: &Backup) -> Option<Problem> {
    backup.etcd.s3.is_none().then(|| {
        let message = "snapshots of etcd stay on the servers' own disks";
        let help = "add [backup.etcd.s3] with endpoint, bucket and keys";
        Problem::at(&backup.place, message, help).warn()
    })
}
