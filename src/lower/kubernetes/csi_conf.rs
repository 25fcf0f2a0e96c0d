//! The driver's settings, `csi-vsphere.conf`: sections of keys as the Go package gcfg reads them.
//! Keys: the driver's `pkg/common/config/types.go`.

use std::fmt::Write as _;

use crate::resource::{Escape, SecretSource, TextPart, Value};
use crate::spec::{Spec, Trust};

/// Where the Secret is mounted.
pub const FOLDER: &str = "/etc/cloud";

/// The key of the settings in the Secret: the driver looks for no other.
pub const KEY: &str = "csi-vsphere.conf";

/// The key of the vCenter's CAs in the Secret, where the spec names a file of them.
pub const CA_KEY: &str = "vcenter-ca.pem";

/// The settings: a text with one secret in it, the storage account's password.
pub fn conf(spec: &Spec) -> Value {
    let password = &spec.vcenter.storage_account.password;
    Value::Secret(SecretSource::Text(vec![
        TextPart::Plain(before_password(spec)),
        TextPart::Secret(password.value.clone(), Escape::Gcfg),
        TextPart::Plain(after_password(spec)),
    ]))
}

/// The file with the vCenter's CAs. It is no secret, but it is only read when it is needed.
pub fn ca(spec: &Spec) -> Option<Value> {
    match &spec.vcenter.trust.value {
        Trust::CaFile(path) => Some(Value::Secret(SecretSource::File(path.clone()))),
        Trust::System | Trust::Thumbprint(_) | Trust::Insecure => None,
    }
}

/// Everything up to the password's opening quote. The whole-file keys `ca-file` and `thumbprint`
/// are those that every release reads; those of a vCenter's own section came with v3.0.
fn before_password(spec: &Spec) -> String {
    let vcenter = &spec.vcenter;
    let mut text = "[Global]\n".to_owned();
    if let Some(id) = &spec.csi.cluster_id {
        line(&mut text, "cluster-id", id);
    }
    match &vcenter.trust.value {
        Trust::CaFile(_) => line(&mut text, "ca-file", &format!("{FOLDER}/{CA_KEY}")),
        Trust::Thumbprint(thumbprint) => line(&mut text, "thumbprint", thumbprint),
        Trust::System | Trust::Insecure => {}
    }
    let _ = writeln!(text, "\n[VirtualCenter {}]", quoted(&vcenter.server));
    let insecure = vcenter.trust.value == Trust::Insecure;
    line(&mut text, "insecure-flag", &insecure.to_string());
    line(&mut text, "user", &vcenter.storage_account.principal);
    text + "password = \""
}

/// Everything from the password's closing quote on.
fn after_password(spec: &Spec) -> String {
    let mut text = "\"\n".to_owned();
    line(&mut text, "port", &spec.vcenter.port.to_string());
    line(&mut text, "datacenters", &spec.vcenter.datacenter);
    text += "\n[Snapshot]\n";
    let limit = spec.csi.snapshots_per_volume.to_string();
    line(&mut text, "global-max-snapshots-per-block-volume", &limit);
    text
}

fn line(text: &mut String, key: &str, value: &str) {
    let _ = writeln!(text, "{key} = {}", quoted(value));
}

/// Between quotes only the backslash and the quote itself mean something; `#` and `;`, which
/// begin comments elsewhere, do not. The spec has no texts with line breaks.
fn quoted(value: &str) -> String {
    format!("\"{}\"", Escape::Gcfg.write(value))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;

    /// The settings with the password's source in its place.
    fn text(edits: &[(&str, &str)]) -> String {
        let Value::Secret(SecretSource::Text(parts)) = conf(&spec(edits)) else { panic!() };
        let shown = parts.iter().map(|part| match part {
            TextPart::Plain(text) => text.clone(),
            TextPart::Secret(source, escape) => format!("<{source} {escape:?}>"),
        });
        shown.collect()
    }

    #[test]
    fn the_settings_name_the_cluster_the_account_and_the_datacenter() {
        let expected = "[Global]
cluster-id = \"small\"
ca-file = \"/etc/cloud/vcenter-ca.pem\"

[VirtualCenter \"vcenter.example.org\"]
insecure-flag = \"false\"
user = \"VSPHERE.LOCAL\\\\cht-storage\"
password = \"<env STORAGE_PASSWORD Gcfg>\"
port = \"443\"
datacenters = \"DC1\"

[Snapshot]
global-max-snapshots-per-block-volume = \"3\"
";
        assert_eq!(text(&[]), expected);
        assert_eq!(
            ca(&spec(&[])),
            Some(Value::Secret(SecretSource::File("vcenter-ca.pem".into())))
        );
    }

    #[test]
    fn what_would_end_a_value_is_escaped() {
        let check = |value: &str, expected: &str| assert_eq!(quoted(value), expected);
        check("a;b#c", "\"a;b#c\"");
        check("a\"b", "\"a\\\"b\"");
        check("a\\b", "\"a\\\\b\"");
        check("[x] = y", "\"[x] = y\"");
    }

    #[test]
    fn trust_becomes_the_key_that_says_it() {
        let check = |trust: &str, key: Option<&str>, insecure: bool| {
            let text = text(&[("ca_file    = \"vcenter-ca.pem\"", trust)]);
            let found = text
                .lines()
                .find(|line| line.starts_with("ca-file") || line.starts_with("thumbprint"));
            assert_eq!(found.map(|line| line.split(' ').next().unwrap()), key, "{trust}");
            assert!(text.contains(&format!("insecure-flag = \"{insecure}\"")), "{trust}");
        };
        let thumbprint = format!("thumbprint = \"{}\"", ["AB"; 32].join(":"));
        check(&thumbprint, Some("thumbprint"), false);
        check("insecure = true", None, true);
        check("", None, false);
    }

    #[test]
    fn an_id_that_the_driver_made_is_left_to_it() {
        let kept = text(&[("cluster_id = \"small\"", "keep_generated_id = true")]);
        assert!(!kept.contains("cluster-id"), "{kept}");
    }
}
