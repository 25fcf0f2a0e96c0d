//! Predicates over a reading: readiness, guards and done conditions as data.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Reading;

/// Where an object says why it is not ready.
const WAITING: &str = "waiting";

/// Something that is true or not of an object that was just read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// It is there.
    Exists,
    /// It is not there.
    Absent,
    /// The step's call came back: there is nothing of it to see on the object.
    Called,
    /// The flag at a path is set.
    Set(Cow<'static, str>),
    /// The text at a path is this.
    Is(Cow<'static, str>, Cow<'static, str>),
    /// The number at a path is at least this.
    AtLeast(Cow<'static, str>, u64),
    /// The list or text at a path is empty or missing.
    Empty(Cow<'static, str>),
    /// The list or text at a path is not empty.
    NotEmpty(Cow<'static, str>),
    /// What the step wrote is what is read: decided by the facts of the kind.
    Written,
    /// All of them.
    All(Cow<'static, [Condition]>),
}

/// Why a condition is not true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet(pub String);

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Condition {
    /// The text at a path is this.
    pub const fn is(path: &'static str, value: &'static str) -> Self {
        Self::Is(Cow::Borrowed(path), Cow::Borrowed(value))
    }

    /// Whether it can be true before the step's call: whoever finds it so need not call.
    pub fn shows(&self) -> bool {
        *self != Self::Called
    }

    /// Evaluates over a reading. `written` says whether an object's tree has what the step wrote.
    ///
    /// # Errors
    /// The first part that is not true, in words for people.
    pub fn check(&self, reading: &Reading, written: &dyn Fn(&Json) -> bool) -> Result<(), Unmet> {
        let object = match (self, reading) {
            (Self::Called, _) => return Ok(()),
            (_, Reading::Unread(reason)) => {
                return Err(Unmet(format!("it could not be read: {reason}")));
            }
            (Self::Absent, Reading::Absent) => return Ok(()),
            (Self::Absent, Reading::Present(_)) => return Err(Unmet("it is still there".into())),
            (_, Reading::Absent) => return Err(Unmet("it is not there".into())),
            (_, Reading::Present(object)) => object,
        };
        self.check_tree(&object.attributes.tree(), written)
    }

    fn check_tree(&self, tree: &Json, written: &dyn Fn(&Json) -> bool) -> Result<(), Unmet> {
        match self {
            Self::Exists | Self::Absent | Self::Called => Ok(()),
            Self::Set(path) if at(tree, path) == Some(&Json::Bool(true)) => Ok(()),
            // What is not ready may say why itself.
            Self::Set(path) => Err(Unmet(match at(tree, WAITING).and_then(Json::as_str) {
                Some(waiting) => format!("it is not {path}: {waiting}"),
                None => format!("{path} is {}, not true", show(at(tree, path))),
            })),
            Self::Is(path, expected) => match at(tree, path) {
                Some(Json::String(text)) if text == expected => Ok(()),
                found => Err(Unmet(format!("{path} is {}, not {expected}", show(found)))),
            },
            Self::AtLeast(path, least) => match at(tree, path).and_then(Json::as_u64) {
                Some(number) if number >= *least => Ok(()),
                _ => {
                    Err(Unmet(format!("{path} is {}, not at least {least}", show(at(tree, path)))))
                }
            },
            Self::Empty(path) if is_empty(at(tree, path)) => Ok(()),
            Self::Empty(path) => {
                Err(Unmet(format!("{path} is not empty: {}", show(at(tree, path)))))
            }
            Self::NotEmpty(path) if is_empty(at(tree, path)) => {
                Err(Unmet(format!("{path} is empty")))
            }
            Self::NotEmpty(_) => Ok(()),
            Self::Written if written(tree) => Ok(()),
            Self::Written => Err(Unmet("its fields are not yet as written".into())),
            Self::All(conditions) => {
                conditions.iter().try_for_each(|condition| condition.check_tree(tree, written))
            }
        }
    }
}

/// The value at a path of keys joined by dots.
fn at<'a>(tree: &'a Json, path: &str) -> Option<&'a Json> {
    path.split('.').try_fold(tree, |tree, key| tree.get(key))
}

fn is_empty(value: Option<&Json>) -> bool {
    match value {
        None | Some(Json::Null) => true,
        Some(Json::Array(items)) => items.is_empty(),
        Some(Json::String(text)) => text.is_empty(),
        Some(_) => false,
    }
}

fn show(value: Option<&Json>) -> String {
    value.map_or_else(|| "not set".into(), Json::to_string)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resource::{Attributes, Object};

    fn check(condition: &Condition, tree: Json, expected: Result<(), &str>) {
        let reading = Reading::Present(Object {
            id: "1".into(),
            attributes: Attributes::new(&tree),
            mark: None,
        });
        let outcome = condition.check(&reading, &|_| true);
        assert_eq!(outcome.map_err(|unmet| unmet.0), expected.map_err(str::to_owned));
    }

    #[test]
    fn each_condition_says_what_is_missing() {
        check(&Condition::is("power", "on"), json!({"power": "on"}), Ok(()));
        check(
            &Condition::is("power", "on"),
            json!({"power": "off"}),
            Err("power is \"off\", not on"),
        );
        check(
            &Condition::AtLeast("v".into(), 15),
            json!({"v": 13}),
            Err("v is 13, not at least 15"),
        );
        check(&Condition::Empty("disks".into()), json!({}), Ok(()));
        check(
            &Condition::Empty("disks".into()),
            json!({"disks": ["x"]}),
            Err("disks is not empty: [\"x\"]"),
        );
        check(&Condition::NotEmpty("a.b".into()), json!({"a": {"b": "x"}}), Ok(()));
        check(&Condition::Absent, json!({}), Err("it is still there"));
        let ready = Condition::Set("ready".into());
        check(&ready, json!({"ready": true}), Ok(()));
        check(&ready, json!({"ready": false}), Err("ready is false, not true"));
        check(
            &ready,
            json!({"ready": false, "waiting": "1 of 3 pods"}),
            Err("it is not ready: 1 of 3 pods"),
        );
    }

    #[test]
    fn unread_is_never_proof() {
        let unread = Reading::Unread("timeout".into());
        for condition in [Condition::Exists, Condition::Absent] {
            assert!(condition.check(&unread, &|_| true).is_err());
        }
    }
}
