//! What was read and recorded of projects.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Facts, Version, cluster};
use crate::resource::{Address, milli};
use crate::spec::Project;

/// Where upgrades of CouchDB's layout are described, in words for help texts.
pub const COPY: &str = "make a project of another name beside it, copy its databases there \
                        (couchdb-migration: CHT docs, hosting/cht/migration), then remove the old one";

/// The kind of what holds a project's data.
pub const CLAIM: &str = "kubernetes/PersistentVolumeClaim";

/// The newest release that runs of each project, by its name. Images without a release as their
/// tag do not count.
pub fn running<'a>(facts: &Facts<'a>) -> BTreeMap<&'a str, Version> {
    let mut running: BTreeMap<&str, Version> = BTreeMap::new();
    for (address, workload) in cluster::live(facts, "Deployment") {
        if let (Some(project), Some(release)) = (address.project(), releases(&workload).max()) {
            running
                .entry(project)
                .and_modify(|newest| *newest = release.max(*newest))
                .or_insert(release);
        }
    }
    running
}

/// Releases of the CHT's containers. That of the upgrade-service has versions of its own.
pub fn releases(workload: &Json) -> impl Iterator<Item = Version> {
    cluster::containers(workload).filter_map(|container| {
        container["name"].as_str().filter(|name| name.starts_with("cht-"))?;
        let image = container["image"].as_str()?.split('@').next()?;
        let (_, tag) = image.rsplit('/').next()?.rsplit_once(':')?;
        Version::parse(tag)
    })
}

/// A claim of CouchDB's that stands.
pub struct Claim<'a> {
    /// The claim.
    pub address: &'a Address,
    /// Its class. `None` where it names none.
    pub class: Option<String>,
    /// What it asks for.
    pub mib: Option<u64>,
}

/// Claims of each project's CouchDB that stand, by its name.
pub fn claims<'a>(facts: &Facts<'a>) -> BTreeMap<&'a str, Vec<Claim<'a>>> {
    let mut claims: BTreeMap<&str, Vec<Claim<'_>>> = BTreeMap::new();
    for (address, claim) in cluster::live(facts, "PersistentVolumeClaim") {
        let Some(project) = address.project().filter(|_| is_couchdb(address)) else { continue };
        let class = claim["spec"]["storageClassName"].as_str().map(str::to_owned);
        claims.entry(project).or_default().push(Claim { address, class, mib: size_mib(&claim) });
    }
    claims
}

/// Names of the claims that a project's CouchDB has (official chart).
pub fn claim_names(project: &Project) -> Vec<String> {
    match project.couchdb.nodes.value {
        1 => vec!["couchdb-claim0".into()],
        nodes => (1..=nodes).map(|node| format!("couchdb-{node}-claim0")).collect(),
    }
}

/// What a claim asks for, in MiB.
pub fn size_mib(claim: &Json) -> Option<u64> {
    let text = claim["spec"]["resources"]["requests"]["storage"].as_str()?;
    u64::try_from(milli(text)? / (1000 << 20)).ok()
}

/// Names by what they have in common, so that fifty alike projects are one finding.
pub fn alike<'a, K: Ord>(
    named: impl IntoIterator<Item = (K, &'a Project)>,
) -> BTreeMap<K, Vec<&'a str>> {
    let mut groups: BTreeMap<K, Vec<&str>> = BTreeMap::new();
    for (key, project) in named {
        groups.entry(key).or_default().push(&project.name);
    }
    groups
}

fn is_couchdb(address: &Address) -> bool {
    address.name().starts_with("couchdb-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(container: &str, image: &str, expected: Option<(u32, u32, u32)>) {
        let pod = json!({"containers": [{"name": container, "image": image}]});
        let workload = json!({"spec": {"template": {"spec": pod}}});
        let expected = expected.map(|(major, minor, patch)| Version::new(major, minor, patch));
        assert_eq!(releases(&workload).next(), expected, "{image}");
    }

    #[test]
    fn a_release_is_the_tag_of_a_cht_image() {
        check("cht-api", "public.ecr.aws/medic/cht-api:4.22.0", Some((4, 22, 0)));
        check("cht-couchdb-1", "localhost:5000/cht-couchdb:5.3.1@sha256:00", Some((5, 3, 1)));
        check("cht-api", "localhost:5000/cht-api", None);
        check("cht-api", "medic/cht-api:master", None);
        check("upgrade-service", "medicmobile/upgrade-service:0.32.0", None);
    }
}
