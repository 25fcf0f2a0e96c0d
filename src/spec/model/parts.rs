//! What a project is made of, by its release.

use super::{Component, ImageOwner, Project, Quota, Resources};
use crate::spec::releases::{NOUVEAU_EACH_SINCE, NOUVEAU_SINCE, Version};

/// How many containers of a component a project has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What they are.
    pub component: Component,
    /// How many, each in a pod of its own but for Nouveau, which is in CouchDB's.
    pub count: u32,
    /// How many there are while they are replaced: one more where the new one comes first.
    pub most: u32,
}

/// What a quota leaves for containers that the spec gives no limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Thousandths of a CPU.
    pub cpu: Left,
    /// MiB.
    pub memory: Left,
}

/// What is left of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// This much for each container without a limit. `None`: all have one.
    Each(Option<u64>),
    /// Nothing, and some have no limit.
    Nothing,
    /// Less than nothing: the limits are more than the quota.
    Less,
}

impl Left {
    /// What each container without a limit gets, if there is one.
    pub fn each(self) -> Option<u64> {
        match self {
            Self::Each(each) => each,
            Self::Nothing | Self::Less => None,
        }
    }
}

impl Project {
    /// Its release as numbers; what cannot be read counts as the newest.
    pub fn release(&self) -> Version {
        Version::parse(&self.cht).unwrap_or(Version::new(u32::MAX, 0, 0))
    }

    /// Whether it is of 5.x or later: with Nouveau, without the upgrade-service.
    pub fn is_five(&self) -> bool {
        self.release() >= NOUVEAU_SINCE
    }

    /// Whether its own upgrade-service sets its images.
    pub fn has_upgrade_service(&self) -> bool {
        !self.is_five() && *self.image_owner == ImageOwner::UpgradeService
    }

    /// Whether every node of CouchDB has a Nouveau beside it, and not the first one alone.
    pub fn has_nouveau_each(&self) -> bool {
        self.release() >= NOUVEAU_EACH_SINCE
    }

    /// Its containers by component. Up to 4.x haproxy, its healthcheck and sentinel come before
    /// the pods that they replace.
    pub fn parts(&self) -> Vec<Part> {
        let nodes = self.couchdb.nodes.value.max(1);
        let nouveaus = match (self.is_five(), self.has_nouveau_each()) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => nodes,
        };
        let part = |component, count| Part { component, count, most: count };
        let most = if self.is_five() { 1 } else { 2 };
        let surging = |component| Part { component, count: 1, most };
        let parts = [
            part(Component::CouchDb, nodes),
            part(Component::Nouveau, nouveaus),
            surging(Component::Healthcheck),
            surging(Component::Haproxy),
            part(Component::Api, 1),
            surging(Component::Sentinel),
            part(Component::UpgradeService, u32::from(self.has_upgrade_service())),
        ];
        parts.into_iter().filter(|part| part.count > 0).collect()
    }

    /// What a quota leaves for each container without limits of its own. Containers that come
    /// before those they replace count with them.
    pub fn share(&self, quota: &Quota) -> Share {
        Share {
            cpu: self.left(quota.cpu.0, |limits| limits.cpu.as_ref().map(|cpu| cpu.0)),
            memory: self.left(quota.memory_mib.value, |limits| {
                limits.memory_mib.as_ref().map(|memory| memory.value)
            }),
        }
    }

    fn left(&self, whole: u64, limit: impl Fn(&Resources) -> Option<u64>) -> Left {
        let (mut given, mut without) = (0_u64, 0_u64);
        for part in self.parts() {
            let most = u64::from(part.most);
            match self.resources.get(&part.component).and_then(&limit) {
                Some(limit) => given = given.saturating_add(limit.saturating_mul(most)),
                None => without += most,
            }
        }
        match (whole.checked_sub(given), without) {
            (None, _) => Left::Less,
            (Some(_), 0) => Left::Each(None),
            (Some(rest), without) => match rest / without {
                0 => Left::Nothing,
                each => Left::Each(Some(each)),
            },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::spec::parse;

    /// One project with these keys: what its quota leaves, in thousandths of a CPU and MiB.
    fn check(keys: &str, cpu: Left, memory: Left) {
        let small = include_str!("../../../tests/fixtures/small.toml");
        let written = "cht     = \"5.3.1\"\ncouchdb = { nodes = 1, storage = \"10GiB\" }";
        assert!(small.contains(written));
        let parsed = parse("small.toml", &small.replace(written, keys));
        let spec = parsed.spec.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
        let project = &spec.projects[0];
        let share = project.share(project.quota.as_ref().unwrap());
        assert_eq!((share.cpu, share.memory), (cpu, memory), "{keys}");
    }

    #[test]
    fn what_is_left_of_a_quota_is_shared_by_the_containers_without_limits() {
        let quota = "quota = { cpu = \"7\", memory = \"14GiB\" }";
        // CouchDB, Nouveau, healthcheck, haproxy, api, sentinel.
        let each = |cpu, mib| (Left::Each(Some(cpu)), Left::Each(Some(mib)));
        let (cpu, memory) = each(1166, 2389);
        check(quota, cpu, memory);
        // CouchDB and api have theirs: 7 - 3 × 1 - 1 and 14 - 3 × 2 - 1 for 3 Nouveaus and 3
        // others.
        let (cpu, memory) = each(500, 1194);
        let keys = "couchdb = { nodes = 3 }\nresources = { api = { cpu = \"1\", memory = \"1GiB\" }, \
             couchdb = { cpu = \"1\", memory = \"2GiB\" } }";
        check(&format!("{keys}\n{quota}"), cpu, memory);
    }

    #[test]
    fn pods_that_come_before_those_they_replace_count_twice() {
        // CouchDB, api and the upgrade-service once; haproxy, healthcheck and sentinel twice.
        let keys = "cht = \"4.22.0\"\nquota = { cpu = \"9\", memory = \"9GiB\" }";
        check(keys, Left::Each(Some(1000)), Left::Each(Some(1024)));
    }
}
