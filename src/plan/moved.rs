//! Whether the world is still the one that a plan was made on.

use serde_json::Value as Json;

use super::{Action, Change, Live, Plan};
use crate::resource::{Address, EdgeKind, Kind, Mode, Object, Reading};

/// Volatile, but it decides how a k3s node comes up.
const JOINED: &str = "joined";

/// The resources that a plan works on and that are not as it found them. What moves by itself, such
/// as whether a node is ready, does not count: guards look at it again.
///
/// `sealed_alike`: both readings were sealed with one key; digests of secrets are compared only
/// then.
pub fn moved<'a>(plan: &'a Plan, live: &Live, sealed_alike: bool) -> Vec<&'a Address> {
    let works = |change: &&Change| change.action != Action::NoOp;
    let works = plan.changes.iter().filter(works).filter(|change| !is_made_with_home(plan, change));
    let moved = works.filter(|change| has_moved(change, live.get(&change.address), sealed_alike));
    moved.map(|change| &change.address).collect()
}

/// What is planned as absent because the machine below it is made anew may stand until then.
fn is_made_with_home(plan: &Plan, change: &Change) -> bool {
    let mut homes = change.edges.iter().filter(|edge| edge.kind == EdgeKind::LivesIn);
    let is_made = |owner: &Change| matches!(owner.action, Action::Create | Action::Replace);
    homes.any(|home| plan.changes.iter().any(|owner| owner.address == home.to && is_made(owner)))
}

fn has_moved(change: &Change, now: Option<&Reading>, sealed_alike: bool) -> bool {
    match (now, &change.live) {
        // What is on a machine that was given up is as little to be seen as before.
        (Some(Reading::Unread(_)), None) if is_removed(change) => false,
        (None | Some(Reading::Unread(_)), _) => true,
        (Some(Reading::Absent), live) => live.is_some(),
        (Some(Reading::Present(_)), None) => true,
        (Some(Reading::Present(now)), Some(live)) => {
            let steady = |tree: Json| steady(change.kind, tree, sealed_alike);
            is_another(change, now) || steady(now.attributes.tree()) != steady(live.tree())
        }
    }
}

fn is_removed(change: &Change) -> bool {
    matches!(change.action, Action::Delete | Action::Forget)
}

fn is_another(change: &Change, now: &Object) -> bool {
    change.locator.id.as_ref().is_some_and(|id| *id != now.id)
}

/// A tree without what moves by itself.
fn steady(kind: Kind, mut tree: Json, sealed_alike: bool) -> Json {
    let counts = |key: &str| {
        let field = kind.field(key);
        let moves = matches!(field.mode, Mode::Volatile | Mode::Awaited(_));
        (sealed_alike || !field.sensitive) && (!moves || key == JOINED)
    };
    if let Some(map) = tree.as_object_mut() {
        map.retain(|key, _| counts(key));
    }
    tree
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::Reason;
    use crate::resource::{Attributes, Endpoint, Locator};

    const SERVER: &str = "k3s/server/server-1";

    fn attributes(edits: &Json) -> Attributes {
        let mut tree = json!({"version": "v1.35.9+k3s1", "token": {"$sealed": "1"},
            "ready": "yes", "joined": "yes", "spare_voters": 1});
        let map = tree.as_object_mut().expect("a map");
        map.extend(edits.as_object().expect("a map").clone());
        Attributes::new(&tree)
    }

    fn change(live: Option<Attributes>) -> Change {
        Change {
            address: SERVER.into(),
            kind: Kind::named("k3s/server").expect("a kind of the product"),
            endpoint: Endpoint::vcenter(),
            action: Action::Update,
            reasons: vec![Reason::SpecChanged],
            attributes: Vec::new(),
            steps: Vec::new(),
            opening: Vec::new(),
            closing: Vec::new(),
            window: None,
            origin: None,
            desired: Attributes::default(),
            assumed: Vec::new(),
            locator: Locator { id: live.as_ref().map(|_| "1".into()), ..Locator::default() },
            live,
            edges: Vec::new(),
            protected: false,
        }
    }

    fn present(id: &str, edits: &Json) -> Reading {
        let attributes = attributes(edits);
        Reading::Present(Object { id: id.into(), attributes, mark: None })
    }

    #[track_caller]
    fn check(now: Option<Reading>, expected: bool) {
        let change = change(Some(attributes(&json!({}))));
        assert_eq!(has_moved(&change, now.as_ref(), true), expected, "{now:?}");
    }

    #[test]
    fn what_moves_by_itself_does_not_count() {
        check(Some(present("1", &json!({"ready": "no", "spare_voters": 0}))), false);
        check(Some(present("1", &json!({"version": "v1.35.8+k3s1"}))), true);
        check(Some(present("1", &json!({"joined": "no"}))), true);
        check(Some(present("2", &json!({}))), true);
        check(Some(Reading::Absent), true);
    }

    #[test]
    fn what_cannot_be_read_has_moved() {
        check(None, true);
        check(Some(Reading::Unread("no answer".into())), true);
        let made = change(None);
        assert!(has_moved(&made, Some(&Reading::Unread("no answer".into())), true));
        assert!(!has_moved(&made, Some(&Reading::Absent), true));
    }

    #[test]
    fn digests_of_two_keys_say_nothing() {
        let change = change(Some(attributes(&json!({}))));
        let now = present("1", &json!({"token": {"$sealed": "2"}}));
        assert!(has_moved(&change, Some(&now), true));
        assert!(!has_moved(&change, Some(&now), false));
    }
}
