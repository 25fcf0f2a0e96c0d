//! All objects of a kind, page by page.

use hyper::StatusCode;
use kube::Resource;
use kube::api::ListParams;
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::call::Call;
use super::client::Client;
use super::failure::Failure;
use super::status;
use super::text::encode;

/// How many objects come in a page.
pub const PAGE: u32 = 500;

/// Whether a LIST came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Every object was seen.
    Whole,
    /// The server does not know the kind, so there are none.
    NoSuchKind,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(default)]
    metadata: ListMetadata,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
struct ListMetadata {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

/// As much of an object as is needed to see whether it is wanted.
#[derive(Deserialize)]
struct Head {
    metadata: Name,
}

#[derive(Deserialize)]
struct Name {
    name: String,
    namespace: Option<String>,
}

/// Reads all objects of a collection and gives those that are wanted to `take` as their page
/// comes; others are never parsed. Where the server lets go of the list before its end, it is read
/// once more from its beginning, and `take` meets objects again.
///
/// # Errors
/// A page did not come, or is no list.
pub async fn list(
    client: &Client,
    collection: &str,
    wanted: &(dyn Fn(Option<&str>, &str) -> bool + Sync),
    take: &mut (dyn FnMut(Json) + Send),
) -> Result<Listed, Failure> {
    let (mut params, mut began_again) = (ListParams::default().limit(PAGE), false);
    loop {
        let answer = client.call(&Call::list(collection, &params)?).await?;
        let is_first = params.continue_token.is_none();
        match answer.status {
            StatusCode::NOT_FOUND if is_first => return Ok(Listed::NoSuchKind),
            StatusCode::GONE if !is_first && !began_again => {
                (params.continue_token, began_again) = (None, true);
                continue;
            }
            status if !status.is_success() => return Err(status::of(&answer).into()),
            _ => {}
        }
        let next = read_page(&answer.body, wanted, take).map_err(|error| {
            let message = format!("the list at {collection} cannot be read: {error}");
            Failure::later(message, "see that the API server is one, then try again")
        })?;
        if next.is_none() {
            return Ok(Listed::Whole);
        }
        params.continue_token = next;
    }
}

/// Reads one page of a kind that the API brings along: in a namespace, or in all.
///
/// # Errors
/// It did not come.
pub async fn page<K: Resource<DynamicType = ()>>(
    client: &Client,
    namespace: Option<&str>,
    params: &ListParams,
) -> Result<Vec<Json>, Failure> {
    let collection = K::url_path(&(), namespace.map(encode).as_deref());
    let answer = client.ok(&Call::list(&collection, params)?).await?;
    Ok(match answer.json()["items"].take() {
        Json::Array(items) => items,
        _ => Vec::new(),
    })
}

fn read_page(
    body: &[u8],
    wanted: &(dyn Fn(Option<&str>, &str) -> bool + Sync),
    take: &mut (dyn FnMut(Json) + Send),
) -> Result<Option<String>, serde_json::Error> {
    let page: Page<'_> = serde_json::from_slice(body)?;
    for item in page.items.unwrap_or_default() {
        let Head { metadata } = serde_json::from_str(item.get())?;
        if wanted(metadata.namespace.as_deref(), &metadata.name) {
            take(serde_json::from_str(item.get())?);
        }
    }
    Ok(page.metadata.next.filter(|next| !next.is_empty()))
}
