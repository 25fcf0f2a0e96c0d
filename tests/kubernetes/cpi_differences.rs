//! Where boma's CPI is meant to differ from upstream's: patterns over printed paths, and why.

/// Differences from the manifest of any minor.
pub const CPI: &[(&str, &str)] = &[
    ("Secret/vsphere-cloud-secret: stringData.*", "upstream's are examples"),
    ("Secret/vsphere-cloud-secret: data.*", "the spec's account"),
    ("Secret/vsphere-cloud-secret: type", "written out: it is what a Secret is without a word"),
    ("ConfigMap/vsphere-cloud-config: data.vsphere.conf*", "the spec's vCenter, no password"),
    ("Secret/vsphere-cloud-ca", "the certificate is checked"),
    ("DaemonSet/*.volumeMounts[/etc/vcenter-ca].*", "the certificate is checked"),
    ("DaemonSet/*.volumes[vcenter-ca].*", "the certificate is checked"),
    ("*RoleBinding/*: subjects[*].apiGroup", "as the API has it: a user's is that of RBAC"),
];

/// Besides, from v1.25's: its registry was deleted.
pub const CPI_1_25: &[(&str, &str)] =
    &[("DaemonSet/*.image", "gcr.io/cloud-provider-vsphere does not answer any more")];
