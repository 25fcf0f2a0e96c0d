//! `plan(desired, prior, live)`: a synchronous function of explicit inputs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::decide::{Decision, Prior, Row, Seen, decide};
use super::diff::{FieldDiff, diff};
use super::difference::{all_of, difference};
use super::order::order;
use super::refusal::{refusal, taken};
use super::select::select;
use super::steps::Subject;
use super::window::windows;
use super::{
    Action, After, Assumed, Basis, BlockCause, Blocked, Cause, Change, Desired, Difference, FORMAT,
    Impact, Live, Options, Plan, Reason,
};
use crate::graph::Cycle;
use crate::resource::{
    Address, Attributes, EdgeKind, Effect, Identity, Kind, Locator, Mark, Mode, Object, Reading,
    Reference, Resource, SecretSource, as_secret, references, resolve,
};
use crate::state::{Record, State};

/// Makes the plan.
///
/// `live` needs a reading for every address of `desired` and `prior`; a missing one counts as
/// unread. `secrets` holds the sealed form of every secret the spec refers to; what is missing is
/// taken as unchanged.
///
/// # Errors
/// Resources that need each other in a circle.
pub fn plan(
    desired: &Desired,
    prior: &State,
    live: &Live,
    secrets: &BTreeMap<SecretSource, Json>,
    basis: Basis,
    options: &Options,
) -> Result<Plan, Cycle<Address>> {
    let graph = desired.graph();
    let selected = select(desired, prior, &graph, options);
    let lineage = lineage(desired, prior, live);
    let mut planner = Planner {
        desired,
        prior,
        live,
        secrets,
        options,
        recovering: lineage.is_some(),
        lineage: lineage.unwrap_or_else(|| prior.lineage.clone()),
        changes: BTreeMap::new(),
        blocked: BTreeMap::new(),
    };
    for address in graph.order()? {
        if selected.contains(address) {
            planner.wanted(address);
        }
    }
    for address in prior.addresses() {
        if selected.contains(address) && !desired.resources.contains_key(address) {
            planner.unwanted(address);
        }
    }
    planner.keep_what_is_used();
    let (lineage, changes, blocked) = (planner.lineage, planner.changes, planner.blocked);
    finish(desired, prior, Basis { lineage, ..basis }, changes, blocked)
}

fn finish(
    desired: &Desired,
    prior: &State,
    basis: Basis,
    changes: BTreeMap<Address, Change>,
    blocked: BTreeMap<Address, Blocked>,
) -> Result<Plan, Cycle<Address>> {
    let mut changes: Vec<Change> = changes.into_values().collect();
    changes.sort_by(|a, b| (a.kind.layer, &a.address).cmp(&(b.kind.layer, &b.address)));
    let nodes = order(&changes, prior)?;
    let windows = windows(&changes, &nodes, &desired.groups);
    Ok(Plan {
        format: FORMAT,
        basis,
        changes,
        blocked: blocked.into_values().collect(),
        nodes,
        windows,
        endpoints: desired.endpoints.clone(),
        unplanned: desired.unplanned.clone(),
    })
}

/// The lineage of the marks that the world bears, where the state is empty: a lost state is
/// recovered under its old name. `None` where the state knows anything, or marks disagree.
fn lineage(desired: &Desired, prior: &State, live: &Live) -> Option<String> {
    if !prior.is_empty() {
        return None;
    }
    let marks: BTreeSet<&str> = desired
        .resources
        .keys()
        .filter_map(|address| {
            live.get(address)?.object()?.mark.as_ref().filter(|mark| mark.address == *address)
        })
        .map(|mark| mark.lineage.as_str())
        .collect();
    match marks.len() {
        1 => marks.first().map(|&lineage| lineage.to_owned()),
        _ => None,
    }
}

struct Planner<'a> {
    desired: &'a Desired,
    prior: &'a State,
    live: &'a Live,
    secrets: &'a BTreeMap<SecretSource, Json>,
    options: &'a Options,
    recovering: bool,
    lineage: String,
    changes: BTreeMap<Address, Change>,
    blocked: BTreeMap<Address, Blocked>,
}

