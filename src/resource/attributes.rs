//! Attribute trees as canonical bytes.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// SHA-256 of canonical bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Hashes bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 hexadecimal digits. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text)?.try_into().ok().map(Self)
    }

    /// The hash itself.
    pub fn bytes(&self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Lower-case hexadecimal text of bytes.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of hexadecimal text. `None` where it is something else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    (digits.len() % 2 == 0).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// One resource's attribute tree, held as canonical compact JSON: keys sorted, no white space.
///
/// A tree costs about 15 times its text in memory, so trees are parsed only where somebody
/// must look inside; equality and digests work on the text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Attributes(Box<str>);

impl Attributes {
    /// Canonicalises a tree. Sorted keys rely on `serde_json` without `preserve_order`,
    /// which a test below guards.
    pub fn new(tree: &serde_json::Value) -> Self {
        Self(tree.to_string().into())
    }

    /// The tree.
    pub fn tree(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the canonical text.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl Default for Attributes {
    fn default() -> Self {
        Self("{}".into())
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(raw.get().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_canonical() {
        let tree: serde_json::Value =
            serde_json::from_str(r#"{ "b": 1, "a": [2, {"d":1,"c":2}] }"#).unwrap_or_default();
        assert_eq!(Attributes::new(&tree).as_str(), r#"{"a":[2,{"c":2,"d":1}],"b":1}"#);
    }

    #[test]
    fn round_trip_keeps_the_bytes() -> Result<(), serde_json::Error> {
        let attributes =
            Attributes::new(&serde_json::json!({"x": "ü", "n": 18446744073709551615_u64}));
        let text = serde_json::to_string(&attributes)?;
        assert_eq!(serde_json::from_str::<Attributes>(&text)?, attributes);
        Ok(())
    }
}
