//! Changes behind clients' backs, in the whole world at once.

use std::io;

use super::control::Drifted;
use super::core::{Core, now};
use super::host::Spare;
use super::kubernetes::{answer, edits};
use super::vsphere::{draw_bytes, drift};

impl Core {
    /// Changes up to `count` things that clients made, in clusters, on hosts and in the vCenter,
    /// and tells which. No change hides another.
    pub(super) fn drift(&mut self, seed: u64, count: usize) -> io::Result<Vec<Drifted>> {
        self.settle()?;
        let mut spare = self.hosts.spare();
        let mut drifted = self.drift_clusters(seed, count, &mut spare)?;
        let count = count - drifted.len();
        let on_hosts = usize::from(draw_bytes(seed, "drift", "hosts")[0]) % count.saturating_add(1);
        let (records, on_hosts) = self.hosts.drift(seed, on_hosts, now(), &mut spare);
        self.keep_hosts(records)?;
        let left = count - on_hosts.len();
        drifted.extend(on_hosts);
        let (entry, others) = drift(&self.desk.world, seed, left, &mut |id| spare.take(id));
        self.desk.world.apply(&entry);
        self.keep(vec![entry])?;
        drifted.extend(others);
        self.settle()?;
        Ok(drifted)
    }

    /// Changes up to `count` things on hosts that clients set up, and tells which.
    pub(super) fn drift_hosts(&mut self, seed: u64, count: usize) -> io::Result<Vec<Drifted>> {
        self.settle()?;
        let mut spare = self.hosts.spare();
        let (records, drifted) = self.hosts.drift(seed, count, now(), &mut spare);
        self.keep_hosts(records)?;
        Ok(drifted)
    }

    /// Changes a part of `count` things in clusters that answer. A machine whose Node is changed
    /// stays up from then on.
    fn drift_clusters(
        &mut self,
        seed: u64,
        count: usize,
        spare: &mut Spare,
    ) -> io::Result<Vec<Drifted>> {
        let now = now();
        let most = usize::from(draw_bytes(seed, "drift", "clusters")[0]) % count.saturating_add(1);
        let ids: Vec<String> = self.hosts.clusters.all.keys().cloned().collect();
        let mut drifted = Vec::new();
        for id in ids {
            let cluster = self.hosts.clusters.get(&id).filter(|one| one.answers(now));
            for edit in cluster.map(|one| edits(one, seed, now)).unwrap_or_default() {
                let Some(cluster) = self.hosts.clusters.get(&id) else { continue };
                let node = (edit.key.plural == "nodes").then(|| cluster.nodes.get(&edit.key.name));
                let host = node.flatten().and_then(|node| self.hosts.hosts.named(&node.host));
                let host = host.map(|host| host.facts.id.clone());
                if drifted.len() == most || host.as_ref().is_some_and(|host| !spare.has(host)) {
                    continue;
                }
                let answer = answer(cluster, &edit.request, now);
                if answer.status >= 300 || answer.effects.is_empty() {
                    continue;
                }
                let record = self.hosts.keep_clusters(answer.effects);
                self.keep_hosts(vec![record])?;
                host.iter().for_each(|host| spare.keep(host));
                drifted.push(edit.told);
            }
        }
        Ok(drifted)
    }
}
