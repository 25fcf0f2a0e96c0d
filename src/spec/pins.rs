//! Releases that stand in for the keys that a spec leaves open.

use std::collections::BTreeMap;

use super::releases::SIDECARS;
use super::scalar::{self, Form, minor_of};
use super::{Sp, Spec};

/// `k3s.version`
pub const K3S: &str = "k3s.version";
/// `docker.version`
pub const DOCKER: &str = "docker.version";
/// `cloud_provider.version`
pub const CPI: &str = "cloud_provider.version";
/// `csi.version`
pub const CSI: &str = "csi.version";
/// `csi.digests.driver`
pub const DRIVER: &str = "csi.digests.driver";
/// `csi.digests.syncer`
pub const SYNCER: &str = "csi.digests.syncer";
/// `snapshots.version`
pub const SNAPSHOTS: &str = "snapshots.version";
/// `projects.defaults.cht`
pub const CHT: &str = "projects.defaults.cht";

/// In the order of [`SIDECARS`].
const SIDECAR_KEYS: [&str; SIDECARS.len()] = [
    "csi.sidecars.csi-attacher",
    "csi.sidecars.csi-node-driver-registrar",
    "csi.sidecars.csi-provisioner",
    "csi.sidecars.csi-resizer",
    "csi.sidecars.csi-snapshotter",
    "csi.sidecars.livenessprobe",
];

/// Releases for keys that a spec leaves open: the built-in ones, or what a lock holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    /// Path of the spec's key (`csi.version`) to what stands in for it.
    pub values: BTreeMap<&'static str, String>,
    /// The Kubernetes minor that CPI and CSI were chosen for: 35. Pins of both hold for no
    /// other one. `None` where neither is pinned.
    pub kubernetes: Option<u32>,
    /// The CSI release that digests, sidecars and snapshot controller were chosen for. `None`
    /// where none of them is pinned.
    pub csi: Option<String>,
}

/// What a pin was chosen for, and thus holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    Nothing,
    Kubernetes,
    Csi,
}

impl Pins {
    /// Every key that can be pinned, sorted.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        let others = [CPI, DRIVER, SYNCER, CSI, DOCKER, K3S, CHT, SNAPSHOTS];
        let mut keys: Vec<&str> = SIDECAR_KEYS.into_iter().chain(others).collect();
        keys.sort_unstable();
        keys.into_iter()
    }

    /// What a spec was read with in place of the keys that it leaves open.
    pub fn of(spec: &Spec) -> Self {
        let mut values = BTreeMap::new();
        let mut add = |key, value: Option<&Sp<String>>| {
            let open = value.filter(|value| !value.is_written());
            values.extend(open.map(|value| (key, value.value.clone())));
        };
        add(K3S, Some(&spec.k3s.version));
        add(DOCKER, spec.docker.as_ref().map(|docker| &docker.version));
        add(CPI, Some(&spec.cloud_provider.version));
        add(CSI, Some(&spec.csi.version));
        add(DRIVER, spec.csi.digests.driver.as_ref());
        add(SYNCER, spec.csi.digests.syncer.as_ref());
        for (name, key) in SIDECARS.iter().zip(SIDECAR_KEYS) {
            add(key, spec.csi.sidecars.get(*name));
        }
        add(SNAPSHOTS, spec.snapshots.enabled.value.then_some(&spec.snapshots.version));
        let releases = || spec.projects.iter().map(|project| &project.cht);
        add(CHT, releases().find(|release| !release.is_written()));
        let rests_on = |basis| values.keys().any(|key| basis_of(key) == basis);
        let kubernetes = rests_on(Basis::Kubernetes).then(|| minor_of(&spec.k3s.version)).flatten();
        let csi = rests_on(Basis::Csi).then(|| spec.csi.version.value.clone());
        Self { values, kubernetes, csi }
    }

    /// Whether a value has the form that the key takes in a spec. `None` where nobody pins such
    /// a key; otherwise what is right is said.
    pub fn accepts(key: &str, value: &str) -> Option<Result<(), &'static str>> {
        Self::keys().find(|known| *known == key)?;
        let form = form_of(key);
        Some((form.check)(value).map_err(|_| form.help))
    }

    /// A pin that holds whatever else the spec says.
    pub(super) fn get(&self, key: &str) -> Option<String> {
        self.values.get(key).cloned()
    }

    /// A pin that holds for one Kubernetes minor, if it is that of this k3s release.
    pub(super) fn with_k3s(&self, key: &str, k3s: &str) -> Option<String> {
        self.kubernetes.filter(|minor| minor_of(k3s) == Some(*minor))?;
        self.get(key)
    }

    /// A pin that holds for one CSI release, if it is this one.
    pub(super) fn with_csi(&self, key: &str, csi: &str) -> Option<String> {
        self.csi.as_deref().filter(|release| *release == csi)?;
        self.get(key)
    }

    /// The pin of a sidecar.
    pub(super) fn sidecar(&self, name: &str, csi: &str) -> Option<String> {
        let at = SIDECARS.iter().position(|sidecar| *sidecar == name)?;
        self.with_csi(SIDECAR_KEYS.get(at)?, csi)
    }
}

