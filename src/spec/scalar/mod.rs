//! What a text value can mean: one check for each form, used by the key table, the reader
//! and the schema.

mod address;
mod image;
mod name;
mod size;
mod text;
mod time;
mod version;

pub(super) use address::{ADDRESS, CIDR, RANGE, parse_address, parse_cidr, parse_range};
pub(super) use image::{DIGEST, IMAGE, SHA256, SOURCE, URL};
pub(super) use name::{
    DOMAIN, FOLDER, GLOB, HOST, LABEL, LABEL_KEY, LABEL_VALUE, OBJECT, PATTERN, PREFIX, SUBDOMAIN,
    is_label, parse_pattern,
};
pub(super) use size::{CPU, SIZE, parse_cpu, parse_size_mib};
pub(super) use text::{
    DATASTORE_URL, FINGERPRINT, KUBELET_ARG, MODE, PRINCIPAL, PUBLIC_KEY, TAINT, TEXT, THUMBPRINT,
    parse_mode, parse_taint, parse_thumbprint,
};
pub(super) use time::{CRON, DATE, DURATION, parse_date, parse_duration};
pub(super) use version::{CHT, DOCKER, K3S, RELEASE, SIDECAR, minor_of};

/// A form of text.
pub(super) struct Form {
    /// With its article: "a size".
    pub(super) name: &'static str,
    /// What to write instead, as a whole sentence.
    pub(super) help: &'static str,
    /// A value that passes.
    pub(super) example: &'static str,
    /// For the schema: every value that passes matches; empty for any non-empty text.
    pub(super) pattern: &'static str,
    /// The reason why a text does not pass, in a few words.
    pub(super) check: fn(&str) -> Result<(), &'static str>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
pub(super) mod testing {
    use super::Form;

    /// Checks a form against what passes and what does not.
    pub(crate) fn check(form: &Form, good: &[&str], bad: &[&str]) {
        assert_eq!((form.check)(form.example), Ok(()), "example of {}", form.name);
        for text in good {
            assert_eq!((form.check)(text), Ok(()), "{text:?} is {}", form.name);
        }
        let schema = serde_json::json!({ "pattern": form.pattern });
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        for text in good.iter().chain([&form.example]) {
            let fits = validator.is_valid(&serde_json::json!(text));
            assert!(fits, "{text:?} does not match the pattern of {}", form.name);
        }
        for text in bad {
            assert!((form.check)(text).is_err(), "{text:?} is not {}", form.name);
        }
    }
}
