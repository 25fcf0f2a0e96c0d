//! The entry into the cluster: what k3s' own Traefik is told.
//!
//! Everything but the Service is said in Traefik's own arguments, which v2 (k3s before 1.32) and v3
//! share; the chart's values for them came and went with its releases. v3 is where it matters: its
//! limit for reading a request is 60 seconds, v2 had none (traefik, migration notes of v2.11.2).

use serde_json::{Value as Json, json};

use super::object::object;
use super::yaml;
use crate::resource::{Address, Resource};
use crate::spec::{Disable, Entry, Machine, Role, Seconds, Spec};

/// Makes k3s' load balancer use no other machine than those that have it (k3s docs,
/// `networking/networking-services`).
const ENTRY: (&str, &str) = ("svccontroller.k3s.cattle.io/enablelb", "true");

/// Lowers the HelmChartConfig, which k3s' own controller acts on.
pub fn traefik(spec: &Spec) -> Vec<Resource> {
    let resource = |manifest| {
        let address = Address::from("cluster/traefik/HelmChartConfig/traefik");
        object(address, manifest, &[], &spec.traefik.place)
    };
    manifest(spec).map(resource).into_iter().collect()
}

/// The HelmChartConfig. `None` where k3s leaves Traefik out.
pub fn manifest(spec: &Spec) -> Option<Json> {
    let disabled = spec.k3s.disable.iter().any(|one| one.value == Disable::Traefik);
    (!disabled).then(|| {
        json!({
            "apiVersion": "helm.cattle.io/v1",
            "kind": "HelmChartConfig",
            "metadata": { "name": "traefik", "namespace": "kube-system" },
            "spec": { "valuesContent": yaml::text(&values(spec)).encode() },
        })
    })
}

/// The label that makes a machine one of those that answer. `None` where all do.
pub fn entry_label(spec: &Spec, machine: &Machine) -> Option<(&'static str, &'static str)> {
    match (spec.traefik.entry.value, machine.role) {
        (Entry::Servers, Role::Server) | (Entry::Agents, Role::Agent) => Some(ENTRY),
        (Entry::All | Entry::Servers | Entry::Agents, _) => None,
    }
}

/// Values of the chart, merged by k3s over its own.
fn values(spec: &Spec) -> Json {
    let mut values = json!({ "additionalArguments": arguments(spec) });
    if spec.traefik.client_address.value {
        // Pods see the client only where the machine that answers runs Traefik itself, so each
        // of them does: k3s' load balancer leaves out machines without it (k3s PRs 6726 and 6907,
        // since v1.25.7).
        values["service"] = json!({ "spec": { "externalTrafficPolicy": "Local" } });
        values["deployment"] = json!({ "kind": "DaemonSet" });
        if spec.traefik.entry.value != Entry::All {
            values["nodeSelector"] = json!({ ENTRY.0: ENTRY.1 });
        }
    }
    values
}

fn arguments(spec: &Spec) -> Vec<String> {
    let traefik = &spec.traefik;
    let timeouts = [
        ("readTimeout", traefik.read_timeout.value),
        ("writeTimeout", traefik.write_timeout.value),
        ("idleTimeout", traefik.idle_timeout.value),
    ];
    let proxies = proxies(spec);
    let of = |entry: &str| {
        let timeouts = timeouts.map(|(name, Seconds(seconds))| {
            format!("--entryPoints.{entry}.transport.respondingTimeouts.{name}={seconds}s")
        });
        let trusted = (!proxies.is_empty())
            .then(|| format!("--entryPoints.{entry}.forwardedHeaders.trustedIPs={proxies}"));
        timeouts.into_iter().chain(trusted).collect::<Vec<_>>()
    };
    ["web", "websecure"].into_iter().flat_map(of).collect()
}

/// Whose X-Forwarded headers count. Where everybody may come, nobody's do: anyone could claim to
/// be anybody else.
fn proxies(spec: &Spec) -> String {
    let own = &spec.traefik.trusted_proxies;
    let named = if own.is_empty() { &spec.network.ingress_from } else { own };
    let trusted = named.iter().filter(|network| network.prefix > 0 || !own.is_empty());
    trusted.map(|network| network.to_string()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;

    fn values_of(traefik: &str, edits: &[(&str, &str)]) -> Json {
        let section = format!("[traefik]\n{traefik}\n[storage]");
        let mut edits = edits.to_vec();
        edits.push(("[storage]", &section));
        let manifest = manifest(&spec(&edits)).unwrap();
        let text = manifest["spec"]["valuesContent"].as_str().unwrap();
        serde_saphyr::from_str(text).unwrap()
    }

    fn check(traefik: &str, edits: &[(&str, &str)], expected: &Json) {
        assert_eq!(values_of(traefik, edits), *expected, "{traefik}");
    }

    fn arguments(read: &str, write: &str, idle: &str, proxies: Option<&str>) -> Vec<String> {
        let of = |entry: &str| {
            let timeouts = [("read", read), ("write", write), ("idle", idle)];
            let mut all: Vec<String> = timeouts
                .iter()
                .map(|(name, value)| {
                    format!(
                        "--entryPoints.{entry}.transport.respondingTimeouts.{name}Timeout={value}"
                    )
                })
                .collect();
            all.extend(proxies.map(|proxies| {
                format!("--entryPoints.{entry}.forwardedHeaders.trustedIPs={proxies}")
            }));
            all
        };
        ["web", "websecure"].into_iter().flat_map(of).collect()
    }

    #[test]
    fn slow_uploads_and_real_addresses_are_the_default() {
        let expected = json!({
            "additionalArguments": arguments("3600s", "0s", "180s", Some("10.20.1.10/32")),
            "deployment": { "kind": "DaemonSet" },
            "service": { "spec": { "externalTrafficPolicy": "Local" } },
        });
        check("", &[], &expected);
        check("", &[("v1.35.9+k3s1", "v1.25.14+k3s1")], &expected);
    }

    #[test]
    fn the_spec_decides_on_limits_proxies_and_addresses() {
        let settings = "read_timeout = \"5m\"\nwrite_timeout = \"1h\"\nidle_timeout = \"10s\"\n\
                        trusted_proxies = [\"10.1.0.0/16\", \"10.2.0.0/16\"]\nclient_address = false";
        let both = Some("10.1.0.0/16,10.2.0.0/16");
        let expected = json!({ "additionalArguments": arguments("300s", "3600s", "10s", both) });
        check(settings, &[], &expected);
        for open in ["0.0.0.0/0", ""] {
            let written =
                if open.is_empty() { "".into() } else { format!("ingress_from = [\"{open}\"]") };
            let edit = [("ingress_from = [\"10.20.1.10/32\"]", written.as_str())];
            let expected = json!({ "additionalArguments": arguments("3600s", "0s", "180s", None) });
            check("client_address = false", &edit, &expected);
        }
    }

    #[test]
    fn only_machines_of_the_entry_answer() {
        let values = values_of("entry = \"agents\"", &[]);
        assert_eq!(values["nodeSelector"], json!({ ENTRY.0: "true" }));
        let spec = spec(&[("[storage]", "[traefik]\nentry = \"agents\"\n[storage]")]);
        assert_eq!(entry_label(&spec, &spec.agents[0]), Some(ENTRY));
        assert_eq!(entry_label(&spec, &spec.servers[0]), None);
    }

    #[test]
    fn what_k3s_leaves_out_is_told_nothing() {
        let off = [("[k3s]", "[k3s]\ndisable = [\"traefik\"]")];
        assert_eq!(manifest(&spec(&off)), None);
    }
}
