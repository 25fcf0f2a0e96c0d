//! What CPI is told: `vsphere.conf` and the account it logs in with.

use serde_json::{Map, Value as Json, json};

use super::yaml;
use crate::resource::{SecretSource, TextPart, Value};
use crate::spec::{Spec, Trust};

/// Where all of CPI stands.
pub const NAMESPACE: &str = "kube-system";
/// The Secret that `vsphere.conf` names.
pub const SECRET: &str = "vsphere-cloud-secret";
/// The ConfigMap that holds `vsphere.conf`.
pub const CONFIG: &str = "vsphere-cloud-config";
/// The Secret that holds the vCenter's CA, where the spec names a file.
pub const CA: &str = "vsphere-cloud-ca";
/// Where that Secret is mounted, and its key.
pub const CA_FOLDER: &str = "/etc/vcenter-ca";
/// See [`CA_FOLDER`].
pub const CA_KEY: &str = "ca.pem";

/// The content of the ConfigMap: `vsphere.conf`. Keys: CPI, `pkg/common/config/types_yaml.go` and
/// `pkg/cloudprovider/vsphere/config/types_yaml.go`. All of it counts as secret: the one that was
/// made by the guide has the password in it.
pub fn conf(spec: &Spec) -> Json {
    let conf = match yaml::text(&tree(spec)) {
        Value::Literal(Json::String(text)) => hidden(text),
        value => value.encode(),
    };
    json!({ "vsphere.conf": conf })
}

/// The account by the keys that CPI looks for: it takes what stands before `.username` and
/// `.password` for the server, byte by byte (`pkg/common/credentialmanager`), and refuses a Secret
/// with any other key.
pub fn account(spec: &Spec) -> Json {
    let vcenter = &spec.vcenter;
    let server = vcenter.server.as_str();
    let account = &vcenter.storage_account;
    json!({
        format!("{server}.username"): hidden(account.principal.value.clone()),
        format!("{server}.password"): secret(account.password.value.clone()),
    })
}

/// The vCenter's CA. It is no secret, but its file is read where secrets are: by those commands
/// alone that ask the vCenter anything.
pub fn ca(spec: &Spec) -> Option<Json> {
    let Trust::CaFile(path) = &spec.vcenter.trust.value else { return None };
    Some(json!({ CA_KEY: secret(SecretSource::File(path.clone())) }))
}

fn secret(source: SecretSource) -> Json {
    Value::Secret(source).encode()
}

/// A text that is in the spec, where a secret belongs.
fn hidden(text: String) -> Json {
    secret(SecretSource::Text(vec![TextPart::Plain(text)]))
}

fn tree(spec: &Spec) -> Json {
    let mut tree = json!({
        "global": global(spec),
        "vcenter": { spec.vcenter.server.as_str(): vcenter(spec) },
        "nodes": nodes(spec),
    });
    let cpi = &spec.cloud_provider;
    if let (Some(region), Some(zone)) = (&cpi.region, &cpi.zone) {
        tree["labels"] = json!({ "region": region.as_str(), "zone": zone.as_str() });
    }
    tree
}

fn global(spec: &Spec) -> Json {
    let mut global = json!({
        "port": spec.vcenter.port.value,
        "insecureFlag": spec.vcenter.trust.value == Trust::Insecure,
        "secretName": SECRET,
        "secretNamespace": NAMESPACE,
    });
    match &spec.vcenter.trust.value {
        Trust::CaFile(_) => global["caFile"] = format!("{CA_FOLDER}/{CA_KEY}").into(),
        Trust::Thumbprint(thumbprint) => global["thumbprint"] = thumbprint.as_str().into(),
        Trust::System | Trust::Insecure => {}
    }
    global
}

/// One vCenter, by the name of its server: releases differ in whether they look the account up by
/// that name or by `server`.
fn vcenter(spec: &Spec) -> Json {
    let vcenter = &spec.vcenter;
    let mut entry = Map::from_iter([
        ("server".to_owned(), vcenter.server.as_str().into()),
        ("datacenters".to_owned(), json!([vcenter.datacenter.as_str()])),
    ]);
    if spec.cloud_provider.password_in_config_map.value {
        let account = &vcenter.storage_account;
        entry.insert("user".into(), account.principal.as_str().into());
        entry.insert("password".into(), secret(account.password.value.clone()));
    }
    entry.into()
}

