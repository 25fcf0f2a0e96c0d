//! `[projects]`

use super::super::scalar;
use super::{CPU, HOST, IMAGE, Key, LABEL, SIZE, Shape, TEXT, backup, default, optional, required};

pub(super) static PROJECTS: &[Key] = &[
    optional(
        "count",
        Shape::Integer(1, 1000),
        "How many projects. Goes with name; names is the other way.",
    )
    .example("50"),
    optional("name", Shape::Text(&scalar::PATTERN), "Pattern of names, numbered from 1.")
        .example("\"county-{:02}\""),
    optional("names", Shape::List(&LABEL), "The names one by one, in place of count and name.")
        .example("[\"acacia\", \"baobab\"]"),
    optional(
        "domain",
        Shape::Text(&scalar::DOMAIN),
        "Hosts are the project's name before this domain. Needed unless every project has a host.",
    )
    .example("\"cht.example.org\""),
    default(
        "namespace_prefix",
        "\"cht-\"",
        Shape::TextOrEmpty(&scalar::PREFIX),
        "Before the project's name in its namespace. It cannot change later.",
    ),
    default(
        "registry",
        "\"public.ecr.aws/medic\"",
        IMAGE,
        "Registry and folder of the CHT images.",
    ),
    optional("rollout", Shape::Table(ROLLOUT), "How changes of many projects are spread."),
    optional("defaults", Shape::Table(DEFAULTS), "What holds for every project."),
    optional(
        "overrides",
        Shape::Map(&scalar::LABEL, &Shape::Table(OVERRIDE)),
        "What is different for one project, by its name.",
    )
    .example("{ county-01 = { couchdb = { storage = \"700GiB\" } } }"),
];

static ROLLOUT: &[Key] = &[
    default("canary", "[]", Shape::List(&LABEL), "Projects that are changed before all others.")
        .example("[\"county-01\"]"),
    default("wave", "5", Shape::Integer(1, 1000), "How many projects are changed at a time."),
    default(
        "failures_max",
        "0",
        Shape::Integer(0, 1000),
        "How many may fail before no further wave starts.",
    ),
];

/// The keys of a project, after those given.
macro_rules! project {
    ($($own:expr),* $(,)?) => {
        &[
            $($own,)*
            optional("cht", Shape::Text(&scalar::CHT), "CHT release; 5.3.1 otherwise.")
                .example("\"5.3.1\""),
            optional(
                "adopt",
                Shape::Bool,
                "It stands already, made by helm or by hand, and is taken over as it is. What \
                 boma adds to a project (probes, limits, quota, network_policy, placement) is \
                 then left out unless written beside this key or in the override. It stays \
                 written for as long as the pods are to stay as they were made.",
            )
            .example("true"),
            optional(
                "image_owner",
                Shape::Choice(&["upgrade-service", "boma"]),
                "Who changes images after creation; the upgrade-service on 4.x and \
                 boma on 5.x otherwise.",
            )
            .example("\"boma\""),
            optional("couchdb", Shape::Table(COUCHDB), "Its databases."),
            optional(
                "placement",
                Shape::Choice(&["together", "spread"]),
                "CouchDB pods on one machine, so that a lost machine stops the \
                 fewest projects, or on different ones; together otherwise.",
            )
            .example("\"together\""),
            optional(
                "agents",
                Shape::List(&LABEL),
                "Machines it is pinned to; any agent otherwise.",
            )
            .example("[\"agent-1\"]"),
            optional(
                "tls",
                Shape::Table(TLS),
                "TLS inside the cluster; left to the outside proxy otherwise.",
            ),
            optional(
                "log_level",
                Shape::Choice(&["debug", "info", "warn", "error"]),
                "Of CouchDB, api and sentinel; info otherwise.",
            )
            .example("\"info\""),
            optional(
                "resources",
                Shape::Table(COMPONENTS),
                "What each component asks for and is held to, per pod.",
            ),
            optional("quota", Shape::Table(QUOTA), "What the whole project is held to."),
            optional(
                "probes",
                Shape::Bool,
                "Readiness probes, none of which ever restarts a pod: a project may index for \
                 hours. Otherwise yes, but not on adopted projects, whose pods would restart.",
            )
            .example("true"),
            optional(
                "network_policy",
                Shape::Bool,
                "Keeps other projects' pods out; otherwise yes, but not on adopted projects.",
            )
            .example("true"),
            optional(
                "credentials",
                Shape::Table(CREDENTIALS),
                "The CouchDB administrator. What is left out is generated once and \
                 kept in the cluster.",
            ),
            optional("backup", Shape::Table(backup::PROJECTS), "Its own backup schedule."),
        ]
    };
}

