//! Marker files: boma's sign on what it made on a host.

use serde_json::Value as Json;

use super::{Content, RootFile};
use crate::resource::Mark;

/// Where the mark of a kind lies: `/etc/boma/k3s-server.json`.
pub fn path(kind: &str) -> String {
    format!("/etc/boma/{}", file_name(kind))
}

/// The last part of [`path`].
pub fn file_name(kind: &str) -> String {
    format!("{}.json", kind.replace('/', "-"))
}

/// The file to write.
pub fn file(kind: &str, mark: &Mark) -> RootFile {
    let content = serde_json::json!({ "lineage": mark.lineage, "address": mark.address });
    RootFile {
        path: path(kind),
        mode: 0o644,
        content: Content::Plain(format!("{content}\n").into_bytes()),
    }
}

/// The mark in a file's text. `None` where somebody else wrote it.
pub fn parse(text: &str) -> Option<Mark> {
    let tree: Json = serde_json::from_str(text).ok()?;
    serde_json::from_value(tree).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::resource::Address;

    #[test]
    fn a_mark_reads_back() {
        let text = r#"{"lineage":"l-1","address":"k3s/server/server-1"}"#;
        let mark = parse(text).unwrap();
        assert_eq!(mark.address, Address::from("k3s/server/server-1"));
        assert_eq!(path("k3s/server"), "/etc/boma/k3s-server.json");
        assert_eq!(parse("something else"), None);
    }
}
