//! `host/firewall`: boma's own rules of ufw, marked by their comment; all others are left alone.
//!
//! A rule is text: `tcp 22 from 10.20.0.5`, `udp 8472 from any`, `any from 10.42.0.0/16`.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::probe::Probe;
use super::remote::{Remote, command};
use super::{Command, Failure, machine, mark};
use crate::provider::{BoxFuture, Retry};
use crate::resource::{Attributes, Object, Reading};

/// The kind's name.
pub const FIREWALL: &str = "host/firewall";

/// The comment that marks a rule as boma's.
const COMMENT: &str = "boma";

/// The unit that takes a change back unless it is stopped.
const REVERT: &str = "boma-firewall-revert";

/// Where the rules of before lie while a change is not confirmed.
const BEFORE: &str = "/var/lib/boma/firewall-before";

/// How long boma has to log in again. A change of 200 rules takes ufw half a minute.
pub const REVERT_AFTER: Duration = Duration::from_secs(120);

/// What the timer runs.
const REVERT_SCRIPT: &str = include_str!("firewall_revert.sh");

/// What shall be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// boma's rules, all of them. `None` leaves them as they are.
    pub rules: Option<BTreeSet<String>>,
    /// Whether ufw is on and lets in nothing else. `None` and `false` change nothing.
    pub deny: Option<bool>,
}

impl Wanted {
    /// Takes it from a step's attributes.
    pub fn of(attributes: &Json) -> Self {
        let text = |rule: &Json| rule.as_str().map(str::to_owned);
        let rules = attributes["rules"].as_array();
        Self {
            rules: rules.map(|rules| rules.iter().filter_map(text).collect()),
            deny: attributes["default_deny"].as_bool(),
        }
    }
}

/// Reads the kind. Absent where boma never set it up. Rules that the host will take back by itself,
/// as nobody confirmed them yet, do not count: boma was interrupted, and has to say them again.
pub fn read(probe: &Probe) -> Reading {
    let Some(text) = probe.text(&format!("mark/{}", mark::file_name(FIREWALL))) else {
        return Reading::Absent;
    };
    let Some(added) = probe.text("ufw-added") else {
        return Reading::Unread(
            "ufw does not answer on the host; run `sudo ufw show added` there, and install ufw \
             where it is missing"
                .into(),
        );
    };
    let rules = if is_armed(probe) { Vec::new() } else { own_rules(added) };
    let tree = json!({ "rules": rules, "default_deny": denies(probe), "tool": "ufw" });
    Reading::Present(Object {
        id: machine::id(probe),
        attributes: Attributes::new(&tree),
        mark: mark::parse(text),
    })
}

/// What else has to work with new rules, besides SSH.
pub type StillUp<'a> = dyn Fn() -> BoxFuture<'a, Result<(), Failure>> + Sync + 'a;

/// Makes it so. Whatever happens, boma can log in afterwards: the host itself goes back to the
/// rules of before unless a new session says within `revert_after` that it came through, and
/// `still_up` that nothing else is cut off.
///
/// # Errors
/// Any [`Failure`]; where one of the two fails, the host goes back by itself.
pub async fn apply(
    remote: Remote<'_>,
    probe: &Probe,
    wanted: &Wanted,
    revert_after: Duration,
    still_up: &StillUp<'_>,
) -> Result<(), Failure> {
    let Some(added) = probe.text("ufw-added") else {
        return Err(Failure::refused(
            "the host has no ufw that answers",
            "install ufw on it, or set [network] firewall = false",
        ));
    };
    let commands = changes(&own_rules(added), wanted, denies(probe))?;
    if !commands.is_empty() {
        return guarded(remote, &commands, revert_after, still_up).await;
    }
    if is_armed(probe) {
        // The session that read the host came through the rules that an interrupted run made.
        remote.run(&confirmation()).await?;
    }
    Ok(())
}

/// Takes boma's rules away. Where nothing else is let in, the firewall goes off with them: the
/// cluster, and boma, would be cut off.
///
/// # Errors
/// Any [`Failure`].
pub async fn remove(
    remote: Remote<'_>,
    probe: &Probe,
    revert_after: Duration,
) -> Result<(), Failure> {
    let own = probe.text("ufw-added").map(own_rules).unwrap_or_default();
    let none = Wanted { rules: Some(BTreeSet::new()), deny: None };
    let mut commands = Vec::new();
    if denies(probe) && !own.is_empty() {
        commands.push(command(&["ufw", "--force", "disable"]).root());
    }
    commands.extend(changes(&own, &none, false)?);
    if !commands.is_empty() {
        // Where nothing else is let in, the firewall is off by now: nothing can be cut off.
        guarded(remote, &commands, revert_after, &|| Box::pin(async { Ok(()) })).await?;
    }
    remote.root(&["rm", "-f", &mark::path(FIREWALL)]).await?;
    Ok(())
}

