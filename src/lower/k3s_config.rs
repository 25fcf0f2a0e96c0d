//! A machine's config.yaml. Keys: k3s docs, `cli/server.md` and `cli/agent.md`.

use serde_json::{Map, Value as Json, json};

use super::vm::is_written;
use crate::spec::{Disable, FlannelBackend, Join, LocalPath, Machine, Role, Runtime, Sp, Spec};

/// The keys by name, without tokens, join keys and the provider id.
///
/// On a machine that boma makes every setting is written down, so that what somebody adds by hand
/// is seen. Where k3s stands already only what differs from k3s' defaults, or is written in the
/// spec, is asked for: its effective arguments then stay as they are, and it need not restart.
pub fn config(spec: &Spec, machine: &Machine) -> Json {
    let mut config = Map::new();
    let mut kubelet = vec!["cloud-provider=external"];
    kubelet.extend(spec.k3s.kubelet_args.iter().map(|argument| argument.as_str()));
    config.insert("kubelet-arg".into(), json!(kubelet));
    if spec.k3s.runtime.value == Runtime::Docker {
        config.insert("docker".into(), true.into());
    }
    if machine.template.is_some() {
        config.insert("node-ip".into(), machine.address.to_string().into());
        config.insert("node-name".into(), machine.name.as_str().into());
    }
    if machine.role == Role::Server {
        config.extend(server(spec, machine));
    }
    Json::Object(config)
}

fn server(spec: &Spec, machine: &Machine) -> Map<String, Json> {
    let mut config = settings(spec, machine);
    // Nodes stay tainted until vSphere's own cloud provider has seen them.
    config.insert("disable-cloud-controller".into(), true.into());
    let (disable, tls_san) = (disable(spec), tls_san(spec));
    if !disable.is_empty() {
        config.insert("disable".into(), disable.into());
    }
    if !tls_san.is_empty() {
        config.insert("tls-san".into(), tls_san.into());
    }
    // Releases before v1.29 do not start with a key that they do not know.
    if spec.k3s.embedded_registry.value {
        config.insert("embedded-registry".into(), true.into());
    }
    config
}

/// What k3s has a default for: as desired, and that default.
fn settings(spec: &Spec, machine: &Machine) -> Map<String, Json> {
    let k3s = &spec.k3s;
    let backend = match k3s.flannel_backend.value {
        FlannelBackend::Vxlan => "vxlan",
        FlannelBackend::HostGw => "host-gw",
        FlannelBackend::WireguardNative => "wireguard-native",
    };
    let mode = format!("{:04o}", k3s.kubeconfig_mode.value);
    let settings: [(&str, Json, Json); 6] = [
        ("cluster-cidr", k3s.cluster_cidr.to_string().into(), "10.42.0.0/16".into()),
        ("service-cidr", k3s.service_cidr.to_string().into(), "10.43.0.0/16".into()),
        ("cluster-domain", k3s.cluster_domain.as_str().into(), "cluster.local".into()),
        ("flannel-backend", backend.into(), "vxlan".into()),
        ("secrets-encryption", k3s.secrets_encryption.value.into(), false.into()),
        ("write-kubeconfig-mode", mode.into(), "0600".into()),
    ];
    let made = machine.template.is_some();
    let asked =
        |key: &str| key == "write-kubeconfig-mode" && is_written(&k3s.kubeconfig_mode.place);
    settings
        .into_iter()
        .filter(|(key, value, default)| made || asked(key) || value != default)
        .map(|(key, value, _)| (key.to_owned(), value))
        .collect()
}

fn disable(spec: &Spec) -> Vec<&'static str> {
    let local = (spec.storage.local_path.value == LocalPath::Disabled).then_some("local-storage");
    let named = spec.k3s.disable.iter().map(|component| match component.value {
        Disable::Traefik => "traefik",
        Disable::ServiceLb => "servicelb",
        Disable::MetricsServer => "metrics-server",
        Disable::CoreDns => "coredns",
    });
    local.into_iter().chain(named).collect()
}

/// Each server's own address is in the certificate without a word; naming all of them would
/// restart every server for each one that is added.
fn tls_san(spec: &Spec) -> Vec<&str> {
    let join = match &spec.k3s.join.value {
        Join::Address(address) => Some(address.as_str()),
        Join::AnyServer | Join::Server(_) => None,
    };
    let names = spec.k3s.tls_san.iter().map(|name: &Sp<String>| name.as_str());
    let mut all: Vec<&str> = join.into_iter().chain(names).collect();
    all.dedup();
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;

    const STANDING: (&str, &str) = ("template = \"ubuntu-22.04\"\n", "");

    fn check(edits: &[(&str, &str)], machine: &str, expected: &Json) {
        let spec = spec(edits);
        let machine = spec.all_machines().find(|one| one.name.value == machine).unwrap();
        assert_eq!(config(&spec, machine), *expected, "{}", *machine.name);
    }

    #[test]
    fn a_machine_that_boma_makes_is_told_everything() {
        let expected = json!({
            "cluster-cidr": "10.42.0.0/16",
            "cluster-domain": "cluster.local",
            "disable": ["local-storage"],
            "disable-cloud-controller": true,
            "flannel-backend": "vxlan",
            "kubelet-arg": ["cloud-provider=external"],
            "node-ip": "10.20.0.11",
            "node-name": "server-1",
            "secrets-encryption": false,
            "service-cidr": "10.43.0.0/16",
            "write-kubeconfig-mode": "0600",
        });
        check(&[], "server-1", &expected);
        let expected = json!({
            "kubelet-arg": ["cloud-provider=external"],
            "node-ip": "10.20.0.21",
            "node-name": "agent-1",
        });
        check(&[], "agent-1", &expected);
    }

    #[test]
    fn what_stands_already_keeps_k3s_own_defaults() {
        let kept = ("[storage]", "[storage]\nlocal_path = \"default\"");
        let guide = "[k3s]\nruntime = \"docker\"\nkubeconfig_mode = \"0644\"";
        let expected = json!({
            "disable-cloud-controller": true,
            "docker": true,
            "kubelet-arg": ["cloud-provider=external"],
            "write-kubeconfig-mode": "0644",
        });
        check(&[STANDING, kept, ("[k3s]", guide)], "server-1", &expected);
    }

    #[test]
    fn every_setting_of_the_spec_arrives() {
        let settings = "[k3s]
join_address = \"10.20.0.10\"
tls_san = [\"k3s.example.org\"]
disable = [\"traefik\", \"servicelb\", \"metrics-server\", \"coredns\"]
embedded_registry = true
secrets_encryption = true
cluster_domain = \"cht.local\"
cluster_cidr = \"10.44.0.0/16\"
service_cidr = \"10.45.0.0/16\"
flannel_backend = \"host-gw\"
kubelet_args = [\"max-pods=150\"]";
        let expected = json!({
            "cluster-cidr": "10.44.0.0/16",
            "cluster-domain": "cht.local",
            "disable": ["local-storage", "traefik", "servicelb", "metrics-server", "coredns"],
            "disable-cloud-controller": true,
            "embedded-registry": true,
            "flannel-backend": "host-gw",
            "kubelet-arg": ["cloud-provider=external", "max-pods=150"],
            "secrets-encryption": true,
            "service-cidr": "10.45.0.0/16",
            "tls-san": ["10.20.0.10", "k3s.example.org"],
        });
        check(&[STANDING, ("[k3s]", settings)], "server-1", &expected);
    }
}
