//! Which releases go together, and until when.

use super::{Case, deny, warn};

pub const CASES: &[Case] = &[
    deny(
        "dead-registry",
        &[("[storage]", "[csi]\nsidecar_registry = \"k8s.gcr.io/sig-storage\"\n[storage]")],
        "images of the sidecars of CSI cannot be pulled from k8s.gcr.io/sig-storage",
    ),
    deny(
        "dead-registry",
        &[(
            "[storage]",
            "[cloud_provider]\nimage = \"gcr.io/cloud-provider-vsphere/cpi/release/manager\"\n[storage]",
        )],
        "images of CPI cannot be pulled from gcr.io/cloud-provider-vsphere/cpi/release/manager",
    ),
    deny(
        "dead-registry",
        &[("[storage]", "[images]\nreplace = { \"a/b\" = \"k8s.gcr.io/b:v1\" }\n[storage]")],
        "a/b is replaced by k8s.gcr.io/b:v1, which cannot be pulled",
    ),
    warn(
        "end-of-life",
        &[("5.3.1", "5.1.3")],
        "CHT 5.1.3 of county-1 and 3 more has had no fixes since 2026-09-26",
    ),
    warn(
        "end-of-life",
        &[("5.3.1", "5.2.0")],
        "CHT 5.2.0 of county-1 and 3 more has no fixes after 2026-11-26, in 4 days",
    ),
    warn(
        "end-of-life",
        &[("v1.35.9+k3s1", "v1.33.1+k3s1")],
        "k3s v1.33.1+k3s1 has had no fixes since 2026-06-28",
    ),
    warn(
        "version-skew",
        &[("[storage]", "[cloud_provider]\nversion = \"v1.36.0\"\n[storage]")],
        "CPI v1.36.0 is for Kubernetes 1.36, and k3s is 1.35",
    ),
    warn(
        "version-skew",
        &[("[storage]", "[csi]\nversion = \"v3.6.3\"\n[storage]")],
        "CSI v3.6.3 is for Kubernetes 1.32 to 1.34, and k3s is 1.35",
    ),
    warn(
        "version-skew",
        &[(
            "[storage]",
            "[csi]\nversion = \"v3.4.0\"\nmanifest = { from = \"csi.yaml\", sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\" }\n[storage]",
        )],
        "which Kubernetes minors CSI v3.4.0 is for is not on record",
    ),
    warn(
        "version-skew",
        &[("[storage]", "[snapshots]\nversion = \"v8.4.0\"\n[storage]")],
        "CSI v3.7.2 is tested with snapshot controller v8.2.0, not v8.4.0",
    ),
    warn(
        "version-skew",
        &[("[storage]", "[csi]\nhigh_density = true\nversion = \"v3.7.0\"\n[storage]")],
        "CSI v3.7.0 has no high density of volumes",
    ),
];
