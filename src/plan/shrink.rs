//! How many servers may leave a cluster: etcd keeps an odd number of voters, and its quorum all the
//! way down.
//!
//! Source: k3s docs, `datastore/ha-embedded.md` (an odd number of at least three) and
//! `cli/server.md` (`--cluster-reset`: the only way to one voter).

use super::planner::Planner;
use super::{Action, BlockCause, Change};
use crate::resource::{Address, Lifecycle, Reading};

/// Fewer voters cannot lose one: the one before the last could not be taken out.
const FEWEST: usize = 3;

const HELP: &str = "leave an odd number of servers in the spec, three at least. To go down to one all the same: run \
     `k3s etcd-snapshot save` on the server that stays, stop k3s on all servers, run `k3s server \
     --cluster-reset` on the one that stays and start it, `kubectl delete node` the others, and plan again";

impl Planner<'_> {
    /// Refuses to take servers out of a cluster that would be left with too few, or an even number.
    pub(super) fn keep_the_quorum(&mut self) {
        let leaving: Vec<Address> =
            self.changes.values().filter(|one| self.leaves(one)).map(address).collect();
        if leaving.is_empty() || self.options.destroy {
            return;
        }
        let standing = self.live.keys().filter(|server| self.is_voting(server)).count();
        // What is gone for good still counts for etcd until it is expelled.
        let gone = leaving.iter().filter(|server| !self.is_voting(server)).count();
        let entering = self.changes.values().filter(|one| self.enters(one)).count();
        let left = (standing + gone + entering).saturating_sub(leaving.len());
        if left % 2 == 1 && left >= FEWEST {
            return;
        }
        let servers = if left == 1 { "1 server".to_owned() } else { format!("{left} servers") };
        for address in leaving {
            let message = format!("etcd would be left with {servers}");
            self.hold(&address, BlockCause::Refused { message, help: HELP.into() });
        }
    }

    /// A server that etcd knows, and that goes. One that has let go of etcd takes no vote away.
    fn leaves(&self, change: &Change) -> bool {
        let absent = matches!(self.live.get(&change.address), None | Some(Reading::Absent));
        change.kind.lifecycle == Lifecycle::Server
            && change.action == Action::Delete
            && (absent || self.is_voting(&change.address))
    }

    fn enters(&self, change: &Change) -> bool {
        change.kind.lifecycle == Lifecycle::Server
            && change.action == Action::Create
            && !self.is_voting(&change.address)
    }

    fn is_voting(&self, address: &Address) -> bool {
        let object = self.live.get(address).and_then(Reading::object);
        let member = object.map(|object| object.attributes.tree()["member"].clone());
        self.is_server(address)
            && member.is_some_and(|member| member.as_str().is_some_and(|text| !text.is_empty()))
    }
}

fn address(change: &Change) -> Address {
    change.address.clone()
}
