//! All objects of a kind, page by page.

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::call::Call;
use super::client::Client;
use super::failure::Failure;
use super::status::Status;
use super::text::encode;

/// How many objects come in a page.
const PAGE: usize = 500;

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
    let (mut next, mut began_again) = (None, false);
    loop {
        let answer = client.call(&Call::get(page_path(collection, next.as_deref()))).await?;
        match answer.status {
            StatusCode::NOT_FOUND if next.is_none() => return Ok(Listed::NoSuchKind),
            StatusCode::GONE if next.is_some() && !began_again => {
                (next, began_again) = (None, true);
                continue;
            }
            status if !status.is_success() => return Err(Status::of(&answer).into()),
            _ => {}
        }
        next = read_page(&answer.body, wanted, take).map_err(|error| {
            let message = format!("the list at {collection} cannot be read: {error}");
            Failure::later(message, "see that the API server is one, then try again")
        })?;
        if next.is_none() {
            return Ok(Listed::Whole);
        }
    }
}

fn page_path(collection: &str, next: Option<&str>) -> String {
    match next {
        Some(next) => format!("{collection}?limit={PAGE}&continue={}", encode(next)),
        None => format!("{collection}?limit={PAGE}"),
    }
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