/// Runs commands with a way back.
async fn guarded(
    remote: Remote<'_>,
    commands: &[Command],
    revert_after: Duration,
    still_up: &StillUp<'_>,
) -> Result<(), Failure> {
    // One that an interrupted run left armed: this session shows that its rules let boma in.
    let stop = confirmation();
    remote.ask(&stop).await?;
    remote.root(&["mkdir", "-p", BEFORE]).await?;
    remote.root(&["cp", "-aT", "/etc/ufw", &format!("{BEFORE}/etc")]).await?;
    remote.root(&["cp", "-aT", "/etc/default/ufw", &format!("{BEFORE}/default")]).await?;
    let after = revert_after.as_secs().to_string();
    let arm = ["systemd-run", "--unit", REVERT, "--on-active", &after, "--", "sh", "-c"];
    remote.run(&command(&arm).arg(REVERT_SCRIPT).arg(REVERT).root()).await?;
    for change in commands {
        remote.run(change).await?;
    }
    remote.hosts.forget(remote.target).await;
    let is_up = AtomicBool::new(false);
    let confirm = async {
        still_up().await.map_err(|failure| failure.to_string())?;
        is_up.store(true, Ordering::Relaxed);
        Ok(remote.run(&stop).await.map_err(|failure| failure.to_string()))
    };
    let no_login = |cause: &str| {
        let message = format!("boma could not log in again with the new rules: {cause}");
        (message, "let [ssh] from name the address that the host sees boma come from")
    };
    let mend = "give the ports that nodes need in [network] allow";
    let (cut_off, mend) = match tokio::time::timeout(revert_after, confirm).await {
        Ok(Ok(Ok(_))) => return Ok(()),
        Ok(Ok(Err(cause))) => no_login(&cause),
        Ok(Err(cause)) => (cause, mend),
        Err(_) if is_up.load(Ordering::Relaxed) => no_login("no answer"),
        Err(_) => ("with the new rules nobody says in time that the node reports".into(), mend),
    };
    Err(Failure::Refused {
        message: cut_off,
        help: format!(
            "the host restores its previous rules by itself within {after} s; {mend}, then plan \
             again"
        ),
        retry: Retry::Never,
    })
}

/// Ends the timer: the rules stay.
fn confirmation() -> Command {
    command(&["systemctl", "stop", &format!("{REVERT}.timer")]).root()
}

/// Whether the host will go back to earlier rules by itself.
fn is_armed(probe: &Probe) -> bool {
    probe.word("firewall-revert") == Some("active")
}

/// The commands from what is to what shall be: first what opens, then what closes.
fn changes(own: &[String], wanted: &Wanted, denies: bool) -> Result<Vec<Command>, Failure> {
    let mut commands = Vec::new();
    if let Some(rules) = &wanted.rules {
        for rule in rules.iter().filter(|rule| !own.contains(rule)) {
            let words = words(rule).ok_or_else(|| {
                Failure::refused(
                    format!("{rule:?} is no rule for ufw"),
                    "the plan was made by another version of boma: plan again",
                )
            })?;
            commands.push(ufw(&[], &words).arg("comment").arg(COMMENT));
        }
    }
    if wanted.deny == Some(true) && !denies {
        commands.push(command(&["ufw", "default", "deny", "incoming"]).root());
        commands.push(command(&["ufw", "--force", "enable"]).root());
    }
    if let Some(rules) = &wanted.rules {
        for rule in own.iter().filter(|rule| !rules.contains(*rule)) {
            let words =
                words(rule).unwrap_or_else(|| rule.split_whitespace().map(str::to_owned).collect());
            commands.push(ufw(&["delete"], &words));
        }
    }
    Ok(commands)
}

fn ufw(before: &[&str], words: &[String]) -> Command {
    let command = before.iter().fold(Command::new("ufw"), |command, word| command.arg(*word));
    words.iter().fold(command, |command, word| command.arg(word.as_str())).root()
}

/// A rule as ufw's words. `None` where it is none of boma's forms.
fn words(rule: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = rule.split(' ').collect();
    let address = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_hexdigit() || first == ':')
            && text.chars().all(|letter| letter.is_ascii_hexdigit() || ".:/".contains(letter))
    };
    let port = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_digit())
            && text.chars().all(|letter| letter.is_ascii_digit() || letter == ':')
    };
    let words = match parts[..] {
        ["any", "from", source] if address(source) => vec!["allow", "from", source, "to", "any"],
        [protocol @ ("tcp" | "udp"), number, "from", source]
            if port(number) && (source == "any" || address(source)) =>
        {
            vec!["allow", "proto", protocol, "from", source, "to", "any", "port", number]
        }
        _ => return None,
    };
    Some(words.into_iter().map(str::to_owned).collect())
}

/// boma's rules in the output of `ufw show added`, in order.
fn own_rules(added: &str) -> Vec<String> {
    let ending = format!(" comment '{COMMENT}'");
    let own =
        added.lines().filter_map(|line| line.trim().strip_prefix("ufw ")?.strip_suffix(&ending));
    let rules: BTreeSet<String> =
        own.map(|rule| parse(rule).unwrap_or_else(|| rule.to_owned())).collect();
    rules.into_iter().collect()
}