static DEFAULTS: &[Key] = project![];

/// What two projects cannot share is no default.
static OVERRIDE: &[Key] = project![
    optional("namespace", LABEL, "Its namespace, where a standing one is adopted.")
        .example("\"county-one\""),
    optional("host", HOST, "Its full host name, in place of name and domain.")
        .example("\"cht.county.example.org\""),
];

static COUCHDB: &[Key] = &[
    optional("nodes", Shape::Integer(1, 9), "CouchDB nodes; 1 otherwise. Fixed once data exists.")
        .example("3"),
    optional("storage", SIZE, "Volume of each node; 50GiB otherwise. Grows only.")
        .example("\"50GiB\""),
    optional(
        "storage_class",
        Shape::Text(&scalar::SUBDOMAIN),
        "Storage class; that of [storage] otherwise. Fixed once data exists.",
    )
    .example("\"vmware-sc\""),
    optional(
        "volumes",
        Shape::List(&Shape::Text(&scalar::SUBDOMAIN)),
        "PersistentVolumes that the claims are bound to, one for each node, where an adopted \
         project names them; whichever the class makes otherwise. Fixed once data exists.",
    )
    .example("[\"couchdb-pv-cht-county-01-1\"]"),
    optional(
        "host_path",
        TEXT,
        "Folder of the machine that a single node's data is in, in place of a volume, where an \
         adopted project has it so. It needs agents to name that machine. Fixed once data exists.",
    )
    .example("\"/var/lib/couchdb1\""),
];

static TLS: &[Key] = &[
    optional(
        "secret",
        Shape::Text(&scalar::SUBDOMAIN),
        "A TLS Secret that stands in the namespace.",
    )
    .example("\"api-tls-secret\""),
    optional("issuer", Shape::Text(&scalar::SUBDOMAIN), "A ClusterIssuer of cert-manager.")
        .example("\"letsencrypt\""),
];

static COMPONENTS: &[Key] = &[
    optional("api", Shape::Table(RESOURCES), "The API server."),
    optional("sentinel", Shape::Table(RESOURCES), "The background worker."),
    optional("couchdb", Shape::Table(RESOURCES), "Each CouchDB node."),
    optional("haproxy", Shape::Table(RESOURCES), "The proxy before CouchDB."),
    optional("healthcheck", Shape::Table(RESOURCES), "The proxy's health check."),
    optional("nouveau", Shape::Table(RESOURCES), "Search (5.x)."),
    optional("upgrade_service", Shape::Table(RESOURCES), "The upgrade-service (4.x)."),
];

static RESOURCES: &[Key] = &[
    optional("cpu", CPU, "CPU limit.").example("\"2\""),
    optional("memory", SIZE, "Memory limit.").example("\"4GiB\""),
    optional("cpu_request", CPU, "CPU that is reserved; the limit otherwise.").example("\"500m\""),
    optional("memory_request", SIZE, "Memory that is reserved; the limit otherwise.")
        .example("\"1GiB\""),
];

static QUOTA: &[Key] = &[
    required("cpu", CPU, "Sum of CPU limits.").example("\"8\""),
    required("memory", SIZE, "Sum of memory limits.").example("\"34GiB\""),
];

static CREDENTIALS: &[Key] = &[
    optional("user", TEXT, "Name of the administrator; medic otherwise.").example("\"medic\""),
    optional("password", Shape::Secret, "Its password.").example("{ env = \"COUCHDB_PASSWORD\" }"),
    optional("secret", Shape::Secret, "CouchDB's cookie secret.")
        .example("{ env = \"COUCHDB_SECRET\" }"),
    optional("uuid", Shape::Secret, "CouchDB's instance UUID.")
        .example("{ env = \"COUCHDB_UUID\" }"),
];
