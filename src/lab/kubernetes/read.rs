//! Reading objects, one or many.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value as Json, json};

use super::call::{Answer, Call};
use super::key::Key;
use super::refusal::Refusal;
use super::selector::Selector;
use super::view;
use super::watch::Watch;
use crate::lab::seed::hex;

/// GET of an object.
///
/// # Errors
/// 404.
pub(super) fn get(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (_, live) = call.found()?;
    Ok(Answer::json(200, &*live))
}

/// GET of a collection: by pages where a limit is given.
///
/// # Errors
/// 400 for selectors and tokens that are none, 410 for a token that is too old: after many changes,
/// or from another lab process.
pub(super) fn list(call: &Call<'_>) -> Result<Answer, Refusal> {
    let selector = selector(call)?;
    let (resource, namespace) = (&call.resource, &call.target.namespace);
    let token = Token::read(call.query.get("continue"))?;
    let is_old = |token: &Token| call.cluster.store.gone_since(token.revision).is_none();
    if token.as_ref().is_some_and(is_old) {
        return Err(Refusal::old_token());
    }
    let all =
        view::objects(call.cluster, &resource.group, &resource.plural, namespace, call.now_ms);
    let after = |key: &Key| {
        token.as_ref().is_none_or(|token| {
            (key.namespace.as_str(), key.name.as_str()) > (&token.namespace, &token.name)
        })
    };
    let mut chosen: Vec<(Key, Arc<Json>)> =
        all.into_iter().filter(|(key, object)| after(key) && selector.meets(key, object)).collect();
    let limit = call.query.get("limit").parse().unwrap_or(0_usize);
    let left = if limit == 0 { 0 } else { chosen.len().saturating_sub(limit) };
    chosen.truncate(chosen.len() - left);
    let revision = token.map_or(call.cluster.revision, |token| token.revision);
    let mut meta = json!({"resourceVersion": revision.to_string()});
    if let Some((last, _)) = chosen.last().filter(|_| left > 0) {
        let (namespace, name) = (last.namespace.clone(), last.name.clone());
        meta["continue"] = json!(Token { revision, namespace, name }.write());
        if selector.is_empty() {
            meta["remainingItemCount"] = json!(left);
        }
    }
    let list = List {
        api: &call.api,
        kind: format!("{}List", resource.kind),
        meta,
        items: chosen.iter().map(|(_, object)| Item { object, bare: !resource.custom }).collect(),
    };
    Ok(Answer::json(200, &list))
}

/// GET of a collection with `watch`.
///
/// # Errors
/// 400 for selectors that are none, 410 for a revision that is too old.
pub(super) fn watch(call: &Call<'_>) -> Result<Answer, Refusal> {
    let watch = Watch::begin(call, selector(call)?)?;
    Ok(Answer { watch: Some(watch), ..Answer::json(200, &()) })
}

fn selector(call: &Call<'_>) -> Result<Selector, Refusal> {
    Selector::read(call.query.get("labelSelector"), call.query.get("fieldSelector"))
}

/// Where a list goes on.
struct Token {
    revision: u64,
    namespace: String,
    name: String,
}

impl Token {
    fn write(&self) -> String {
        let Self { revision, namespace, name } = self;
        hex(format!("{revision} {namespace} {name}").as_bytes())
    }

    fn read(text: &str) -> Result<Option<Self>, Refusal> {
        if text.is_empty() {
            return Ok(None);
        }
        let byte = |index: usize| {
            text.get(index..index + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok())
        };
        let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(byte).collect();
        let plain = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let token = plain.as_deref().and_then(|plain| {
            let mut words = plain.split(' ').map(str::to_owned);
            let revision = words.next()?.parse().ok()?;
            Some(Self { revision, namespace: words.next()?, name: words.next()? })
        });
        let refused = || Refusal::bad_request("continue key is not valid");
        token.ok_or_else(refused).map(Some)
    }
}

#[derive(serde::Serialize)]
struct List<'a> {
    #[serde(rename = "apiVersion")]
    api: &'a str,
    kind: String,
    #[serde(rename = "metadata")]
    meta: Json,
    items: Vec<Item<'a>>,
}

/// An object in a list: of the server's own kinds without what the list already says.
struct Item<'a> {
    object: &'a Json,
    bare: bool,
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Some(map) = self.object.as_object() else { return self.object.serialize(to) };
        let mut out = to.serialize_map(None)?;
        let said = |key: &str| self.bare && (key == "apiVersion" || key == "kind");
        for (key, value) in map.iter().filter(|(key, _)| !said(key)) {
            out.serialize_entry(key, value)?;
        }
        out.end()
    }
}
