//! The server token changes once for the whole cluster: one server has it changed, then every
//! machine that has it gets the new one and restarts.
//!
//! Source: k3s docs, `cli/token.md`: a server that starts with another token than the one its
//! cluster's data is encrypted with does not come up, so nobody may restart with a new one before
//! the cluster has taken it.

use super::diff::FieldDiff;
use super::planner::Planner;
use super::{After, BlockCause, Cause, Difference};
use crate::resource::{Address, EdgeKind, Lifecycle, Reading, Resource};

const TOKEN: &str = "token";

const HELP: &str = "the cluster itself must take a new server token first: name the one that it has now in [k3s] \
     `previous_token`, and apply; boma then has one server change it (as `k3s token rotate` does), \
     and restarts all servers with the new one, one by one. To keep the token, put the old one back";

impl Planner<'_> {
    /// Why a node gets no new token. `None` where it has none to get, or may have it.
    pub(super) fn rotation_refused(
        &self,
        resource: &Resource,
        found: &[FieldDiff],
    ) -> Option<BlockCause> {
        let asked = found.iter().any(|one| one.path == TOKEN && one.cause == Cause::Spec);
        if !asked || !self.has_joined(&resource.address) {
            return None;
        }
        if resource.kind.lifecycle == Lifecycle::Agent {
            let mut servers = resource.edges.iter().filter(|edge| edge.kind == EdgeKind::After);
            let blocked = servers.find(|edge| self.blocked.contains_key(&edge.to));
            return blocked.map(|edge| BlockCause::Dependency(edge.to.clone()));
        }
        let given = resource.attributes.tree().get("previous_token").is_some();
        (!given).then(|| BlockCause::Refused {
            message: "the server token cannot change from one that is not given".into(),
            help: HELP.into(),
        })
    }

    /// Whether this server is the one that changes the token: the first that runs, where no other
    /// one has the new token yet.
    pub(super) fn rotates(&self, resource: &Resource, differences: &[Difference]) -> bool {
        let asked = |one: &Difference| {
            one.path == TOKEN && one.cause == Cause::Spec && matches!(one.after, After::Known(_))
        };
        if resource.kind.lifecycle != Lifecycle::Server
            || !differences.iter().any(asked)
            || !self.runs(&resource.address)
        {
            return false;
        }
        let others = self.desired.resources.values().filter(|other| {
            other.kind.lifecycle == Lifecycle::Server && other.address != resource.address
        });
        others.filter(|other| self.runs(&other.address)).all(|other| {
            let planned = self.changes.get(&other.address);
            // Those that are planned already come before this one.
            let later = planned.is_none() && !self.blocked.contains_key(&other.address);
            later && !self.has_desired_token(other)
        })
    }

    fn has_desired_token(&self, server: &Resource) -> bool {
        let Some(Reading::Present(object)) = self.live.get(&server.address) else { return false };
        let record = self.prior.resources.get(&server.address);
        let desired = self.known(&server.attributes.tree(), self.secrets);
        let found = self.compare(server.kind, record, Some(object), &desired);
        !found.iter().any(|one| one.path == TOKEN)
    }

    fn has_joined(&self, address: &Address) -> bool {
        self.field(address, "joined").as_deref() == Some("yes")
    }

    fn runs(&self, address: &Address) -> bool {
        self.has_joined(address) && self.field(address, "service").as_deref() == Some("active")
    }

    fn field(&self, address: &Address, key: &str) -> Option<String> {
        let object = self.live.get(address)?.object()?;
        object.attributes.tree()[key].as_str().map(str::to_owned)
    }
}
