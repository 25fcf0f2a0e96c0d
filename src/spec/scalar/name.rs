//! Names: DNS labels and domains, vSphere names, Kubernetes label keys, name patterns.

use super::Form;

/// A DNS label of RFC 1123: what host, node, namespace and project names must be.
pub(crate) static LABEL: Form = Form {
    name: "a DNS label",
    help: "use lower-case letters, digits and hyphens, 63 characters at most, \
        a letter or digit at both ends",
    example: "national",
    pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    check: check_label,
};

/// Labels joined by dots.
pub(crate) static DOMAIN: Form = Form {
    name: "a domain name",
    help: "write labels of lower-case letters, digits and hyphens joined by \
        dots: \"cht.example.org\"",
    example: "cht.example.org",
    pattern: r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$",
    check: check_domain,
};

/// Names of Kubernetes objects such as storage classes.
pub(crate) static SUBDOMAIN: Form = Form {
    name: "a Kubernetes name",
    help: "use lower-case letters, digits, hyphens and dots: \"vmware-sc\"",
    example: "vmware-sc",
    pattern: r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$",
    check: check_domain,
};

/// A domain name or an IPv4 address.
pub(crate) static HOST: Form = Form {
    name: "a host name or IPv4 address",
    help: "write just the name or address, without https://, port or path: \"vcenter.example.org\"",
    example: "vcenter.example.org",
    pattern: r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
    check: |text| {
        if text.contains("://") || text.contains('/') {
            return Err("a URL");
        }
        check_domain(&text.to_ascii_lowercase())
    },
};

/// The name of a vSphere object.
pub(crate) static OBJECT: Form = Form {
    name: "a name in vSphere",
    help: "write the name as the vSphere client shows it, 80 characters at most, without slashes",
    example: "DC1",
    pattern: r"^[^/\\]{1,80}$",
    check: |text| check_object(text, false),
};

/// A path of vSphere names.
pub(crate) static FOLDER: Form = Form {
    name: "a path of names in vSphere",
    help: "write names joined by slashes, without one at the start or the end: \
        \"cht\" or \"health/cht\"",
    example: "health/cht",
    pattern: r"^[^/\\]+(/[^/\\]+)*$",
    check: |text| text.split('/').try_for_each(|name| check_object(name, true)),
};

/// The key of a Kubernetes label.
pub(crate) static LABEL_KEY: Form = Form {
    name: "a label key",
    help: "write letters, digits, '-', '_' and '.', 63 characters at most, \
        perhaps after a domain and a slash",
    example: "cht.example.org/tier",
    pattern: r"^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$",
    check: check_label_key,
};

/// The value of a Kubernetes label.
pub(crate) static LABEL_VALUE: Form = Form {
    name: "a label value",
    help: "write letters, digits, '-', '_' and '.', 63 characters at most",
    example: "large",
    pattern: r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$",
    check: check_label_value,
};

/// `server-{}` or `county-{:02}`
pub(crate) static PATTERN: Form = Form {
    name: "a name pattern",
    help: "write a DNS label in which {} stands for the number, or {:02} for a \
        number of two digits",
    example: "county-{:02}",
    pattern: r"^[a-z0-9-]*(\{(:0[1-9])?\})?[a-z0-9-]*$",
    check: |text| parse_pattern(text).map(drop),
};

/// What may stand before a label, or nothing.
pub(crate) static PREFIX: Form = Form {
    name: "the start of a DNS label",
    help: "use lower-case letters, digits and hyphens, or leave it empty",
    example: "cht-",
    pattern: "^([a-z0-9][a-z0-9-]{0,30})?$",
    check: |text| {
        if text.len() > 31 {
            Err("longer than 31 characters")
        } else if text.is_empty() || is_label(&format!("{text}x")) {
            Ok(())
        } else {
            Err("not the start of a DNS label")
        }
    },
};

/// A glob over addresses.
pub(crate) static GLOB: Form = Form {
    name: "a pattern over addresses",
    help: "write an address in which * stands for text within a segment and ** \
        for whole segments: \"project/county-0*/**\"",
    example: "vsphere/vm/*",
    pattern: "^[^ ]+$",
    check: |text| {
        // More stars could make matching slow: each one multiplies the ways to match.
        match text.matches('*').count() {
            _ if text.is_empty() || text.len() > 200 => Err("empty or longer than 200 characters"),
            _ if text.contains(|c: char| c.is_whitespace() || c.is_control()) => Err("has a space"),
            _ if text.starts_with('/') || text.ends_with('/') => Err("a slash at an end"),
            0..=8 => Ok(()),
            _ => Err("more than 8 stars"),
        }
    },
};

/// A name pattern taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    before: String,
    /// Digits at least; `None` where there is no placeholder.
    width: Option<usize>,
    after: String,
}

