//! The whole spec, section by section.

use super::cluster::{cloud_provider, csi, snapshots, storage, traefik};
use super::group::machines;
use super::k3s::{docker, k3s};
use super::project::projects;
use super::settings::{backup, images, network, review, ssh, vcenter};
use super::view::View;
use crate::diag::Diagnostic;
use crate::resource::Glob;
use crate::spec::keys::ROOT;
use crate::spec::node::Table;
use crate::spec::source::Source;
use crate::spec::{Pins, Spec};

/// Reads the model; what the key table cannot say (names and addresses that do not add
/// up) is reported.
pub(in crate::spec) fn read(
    source: &Source,
    table: &Table,
    pins: &Pins,
    found: &mut Vec<Diagnostic>,
) -> Spec {
    let root = View::root(source, table, ROOT);
    let name = root.text("name");
    let vcenter = vcenter(&root.section("vcenter"), found);
    let machines = machines(&root, &vcenter, found);
    let k3s = k3s(&root.section("k3s"), pins, found);
    let images = images(&root.section("images"));
    let csi = csi(&root.section("csi"), &name, &k3s.version, &images, pins, found);
    let storage = storage(&root.section("storage"));
    let (project_settings, projects) = projects(&root, &storage, pins, found);
    let (waivers, rules) = review(&root);
    let glob = |text: &str| Ok(Glob::new(text));
    Spec {
        adopt: root.list("adopt", glob),
        protect: root.list("protect", glob),
        ssh: ssh(&root.section("ssh")),
        network: network(&root.section("network")),
        machines: machines.common,
        groups: machines.groups,
        servers: machines.servers,
        agents: machines.agents,
        docker: docker(&root, &k3s, pins, found),
        images,
        cloud_provider: cloud_provider(&root.section("cloud_provider"), &k3s.version, pins, found),
        snapshots: snapshots(&root.section("snapshots"), &csi.version, &storage.class, pins),
        traefik: traefik(&root.section("traefik")),
        backup: root.section_opt("backup").map(|view| backup(&view, found)),
        name,
        vcenter,
        k3s,
        csi,
        storage,
        project_settings,
        projects,
        waivers,
        rules,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use crate::spec::cross::testing::SOUND;
    use crate::spec::*;

    /// Reads the small spec with a text replaced.
    fn check(from: &str, to: &str, expected: impl Fn(&Spec) -> bool) {
        let parsed = parse("f", &SOUND.replacen(from, to, 1));
        let spec = parsed.spec.unwrap_or_else(|| panic!("{to}: {:#?}", parsed.diagnostics));
        assert!(expected(&spec), "{to}: {spec:#?}");
    }

    fn check_section(text: &str, expected: impl Fn(&Spec) -> bool) {
        check("[backup]", &format!("{text}\n[backup]"), expected);
    }

    #[test]
    fn defaults_are_the_safe_ones() {
        check("", "", |spec| {
            spec.vcenter.trust.value == Trust::System
                && *spec.vcenter.port == 443
                && *spec.network.firewall
                && *spec.groups.servers.keep_apart == KeepApart::Check
                && *spec.groups.agents.keep_apart == KeepApart::Off
                && *spec.k3s.runtime == Runtime::Containerd
                && *spec.k3s.provider_id == ProviderId::BiosUuid
                && *spec.k3s.kubeconfig_mode == 0o600
                && spec.k3s.join.value == Join::AnyServer
                && *spec.storage.reclaim == DeletionPolicy::Retain
                && *spec.storage.expansion
                && *spec.storage.default
                && *spec.storage.local_path == LocalPath::Disabled
                && spec.csi.cluster_id.as_ref().is_some_and(|id| id.value == "small")
                && *spec.projects[0].image_owner == ImageOwner::Boma
                && spec.projects[0].namespace.value == "cht-county-1"
                && *spec.servers[0].hardware_version == 15
                && spec.servers[0].datastore.value == "ds1"
        });
    }

    #[test]
    fn versions_follow_the_k3s_version() {
        let versions = |spec: &Spec| {
            let versions =
                [&spec.cloud_provider.version, &spec.csi.version, &spec.snapshots.version];
            versions.map(|version| version.value.clone())
        };
        for (k3s, expected) in [
            ("v1.35.9+k3s1", ["v1.35.0", "v3.7.2", "v8.2.0"]),
            ("v1.36.5+k3s1", ["v1.36.0", "v3.8.0", "v8.4.0"]),
            ("v1.25.14+k3s1", ["v1.25.3", "v2.7.2", "v6.0.1"]),
        ] {
            check("v1.35.9+k3s1", k3s, |spec| versions(spec) == expected);
        }
    }

    #[test]
    fn the_key_table_writes_the_releases_that_boma_takes() {
        check("version = \"v1.35.9+k3s1\"\n", "", |spec| spec.k3s.version.value == releases::K3S);
        check("[k3s]\n", "[k3s]\nruntime = \"docker\"\n", |spec| {
            spec.docker.as_ref().is_some_and(|docker| docker.version.value == releases::DOCKER)
        });
        check("cht = \"5.3.1\"\n", "", |spec| spec.projects[0].cht.value == releases::CHT);
    }

    #[test]
    fn every_mistake_of_the_guide_can_be_written() {
        check(
            "[k3s]\n",
            "[k3s]\nruntime = \"docker\"\nprovider_id = \
             \"instance-uuid\"\nkubeconfig_mode = \"0644\"\njoin_server = \
             \"server-1\"\n",
            |spec| {
                *spec.k3s.runtime == Runtime::Docker
                    && spec.docker.as_ref().is_some_and(|docker| docker.version.value == "24.0.9")
                    && *spec.k3s.provider_id == ProviderId::InstanceUuid
                    && *spec.k3s.kubeconfig_mode == 0o644
                    && spec.k3s.join.value == Join::Server("server-1".to_owned())
            },
        );
        check(
            "[storage]\n",
            "[storage]\nreclaim = \"Delete\"\nexpansion = false\nlocal_path = \"default\"\n",
            |spec| {
                *spec.storage.reclaim == DeletionPolicy::Delete
                    && !*spec.storage.expansion
                    && *spec.storage.local_path == LocalPath::Default
            },
        );
        check_section("[cloud_provider]\npassword_in_config_map = true", |spec| {
            *spec.cloud_provider.password_in_config_map
        });
        check("datacenter =", "insecure = true\ndatacenter =", |spec| {
            spec.vcenter.trust.value == Trust::Insecure
        });
    }

    #[test]
    fn layers_merge_key_by_key() {
        check_section(
            "[agents.overrides.agent-2]\nmemory = \"64GiB\"\nvm_path = \
             \"old/a\"\nlabels = { tier = \"large\" }\ntaints = \
             [\"a=b:NoSchedule\"]",
            |spec| {
                let [one, two] = spec.agents.as_slice() else { return false };
                *one.memory_mib == 32 * 1024
                    && *two.memory_mib == 64 * 1024
                    && *two.cpus == 8
                    && one.template.is_some()
                    && two.template.is_none()
                    && two.labels.contains_key("tier")
                    && two.taints.len() == 1
            },
        );
        check(
            "cht = \"5.3.1\"",
            "couchdb = { nodes = 3, storage = \"60GiB\" }\nresources = { api = { \
             cpu = \"1\" } }\n[projects.overrides.county-2]\ncouchdb = { storage \
             = \"70GiB\" }\nresources = { api = { memory = \"2GiB\" } }\ntls = { \
             issuer = \"le\" }\nbackup = { keep = 2 }",
            |spec| {
                let county = &spec.projects[1];
                let api = &county.resources[&Component::Api];
                *county.couchdb.nodes == 3
                    && *county.couchdb.storage_mib == 70 * 1024
                    && api.cpu.as_ref().is_some_and(|cpu| cpu.value == Milli(1000))
                    && api.memory_mib.as_ref().is_some_and(|memory| **memory == 2048)
                    && county
                        .tls
                        .as_ref()
                        .is_some_and(|tls| tls.value == Tls::Issuer("le".to_owned()))
                    && county
                        .backup
                        .as_ref()
                        .is_some_and(|own| *own.keep == 2 && own.schedule.value == "0 1 * * *")
                    && spec.projects[0].backup.is_none()
            },
        );
    }

    #[test]
    fn every_section_is_read() {
        check_section("[snapshots]\ndeletion = \"Delete\"\nclass = \"s\"", |spec| {
            *spec.snapshots.deletion == DeletionPolicy::Delete && spec.snapshots.class.value == "s"
        });
        check_section(
            "[traefik]\nread_timeout = \"90s\"\nentry = \"agents\"\nclient_address = false",
            |spec| {
                *spec.traefik.read_timeout == Seconds(90)
                    && *spec.traefik.entry == Entry::Agents
                    && !*spec.traefik.client_address
            },
        );
        check_section(
            "[network]\ningress_from = \"10.9.0.0/24\"\nallow = [{ from = \
             \"10.8.0.0/24\", port = 53, protocol = \"udp\", on = \"servers\" }]",
            |spec| {
                let [allow] = spec.network.allow.as_slice() else { return false };
                spec.network.ingress_from.len() == 1
                    && (*allow.port, *allow.protocol, *allow.on)
                        == (53, Protocol::Udp, AllowOn::Servers)
            },
        );
        check_section(
            "[images]\nmirrors = { \"registry.k8s.io\" = \
             \"https://m.example.org\" }\ncredentials = { \"m.example.org\" = { \
             username = { env = \"U\" }, password = { file = \"p\" } } }",
            |spec| {
                spec.images.mirrors.len() == 1
                    && spec.images.credentials["m.example.org"].password.value
                        == SecretRef::File("p".to_owned())
            },
        );
        check(
            "user = \"ubuntu\"",
            "user = \"ubuntu\"\nkey = { command = [\"sops\", \"-d\", \"k\"] \
             }\njump = { host = \"b\", user = \"u\" }",
            |spec| {
                let jump = spec.ssh.jump.as_ref().is_some_and(|jump| *jump.port == 22);
                jump && spec.ssh.key.as_ref().is_some_and(
                    |key| matches!(&key.value, SecretRef::Command(words) if words.len() == 3),
                )
            },
        );
        check(
            "mode = \"managed\"",
            "etcd = { s3 = { endpoint = \"s3.example.org\", bucket = \"b\", \
             access_key = { env = \"A\" }, secret_key = { env = \"B\" } } }",
            |spec| {
                let s3 = spec.backup.as_ref().and_then(|backup| backup.etcd.s3.as_ref());
                s3.is_some_and(|s3| s3.region.value == "us-east-1")
            },
        );
        check_section(
            "[[waivers]]\nrule = \"tls-off\"\nreason = \"lab\"\nexpires = \
             2027-06-30\naddress = \"vsphere/**\"\n[rules]\ncapacity = \"deny\"",
            |spec| {
                spec.waivers[0].expires.to_string() == "2027-06-30"
                    && spec.waivers[0].address.is_some()
                    && spec.rules[0].level.value == crate::diag::Level::Deny
            },
        );
    }
}
