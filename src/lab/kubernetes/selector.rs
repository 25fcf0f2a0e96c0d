//! Label and field selectors of lists.

use serde_json::{Value as Json, json};

use super::key::Key;
use super::refusal::Refusal;

/// What a list is narrowed down to.
#[derive(Clone, Debug, Default)]
pub(super) struct Selector {
    labels: Vec<Term>,
    fields: Vec<(String, bool, String)>,
}

#[derive(Clone, Debug)]
enum Term {
    /// Whether the value is one of these; the flag says whether it must be.
    In(String, bool, Vec<String>),
    /// Whether there is such a label.
    Exists(String, bool),
}

/// Fields that lists of any kind can be narrowed by, and the further ones of pods and Secrets.
const FIELDS: [&str; 8] = [
    "metadata.name",
    "metadata.namespace",
    "spec.nodeName",
    "status.phase",
    "type",
    "involvedObject.name",
    "involvedObject.kind",
    "involvedObject.uid",
];

impl Selector {
    /// Reads both parameters; empty ones select all.
    ///
    /// # Errors
    /// 400 for what is no selector, or a field that is not for selecting.
    pub(super) fn read(labels: &str, fields: &str) -> Result<Self, Refusal> {
        let labels: Result<Vec<Term>, Refusal> =
            terms(labels).iter().map(|one| term(one)).collect();
        let fields = fields.split(',').filter(|one| !one.is_empty()).map(|text| {
            let (key, same, value) = match text.split_once("!=") {
                Some((key, value)) => (key, false, value),
                None => {
                    let (key, value) = text.split_once('=').ok_or_else(|| {
                        Refusal::bad_request(format!(
                            "Unable to find \"\" that match label selector \"\", field selector \"{text}\": invalid selector: '{text}'; can't understand '{text}'"
                        ))
                    })?;
                    (key, true, value.trim_start_matches('='))
                }
            };
            if !FIELDS.contains(&key) {
                let message = format!("field label not supported: {key}");
                return Err(Refusal::bad_request(message));
            }
            Ok((key.to_owned(), same, value.to_owned()))
        });
        Ok(Self { labels: labels?, fields: fields.collect::<Result<_, Refusal>>()? })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(super) fn meets(&self, key: &Key, object: &Json) -> bool {
        let field = |(name, same, value): &(String, bool, String)| {
            let found = match name.as_str() {
                "metadata.name" => key.name.as_str(),
                "metadata.namespace" => key.namespace.as_str(),
                path => {
                    let mut steps = path.split('.');
                    let found = steps.try_fold(object, |value, step| value.get(step));
                    found.and_then(Json::as_str).unwrap_or_default()
                }
            };
            (found == value) == *same
        };
        self.fields.iter().all(field) && self.meets_labels(&object["metadata"]["labels"])
    }

    fn meets_labels(&self, labels: &Json) -> bool {
        self.labels.iter().all(|term| match term {
            Term::In(key, wanted, values) => {
                let found = labels.get(key).and_then(Json::as_str);
                found.is_some_and(|found| values.iter().any(|one| one == found)) == *wanted
            }
            Term::Exists(key, wanted) => labels.get(key).is_some() == *wanted,
        })
    }
}

/// Whether labels meet a `LabelSelector` of a manifest; one without terms meets all.
pub(in crate::lab) fn matches(selector: &Json, labels: &Json) -> bool {
    let equal = selector["matchLabels"].as_object().into_iter().flatten();
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    equal.into_iter().all(|(key, value)| labels.get(key) == Some(value))
        && expressions.into_iter().all(|term| {
            let found = labels.get(term["key"].as_str().unwrap_or_default());
            let among = || {
                let values = term["values"].as_array();
                found.is_some_and(|found| values.is_some_and(|all| all.contains(found)))
            };
            match term["operator"].as_str() {
                Some("In") => among(),
                Some("NotIn") => !among(),
                Some("Exists") => found.is_some(),
                Some("DoesNotExist") => found.is_none(),
                _ => false,
            }
        })
}

/// Terms, parted by commas outside parentheses.
fn terms(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut deep = false;
    for letter in text.chars() {
        match letter {
            ',' if !deep => all.push(String::new()),
            letter => {
                deep = letter == '(' || deep && letter != ')';
                if let Some(last) = all.last_mut() {
                    last.push(letter);
                }
            }
        }
    }
    all.retain(|term| !term.trim().is_empty());
    all
}

fn term(text: &str) -> Result<Term, Refusal> {
    let text = text.trim();
    let set = |key: &str, wanted, values: &str| {
        let values = values.trim().trim_start_matches('(').trim_end_matches(')');
        let values = values.split(',').map(|one| one.trim().to_owned()).collect();
        Term::In(key.trim().to_owned(), wanted, values)
    };
    if let Some((key, values)) = text.split_once(" notin ") {
        return Ok(set(key, false, values));
    }
    if let Some((key, values)) = text.split_once(" in ") {
        return Ok(set(key, true, values));
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Ok(set(key, false, value));
    }
    if let Some((key, value)) = text.split_once('=') {
        return Ok(set(key, true, value.trim_start_matches('=')));
    }
    let (key, wanted) = text.strip_prefix('!').map_or((text, true), |key| (key, false));
    if key.contains([' ', '(', ')']) {
        let message = format!("unable to parse requirement: found '{key}', expected: in, notin, =");
        return Err(Refusal::bad_request(message));
    }
    Ok(Term::Exists(key.trim().to_owned(), wanted))
}

/// The labels of an object; an empty map where it has none.
pub(super) fn labels(object: &Json) -> Json {
    object["metadata"].get("labels").cloned().unwrap_or_else(|| json!({}))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(labels: &str, fields: &str, expected: bool) {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "front"}},
            "spec": {"nodeName": "n1"}});
        let key = Key::new("", "pods", "default", "web-1");
        let selector = Selector::read(labels, fields).unwrap();
        assert_eq!(selector.meets(&key, &object), expected, "{labels} {fields}");
    }

    #[test]
    fn selectors_are_those_of_kubectl() {
        check("", "", true);
        check("app=web,tier!=back", "metadata.name=web-1", true);
        check("app in (api, web),!gone,tier", "spec.nodeName=n1,metadata.namespace!=x", true);
        check("app notin (web)", "", false);
        check("", "spec.nodeName=n2", false);
        assert!(Selector::read("", "spec.image=x").is_err());
        assert!(Selector::read("a b", "").is_err());
    }

    #[test]
    fn manifests_select_by_expressions_too() {
        let selector = json!({"matchLabels": {"a": "1"}, "matchExpressions": [
            {"key": "b", "operator": "In", "values": ["2"]}, {"key": "c", "operator": "DoesNotExist"}]});
        assert!(matches(&selector, &json!({"a": "1", "b": "2"})));
        assert!(!matches(&selector, &json!({"a": "1", "b": "2", "c": ""})));
    }
}
