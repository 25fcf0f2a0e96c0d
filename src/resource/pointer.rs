//! Words of JSON pointers (RFC 6901).

/// A key of an object as a pointer has it: `a/b` is `a~1b`.
pub fn pointer_word(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The key that a pointer's word stands for.
pub fn pointer_key(word: &str) -> String {
    word.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_key_is_found_by_its_word() {
        for key in ["a", "a/b", "a~b", "~1", "~01/", "/~", ""] {
            let tree = json!({ key: 1 });
            let pointer = format!("/{}", pointer_word(key));
            assert_eq!(tree.pointer(&pointer), Some(&json!(1)), "{pointer}");
            assert_eq!(pointer_key(&pointer_word(key)), key);
        }
    }
}