/// One rule as ufw prints it: `allow 80/tcp`, `allow from A to any port 22 proto tcp`.
/// `None` where it is none that boma makes.
fn parse(rule: &str) -> Option<String> {
    let mut words = rule.strip_prefix("allow ")?.split_whitespace().peekable();
    if let Some((port, protocol)) = words.peek().and_then(|word| word.split_once('/'))
        && words.clone().count() == 1
        && matches!(protocol, "tcp" | "udp")
    {
        return Some(format!("{protocol} {port} from any"));
    }
    let (mut source, mut port, mut protocol) = ("any", None, None);
    while let Some(word) = words.next() {
        match (word, words.next()?) {
            ("from", value) => source = value,
            ("to", "any") => {}
            ("port", value) => port = Some(value),
            ("proto", value) => protocol = Some(value),
            _ => return None,
        }
    }
    let source =
        source.strip_suffix("/32").or_else(|| source.strip_suffix("/128")).unwrap_or(source);
    match (protocol, port) {
        (Some(protocol), Some(port)) => Some(format!("{protocol} {port} from {source}")),
        (None, None) => Some(format!("any from {source}")),
        _ => None,
    }
}

/// Whether ufw is on and lets in only what rules say.
fn denies(probe: &Probe) -> bool {
    let status = probe.text("ufw-status").unwrap_or_default();
    let incoming = |line: &str| {
        line.starts_with("Default: deny (incoming)")
            || line.starts_with("Default: reject (incoming)")
    };
    status.lines().any(|line| line == "Status: active") && status.lines().any(incoming)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ADDED: &str = "Added user rules (see 'ufw status' for running firewall):\n\
        ufw allow from 10.20.0.5 to any port 22 proto tcp comment 'boma'\n\
        ufw allow 80/tcp comment 'boma'\n\
        ufw allow from 10.20.0.12 to any port 2379:2380 proto tcp comment 'boma'\n\
        ufw allow from 10.42.0.0/16 comment 'boma'\n\
        ufw allow in on eth1 comment 'boma'\n\
        ufw allow 22/tcp\n\
        ufw allow 9100/tcp comment 'monitoring'\n";
    const OWN: [&str; 5] = [
        "allow in on eth1",
        "any from 10.42.0.0/16",
        "tcp 22 from 10.20.0.5",
        "tcp 2379:2380 from 10.20.0.12",
        "tcp 80 from any",
    ];

    fn check(rules: Option<&[&str]>, deny: Option<bool>, expected: &[&str]) {
        let rules = rules.map(|rules| rules.iter().map(|rule| (*rule).to_owned()).collect());
        let commands = changes(&own_rules(ADDED), &Wanted { rules, deny }, false).unwrap();
        let texts: Vec<String> = commands.iter().map(ToString::to_string).collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn only_rules_with_the_comment_are_boma_s() {
        assert_eq!(own_rules(ADDED), OWN);
    }

    #[test]
    fn what_opens_comes_before_what_closes() {
        check(Some(&OWN), None, &[]);
        check(None, Some(false), &[]);
        let more = [OWN[1], OWN[2], OWN[3], OWN[4], "udp 8472 from 10.20.0.11"];
        let expected = [
            "ufw allow proto udp from 10.20.0.11 to any port 8472 comment boma",
            "ufw default deny incoming",
            "ufw --force enable",
            "ufw delete allow in on eth1",
        ];
        check(Some(&more), Some(true), &expected);
    }

    #[test]
    fn a_rule_is_never_an_option() {
        for rule in ["tcp -f from any", "tcp 22 from --help", "any from any", "tcp 22 from x;y", ""]
        {
            assert_eq!(words(rule), None, "{rule}");
        }
    }

    #[test]
    fn default_deny_counts_only_while_ufw_is_on() {
        let deny = "Default: deny (incoming), allow (outgoing), disabled (routed)\n";
        let status = |text: String| Probe::with(&[("ufw-status", &text)]);
        assert!(denies(&status(format!("Status: active\nLogging: on (low)\n{deny}"))));
        assert!(!denies(&status("Status: inactive\n".into())));
        assert!(!denies(&status("Status: active\nDefault: allow (incoming)\n".into())));
    }

    #[test]
    fn what_has_no_mark_or_is_not_confirmed_is_not_boma_s() {
        assert_eq!(read(&Probe::with(&[("ufw-added", ADDED)])), Reading::Absent);
        let mark = r#"{"lineage":"l","address":"host/firewall/a"}"#;
        let probe = Probe::with(&[("ufw-added", ADDED), ("mark/host-firewall.json", mark)]);
        let object = read(&probe).object().cloned().unwrap();
        assert_eq!(object.attributes.tree()["rules"], json!(OWN));
        assert_eq!(object.mark.unwrap().lineage, "l");
        let armed = Probe::with(&[
            ("ufw-added", ADDED),
            ("mark/host-firewall.json", mark),
            ("firewall-revert", "active\n"),
        ]);
        let object = read(&armed).object().cloned().unwrap();
        assert_eq!(object.attributes.tree()["rules"], json!([]));
        let silent = Probe::with(&[("mark/host-firewall.json", mark)]);
        assert!(matches!(read(&silent), Reading::Unread(_)));
    }
}
