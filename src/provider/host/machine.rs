//! `host/machine`: what rules ask about a host.

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::probe::Probe;
use crate::resource::{Attributes, Object};

/// The observed object. Attributes that could not be read are left out.
pub fn read(probe: &Probe, now: i64) -> Object {
    let facts = [
        ("hostname", probe.word("hostname").map(Json::from)),
        ("machine_id", probe.word("machine-id").map(Json::from)),
        ("bios_uuid", bios_uuid(probe).map(Json::from)),
        ("os", os(probe)),
        ("cpus", number(probe.word("cpus"))),
        ("memory_mib", memory_mib(probe)),
        ("disk_free_mib", disk_free_mib(probe)),
        ("clock_skew_s", probe.clock_skew_s.map(Json::from)),
        ("clock_synchronized", probe.word("clock-sync").map(|answer| json!(answer == "yes"))),
        ("cgroup", probe.word("cgroup").map(cgroup)),
        ("default_route", probe.text("route").map(|routes| json!(routes.contains("default")))),
        ("sudo", Some(true.into())),
        ("k3s_certificate_days", certificate_days(probe, now)),
        ("docker", docker_version(probe).map(Json::from)),
    ];
    let known = facts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Object {
        id: id(probe),
        attributes: Attributes::new(&Json::Object(known.collect::<Map<_, _>>())),
        mark: None,
    }
}

/// The host's own identity: its machine-id.
pub fn id(probe: &Probe) -> String {
    probe.word("machine-id").unwrap_or_default().to_owned()
}

/// The BIOS UUID as vCenter writes it, from the serial number that vSphere gives its machines:
/// `VMware-42 30 9a 1c 5d 6e 7f 80-91 a2 b3 c4 d5 e6 f7 08`. Unlike `product_uuid` its bytes are
/// never swapped.
pub fn bios_uuid(probe: &Probe) -> Option<String> {
    let serial = probe.word("product-serial")?.strip_prefix("VMware-")?;
    let digits: String = serial.chars().filter(char::is_ascii_hexdigit).collect();
    let part = |range: std::ops::Range<usize>| digits.get(range);
    let parts = [part(0..8)?, part(8..12)?, part(12..16)?, part(16..20)?, part(20..32)?];
    (digits.len() == 32).then(|| parts.join("-").to_ascii_lowercase())
}

/// `24.0.9` of `Docker version 24.0.9, build fca702d`.
pub fn docker_version(probe: &Probe) -> Option<&str> {
    let line = probe.word("docker-version")?;
    line.strip_prefix("Docker version ")?.split([',', ' ']).next()
}

/// The machine's architecture as `uname -m` says it: `x86_64`.
pub fn architecture(probe: &Probe) -> Option<&str> {
    probe.word("kernel")?.split(' ').nth(1)
}

fn os(probe: &Probe) -> Option<Json> {
    let kernel = probe.word("kernel").and_then(|kernel| kernel.split(' ').next());
    let parts = [
        ("id", probe.setting("os-release", "ID")),
        ("version", probe.setting("os-release", "VERSION_ID")),
        ("kernel", kernel),
        ("arch", architecture(probe)),
    ];
    let known = parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into())));
    let known: Map<String, Json> = known.collect();
    (!known.is_empty()).then_some(Json::Object(known))
}

fn number(text: Option<&str>) -> Option<Json> {
    text?.parse::<u64>().ok().map(Json::from)
}

fn memory_mib(probe: &Probe) -> Option<Json> {
    let mut lines = probe.text("meminfo")?.lines();
    let total = lines.find_map(|line| line.strip_prefix("MemTotal:"))?;
    total.split_whitespace().next()?.parse::<u64>().ok().map(|kib| (kib / 1024).into())
}

/// Free space of `/var/lib`: the fourth column of the last line of `df -Pk`.
fn disk_free_mib(probe: &Probe) -> Option<Json> {
    let line = probe.word("disk")?.lines().last()?;
    line.split_whitespace().nth(3)?.parse::<u64>().ok().map(|kib| (kib / 1024).into())
}

fn cgroup(file_system: &str) -> Json {
    if file_system == "cgroup2fs" { "v2".into() } else { "v1".into() }
}

fn certificate_days(probe: &Probe, now: i64) -> Option<Json> {
    let ends: Timestamp = probe.word("certificate-ends")?.parse().ok()?;
    Some(((ends.as_second() - now).div_euclid(24 * 60 * 60)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_facts_are_in_boma_s_units() {
        let mut probe = Probe::with(&[
            ("hostname", "server-1\n"),
            ("machine-id", "0123456789abcdef0123456789abcdef\n"),
            ("product-serial", "VMware-42 30 9A 1c 5d 6e 7f 80-91 a2 b3 c4 d5 e6 f7 08\n"),
            ("os-release", "ID=ubuntu\nVERSION_ID=\"22.04\"\n"),
            ("kernel", "5.15.0-122-generic x86_64\n"),
            ("cpus", "4\n"),
            ("meminfo", "MemTotal:        8130988 kB\nMemFree: 1 kB\n"),
            (
                "disk",
                "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 50620216 7000000 43603832 14% /\n",
            ),
            ("clock-sync", "yes\n"),
            ("cgroup", "cgroup2fs\n"),
            ("route", ""),
            ("certificate-ends", "2027-11-22T20:46:14Z"),
            ("docker-version", "Docker version 24.0.9, build fca702d\n"),
        ]);
        probe.clock_skew_s = Some(-3);
        let object = read(&probe, 1_795_380_374 + 60);
        assert_eq!(object.id, "0123456789abcdef0123456789abcdef");
        let expected = json!({
            "hostname": "server-1",
            "machine_id": "0123456789abcdef0123456789abcdef",
            "bios_uuid": "42309a1c-5d6e-7f80-91a2-b3c4d5e6f708",
            "os": {"id": "ubuntu", "version": "22.04", "kernel": "5.15.0-122-generic", "arch": "x86_64"},
            "cpus": 4,
            "memory_mib": 7940,
            "disk_free_mib": 42581,
            "clock_skew_s": -3,
            "clock_synchronized": true,
            "cgroup": "v2",
            "default_route": false,
            "sudo": true,
            "k3s_certificate_days": 364,
            "docker": "24.0.9",
        });
        assert_eq!(object.attributes.tree(), expected);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let object = read(&Probe::with(&[("product-serial", "None")]), 0);
        assert_eq!(object.attributes.tree(), json!({"sudo": true}));
    }
}
