//! The one command that reads a host.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::remote::Remote;
use super::{Command, Failure, base64};

/// What [`Probe`] runs on the host.
const SCRIPT: &str = include_str!("probe.sh");

/// More than the sum of the script's own limits would take only on a host that is all but dead.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Seconds since 1970, UTC: boma's clock.
pub type Now = std::sync::Arc<dyn Fn() -> i64 + Send + Sync>;

/// What one command read from one host: texts by item name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Probe {
    items: BTreeMap<String, String>,
    /// Seconds that the host's clock is ahead of boma's. `None` where it gave no time.
    pub clock_skew_s: Option<i64>,
}

impl Probe {
    /// Reads a host.
    ///
    /// # Errors
    /// The connection, sudo, or an answer that is not the script's.
    pub async fn of(remote: Remote<'_>, now: &Now) -> Result<Self, Failure> {
        let before = now();
        let answer = remote.run(&command()).await?;
        let after = now();
        let mut probe = Self::parse(&answer).ok_or_else(|| {
            let start: String = answer.chars().take(200).collect();
            Failure::refused(
                format!("the host's answer is not understood: it begins with {start:?}"),
                "let the login shell of [ssh] user print nothing where nobody is at a terminal",
            )
        })?;
        let clock: Option<i64> = probe.word("clock").and_then(|seconds| seconds.parse().ok());
        // The answer was written some time between the two; within that nobody can be blamed.
        probe.clock_skew_s = clock.map(|clock| match clock {
            early if early < before => early - before,
            late if late > after => late - after,
            _ => 0,
        });
        Ok(probe)
    }

    /// Reads the script's output. `None` where it is something else.
    pub fn parse(answer: &str) -> Option<Self> {
        let coded: BTreeMap<String, String> = serde_json::from_str(answer.trim()).ok()?;
        let items = coded.into_iter().map(|(name, text)| {
            let text = base64::decode(&text)?;
            Some((name, String::from_utf8_lossy(&text).into_owned()))
        });
        Some(Self { items: items.collect::<Option<_>>()?, clock_skew_s: None })
    }

    /// An item's text as it was read. `None` where the host has no such thing.
    pub fn text(&self, item: &str) -> Option<&str> {
        self.items.get(item).map(String::as_str)
    }

    /// An item's text without white space around it. `None` where nothing is left.
    pub fn word(&self, item: &str) -> Option<&str> {
        self.text(item).map(str::trim).filter(|text| !text.is_empty())
    }

    /// The items whose names begin with a prefix, by what follows it, in order.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.items.iter();
        all.filter_map(move |(name, text)| Some((name.strip_prefix(prefix)?, text.as_str())))
    }

    /// A value of `NAME=value` lines, such as `/etc/os-release` and `systemctl show`, unquoted.
    pub fn setting(&self, item: &str, name: &str) -> Option<&str> {
        let lines = self.text(item)?.lines();
        let mut found = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.next_back().map(|value| value.trim().trim_matches('"'))
    }

    /// A reading of one item alone, to be understood as the whole is.
    pub fn of_item(item: &str, text: &str) -> Self {
        let items = BTreeMap::from([(item.to_owned(), text.to_owned())]);
        Self { items, clock_skew_s: None }
    }

    /// A reading of these items.
    #[cfg(test)]
    pub fn with(items: &[(&str, &str)]) -> Self {
        let own = items.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Self { items: own.collect(), clock_skew_s: None }
    }
}

/// Names only: texts may be secret.
impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.items.keys()).finish()
    }
}

fn command() -> Command {
    Command::new("sh").arg("-c").arg(SCRIPT).arg("boma-probe").root().timeout(TIMEOUT)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_script_answers_here_with_what_is_there() {
        let mut shell = std::process::Command::new("sh");
        let output = shell.args(["-c", SCRIPT, "boma-probe"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let probe = Probe::parse(&String::from_utf8(output.stdout).unwrap()).unwrap();
        assert!(probe.word("kernel").unwrap().contains(' '));
        assert!(probe.text("meminfo").unwrap().contains("MemTotal:"));
        assert!(probe.word("clock").unwrap().parse::<i64>().unwrap() > 1_700_000_000);
        assert_eq!(probe.text("nodes"), None);
    }

    #[test]
    fn only_the_scripts_own_answer_is_taken() {
        let probe = Probe::parse("{\"hostname\":\"c2VydmVyLTEK\"\n}\n").unwrap();
        assert_eq!(probe.word("hostname"), Some("server-1"));
        assert_eq!(format!("{probe:?}"), "{\"hostname\"}");
        for answer in ["Welcome!\n{}", "", "{\"a\":\"!\"}", "[]"] {
            assert_eq!(Probe::parse(answer), None, "{answer}");
        }
    }

    #[test]
    fn settings_are_unquoted() {
        let probe =
            Probe::with(&[("os-release", "NAME=\"Ubuntu\"\nID=ubuntu\nVERSION_ID=\"22.04\"\n")]);
        assert_eq!(probe.setting("os-release", "VERSION_ID"), Some("22.04"));
        assert_eq!(probe.setting("os-release", "ID"), Some("ubuntu"));
        assert_eq!(probe.setting("os-release", "VARIANT"), None);
    }
}