/// Which of a machine's addresses its node gets. Without a word CPI takes the first that VMware
/// Tools report, which may be a bridge's, and the kubelet then refuses to start with its own
/// (CPI, `docs/book/known_issues.md`). The one address is internal and external, as it is there.
fn nodes(spec: &Spec) -> Json {
    let subnet = spec.machines.subnet.to_string();
    json!({ "internalNetworkSubnetCidr": subnet, "externalNetworkSubnetCidr": subnet })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;
    use crate::resource::as_secret;

    const CA_LINE: &str = "ca_file    = \"vcenter-ca.pem\"";

    /// The text behind an encoded one, with what each secret in it comes from in its place.
    fn joined(encoded: &Json) -> String {
        let Some(SecretSource::Text(parts)) = as_secret(encoded) else { panic!("{encoded}") };
        SecretSource::join(&parts, &|source| Some(format!("<{source}>"))).unwrap()
    }

    fn conf_of(edits: &[(&str, &str)]) -> String {
        joined(&conf(&spec(edits))["vsphere.conf"])
    }

    fn check(edits: &[(&str, &str)], there: &[&str], not_there: &[&str]) {
        let conf = conf_of(edits);
        let read: Json = serde_saphyr::from_str(&conf).unwrap();
        assert!(read.is_object());
        there.iter().for_each(|line| assert!(conf.contains(line), "{line} is not in\n{conf}"));
        not_there.iter().for_each(|line| assert!(!conf.contains(line), "{line} is in\n{conf}"));
    }

    #[test]
    fn the_whole_of_it() {
        let expected = r#"global:
  caFile: "/etc/vcenter-ca/ca.pem"
  insecureFlag: false
  port: 443
  secretName: "vsphere-cloud-secret"
  secretNamespace: "kube-system"
nodes:
  externalNetworkSubnetCidr: "10.20.0.0/24"
  internalNetworkSubnetCidr: "10.20.0.0/24"
vcenter:
  "vcenter.example.org":
    datacenters:
      - "DC1"
    server: "vcenter.example.org"
"#;
        assert_eq!(conf_of(&[]), expected);
    }

    #[test]
    fn the_certificate_is_checked_as_the_spec_says() {
        let insecure = [(CA_LINE, "insecure = true")];
        check(&insecure, &["insecureFlag: true"], &["caFile", "thumbprint"]);
        let print = vec!["AB"; 32].join(":");
        let pinned = [(CA_LINE, format!("thumbprint = \"{print}\""))];
        let pinned = [(pinned[0].0, pinned[0].1.as_str())];
        check(&pinned, &[&format!("thumbprint: \"{print}\""), "insecureFlag: false"], &["caFile"]);
        check(&[(CA_LINE, "port = 8443")], &["port: 8443"], &["caFile", "thumbprint"]);
        assert_eq!(ca(&spec(&insecure)), None);
    }

    #[test]
    fn the_password_is_in_the_config_map_only_where_the_spec_insists() {
        check(&[], &[], &["password", "user:"]);
        let both = [("[storage]", "[cloud_provider]\npassword_in_config_map = true\n[storage]")];
        let user = r#"user: "VSPHERE.LOCAL\\cht-storage""#;
        check(&both, &["password: \"<env STORAGE_PASSWORD>\"", user], &[]);
    }

    #[test]
    fn zones_come_with_their_regions() {
        let zones =
            [("[storage]", "[cloud_provider]\nregion = \"k8s-region\"\nzone = \"yes\"\n[storage]")];
        check(&zones, &["labels:\n  region: \"k8s-region\"\n  zone: \"yes\"\n"], &[]);
        check(&[], &[], &["labels"]);
    }

    #[test]
    fn the_secret_names_the_server_as_the_configuration_does() {
        let edits = [
            ("\"vcenter.example.org\"", "\"VC-1.Example.org\""),
            (r"'VSPHERE.LOCAL\cht-storage'", r#""a.password@vsphere.local""#),
        ];
        let account = account(&spec(&edits));
        let keys: Vec<&String> = account.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["vc-1.example.org.password", "vc-1.example.org.username"]);
        assert_eq!(joined(&account["vc-1.example.org.username"]), "a.password@vsphere.local");
        check(&edits, &["server: \"vc-1.example.org\"", "  \"vc-1.example.org\":"], &[]);
    }
}