fn basis_of(key: &str) -> Basis {
    match key {
        K3S | DOCKER | CHT => Basis::Nothing,
        CPI | CSI => Basis::Kubernetes,
        _ => Basis::Csi,
    }
}

fn form_of(key: &str) -> &'static Form {
    match key {
        K3S => &scalar::K3S,
        DOCKER => &scalar::DOCKER,
        CHT => &scalar::CHT,
        DRIVER | SYNCER => &scalar::DIGEST,
        CPI | CSI | SNAPSHOTS => &scalar::RELEASE,
        _ => &scalar::SIDECAR,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::cross::testing::SOUND;
    use super::super::parse_pinned;
    use super::*;

    /// The small spec without the releases that it writes, then with these lines replaced.
    fn read(pins: &Pins, edits: &[(&str, &str)]) -> Spec {
        let written = ["version = \"v1.35.9+k3s1\"\n", "cht = \"5.3.1\"\n"];
        let mut text = written.iter().fold(SOUND.to_owned(), |text, line| text.replace(line, ""));
        for (from, to) in edits {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        parse_pinned("f", &text, pins).spec.unwrap()
    }

    fn pins(values: &[(&'static str, &str)], kubernetes: u32, csi: &str) -> Pins {
        let values = values.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Pins { values, kubernetes: Some(kubernetes), csi: Some(csi.to_owned()) }
    }

    #[test]
    fn what_is_written_is_not_open() {
        let open = Pins::of(&read(&Pins::default(), &[]));
        let missing: Vec<_> = Pins::keys().filter(|key| !open.values.contains_key(key)).collect();
        assert_eq!(missing, [DOCKER]);
        assert_eq!((open.kubernetes, open.csi.as_deref()), (Some(35), Some("v3.7.2")));
        let copied = "[images]\nreplace = { \"registry.k8s.io/csi-vsphere/driver\" = \"m.io/d\" }\n[storage]";
        let spec = read(&Pins::default(), &[("[storage]", copied)]);
        assert_eq!(spec.csi.digests.driver, None);
        let written = "[csi]\nversion = \"v3.7.2\"\nregistry = \"mirror.example.org/csi\"\n\
                       sidecars = { csi-resizer = \"v1.12.0\" }\n[snapshots]\nversion = \"v8.2.0\"\n[storage]";
        let open = Pins::of(&read(&Pins::default(), &[("[storage]", written)]));
        for key in [CSI, DRIVER, SYNCER, SNAPSHOTS, "csi.sidecars.csi-resizer"] {
            assert!(!open.values.contains_key(key), "{key}");
        }
        assert!(open.values.contains_key("csi.sidecars.csi-attacher"));
    }

    #[test]
    fn pins_stand_in_for_what_is_open() {
        let pinned = [
            (K3S, "v1.34.1+k3s1"),
            (CPI, "v1.34.0"),
            (CSI, "v3.6.3"),
            (SNAPSHOTS, "v8.1.0"),
            (CHT, "5.2.0"),
            ("csi.sidecars.csi-attacher", "v4.8.0"),
        ];
        let spec = read(&pins(&pinned, 34, "v3.6.3"), &[]);
        assert_eq!(Pins::of(&spec).values[CPI], "v1.34.0");
        assert_eq!(spec.k3s.version.value, "v1.34.1+k3s1");
        assert_eq!(spec.csi.version.value, "v3.6.3");
        assert_eq!(spec.snapshots.version.value, "v8.1.0");
        assert_eq!(spec.projects[0].cht.value, "5.2.0");
        assert_eq!(spec.csi.sidecars["csi-attacher"].value, "v4.8.0");
        assert_eq!(spec.csi.sidecars["csi-resizer"].value, "v1.12.0");
    }

    #[test]
    fn a_pin_holds_only_for_what_it_was_chosen_for() {
        let pinned = [(CPI, "v1.35.1"), (CSI, "v3.7.3"), (SNAPSHOTS, "v8.1.0")];
        let moved = [("[k3s]\n", "[k3s]\nversion = \"v1.36.5+k3s1\"\n")];
        let spec = read(&pins(&pinned, 35, "v3.7.3"), &moved);
        assert_eq!(spec.cloud_provider.version.value, "v1.36.0");
        assert_eq!(spec.csi.version.value, "v3.8.0");
        assert_eq!(spec.snapshots.version.value, "v8.4.0");
    }

    #[test]
    fn what_the_spec_writes_wins() {
        let written = [("[k3s]\n", "[k3s]\nversion = \"v1.35.9+k3s1\"\n")];
        let spec = read(&pins(&[(K3S, "v1.34.1+k3s1")], 34, "v3.6.3"), &written);
        assert_eq!(spec.k3s.version.value, "v1.35.9+k3s1");
    }

    #[test]
    fn values_have_the_form_of_their_key() {
        assert_eq!(Pins::accepts(CSI, "v3.7.2"), Some(Ok(())));
        assert!(Pins::accepts(CSI, "3.7.2").unwrap().is_err());
        assert!(Pins::accepts(DRIVER, "v3.7.2").unwrap().is_err());
        assert_eq!(Pins::accepts("csi.colour", "blue"), None);
    }
}
