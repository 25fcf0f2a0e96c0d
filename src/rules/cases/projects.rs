//! Projects: what runs, what is recorded, and what the spec makes of it.

use serde_json::{Value as Json, json};

use super::{Case, deny, in_world, warn};
use crate::plan::{Action, After, Cause, Difference, Impact, Reason};
use crate::rules::testing::{World, readings, recorded, standing};

const CLAIM: &str = "PersistentVolumeClaim";
const FOUR: (&str, &str) = ("5.3.1", "4.22.0");
const SELF: (&str, &str) = ("5.3.1", "4.22.0\"\nimage_owner = \"boma");

/// A Deployment of a release.
fn api(release: &str) -> Json {
    let image = format!("public.ecr.aws/medic/cht-api:{release}");
    pod(&json!({"name": "cht-api", "image": image}))
}

fn pod(container: &Json) -> Json {
    json!({"spec": {"template": {"spec": {"containers": [container]}}}})
}

fn claim(class: &str, size: &str) -> Json {
    json!({"spec": {"storageClassName": class, "resources": {"requests": {"storage": size}}}})
}

fn running(releases: &[&str]) -> World {
    let named = releases.iter().enumerate().map(|(index, release)| {
        (format!("project/county-{}/Deployment/cht-api", index + 1), api(release))
    });
    let named: Vec<(String, Json)> = named.collect();
    let named: Vec<(&str, Json)> =
        named.iter().map(|(address, tree)| (address.as_str(), tree.clone())).collect();
    readings(&named)
}

/// Claims of county-1 by node.
fn claims(nodes: &[u32], class: &str, size: &str) -> Vec<(String, Json)> {
    let name = |node| format!("project/county-1/{CLAIM}/couchdb-{node}-claim0");
    nodes.iter().map(|node| (name(node), claim(class, size))).collect()
}

fn volumes(nodes: &[u32], class: &str, size: &str) -> World {
    let claims = claims(nodes, class, size);
    let claims: Vec<(&str, Json)> =
        claims.iter().map(|(address, tree)| (address.as_str(), tree.clone())).collect();
    readings(&claims)
}

/// The Secret of county-1 is made, beside these.
fn made(others: &[(&str, Json)]) -> World {
    let secret = ("project/county-1/Secret/cht-couchdb-credentials", json!({}));
    let all = [&[secret], others].concat();
    let mut world = standing(&all, |change| {
        if change.address.name() == "cht-couchdb-credentials" {
            change.kind = crate::resource::Kind::named("kubernetes/Credentials").unwrap();
            change.action = Action::Create;
            change.live = None;
        }
    });
    world.live = readings(others).live;
    world
}

