//! Inventory paths: `/DC1/vm/cht/server-1`.
//!
//! vCenter keeps `/`, `\` and `%` in an entity's name as `%2f`, `%5c` and `%25` (documentation of
//! `ManagedEntity.name`). A segment of a path is that encoded form, so paths can be split at `/`.

/// The encoded form of a name as people write it.
pub fn encode(plain: &str) -> String {
    plain.replace('%', "%25").replace('/', "%2f").replace('\\', "%5c")
}

/// The name as people write it.
pub fn decode(segment: &str) -> String {
    let mut plain = String::with_capacity(segment.len());
    let mut rest = segment;
    while let Some(at) = rest.find('%') {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        match escape(from) {
            Some((character, after)) => {
                plain.push(character);
                rest = after;
            }
            None => {
                plain.push('%');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    plain + rest
}

/// The segment for a name as a server tells it: encoded already, or (older servers) not.
pub fn segment(told: &str) -> String {
    encode(&decode(told))
}

/// A path in the form used for comparing: one leading slash, none at the end, each segment
/// encoded alike. The root folder is `/`.
pub fn normal(path: &str) -> String {
    let segments: Vec<String> =
        path.split('/').filter(|part| !part.is_empty()).map(segment).collect();
    format!("/{}", segments.join("/"))
}

/// Parent path and last segment. `None` for the root folder.
pub fn split(path: &str) -> Option<(String, String)> {
    let path = normal(path);
    let (parent, name) = path.rsplit_once('/')?;
    let parent = if parent.is_empty() { "/" } else { parent };
    (!name.is_empty()).then(|| (parent.to_owned(), name.to_owned()))
}

/// A path one level further down.
pub fn join(parent: &str, segment: &str) -> String {
    format!("{}/{segment}", parent.trim_end_matches('/'))
}

/// Whether a path lies below another.
pub fn is_below(path: &str, ancestor: &str) -> bool {
    path.strip_prefix(ancestor.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
}

fn escape(text: &str) -> Option<(char, &str)> {
    let code = text.get(1..3)?.to_ascii_lowercase();
    let character = match code.as_str() {
        "2f" => '/',
        "5c" => '\\',
        "25" => '%',
        _ => return None,
    };
    Some((character, text.get(3..)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(plain: &str, encoded: &str) {
        assert_eq!(encode(plain), encoded);
        assert_eq!(decode(encoded), plain);
        assert_eq!(segment(encoded), encoded);
    }

    #[test]
    fn names_are_encoded_and_come_back() {
        check("server-1", "server-1");
        check("a/b", "a%2fb");
        check("50% of c:\\d", "50%25 of c:%5cd");
        check("é%2f", "é%252f");
        assert_eq!(segment("A%2FB 5%"), "A%2fB 5%25");
        assert_eq!(decode("%"), "%");
        assert_eq!(decode("%é"), "%é");
    }

    #[test]
    fn paths_split_and_join() {
        assert_eq!(normal("DC1/vm//cht/"), "/DC1/vm/cht");
        assert_eq!(normal("/"), "/");
        assert_eq!(split("/"), None);
        assert_eq!(split("/DC1").unwrap(), ("/".into(), "DC1".into()));
        assert_eq!(split("/DC1/vm/a%2fb").unwrap(), ("/DC1/vm".into(), "a%2fb".into()));
        assert_eq!(join("/", "DC1"), "/DC1");
        assert!(is_below("/DC1/vm", "/DC1") && is_below("/DC1", "/"));
        assert!(!is_below("/DC10/vm", "/DC1") && !is_below("/DC1", "/DC1"));
    }
}
