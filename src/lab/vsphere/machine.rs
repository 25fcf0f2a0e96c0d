//! A virtual machine as data.

use serde::{Deserialize, Serialize};

use super::device::Device;
use super::ids;
use super::question::Question;

/// What vCenter keeps of a machine besides its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Machine {
    pub template: bool,
    /// BIOS UUID.
    pub uuid: String,
    pub instance_uuid: String,
    /// 15 for `vmx-15`.
    pub version: u32,
    pub cpus: i32,
    pub cores_per_socket: i32,
    pub memory_mib: i64,
    pub cpu_hot_add: bool,
    pub memory_hot_add: bool,
    pub annotation: String,
    pub guest_id: String,
    /// In the order they were first set.
    pub extra: Vec<(String, String)>,
    pub disk_uuid: bool,
    pub powered_on: bool,
    /// Milliseconds since 1970; meaningful while powered on.
    pub booted_ms: u64,
    /// How often the configuration was written; the change version follows from it.
    pub changes: u64,
    pub devices: Vec<Device>,
    /// A template has none.
    pub pool: Option<String>,
    pub host: String,
    pub datastore: String,
    pub upgrade: Option<Upgrade>,
    /// The address its guest gets when its own configuration names none.
    pub address: String,
    /// Whether VMware Tools are installed.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub tools: bool,
    /// Whether its cloud-init has the VMware data source, which reads guestinfo.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub data_source: bool,
    /// Ids of its vApp properties, as an OVA brings them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vapp_properties: Vec<String>,
    /// `runtime.connectionState`
    #[serde(default = "connected", skip_serializing_if = "is_connected")]
    pub connection: String,
    /// What it asks before it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
}

/// A hardware upgrade that waits for a power cycle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Upgrade {
    /// `never`, `onSoftPowerOff` or `always`.
    pub policy: String,
    pub version: Option<u32>,
}

/// The setting that shows disk UUIDs to the guest. vCenter ties it to `flags.diskUuidEnabled`.
pub(super) const DISK_UUID: &str = "disk.EnableUUID";

impl Machine {
    pub(super) fn power_state(&self) -> &'static str {
        if self.powered_on { "poweredOn" } else { "poweredOff" }
    }

    /// Opaque to clients; another after every write.
    pub(super) fn change_version(&self, seed: u64) -> String {
        let parts = ["change", &self.instance_uuid, &self.changes.to_string()];
        ids::hex(&ids::digest(seed, &parts)[..8])
    }

    pub(super) fn extra(&self, key: &str) -> Option<&str> {
        self.extra
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.as_str())
    }

    /// Writes one `extraConfig` entry: keys are compared without regard to case, an empty value
    /// removes, and the disk UUID flag follows its key.
    pub(super) fn set_extra(&mut self, key: &str, value: &str) {
        let place = self.extra.iter().position(|(known, _)| known.eq_ignore_ascii_case(key));
        match (place, value.is_empty()) {
            (Some(place), true) => {
                self.extra.remove(place);
            }
            (Some(place), false) => self.extra[place].1 = value.to_owned(),
            (None, false) => self.extra.push((key.to_owned(), value.to_owned())),
            (None, true) => {}
        }
        if key.eq_ignore_ascii_case(DISK_UUID) {
            self.disk_uuid = value.eq_ignore_ascii_case("true") || value == "1";
        }
    }

    /// Writes `flags.diskUuidEnabled`, which shows up as the key as well.
    pub(super) fn set_disk_uuid(&mut self, on: bool) {
        self.set_extra(DISK_UUID, if on { "TRUE" } else { "FALSE" });
    }

    /// The host name that the guest reports: what cloud-init was told, else the machine's name.
    pub(super) fn guest_name(&self, name: &str) -> String {
        let metadata = self.metadata();
        let told = metadata.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            let key = key.trim().trim_matches(['"', '{', ' ']);
            (key == "local-hostname")
                .then(|| value.trim().trim_matches(['"', ',', '\'']).to_owned())
        });
        told.filter(|told| !told.is_empty()).unwrap_or_else(|| name.to_owned())
    }

    /// The address that the guest reports: the first with a prefix length in cloud-init's
    /// metadata, else the one drawn for it.
    pub(super) fn guest_address(&self) -> String {
        let metadata = self.metadata();
        let nested = metadata
            .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ','))
            .filter(|word| word.len() > 32)
            .filter_map(decode);
        std::iter::once(metadata.clone())
            .chain(nested)
            .find_map(|text| static_address(&text))
            .unwrap_or_else(|| self.address.clone())
    }

    fn metadata(&self) -> String {
        self.told("guestinfo.metadata")
    }

    /// What cloud-init is told under a key, decoded; empty where it does not look there. With vApp
    /// properties it takes the OVF data source, as before its version 25.1.
    pub(super) fn told(&self, key: &str) -> String {
        if !self.tools || !self.data_source || !self.vapp_properties.is_empty() {
            return String::new();
        }
        let text = self.extra(key).unwrap_or_default();
        match self.extra(&format!("{key}.encoding")) {
            Some("base64" | "b64") => decode(text).unwrap_or_default(),
            _ => text.to_owned(),
        }
    }
}

/// A machine's usual connection state.
pub(super) const CONNECTED: &str = "connected";

fn connected() -> String {
    CONNECTED.to_owned()
}

fn is_connected(state: &str) -> bool {
    state == CONNECTED
}

fn yes() -> bool {
    true
}

fn static_address(text: &str) -> Option<String> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '/'))
        .filter_map(|word| word.split_once('/'))
        .find(|(address, prefix)| {
            address.parse::<std::net::Ipv4Addr>().is_ok()
                && prefix.parse::<u8>().is_ok_and(|n| n > 0 && n <= 32)
        })
        .map(|(address, _)| address.to_owned())
}

/// Standard base64 to text; `None` when it is neither.
pub(in crate::lab) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(((bits >> held) & 0xff) as u8);
            bits &= (1 << held) - 1;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn base64_text_is_decoded() {
        assert_eq!(decode("aGVsbG8="), Some("hello".to_owned()));
        assert_eq!(decode("aGVs\nbG8h"), Some("hello!".to_owned()));
        assert_eq!(decode("a-b"), None);
    }

    #[test]
    fn the_first_address_with_a_prefix_length_counts() {
        let text = "via: 10.0.0.1\naddresses: [10.20.0.11/24, 10.20.0.12/24]";
        assert_eq!(static_address(text), Some("10.20.0.11".to_owned()));
        assert_eq!(static_address("to: 0.0.0.0/0"), None);
    }
}
