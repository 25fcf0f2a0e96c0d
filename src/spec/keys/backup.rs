//! `[backup]`

use super::{CRON, DURATION, HOST, Key, Shape, TEXT, default, optional, required};

pub(super) static BACKUP: &[Key] = &[
    default(
        "mode",
        "\"managed\"",
        Shape::Choice(&["managed", "external"]),
        "Who takes backups: boma, or something else, for which a reason is given.",
    ),
    optional(
        "reason",
        TEXT,
        "With mode = \"external\": what takes them, and how a restore is tested.",
    )
    .example("\"Veeam, nightly, restored every month\""),
    default(
        "age_max",
        "\"26h\"",
        DURATION,
        "How old the last success may be before it is a finding.",
    ),
    optional("etcd", Shape::Table(ETCD), "Snapshots of the cluster's own data."),
    optional(
        "projects",
        Shape::Table(PROJECTS),
        "Volume snapshots of every project, all its volumes together.",
    ),
];

static ETCD: &[Key] = &[
    default("schedule", "\"0 */6 * * *\"", CRON, "Cron, in the servers' time."),
    default("keep", "28", Shape::Integer(1, 1000), "How many are kept."),
    optional(
        "s3",
        Shape::Table(S3),
        "Where they go. Without it they are on the servers' own disks only.",
    ),
];

static S3: &[Key] = &[
    required("endpoint", TEXT, "Host, with a port where it is not 443.")
        .example("\"s3.example.org\""),
    required("bucket", TEXT, "The bucket.").example("\"cht-etcd\""),
    default("region", "\"us-east-1\"", HOST, "Its region."),
    optional("folder", TEXT, "Prefix of the objects' names.").example("\"national\""),
    required("access_key", Shape::Secret, "Access key id.").example("{ env = \"S3_ACCESS_KEY\" }"),
    required("secret_key", Shape::Secret, "Secret access key.")
        .example("{ env = \"S3_SECRET_KEY\" }"),
];

pub(super) static PROJECTS: &[Key] = &[
    default("schedule", "\"0 1 * * *\"", CRON, "Cron, in the cluster's time."),
    default(
        "keep",
        "3",
        Shape::Integer(1, 32),
        "How many of each volume are kept. A volume with snapshots cannot grow.",
    ),
];