pub const CASES: &[Case] = &[
    in_world(
        || running(&["5.3.2", "5.3.2", "5.3.1"]),
        deny(
            "cht-downgrade",
            &[],
            "CHT 5.3.2 runs in county-1 and county-2, and the spec goes back to 5.3.1",
        ),
    ),
    in_world(
        || running(&["4.4.1"]),
        deny("cht-upgrade-path", &[], "county-1 cannot go from CHT 4.4.1 to 5.3.1 at once"),
    ),
    in_world(
        || running(&["4.22.0", "4.22.0", "4.22.0", "4.22.0"]),
        warn(
            "cht-upgrade-path",
            &[],
            "county-1 and 3 more go from CHT 4.22.0 to 5.3.1, which builds every index anew unless it is staged",
        ),
    ),
    in_world(
        || running(&["5.2.0"]),
        warn(
            "cht-upgrade-path",
            &[],
            "from CHT 5.2.0 to 5.3.1 all CouchDB pods of county-1 restart at once, and Service nouveau becomes one for each",
        ),
    ),
    in_world(
        || {
            let claims = claims(&[1, 2, 3], "vmware-sc", "50Gi");
            made(
                &claims
                    .iter()
                    .map(|(name, tree)| (name.as_str(), tree.clone()))
                    .collect::<Vec<_>>(),
            )
        },
        deny(
            "credentials-lost",
            &[],
            "the credentials of county-1 would be made up anew, and its volumes know others",
        ),
    ),
    in_world(
        || {
            let claim =
                ("project/county-1/PersistentVolumeClaim/a", CLAIM, "cht-county-1", json!({}));
            recorded(made(&[]), &[claim])
        },
        deny(
            "credentials-lost",
            &[],
            "the credentials of county-1 would be made up anew, and its volumes know others",
        ),
    ),
    in_world(
        || volumes(&[1, 2, 3, 4, 5], "vmware-sc", "50Gi"),
        deny(
            "couchdb-nodes",
            &[],
            "the data of county-1 is on 5 CouchDB nodes, and the spec asks for 3",
        ),
    ),
    in_world(
        || volumes(&[1], "vmware-sc", "50Gi"),
        deny(
            "couchdb-nodes",
            &[],
            "the data of county-1 is on 1 CouchDB node, and the spec asks for 3",
        ),
    ),
    in_world(
        || {
            let node =
                json!({"name": "cht-couchdb-1", "env": [{"name": "NODE_COUNT", "value": "2"}]});
            readings(&[
                ("project/county-1/Deployment/cht-couchdb-1", pod(&node)),
                (
                    "project/county-1/PersistentVolumeClaim/couchdb-1-claim0",
                    claim("vmware-sc", "50Gi"),
                ),
                (
                    "project/county-1/PersistentVolumeClaim/couchdb-2-claim0",
                    claim("vmware-sc", "50Gi"),
                ),
            ])
        },
        deny(
            "couchdb-nodes",
            &[],
            "the data of county-1 is on 2 CouchDB nodes, and the spec asks for 3",
        ),
    ),
    in_world(
        || {
            readings(&[
                ("project/county-1/helm/sh.helm.release.v1.cht.v1", json!({})),
                ("project/county-1/helm/sh.helm.release.v1.cht.v2", json!({})),
                ("project/county-3/helm/sh.helm.release.v1.cht-3.v1", json!({})),
            ])
        },
        warn(
            "helm-release",
            &[],
            "helm still holds county-1 and county-3: `helm upgrade` would undo what boma does, and `helm uninstall` would delete the claims of the volumes",
        ),
    ),
    in_world(
        || volumes(&[1, 2, 3], "local-storage", "50Gi"),
        deny(
            "storage-class",
            &[],
            "volumes of county-1 are of class \"local-storage\", and the spec asks for vmware-sc",
        ),
    ),
    in_world(
        || volumes(&[1, 2, 3], "vmware-sc", "60Gi"),
        deny(
            "storage-shrunk",
            &[],
            "volumes of county-1 have 60GiB each, and the spec asks for 50GiB",
        ),
    ),
    in_world(
        || {
            let claim =
                ("project/county-1/PersistentVolumeClaim/a", CLAIM, "old-county-1", json!({}));
            recorded(readings(&[]), &[claim])
        },
        deny(
            "county-names",
            &[],
            "the data of county-1 stays where it is, and the spec moves county-1 from namespace old-county-1 to cht-county-1",
        ),
    ),
    in_world(
        || {
            let rules = json!({"spec": {"rules": [{"host": "county-2.cht.example.org"}]}});
            let ingress =
                ("project/county-02/Ingress/api-ingress", "Ingress", "cht-county-02", rules);
            recorded(readings(&[]), &[ingress])
        },
        deny(
            "county-names",
            &[],
            "county-2 is new and empty, and takes the host county-2.cht.example.org of county-02, whose data stays behind",
        ),
    ),
    in_world(
        || {
            let space = "project/county-1/Namespace/cht-county-1";
            let gone = "project/gone/Namespace/cht-gone";
            let live = [space, gone].map(|address| (address, json!({})));
            standing(&live, |change| change.reasons = vec![Reason::Abandoned])
        },
        warn(
            "abandoned-in-spec",
            &[],
            "county-1 is still in the spec: the next apply makes it anew, with empty volumes",
        ),
    ),
    in_world(
        || {
            let live = [("project/county-1/Deployment/cht-api", api("5.3.1"))];
            standing(&live, |change| {
                change.action = Action::Adopt;
                change.attributes = vec![Difference {
                    path: "spec.template.spec.containers.cht-api.readinessProbe".into(),
                    before: None,
                    after: After::Known(json!({})),
                    cause: Cause::Spec,
                    impact: Impact::Restart,
                    sensitive: false,
                    changed_by: None,
                    origin: None,
                }];
            })
        },
        warn(
            "adopted-additions",
            &[("name = \"small\"", "name = \"small\"\nadopt = [\"project/county-1/**\"]")],
            "`probes` restart cht-api of county-1, which stand and are taken over",
        ),
    ),
];

/// With what 4.x breaks besides: its support is over.
pub const JOINED: &[Case] = &[
    in_world(
        || running(&["4.21.0"]),
        warn(
            "cht-newer",
            &[FOUR],
            "the spec says CHT 4.22.0 of county-1, and 4.21.0 runs: boma does not upgrade it",
        ),
    ),
    in_world(
        || running(&["4.23.0"]),
        warn(
            "cht-newer",
            &[FOUR],
            "the admin page brought county-1 to CHT 4.23.0, and the spec says 4.22.0",
        ),
    ),
    in_world(
        || {
            let before =
                ("project/county-1/Deployment/cht-api", "SelfUpgrading", "a", api("4.23.0"));
            recorded(running(&["4.23.0"]), &[before])
        },
        deny(
            "cht-downgrade",
            &[FOUR],
            "CHT 4.23.0 runs in county-1, and the spec goes back to 4.22.0",
        ),
    ),
    in_world(
        || running(&["4.23.0"]),
        deny(
            "cht-downgrade",
            &[SELF],
            "CHT 4.23.0 runs in county-1, and the spec goes back to 4.22.0",
        ),
    ),
    warn(
        "cht-upgrade-path",
        &[("5.3.1", "5.0.0")],
        "the official chart of CHT 5.0.0 does not install, so county-1 and 3 more could not go back to helm",
    ),
];
