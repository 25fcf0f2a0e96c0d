//! What is done about a resource that the spec asks for.

use serde_json::Value as Json;

use super::decide::{Decision, Row, Seen, decide};
use super::diff::{FieldDiff, diff};
use super::difference::{all_of, difference, manager};
use super::planner::Planner;
use super::provider_id;
use super::refusal::{refusal, taken};
use super::spare::{is_one_of_many, left};
use super::steps::Subject;
use super::takeover;
use super::{Action, After, BlockCause, Cause, Change, Difference, Impact, Reason};
use crate::resource::{Address, Attributes, Edge, EdgeKind, Effect, Object, Reading, Resource};
use crate::state::Record;
use std::collections::BTreeMap;

impl Planner<'_> {
    /// Plans a resource that the spec asks for; everything it needs is planned already.
    pub(super) fn wanted(&mut self, address: &Address) {
        let Some(resource) = self.desired.resources.get(address) else { return };
        let needs = &resource.edges;
        let stands = matches!(self.live.get(address), Some(Reading::Present(_)));
        let spared = self.spared(needs);
        // Where only order ties it to what is blocked, what stands already can still change.
        let binds =
            |edge: &&Edge| edge.kind != EdgeKind::After || !stands && !spared.contains(&&edge.to);
        let mut needed = needs.iter().filter(binds);
        if let Some(edge) = needed.find(|edge| self.blocked.contains_key(&edge.to)) {
            return self.block(resource, BlockCause::Dependency(edge.to.clone()));
        }
        let container = needs
            .iter()
            .filter(|edge| edge.kind == EdgeKind::LivesIn)
            .find(|edge| self.is_made(&edge.to))
            .map(|edge| edge.to.clone());
        let reading = match (&container, self.live.get(address)) {
            (Some(_), _) => Reading::Absent,
            (None, Some(reading)) => reading.clone(),
            (None, None) => Reading::Unread(NOBODY_LOOKED.into()),
        };
        if let Reading::Unread(reason) = reading {
            return self.block(resource, BlockCause::Unread(reason));
        }
        self.decide_wanted(resource, reading.object(), container);
    }

    /// The nodes of the cluster among the needs that are blocked, where the others do without them.
    fn spared<'a>(&self, needs: &'a [Edge]) -> Vec<&'a Address> {
        let kind = |owner: &Address| self.desired.resources.get(owner).map(|owner| owner.kind);
        let many = needs.iter().filter(|edge| is_one_of_many(kind(&edge.to), edge.kind));
        let (blocked, others): (Vec<&Address>, Vec<&Address>) =
            many.map(|edge| &edge.to).partition(|owner| self.blocked.contains_key(*owner));
        let all = blocked.len() + others.len();
        if blocked.len() <= left(all, 0) { blocked } else { Vec::new() }
    }

    fn decide_wanted(
        &mut self,
        resource: &Resource,
        object: Option<&Object>,
        container: Option<Address>,
    ) {
        let address = &resource.address;
        let record = self.prior.resources.get(address);
        let tree = resource.attributes.tree();
        let desired = self.known(&tree, self.secrets);
        let mut found = self.compare(resource.kind, record, object, &desired);
        let requested = self.options.replace.contains(address);
        provider_id::leave(&mut found, object, requested);
        found.extend(takeover::difference(object, self.prior_of(address)));
        let row = Row {
            desired: true,
            prior: self.prior_of(address),
            seen: object.map_or(Seen::Absent, |object| Seen::Present {
                ours: self.is_ours(resource.kind, address, record, object),
                differs: !found.is_empty(),
            }),
            adopt: resource.adopt,
            holds_data: resource.kind.holds_data,
            abandoned: false,
            protected: resource.protected,
            destroy: false,
        };
        let (action, reason) = match decide(row) {
            Decision::Do(action, reason) => (action, reason),
            Decision::Taken => return self.block(resource, taken(resource, object)),
        };
        let reason = match (&container, record) {
            (Some(container), Some(_)) => Reason::Dependency(container.clone()),
            _ => reason,
        };
        if let Some(refused) = found.iter().find(|one| matches!(one.effect, Effect::Refuse(_)))
            && action != Action::Create
        {
            return self.block(resource, refusal(refused));
        }
        if let Some(cause) = self.rotation_refused(resource, &found) {
            return self.block(resource, cause);
        }
        if let Some(cause) = self.unmakeable(resource, action, &reason, &found) {
            return self.block(resource, cause);
        }
        if let Some(cause) = self.unrepeatable(resource, action) {
            return self.block(resource, cause);
        }
        let (action, reason) = match action {
            Action::NoOp => self.recorded_anew(resource, record, object, &desired),
            _ => (action, reason),
        };
        let change = self.change(resource, &tree, action, reason, object, found);
        if let Some(cause) = self.unenterable(resource, change.action) {
            return self.block(resource, cause);
        }
        self.changes.insert(address.clone(), change);
    }

    fn change(
        &self,
        resource: &Resource,
        tree: &Json,
        action: Action,
        reason: Reason,
        object: Option<&Object>,
        found: Vec<FieldDiff>,
    ) -> Change {
        // Digests of secrets are compared and never planned with: the plan keeps the references.
        let desired = self.known(tree, &BTreeMap::new());
        // A node whose machine is made anew runs until then.
        let standing = self.live.get(&resource.address).and_then(Reading::object);
        let standing = standing.map(|object| object.attributes.tree());
        let live = standing.as_ref().filter(|_| object.is_some());
        let running = live.is_some_and(|live| live["power"] != "off");
        let mut attributes: Vec<Difference> = match action {
            Action::Create => all_of(resource.kind, &desired),
            _ => found.into_iter().filter_map(|one| difference(one, resource, running)).collect(),
        };
        for one in &mut attributes {
            let key = one.path.split('.').next().unwrap_or_default();
            one.origin = Some(resource.origins.get(key).unwrap_or(&resource.origin).clone());
            one.changed_by = live.and_then(|live| manager(live, &one.path)).map(str::to_owned);
        }
        let (action, reasons) = self.raise(resource, action, reason, &attributes);
        let subject = Subject {
            address: &resource.address,
            kind: resource.kind,
            endpoint: &resource.endpoint,
            desired: &desired,
            live,
            recorded: self.prior.resources.contains_key(&resource.address),
            entry: self.entry(resource),
            destroy: false,
            abandoned: false,
            last: false,
        };
        let mut steps = subject.steps(action, &attributes);
        if action != Action::Replace && self.rotates(resource, &attributes) {
            steps.insert(0, subject.rotate_token());
        }
        let disturbs = subject.disturbs(action, &attributes);
        let (opening, closing) = Subject { live: standing.as_ref(), ..subject }.around(action);
        Change {
            address: resource.address.clone(),
            kind: resource.kind,
            endpoint: resource.endpoint.clone(),
            action,
            reasons,
            attributes,
            steps,
            opening,
            closing,
            window: disturbs.then(|| machine(resource).unwrap_or(&resource.address).clone()),
            origin: Some(resource.origin.clone()),
            desired: Attributes::new(&desired),
            assumed: self.assumed(tree),
            locator: self.locator(resource, object),
            live: object.map(|object| object.attributes.clone()),
            edges: resource.edges.clone(),
            protected: resource.protected,
        }
    }

    /// Raises an update to a replace where a field demands it or the user does, and tells drift
    /// from spec edits.
    fn raise(
        &self,
        resource: &Resource,
        action: Action,
        reason: Reason,
        attributes: &[Difference],
    ) -> (Action, Vec<Reason>) {
        if is_present(action) && self.options.replace.contains(&resource.address) {
            return (Action::Replace, vec![Reason::Requested]);
        }
        if is_present(action) && self.is_expelled(resource) {
            return (Action::Replace, vec![Reason::DeletedOutside]);
        }
        if let Some(owner) = self.must_let_go(resource).filter(|_| is_present(action)) {
            return (Action::Replace, vec![Reason::Dependency(owner)]);
        }
        let demanded = attributes.iter().any(|one| one.impact == Impact::Replace);
        let action = if demanded && is_present(action) { Action::Replace } else { action };
        if reason != Reason::SpecChanged || attributes.is_empty() {
            return (action, vec![reason]);
        }
        let mut reasons = Vec::new();
        for one in attributes {
            let reason = match (&one.after, one.cause) {
                (After::Unknown(owner), _) => Reason::Dependency(owner.clone()),
                (_, Cause::Drift) => Reason::Drift,
                (_, Cause::Spec) => Reason::SpecChanged,
            };
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        (action, reasons)
    }

    /// A resource that is made anew, and cannot be deleted while this one refers to it.
    fn must_let_go(&self, resource: &Resource) -> Option<Address> {
        let owners = resource.edges.iter().filter(|edge| edge.kind == EdgeKind::Refers);
        let mut owners = owners.filter_map(|edge| self.changes.get(&edge.to));
        let owner = owners.find(|owner| owner.action == Action::Replace && owner.kind.freed_first);
        owner.map(|owner| owner.address.clone())
    }

    /// Why an object cannot be made anew although a field or the user demands it. `None` where
    /// nobody does, or where it can.
    fn unmakeable(
        &self,
        resource: &Resource,
        action: Action,
        reason: &Reason,
        found: &[FieldDiff],
    ) -> Option<BlockCause> {
        let demanded = found.iter().find(|one| one.effect == Effect::Replace);
        let requested = self.options.replace.contains(&resource.address);
        if !is_present(action) || (demanded.is_none() && !requested) {
            return None;
        }
        // A node of k3s is not its machine: one that is named is installed anew.
        let named = resource.kind.lifecycle.is_node() && requested;
        let (state, help) = if resource.kind.holds_data && requested {
            ("holds data", "leave --replace out: what holds data is never deleted to be made anew")
        } else if resource.kind.holds_data {
            ("holds data", "take back the edit: what holds data is never deleted by a plan")
        } else if resource.protected && !named {
            ("is protected", "take it out of `protect`, or take back the edit")
        } else if *reason == Reason::AdoptAsked {
            ("is not boma's yet", "take it over as it is first, and plan again")
        } else {
            return None;
        };
        let cause = match demanded {
            Some(one) => format!("{} cannot change in place", one.path),
            None => "--replace names it".into(),
        };
        let message = format!("{cause}, and it {state}: it is not made anew");
        Some(BlockCause::Refused { message, help: help.into() })
    }

    /// What becomes of an object that is as desired: nothing, unless what is recorded of it is
    /// not so: an interrupted run did not get to say what it did, somebody made the edit by hand
    /// before the spec did, or its protection changed.
    fn recorded_anew(
        &self,
        resource: &Resource,
        record: Option<&Record>,
        object: Option<&Object>,
        desired: &Json,
    ) -> (Action, Reason) {
        if self.prior.open.contains_key(&resource.address) {
            return (Action::Adopt, Reason::Interrupted);
        }
        let stale = record.is_some_and(|record| {
            record.protected != resource.protected
                || record.attributes != Attributes::new(desired)
                    && is_other(resource, object, record, desired)
        });
        if stale { (Action::Adopt, Reason::SpecChanged) } else { (Action::NoOp, Reason::Equal) }
    }
}

/// Whether what is recorded differs from what the spec wants in more than its letters.
fn is_other(resource: &Resource, object: Option<&Object>, record: &Record, desired: &Json) -> bool {
    let recorded = record.attributes.tree();
    let mut found = diff(resource.kind, desired, Some(&recorded), &recorded);
    provider_id::leave(&mut found, object, false);
    !found.is_empty()
}

/// The machine that a resource is on. `None` where it is on none.
fn machine(resource: &Resource) -> Option<&Address> {
    let host = resource.endpoint.provider() == "host";
    let mut homes = resource.edges.iter().filter(|edge| edge.kind == EdgeKind::LivesIn);
    homes.find(|_| host).map(|edge| &edge.to)
}

/// Why an address without a reading is unread.
pub(super) const NOBODY_LOOKED: &str = "nobody looked: this is a defect of boma, please report it";

/// Whether there is an object that the action goes on with.
fn is_present(action: Action) -> bool {
    matches!(action, Action::Update | Action::NoOp | Action::Adopt)
}
