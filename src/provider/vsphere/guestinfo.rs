//! What a guest is told through its VM's extraConfig: cloud-init's VMware data source.

use serde_json::Value as Json;

/// The extraConfig entries for `cloud_init`: `metadata` and `userdata`, JSON as text. None for
/// what is missing.
pub fn entries(cloud_init: &Json) -> Vec<(String, String)> {
    let text = |name: &str| cloud_init.get(name).and_then(Json::as_str).map(pretty);
    let metadata = text("metadata").map(|text| ("metadata", text));
    let userdata = text("userdata").map(|text| ("userdata", format!("#cloud-config\n{text}")));
    metadata.into_iter().chain(userdata).flat_map(|(name, text)| entry(name, &text)).collect()
}

fn entry(name: &str, text: &str) -> [(String, String); 2] {
    [
        (format!("guestinfo.{name}"), base64(text.as_bytes())),
        (format!("guestinfo.{name}.encoding"), "base64".to_owned()),
    ]
}

/// For people who look at it in the guest. JSON is YAML, and needs no rules of quoting.
fn pretty(json: &str) -> String {
    let tree: Option<Json> = serde_json::from_str(json).ok();
    let pretty = tree.and_then(|tree| serde_json::to_string_pretty(&tree).ok());
    pretty.unwrap_or_else(|| json.to_owned())
}

/// Standard base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn base64_is_as_in_the_rfc() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn both_documents_are_written_with_their_encoding() {
        let texts = json!({"metadata": r#"{"instance-id":"a"}"#, "userdata": r#"{"users":[]}"#});
        let entries = entries(&texts);
        let keys: Vec<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
        let expected = [
            "guestinfo.metadata",
            "guestinfo.metadata.encoding",
            "guestinfo.userdata",
            "guestinfo.userdata.encoding",
        ];
        assert_eq!(keys, expected);
        assert_eq!(entries[2].1, base64(b"#cloud-config\n{\n  \"users\": []\n}"));
        assert!(super::entries(&json!(null)).is_empty());
    }
}
