//! Text in, lock or one fault out.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::{CSI, KUBERNETES};
use super::{FORMAT, Lock, LockFault};
use crate::spec::Pins;

const ANEW: &str = "take the file back from version control, or delete it and run `boma lock`";
const NEWER: &str = "use the boma that wrote it, or a newer one";

impl Lock {
    /// Reads the file's text.
    ///
    /// # Errors
    /// It is no TOML, is of another format, or has a key or value that nobody writes there.
    pub fn parse(text: &str) -> Result<Self, LockFault> {
        let reader = Reader { text };
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(text.len(), |span| span.start);
            reader.fault(at, format!("it is not valid TOML: {}", error.message()), ANEW)
        })?;
        reader.lock(table.get_ref())
    }
}

struct Reader<'a> {
    text: &'a str,
}

type Value<'a> = Spanned<DeValue<'a>>;

impl Reader<'_> {
    fn lock(&self, table: &DeTable<'_>) -> Result<Lock, LockFault> {
        // The format comes first: a newer one may have other keys.
        match table.get("format").map(|value| (value.span(), integer(value.get_ref()))) {
            Some((_, Some(FORMAT))) => {}
            Some((span, Some(newer))) if newer > FORMAT => {
                let message = format!("it has format {newer}, and this boma reads {FORMAT}");
                return Err(self.fault(span.start, message, NEWER));
            }
            Some((span, _)) => {
                let message = format!("`format` is not {FORMAT}");
                return Err(self.fault(span.start, message, ANEW));
            }
            None => return Err(self.fault(0, "`format` is missing", ANEW)),
        }
        let mut lock = Lock::default();
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("format", _) => {}
                ("specs", DeValue::Table(specs)) => {
                    for (name, pins) in specs {
                        let mut read = Pins::default();
                        self.add(&mut read, "", pins)?;
                        lock.specs.insert(name.get_ref().to_string(), read);
                    }
                }
                (other, _) => return Err(self.unknown(key.span().start, other)),
            }
        }
        Ok(lock)
    }

    /// Adds what stands at a key, or below it.
    fn add(&self, pins: &mut Pins, path: &str, value: &Value<'_>) -> Result<(), LockFault> {
        let at = value.span().start;
        match value.get_ref() {
            DeValue::Table(table) => {
                for (key, value) in table {
                    let key = key.get_ref().as_ref();
                    let below = if path.is_empty() { key.into() } else { format!("{path}.{key}") };
                    self.add(pins, &below, value)?;
                }
                Ok(())
            }
            DeValue::String(text) => self.pin(pins, path, text, at),
            _ if path.is_empty() => Err(self.fault(at, "a spec's pins are not a table", ANEW)),
            _ => Err(self.fault(at, format!("`{path}` is no text"), ANEW)),
        }
    }

    fn pin(&self, pins: &mut Pins, key: &str, text: &str, at: usize) -> Result<(), LockFault> {
        match key {
            KUBERNETES => {
                let minor = text.strip_prefix("1.").and_then(|minor| minor.parse().ok());
                pins.kubernetes = Some(minor.ok_or_else(|| {
                    self.fault(at, format!("`{key}` is no Kubernetes minor: \"1.35\""), ANEW)
                })?);
            }
            CSI => {
                self.accept("csi.version", text, at)?;
                pins.csi = Some(text.to_owned());
            }
            _ => {
                let known = self.accept(key, text, at)?;
                pins.values.insert(known, text.to_owned());
            }
        }
        Ok(())
    }

    fn accept(&self, key: &str, text: &str, at: usize) -> Result<&'static str, LockFault> {
        let known = Pins::keys().find(|known| *known == key);
        match known.zip(Pins::accepts(key, text)) {
            Some((known, Ok(()))) => Ok(known),
            Some((_, Err(help))) => {
                Err(self.fault(at, format!("`{key}` is not what it should be: {help}"), ANEW))
            }
            None => Err(self.unknown(at, key)),
        }
    }

    fn unknown(&self, at: usize, key: &str) -> LockFault {
        self.fault(at, format!("`{}` is nothing that boma pins", shown(key)), ANEW)
    }

    fn fault(&self, at: usize, message: impl Into<String>, help: &'static str) -> LockFault {
        let before = self.text.bytes().take(at);
        let line = before.filter(|byte| *byte == b'\n').count() + 1;
        LockFault { line, message: message.into(), help }
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    }
}

/// Untrusted text in a message: short, and without control characters.
fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHOLE: &str = "\
format = 1

[specs.a]
csi.version = \"v3.7.2\"
for.kubernetes = \"1.35\"

[specs.b]
csi.digests.driver = \"sha256:cdce4c97940de307fbc819624077cb68cb8b124f5d8ddd7d3f9e8551d5f3180e\"
csi.sidecars.csi-attacher = \"v4.9.0\"
for.csi = \"v3.7.2\"
k3s.version = \"v1.35.9+k3s1\"
";

    fn check(edit: (&str, &str), line: usize, part: &str) {
        assert!(WHOLE.contains(edit.0), "{}", edit.0);
        let fault = Lock::parse(&WHOLE.replacen(edit.0, edit.1, 1)).unwrap_err();
        assert_eq!(fault.line, line, "{fault}");
        assert!(fault.message.contains(part), "{fault}");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let lock = Lock::parse(WHOLE).unwrap();
        assert_eq!(lock.specs["a"].kubernetes, Some(35));
        assert_eq!(lock.specs["b"].values.len(), 3);
        let text = lock.to_string();
        assert!(text.ends_with(WHOLE.split_once("\n\n").unwrap().1), "{text}");
        assert_eq!(Lock::parse(&text).unwrap(), lock);
    }

    #[test]
    fn faults_name_their_line() {
        check(("format = 1", "format = 2"), 1, "it has format 2, and this boma reads 1");
        check(("format = 1", "format = \"1\""), 1, "`format` is not 1");
        check(("format = 1", "format = 0"), 1, "`format` is not 1");
        check(("format = 1\n", "\n"), 1, "`format` is missing");
        check(("csi.version", "csi.colour"), 4, "`csi.colour` is nothing that boma pins");
        check(("[specs.a]", "[spec.a]"), 3, "`spec` is nothing that boma pins");
        check(("[specs.a]", "[specs]\na = 1\n[specs.c]"), 4, "not a table");
        check(("\"v3.7.2\"", "\"3.7.2\""), 4, "write the release's tag");
        check(("\"v3.7.2\"", "3"), 4, "`csi.version` is no text");
        check(("\"1.35\"", "\"35\""), 5, "no Kubernetes minor");
        check(("[specs.b]", "[specs.b"), 7, "not valid TOML");
    }

    #[test]
    fn a_newer_format_is_refused_whatever_else_it_has() {
        let fault = Lock::parse("colour = 3\nformat = 9\n").unwrap_err();
        assert_eq!((fault.line, fault.help), (2, NEWER));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>(), at in 0..WHOLE.len()) {
            let lines = |text: &str| text.lines().count() + 1;
            for text in [text, WHOLE[..at].to_owned(), WHOLE[at..].to_owned()] {
                if let Err(fault) = Lock::parse(&text) {
                    prop_assert!((1..=lines(&text)).contains(&fault.line), "{fault}");
                }
            }
        }
    }
}
