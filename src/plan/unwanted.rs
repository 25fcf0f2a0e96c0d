//! What is done about a recorded resource that the spec does not ask for.

use serde_json::Value as Json;

use super::decide::{Decision, Row, Seen, decide};
use super::node_steps::Entry;
use super::planner::Planner;
use super::steps::Subject;
use super::wanted::NOBODY_LOOKED;
use super::{Action, BlockCause, Blocked, Change, Reason};
use crate::resource::{Address, Attributes, EdgeKind, Endpoint, Kind, Layer, Lifecycle, Reading};

impl Planner<'_> {
    /// Plans a recorded resource that the spec does not ask for.
    pub(super) fn unwanted(&mut self, address: &Address) {
        let Some(mut locator) = self.prior.locator(address) else { return };
        let record = self.prior.resources.get(address);
        let open = self.prior.open.get(address);
        let Some((kind, endpoint)) = record
            .map(|record| (record.kind, &record.endpoint))
            .or(open.map(|open| (open.kind, &open.endpoint)))
        else {
            return;
        };
        let object = match self.live.get(address) {
            Some(Reading::Present(object)) => Some(object),
            Some(Reading::Absent) => None,
            _ if self.is_dead(kind, endpoint) => None,
            unread => {
                let reason = match unread {
                    Some(Reading::Unread(reason)) => reason.clone(),
                    _ => NOBODY_LOOKED.into(),
                };
                let cause = BlockCause::Unread(reason);
                let blocked = Blocked { address: address.clone(), kind, cause, origin: None };
                self.blocked.insert(address.clone(), blocked);
                return;
            }
        };
        locator.id = object.map(|object| object.id.clone()).or(locator.id);
        let protected = record.is_some_and(|record| record.protected);
        let row = Row {
            desired: false,
            prior: self.prior_of(address),
            seen: object.map_or(Seen::Absent, |object| Seen::Present {
                ours: self.is_ours(kind, address, record, object),
                differs: false,
            }),
            adopt: false,
            holds_data: kind.holds_data,
            abandoned: self.options.abandon.contains(address),
            protected,
            destroy: self.options.destroy,
        };
        let Decision::Do(action, reason) = decide(row) else { return };
        if let Some(cause) = record
            .filter(|_| reason == Reason::HoldsData)
            .and_then(|one| self.left_behind(address, one))
        {
            let blocked = Blocked { address: address.clone(), kind, cause, origin: None };
            self.blocked.insert(address.clone(), blocked);
            return;
        }
        // A node whose machine is gone is still known to its cluster.
        let lingers = kind.lifecycle.is_node() && record.is_some() && object.is_none();
        let action = if lingers && !self.options.destroy { Action::Delete } else { action };
        let live = object.map(|object| object.attributes.tree());
        let subject = Subject {
            address,
            kind,
            endpoint,
            desired: &Json::Null,
            live: live.as_ref(),
            recorded: record.is_some(),
            entry: Entry::Join,
            destroy: self.options.destroy,
            abandoned: reason == Reason::Abandoned,
            last: !record
                .is_some_and(|record| record.edges.iter().any(|edge| self.is_server(&edge.to))),
        };
        let edges = record.map(|record| record.edges.clone()).unwrap_or_default();
        let home =
            edges.iter().find(|edge| edge.kind == EdgeKind::LivesIn && kind.layer == Layer::Hosts);
        let machine = home.map_or(address, |edge| &edge.to).clone();
        let (opening, closing) = subject.around(action);
        let disturbs = subject.disturbs(action, &[]) && !self.options.destroy;
        let change = Change {
            address: address.clone(),
            kind,
            endpoint: endpoint.clone(),
            action,
            reasons: vec![reason],
            attributes: Vec::new(),
            steps: subject.steps(action, &[]),
            opening,
            closing,
            window: disturbs.then_some(machine),
            origin: None,
            desired: Attributes::default(),
            assumed: Vec::new(),
            locator,
            live: object.map(|object| object.attributes.clone()),
            edges,
            protected,
        };
        self.changes.insert(address.clone(), change);
    }

    /// Whether it is on a machine that the user gave up.
    fn is_dead(&self, kind: Kind, endpoint: &Endpoint) -> bool {
        let machine = endpoint.as_str().strip_prefix("host/");
        kind.layer == Layer::Hosts
            && kind.lifecycle != Lifecycle::Server
            && machine.is_some_and(|machine| self.options.dead.contains(machine))
    }

    /// A resource is not deleted while something that recorded a need of it is blocked, and so may
    /// still be there.
    pub(super) fn keep_what_is_used(&mut self) {
        while let Some((owner, user)) = self.used_by_blocked() {
            self.hold(&owner, BlockCause::Dependency(user));
        }
    }

    fn used_by_blocked(&self) -> Option<(Address, Address)> {
        self.blocked.keys().find_map(|user| {
            let record = self.prior.resources.get(user)?;
            let deleted = record.edges.iter().find(|edge| {
                let change = self.changes.get(&edge.to);
                change.is_some_and(|change| change.action == Action::Delete)
            })?;
            Some((deleted.to.clone(), user.clone()))
        })
    }
}
