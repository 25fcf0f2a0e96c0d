//! What a project is made of, by its release.

use super::{Component, ImageOwner, Project, Quota};
use crate::spec::releases::{NOUVEAU_EACH_SINCE, NOUVEAU_SINCE, SURGES_UNTIL, Version};

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

/// What a quota leaves for each container that the spec gives no limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Thousandths of a CPU; `None` where every container has a limit, or nothing is left.
    pub cpu_milli: Option<u64>,
    /// MiB; `None` as above.
    pub memory_mib: Option<u64>,
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

    /// Its containers by component.
    pub fn parts(&self) -> Vec<Part> {
        let nodes = self.couchdb.nodes.value.max(1);
        let nouveaus = match (self.is_five(), self.has_nouveau_each()) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => nodes,
        };
        let part = |component, count| Part { component, count, most: count };
        let surging = |component| {
            let most = if self.release() < SURGES_UNTIL { 2 } else { 1 };
            Part { component, count: 1, most }
        };
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
            cpu_milli: self.left(quota.cpu.0, |component| {
                let limits = self.resources.get(&component)?;
                limits.cpu.as_ref().map(|cpu| cpu.0)
            }),
            memory_mib: self.left(quota.memory_mib.value, |component| {
                let limits = self.resources.get(&component)?;
                limits.memory_mib.as_ref().map(|memory| memory.value)
            }),
        }
    }

    /// The sum of the limits that the spec gives is more than `whole`.
    pub fn exceeds(&self, whole: u64, limit: impl Fn(Component) -> Option<u64>) -> bool {
        self.given(limit).0 > whole
    }

    fn left(&self, whole: u64, limit: impl Fn(Component) -> Option<u64>) -> Option<u64> {
        let (given, without) = self.given(limit);
        whole.saturating_sub(given).checked_div(without).filter(|share| *share > 0)
    }

    /// The sum of what is given, and how many containers are given nothing.
    fn given(&self, limit: impl Fn(Component) -> Option<u64>) -> (u64, u64) {
        let (mut given, mut without) = (0_u64, 0_u64);
        for part in self.parts() {
            let most = u64::from(part.most);
            match limit(part.component) {
                Some(limit) => given = given.saturating_add(limit.saturating_mul(most)),
                None => without += most,
            }
        }
        (given, without)
    }
}
