//! `[vcenter]`

use super::super::scalar;
use super::{FOLDER, HOST, Key, OBJECT, PORT, Shape, TEXT, default, optional, required};

pub(super) static VCENTER: &[Key] = &[
    required(
        "server",
        HOST,
        "Host name or IPv4 address. CPI and CSI use it too, so it must \
         resolve outside the cluster's DNS.",
    )
    .example("\"vcenter.example.org\""),
    default("port", "443", PORT, "HTTPS port."),
    required("username", Shape::Secret, "boma's own account.")
        .example("{ env = \"VCENTER_USERNAME\" }"),
    required("password", Shape::Secret, "Its password.").example("{ env = \"VCENTER_PASSWORD\" }"),
    optional(
        "ca_file",
        TEXT,
        "PEM file with the CA of the vCenter's certificate. Without it, \
        thumbprint or insecure, this computer's CAs decide.",
    )
    .example("\"vcenter-ca.pem\""),
    optional(
        "thumbprint",
        Shape::Text(&scalar::THUMBPRINT),
        "SHA-256 of the vCenter's certificate, in place of a CA.",
    ),
    default(
        "insecure",
        "false",
        Shape::Bool,
        "Does not check the certificate at all: anybody on the way can read \
        the passwords. A finding.",
    ),
    required("datacenter", FOLDER, "Datacenter, by name or by its path below datacenter folders.")
        .example("\"DC1\""),
    required("cluster", OBJECT, "Compute cluster.").example("\"Cluster1\""),
    required("datastore", OBJECT, "Datastore for machines and volumes.")
        .example("\"vsanDatastore\""),
    optional(
        "resource_pool",
        FOLDER,
        "Resource pool for machines; the cluster's root pool otherwise.",
    )
    .example("\"cht\""),
    default(
        "hosts",
        "[]",
        Shape::List(&HOST),
        "ESXi hosts that machines run on, as vCenter names them. The storage \
        account gets the ReadOnly role on each.",
    )
    .example("[\"esxi-01.example.org\"]"),
    required(
        "storage_account",
        Shape::Table(STORAGE_ACCOUNT),
        "The account that CPI and CSI log in with; it gets the CNS roles.",
    ),
];

static STORAGE_ACCOUNT: &[Key] = &[
    required("principal", Shape::Text(&scalar::PRINCIPAL), "The account with its domain.")
        .example(r"'VSPHERE.LOCAL\cht-storage'"),
    required("password", Shape::Secret, "Its password.").example("{ env = \"STORAGE_PASSWORD\" }"),
];
