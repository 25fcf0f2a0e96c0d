//! `[k3s]` and `[docker]`

use super::settings::{seconds, subnet};
use super::view::View;
use crate::diag::Diagnostic;
use crate::spec::pins;
use crate::spec::scalar::parse_mode;
use crate::spec::source::Wrong;
use crate::spec::{Disable, Docker, FlannelBackend, Join, K3s, Pins, ProviderId, Runtime, Sp};

pub(super) fn k3s(view: &View<'_>, pins: &Pins, found: &mut Vec<Diagnostic>) -> K3s {
    K3s {
        place: view.place(),
        version: pinned(view, pins, pins::K3S),
        token: view.secret("token"),
        agent_token: view.secret_opt("agent_token"),
        previous_token: view.secret_opt("previous_token"),
        runtime: view.choice("runtime", |word| match word {
            "docker" => Runtime::Docker,
            _ => Runtime::Containerd,
        }),
        kubeconfig_mode: view.parsed("kubeconfig_mode", parse_mode, 0o600),
        provider_id: view.choice("provider_id", |word| match word {
            "instance-uuid" => ProviderId::InstanceUuid,
            _ => ProviderId::BiosUuid,
        }),
        join: join(view, found),
        cluster_cidr: subnet(view, "cluster_cidr"),
        service_cidr: subnet(view, "service_cidr"),
        cluster_domain: view.text("cluster_domain"),
        tls_san: view.texts("tls_san"),
        disable: view.list("disable", disable),
        flannel_backend: view.choice("flannel_backend", |word| match word {
            "host-gw" => FlannelBackend::HostGw,
            "wireguard-native" => FlannelBackend::WireguardNative,
            _ => FlannelBackend::Vxlan,
        }),
        secrets_encryption: view.bool("secrets_encryption"),
        embedded_registry: view.bool("embedded_registry"),
        kubelet_args: view.texts("kubelet_args"),
        mirror: view.text_opt("mirror"),
        directory: view.text_opt("directory"),
        drain_timeout: seconds(view, "drain_timeout"),
        ready_timeout: seconds(view, "ready_timeout"),
    }
}

/// Docker's settings where it is the runtime; its defaults where there is no table.
pub(super) fn docker(
    root: &View<'_>,
    k3s: &K3s,
    pins: &Pins,
    found: &mut Vec<Diagnostic>,
) -> Option<Docker> {
    let view = root.section("docker");
    if *k3s.runtime == Runtime::Docker {
        return Some(Docker {
            place: view.place(),
            version: pinned(&view, pins, pins::DOCKER),
            mirror: view.text_opt("mirror"),
        });
    }
    if root.has("docker") {
        let wrong = Wrong::new(
            "[docker] has no effect: the runtime is containerd",
            "without effect",
            "leave the table out, or write runtime = \"docker\" in [k3s]",
        );
        found.push(wrong.warning(&view.place()));
    }
    None
}

/// A version that is written or pinned, or else the key table's.
fn pinned(view: &View<'_>, pins: &Pins, key: &str) -> Sp<String> {
    match pins.get(key).filter(|_| !view.has("version")) {
        Some(pin) => view.filler(pin),
        None => view.text("version"),
    }
}

fn join(view: &View<'_>, found: &mut Vec<Diagnostic>) -> Sp<Join> {
    let address = view.text_opt("join_address");
    let server = view.text_opt("join_server");
    if let (Some(_), Some(server)) = (&address, &server) {
        let wrong = Wrong::new(
            "[k3s] has both `join_address` and `join_server`",
            "a second place to join",
            "keep join_address: machines can then join while one server is down",
        );
        found.push(wrong.error(&server.place));
    }
    match (address, server) {
        (Some(address), _) => address.map(Join::Address),
        (None, Some(server)) => server.map(Join::Server),
        (None, None) => view.filler(Join::AnyServer),
    }
}

fn disable(word: &str) -> Result<Disable, &'static str> {
    Ok(match word {
        "traefik" => Disable::Traefik,
        "servicelb" => Disable::ServiceLb,
        "metrics-server" => Disable::MetricsServer,
        _ => Disable::CoreDns,
    })
}