impl Planner<'_> {
    /// Plans a resource that the spec asks for; everything it needs is planned already.
    fn wanted(&mut self, address: &Address) {
        let Some(resource) = self.desired.resources.get(address) else { return };
        let needs = &resource.edges;
        if let Some(edge) = needs.iter().find(|edge| self.blocked.contains_key(&edge.to)) {
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

    fn decide_wanted(
        &mut self,
        resource: &Resource,
        object: Option<&Object>,
        container: Option<Address>,
    ) {
        let address = &resource.address;
        let record = self.prior.resources.get(address);
        let desired = self.known(resource, self.secrets);
        let found = self.compare(resource.kind, record, object, &desired);
        let row = Row {
            desired: true,
            prior: self.prior_of(address),
            seen: object.map_or(Seen::Absent, |object| Seen::Present {
                ours: self.is_ours(resource.kind, address, record, object),
                differs: !found.is_empty(),
            }),
            adopt: resource.adopt,
            holds_data: resource.kind.holds_data,
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
        if let Some(cause) = self.unmakeable(resource, action, &reason, &found) {
            return self.block(resource, cause);
        }
        let (action, reason) = match action {
            Action::NoOp => self.recorded_anew(resource, record, &desired),
            _ => (action, reason),
        };
        let change = self.change(resource, action, reason, object, found);
        self.changes.insert(address.clone(), change);
    }

    fn change(
        &self,
        resource: &Resource,
        action: Action,
        reason: Reason,
        object: Option<&Object>,
        found: Vec<FieldDiff>,
    ) -> Change {
        // Digests of secrets are compared and never planned with: the plan keeps the references.
        let desired = self.known(resource, &BTreeMap::new());
        let live = object.map(|object| object.attributes.tree());
        let running = live.as_ref().is_some_and(|live| live["power"] != "off");
        let mut attributes: Vec<Difference> = match action {
            Action::Create => all_of(resource.kind, &desired),
            _ => found.into_iter().filter_map(|one| difference(one, resource, running)).collect(),
        };
        for one in &mut attributes {
            let key = one.path.split('.').next().unwrap_or_default();
            one.origin = Some(resource.origins.get(key).unwrap_or(&resource.origin).clone());
        }
        let (action, reasons) = self.raise(resource, action, reason, &attributes);
        let subject = Subject {
            address: &resource.address,
            kind: resource.kind,
            endpoint: &resource.endpoint,
            desired: &desired,
            live: live.as_ref(),
        };
        let steps = subject.steps(action, &attributes);
        let window = subject.disturbs(action, &attributes).then(|| resource.address.clone());
        Change {
            address: resource.address.clone(),
            kind: resource.kind,
            endpoint: resource.endpoint.clone(),
            action,
            reasons,
            attributes,
            steps,
            window,
            origin: Some(resource.origin.clone()),
            desired: Attributes::new(&desired),
            assumed: self.assumed(resource),
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
        let (state, help) = if resource.kind.holds_data {
            ("holds data", "take back the edit: what holds data is never deleted by a plan")
        } else if resource.protected {
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
        desired: &Json,
    ) -> (Action, Reason) {
        if self.prior.open.contains_key(&resource.address) {
            return (Action::Adopt, Reason::Interrupted);
        }
        let stale = record.is_some_and(|record| {
            let recorded = record.attributes.tree();
            record.protected != resource.protected
                || !diff(resource.kind, desired, Some(&recorded), &recorded).is_empty()
        });
        if stale { (Action::Adopt, Reason::SpecChanged) } else { (Action::NoOp, Reason::Equal) }
    }

    /// Plans a recorded resource that the spec does not ask for.
    fn unwanted(&mut self, address: &Address) {
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
            protected,
            destroy: self.options.destroy,
        };
        let Decision::Do(action, reason) = decide(row) else { return };
        let live = object.map(|object| object.attributes.tree());
        let subject =
            Subject { address, kind, endpoint, desired: &Json::Null, live: live.as_ref() };
        let disturbs = subject.disturbs(action, &[]) && !self.options.destroy;
        let change = Change {
            address: address.clone(),
            kind,
            endpoint: endpoint.clone(),
            action,
            reasons: vec![reason],
            attributes: Vec::new(),
            steps: subject.steps(action, &[]),
            window: disturbs.then(|| address.clone()),
            origin: None,
            desired: Attributes::default(),
            assumed: Vec::new(),
            locator,
            live: object.map(|object| object.attributes.clone()),
            edges: record.map(|record| record.edges.clone()).unwrap_or_default(),
            protected,
        };
        self.changes.insert(address.clone(), change);
    }

    /// A resource is not deleted while something that recorded a need of it is blocked, and so may
    /// still be there.
    fn keep_what_is_used(&mut self) {
        while let Some((owner, user)) = self.used_by_blocked() {
            let Some(change) = self.changes.remove(&owner) else { return };
            let cause = BlockCause::Dependency(user);
            let (kind, origin) = (change.kind, change.origin);
            self.blocked.insert(owner.clone(), Blocked { address: owner, kind, cause, origin });
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

    fn prior_of(&self, address: &Address) -> Prior {
        if self.prior.resources.contains_key(address) {
            Prior::Recorded
        } else if self.prior.open.contains_key(address) {
            Prior::Tentative
        } else {
            Prior::None
        }
    }

    /// Whether an object that was found is this resource's: by its recorded id, by boma's mark, or,
    /// where the kind carries none, by its natural key if boma made or recorded it.
    fn is_ours(
        &self,
        kind: Kind,
        address: &Address,
        record: Option<&Record>,
        object: &Object,
    ) -> bool {
        let marked = object
            .mark
            .as_ref()
            .is_some_and(|mark| mark.lineage == self.lineage && mark.address == *address);
        let recorded = record.is_some_and(|record| record.id == object.id);
        let natural = kind.identity == Identity::NaturalKey
            && (self.recovering || self.prior_of(address) != Prior::None);
        marked || recorded || natural
    }

    /// The differences of a live object; none without looking inside where nobody touched anything.
    fn compare(
        &self,
        kind: Kind,
        record: Option<&Record>,
        object: Option<&Object>,
        desired: &Json,
    ) -> Vec<FieldDiff> {
        let Some(object) = object else { return Vec::new() };
        if let Some(record) = record {
            let untouched = record.seen == object.attributes.digest();
            if untouched && record.attributes == Attributes::new(desired) {
                return Vec::new();
            }
        }
        let prior = record.map(|record| record.attributes.tree());
        diff(kind, desired, prior.as_ref(), &object.attributes.tree())
    }

    /// The desired tree with everything filled in that is known at plan time.
    fn known(&self, resource: &Resource, secrets: &BTreeMap<SecretSource, Json>) -> Json {
        let known = |reference: &Reference| self.value_of(reference);
        let secret = |source: &SecretSource| secrets.get(source).cloned();
        resolve(&resource.attributes.tree(), &known, &secret)
    }

    fn assumed(&self, resource: &Resource) -> Vec<Assumed> {
        references(&resource.attributes.tree())
            .into_iter()
            .filter_map(|reference| {
                let value = self.value_of(&reference).filter(|value| as_secret(value).is_none())?;
                Some(Assumed { reference, value })
            })
            .collect()
    }

    /// The value that a reference has throughout the apply. `None` where its owner is yet to be made.
    fn value_of(&self, reference: &Reference) -> Option<Json> {
        let change = self.changes.get(&reference.address)?;
        if change.kind.field(&reference.path).mode == Mode::Owned {
            let value = lookup(&change.desired.tree(), &reference.path)?;
            return references(&value).is_empty().then_some(value);
        }
        let may_change = match change.kind.field(&reference.path).mode {
            Mode::Volatile | Mode::Awaited(_) => !change.steps.is_empty(),
            Mode::Follows(owned) => {
                change.attributes.iter().any(|one| owned.contains(&one.path.as_str()))
            }
            Mode::Owned | Mode::Initial | Mode::Computed => false,
        };
        match change.action {
            Action::Create | Action::Replace => None,
            _ if may_change => None,
            _ => lookup(&change.live.as_ref()?.tree(), &reference.path),
        }
    }

    fn is_made(&self, address: &Address) -> bool {
        self.changes
            .get(address)
            .is_some_and(|change| matches!(change.action, Action::Create | Action::Replace))
    }

    fn locator(&self, resource: &Resource, object: Option<&Object>) -> Locator {
        let mark = (resource.kind.identity == Identity::Mark)
            .then(|| Mark { lineage: self.lineage.clone(), address: resource.address.clone() });
        Locator {
            id: object.map(|object| object.id.clone()),
            place: resource.place.clone(),
            mark,
            notes: Vec::new(),
        }
    }

    fn block(&mut self, resource: &Resource, cause: BlockCause) {
        let blocked = Blocked {
            address: resource.address.clone(),
            kind: resource.kind,
            cause,
            origin: Some(resource.origin.clone()),
        };
        self.blocked.insert(resource.address.clone(), blocked);
    }
}

/// Why an address without a reading is unread.
const NOBODY_LOOKED: &str = "nobody looked: this is a defect of boma, please report it";

/// Whether there is an object that the action goes on with.
fn is_present(action: Action) -> bool {
    matches!(action, Action::Update | Action::NoOp | Action::Adopt)
}

fn lookup(tree: &Json, path: &str) -> Option<Json> {
    path.split('.')
        .try_fold(tree, |tree, key| tree.get(key))
        .filter(|value| !value.is_null())
        .cloned()
}