impl Pattern {
    /// Whether the number appears in the name.
    pub(crate) fn is_numbered(&self) -> bool {
        self.width.is_some()
    }

    /// The name of one number.
    pub(crate) fn name(&self, number: u32) -> String {
        match self.width {
            Some(width) => format!("{}{number:0width$}{}", self.before, self.after),
            None => format!("{}{}", self.before, self.after),
        }
    }
}

pub(crate) fn parse_pattern(text: &str) -> Result<Pattern, &'static str> {
    let pattern = match text.split_once('{') {
        None => Pattern { before: text.into(), width: None, after: String::new() },
        Some((before, rest)) => {
            let (inside, after) = rest.split_once('}').ok_or("the brace is not closed")?;
            let width = match inside.strip_prefix(":0").map(str::as_bytes) {
                None if inside.is_empty() => 1,
                Some([digit @ b'1'..=b'9']) => usize::from(digit - b'0'),
                _ => return Err("only {} and {:02} can stand in braces"),
            };
            Pattern { before: before.into(), width: Some(width), after: after.into() }
        }
    };
    check_label(&pattern.name(1)).map(|()| pattern)
}

/// Whether the text is a DNS label.
pub(crate) fn is_label(text: &str) -> bool {
    check_label(text).is_ok()
}

fn check_label(text: &str) -> Result<(), &'static str> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match text.as_bytes() {
        [] => Err("empty"),
        bytes if bytes.len() > 63 => Err("longer than 63 characters"),
        [b'-', ..] | [.., b'-'] => Err("a hyphen at an end"),
        bytes if bytes.iter().any(u8::is_ascii_uppercase) => Err("has an upper-case letter"),
        bytes if bytes.contains(&b'_') => Err("has an underscore"),
        bytes if bytes.iter().all(|byte| allowed(*byte)) => Ok(()),
        _ => Err("has a character that is not allowed"),
    }
}

fn check_domain(text: &str) -> Result<(), &'static str> {
    if text.len() > 253 {
        return Err("longer than 253 characters");
    }
    text.split('.').try_for_each(check_label)
}

fn check_object(text: &str, in_path: bool) -> Result<(), &'static str> {
    match text.chars().count() {
        0 if in_path => Err("an empty name between slashes"),
        0 => Err("empty"),
        81.. => Err("longer than 80 characters"),
        _ if text.contains(|c: char| c.is_control()) => Err("has a control character"),
        _ if text.contains(['/', '\\']) => Err("has a slash"),
        _ => Ok(()),
    }
}

fn check_label_value(text: &str) -> Result<(), &'static str> {
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    if bytes.is_empty() {
        Err("empty")
    } else if bytes.len() > 63 {
        Err("longer than 63 characters")
    } else if ends(bytes.first()) && ends(bytes.last()) && bytes.iter().all(allowed) {
        Ok(())
    } else {
        Err("has a character that is not allowed there")
    }
}

fn check_label_key(text: &str) -> Result<(), &'static str> {
    match text.split_once('/') {
        None => check_label_value(text),
        Some((domain, name)) => check_domain(domain).and_then(|()| check_label_value(name)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn labels_are_those_of_rfc_1123() {
        let long = "a".repeat(64);
        check(
            &LABEL,
            &["a", "1", "county-01"],
            &["", "-a", "a-", "County", "a_b", "a.b", "é", &long],
        );
        check(&DOMAIN, &["org", "a.b-c.d"], &["", "a..b", ".a", "a.", "a.-b", "A.b"]);
        check(&HOST, &["10.0.0.1", "VC.example.org"], &["https://vc", "vc/sdk", "vc:443", ""]);
    }

    #[test]
    fn patterns_number_names() {
        assert_eq!(parse_pattern("server-{}").unwrap().name(12), "server-12");
        assert_eq!(parse_pattern("county-{:02}").unwrap().name(7), "county-07");
        assert!(!parse_pattern("one").unwrap().is_numbered());
        check(&PATTERN, &["one", "{}"], &["", "{", "a-{:2}", "a-{:00}", "a-{}-{}", "A{}", "-{}"]);
    }

    #[test]
    fn other_names_follow_their_systems() {
        check(&OBJECT, &["VM Network", "ubuntu-22.04"], &["", "a/b", "a\nb"]);
        check(&FOLDER, &["cht"], &["/cht", "cht/", "a//b", ""]);
        check(&LABEL_KEY, &["tier", "a.b/c_d"], &["", "/a", "a/", "a/b/c", "a b"]);
        check(&LABEL_VALUE, &["L.1"], &["", "-a", "a b"]);
        check(&PREFIX, &["", "cht"], &["-", "Cht", "a_"]);
        check(&GLOB, &["**", "a/*/b"], &["", "/a", "a b", "*********"]);
    }
}
