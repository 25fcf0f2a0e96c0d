//! Networks and settings of k3s.

use crate::diag::Diagnostic;
use crate::spec::source::{Wrong, nearest};
use crate::spec::{Join, Runtime, Sp, Spec, Subnet};

pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    networks(spec, found);
    room(spec, found);
    join(spec, found);
    docker(spec, found);
}

fn networks(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let pods = ("the pod network", &spec.k3s.cluster_cidr);
    let services = ("the service network", &spec.k3s.service_cidr);
    let machines = ("the machines' subnet", &spec.machines.subnet);
    for ((what, one), (other_what, other)) in
        [(pods, machines), (services, machines), (services, pods)]
    {
        // /0 stands in for what could not be read.
        if one.prefix == 0 || other.prefix == 0 || !one.overlaps(other) {
            continue;
        }
        let wrong = Wrong::new(
            format!("{what} {one} overlaps {other_what} {other}"),
            "overlaps",
            "choose private networks that are used nowhere else, such as \
             10.42.0.0/16 and 10.43.0.0/16",
        );
        let place = if one.place.span.0 < one.place.span.1 { &one.place } else { &other.place };
        found.push(wrong.error(place));
    }
    for dns in &spec.machines.dns {
        for (what, network) in [pods, services] {
            let reported = network.overlaps(&spec.machines.subnet);
            if network.prefix > 0 && !reported && network.contains(**dns) {
                let wrong = Wrong::new(
                    format!("the name server {dns} is inside {what} {network}"),
                    "not reachable from pods",
                    "use another name server, or another network for pods and services",
                );
                found.push(wrong.error(&dns.place));
            }
        }
    }
}

/// Each node takes a /24 of the pod network.
fn room(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let nodes = spec.all_machines().count();
    let room =
        |network: &Sp<Subnet>| 1_usize.checked_shl(24_u32.saturating_sub(network.prefix.into()));
    let pods = &spec.k3s.cluster_cidr;
    if pods.prefix > 0 && (pods.prefix > 24 || room(pods).is_some_and(|room| room < nodes)) {
        let wrong = Wrong::new(
            format!("the pod network {pods} is too small for {nodes} machines"),
            "too small",
            "each machine takes a /24: a /16 is enough for 256 machines",
        );
        found.push(wrong.error(&pods.place));
    }
}

fn join(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let Join::Server(name) = &spec.k3s.join.value else {
        return;
    };
    let servers = || spec.servers.iter().map(|machine| machine.name.as_str());
    if name.is_empty() || spec.servers.is_empty() || servers().any(|server| server == name) {
        return;
    }
    let help = match nearest(name, servers()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "name one of the servers, or leave the key out".to_owned(),
    };
    let message = format!("`k3s.join_server` is \"{name}\", which is no server");
    found.push(Wrong::new(message, "no such server", help).error(&spec.k3s.join.place));
}

fn docker(spec: &Spec, found: &mut Vec<Diagnostic>) {
    if *spec.k3s.runtime != Runtime::Docker {
        return;
    }
    let without_effect = |what: &str| {
        Wrong::new(
            format!("{what} has no effect with Docker"),
            "without effect",
            "use runtime = \"containerd\", or leave this out",
        )
    };
    if let Some(mirror) = spec.images.mirrors.values().next() {
        found.push(without_effect("`images.mirrors`").warning(&mirror.place));
    }
    // k3s writes logins to containerd; Docker has its own.
    if let Some(login) = spec.images.credentials.values().next() {
        let help = "use runtime = \"containerd\"; or leave this out, and run `sudo docker login` on \
                    every machine";
        let wrong = Wrong { help: help.into(), ..without_effect("`images.credentials`") };
        found.push(wrong.warning(&login.username.place));
    }
    if *spec.k3s.embedded_registry {
        let wrong = without_effect("`k3s.embedded_registry`");
        found.push(wrong.warning(&spec.k3s.embedded_registry.place));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use crate::spec::cross::testing::check;

    fn check_k3s(line: &str, expected: &[&str]) {
        check(&[("[k3s]", &format!("[k3s]\n{line}"))], expected);
    }

    #[test]
    fn networks_are_apart() {
        check_k3s(
            "cluster_cidr = \"10.20.0.0/16\"",
            &["the pod network 10.20.0.0/16 overlaps the machines'"],
        );
        check_k3s(
            "service_cidr = \"10.42.0.0/16\"",
            &["the service network 10.42.0.0/16 overlaps the pod"],
        );
        check(
            &[
                ("10.20.0.0/24", "10.43.0.0/24"),
                ("10.20.0.1\"", "10.43.0.1\""),
                ("10.20.0.2\"", "10.50.0.2\""),
                ("10.20.0.11", "10.43.0.11"),
                ("10.20.0.21", "10.43.0.21"),
                ("10.20.0.22", "10.43.0.22"),
            ],
            &["the service network 10.43.0.0/16 overlaps the machines' subnet"],
        );
        check(&[("[\"10.20.0.2\"]", "[\"10.43.0.10\"]")], &["inside the service network"]);
    }

    #[test]
    fn the_pod_network_has_room() {
        check_k3s("cluster_cidr = \"10.42.0.0/22\"", &["too small for 5 machines"]);
        check_k3s("cluster_cidr = \"10.42.0.0/21\"", &[]);
    }

    #[test]
    fn machines_join_one_way_at_a_server_of_the_spec() {
        check_k3s("join_server = \"server-2\"", &[]);
        check_k3s("join_server = \"sever-2\"", &["which is no server"]);
        check_k3s(
            "join_server = \"server-1\"\njoin_address = \"10.20.0.10\"",
            &["both `join_address` and"],
        );
    }

    #[test]
    fn docker_has_no_mirrors() {
        check_k3s("runtime = \"docker\"\nembedded_registry = true", &["no effect with Docker"]);
        check(&[("[k3s]", "[docker]\nversion = \"24.0.9\"\n[k3s]")], &["[docker] has no effect"]);
        let login = "{ username = { env = \"A\" }, password = { env = \"B\" } }";
        let images = format!("[images]\ncredentials.\"m.example.org\" = {login}\n[k3s]");
        check(&[("[k3s]", &images)], &[]);
        let docker = format!("{images}\nruntime = \"docker\"");
        check(&[("[k3s]", &docker)], &["`images.credentials` has no effect with Docker"]);
    }

    #[test]
    fn versions_are_whole() {
        check(&[("v1.35.9+k3s1", "v1.35")], &["`k3s.version` is not a k3s version"]);
    }
}
