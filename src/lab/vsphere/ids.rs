//! Identities as functions of the seed and of what they name, never of the order of arrival.

pub(super) use crate::lab::seed::digest;
pub(in crate::lab) use crate::lab::seed::hex;

/// The account that holds Admin on the root folder.
pub(in crate::lab) const ADMINISTRATOR: &str = r"VSPHERE.LOCAL\administrator";

/// 64 bits drawn from the seed and the parts of a name.
pub(super) fn draw(seed: u64, parts: &[&str]) -> u64 {
    let bytes = digest(seed, parts);
    bytes.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// A version 4 UUID in its usual form. vCenter's BIOS UUIDs begin with 42, so `lead` may say so.
pub(super) fn uuid(seed: u64, lead: &str, parts: &[&str]) -> String {
    let mut text = hex(&digest(seed, parts));
    text.replace_range(..lead.len().min(8), lead.get(..lead.len().min(8)).unwrap_or(""));
    text.replace_range(12..13, "4");
    text.replace_range(16..17, "a");
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..32])
}

/// A MAC address in the range that vCenter assigns from (00:50:56:80 to 00:50:56:bf).
pub(super) fn mac(seed: u64, parts: &[&str]) -> String {
    let bits = draw(seed, parts);
    format!(
        "00:50:56:{:02x}:{:02x}:{:02x}",
        0x80 | ((bits >> 16) & 0x3f),
        (bits >> 8) & 0xff,
        bits & 0xff
    )
}

/// The password of an account, with the character classes that single sign-on asks for.
pub(in crate::lab) fn password(seed: u64, principal: &str) -> String {
    let name = principal.to_lowercase();
    format!("Lab-{}!", &hex(&digest(seed, &["password", &name]))[..20])
}

/// One form for the spellings of an account: `name@domain` and `DOMAIN\name` are the same, and
/// case does not matter.
pub(in crate::lab) fn principal(text: &str) -> String {
    let (domain, name) = match (text.split_once('\\'), text.split_once('@')) {
        (Some((domain, name)), _) | (None, Some((name, domain))) => (domain, name),
        (None, None) => ("VSPHERE.LOCAL", text),
    };
    format!("{}\\{}", domain.to_uppercase(), name.to_lowercase())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn identities_have_their_usual_form() {
        let id = uuid(1, "42", &["a"]);
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
        assert!(id.starts_with("42") && id != uuid(2, "42", &["a"]));
        assert!(mac(1, &["a"]).starts_with("00:50:56:"));
        assert_ne!(draw(1, &["ab", "c"]), draw(1, &["a", "bc"]));
    }

    #[test]
    fn the_spellings_of_an_account_are_one() {
        for text in ["CHT-Storage@vsphere.local", r"vsphere.local\cht-storage", "cht-storage"] {
            assert_eq!(principal(text), r"VSPHERE.LOCAL\cht-storage");
        }
    }
}
