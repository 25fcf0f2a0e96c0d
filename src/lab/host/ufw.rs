//! `ufw`: its state is what its files say, as on a real host.

use std::net::IpAddr;

use super::content::Content;
use super::model::Host;
use super::session::{Output, Session};

/// What the files of ufw come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Firewall {
    pub active: bool,
    /// `deny`, `reject` or `allow`.
    pub incoming: String,
    pub rules: Vec<Rule>,
}

/// One rule for what comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// `allow`, `deny`, `reject` or `limit`.
    pub action: String,
    /// `tcp`, `udp` or `any`.
    pub protocol: String,
    /// `22`, `2379:2380` or `any`.
    pub port: String,
    /// An address, a network, or `any`.
    pub source: String,
    pub comment: String,
}

const CONF: &str = "/etc/ufw/ufw.conf";
const DEFAULTS: &str = "/etc/default/ufw";
const RULES: &str = "/etc/ufw/user.rules";
/// What its state is read from.
pub(super) const FILES: [&str; 3] = [CONF, DEFAULTS, RULES];

/// `ufw`
pub(super) fn ufw(session: &mut Session<'_>, words: &[String]) -> Output {
    if !session.root {
        return Output::failed(1, "ERROR: You need to be root to run this script");
    }
    let force = words.first().is_some_and(|word| word == "--force");
    let words: Vec<&str> = words.iter().skip(usize::from(force)).map(String::as_str).collect();
    let mut firewall = Firewall::of(&session.host);
    let output = match words.as_slice() {
        ["status", rest @ ..] => return Output::text(firewall.status(rest == ["verbose"])),
        ["show", "added"] => return Output::text(firewall.added()),
        ["enable"] if !force && firewall.incoming != "allow" => {
            return Output::text(
                "Command may disrupt existing ssh connections. Proceed with operation (y|n)? Aborted\n",
            );
        }
        ["enable"] => {
            firewall.active = true;
            Output::text("Firewall is active and enabled on system startup\n")
        }
        ["disable"] => {
            firewall.active = false;
            Output::text("Firewall stopped and disabled on system startup\n")
        }
        ["reload"] if firewall.active => return Output::text("Firewall reloaded\n"),
        ["reload"] => return Output::text("Firewall not enabled (skipping reload)\n"),
        ["default", policy @ ("deny" | "allow" | "reject"), "incoming"] => {
            firewall.incoming = (*policy).to_owned();
            Output::text(format!(
                "Default incoming policy changed to '{policy}'\n(be sure to update your rules accordingly)\n"
            ))
        }
        ["delete", rest @ ..] => match Rule::read(rest) {
            Some(rule) => firewall.delete(&rule),
            None => return Output::failed(1, "ERROR: Invalid syntax"),
        },
        rest => match Rule::read(rest) {
            Some(rule) => firewall.add(rule),
            None => return Output::failed(1, "ERROR: Invalid syntax"),
        },
    };
    firewall.store(&mut session.host, session.now);
    output
}

impl Firewall {
    /// Reads the files.
    pub(super) fn of(host: &Host) -> Self {
        let setting = |path: &str, name: &str| {
            let text = host.text(path)?;
            let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            found.map(|value| value.trim_matches('"').to_owned())
        };
        let policy = setting(DEFAULTS, "DEFAULT_INPUT_POLICY").unwrap_or_default();
        let incoming = match policy.as_str() {
            "ACCEPT" => "allow",
            "REJECT" => "reject",
            _ => "deny",
        };
        let rules = host.text(RULES).unwrap_or_default();
        Self {
            active: setting(CONF, "ENABLED").is_some_and(|value| value == "yes"),
            incoming: incoming.to_owned(),
            rules: rules.lines().filter_map(Rule::from_tuple).collect(),
        }
    }

    /// Writes the files.
    pub(super) fn store(&self, host: &mut Host, now_ms: u64) {
        let enabled = if self.active { "yes" } else { "no" };
        let policy = match self.incoming.as_str() {
            "allow" => "ACCEPT",
            "reject" => "REJECT",
            _ => "DROP",
        };
        let rules: String = self.rules.iter().map(|rule| rule.tuple() + "\n").collect();
        for (path, text, mode) in [
            (CONF, format!("ENABLED={enabled}\nLOGLEVEL=low\n"), 0o644),
            (DEFAULTS, format!("IPV6=yes\nDEFAULT_INPUT_POLICY=\"{policy}\"\n"), 0o644),
            (RULES, rules, 0o640),
        ] {
            if host.text(path).as_deref() != Some(&text) {
                host.place(path, Content(text.into_bytes()), mode, now_ms);
            }
        }
    }

    /// Whether a new connection from an address to a port gets in.
    pub(super) fn admits(&self, protocol: &str, port: u16, from: &str) -> bool {
        let hit = self.rules.iter().find(|rule| rule.hits(protocol, port, Some(from)));
        !self.active
            || hit.map_or(self.incoming == "allow", |rule| {
                matches!(rule.action.as_str(), "allow" | "limit")
            })
    }

    /// Whether anybody at all gets in at a port.
    pub(super) fn is_open(&self, protocol: &str, port: u16) -> bool {
        let opens = |rule: &Rule| rule.action != "deny" && rule.hits(protocol, port, None);
        !self.active || self.incoming == "allow" || self.rules.iter().any(opens)
    }

    fn add(&mut self, rule: Rule) -> Output {
        let done = if self.active { "Rule added\n" } else { "Rules updated\n" };
        if self.rules.contains(&rule) {
            return Output::text("Skipping adding existing rule\n");
        }
        match self.rules.iter_mut().find(|known| known.matches(&rule)) {
            Some(known) => {
                *known = rule;
                Output::text("Rule updated\n")
            }
            None => {
                self.rules.push(rule);
                Output::text(done)
            }
        }
    }

    fn delete(&mut self, rule: &Rule) -> Output {
        let before = self.rules.len();
        self.rules.retain(|known| !(known.matches(rule) && known.action == rule.action));
        let done = if self.active { "Rule deleted\n" } else { "Rules updated\n" };
        let missing = "Could not delete non-existent rule\n";
        Output::text(if self.rules.len() < before { done } else { missing })
    }

    pub(super) fn added(&self) -> String {
        let mut text = "Added user rules (see 'ufw status' for running firewall):\n".to_owned();
        if self.rules.is_empty() {
            text += "(None)\n";
        }
        for rule in &self.rules {
            text += &format!("ufw {}\n", rule.command());
        }
        text
    }

    pub(super) fn status(&self, verbose: bool) -> String {
        if !self.active {
            return "Status: inactive\n".to_owned();
        }
        let mut text = "Status: active\n".to_owned();
        if verbose {
            text += &format!(
                "Logging: on (low)\nDefault: {} (incoming), allow (outgoing), disabled (routed)\nNew profiles: skip\n",
                self.incoming
            );
        }
        if self.rules.is_empty() {
            return text;
        }
        text += "\nTo                         Action      From\n--                         ------      ----\n";
        for rule in &self.rules {
            let to = match (rule.port.as_str(), rule.protocol.as_str()) {
                ("any", _) => "Anywhere".to_owned(),
                (port, "any") => port.to_owned(),
                (port, protocol) => format!("{port}/{protocol}"),
            };
            let from = if rule.source == "any" { "Anywhere" } else { &rule.source };
            let action = format!("{} IN", rule.action.to_uppercase());
            let line = format!("{to:<27}{action:<12}{from:<27}");
            let comment = match rule.comment.as_str() {
                "" => String::new(),
                comment => format!("# {comment}"),
            };
            text += &format!("{}\n", format!("{line}{comment}").trim_end());
        }
        text
    }
}

impl Rule {
    /// Reads ufw's simple and full syntax.
    fn read(words: &[&str]) -> Option<Self> {
        let (action, rest) = words.split_first()?;
        if !matches!(*action, "allow" | "deny" | "reject" | "limit") {
            return None;
        }
        let any = || "any".to_owned();
        let mut rule = Self {
            action: (*action).to_owned(),
            protocol: any(),
            port: any(),
            source: any(),
            comment: String::new(),
        };
        let rest = rest.strip_prefix(&["in"]).unwrap_or(rest);
        let mut words = rest.iter();
        let simple = rest.first().filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        if let Some(simple) = simple {
            words.next();
            let (port, protocol) = simple.split_once('/').unwrap_or((simple, "any"));
            (rule.port, rule.protocol) = (port.to_owned(), protocol.to_owned());
        }
        while let Some(word) = words.next() {
            let value = (*words.next()?).to_owned();
            match *word {
                "proto" => rule.protocol = value,
                "from" => rule.source = plain(&value)?,
                "to" if value == "any" => {}
                "port" => rule.port = value,
                "comment" => rule.comment = value,
                _ => return None,
            }
        }
        rule.is_sound().then_some(rule)
    }

    fn is_sound(&self) -> bool {
        let mut bounds = self.port.split(':');
        let ports = self.port == "any" || bounds.all(|bound| bound.parse::<u16>().is_ok());
        let range = self.port.contains(':');
        ports
            && matches!(self.protocol.as_str(), "tcp" | "udp" | "any")
            && !(range && self.protocol == "any")
    }

    /// The same traffic, whatever happens to it and whatever is said of it.
    fn matches(&self, other: &Self) -> bool {
        (&self.protocol, &self.port, &self.source) == (&other.protocol, &other.port, &other.source)
    }

    fn hits(&self, protocol: &str, port: u16, from: Option<&str>) -> bool {
        let (low, high) = self.port.split_once(':').unwrap_or((&self.port, &self.port));
        let bound = |text: &str| text.parse::<u16>().ok();
        let ports = self.port == "any"
            || bound(low).zip(bound(high)).is_some_and(|(low, high)| (low..=high).contains(&port));
        ports
            && (self.protocol == "any" || self.protocol == protocol)
            && from.is_none_or(|from| contains(&self.source, from))
    }

    /// As `ufw show added` writes it.
    pub(super) fn command(&self) -> String {
        let comment = match self.comment.as_str() {
            "" => String::new(),
            comment => format!(" comment '{comment}'"),
        };
        let action = &self.action;
        match (self.source.as_str(), self.port.as_str(), self.protocol.as_str()) {
            ("any", "any", _) => format!("{action} from any{comment}"),
            ("any", port, "any") => format!("{action} {port}{comment}"),
            ("any", port, protocol) => format!("{action} {port}/{protocol}{comment}"),
            (source, "any", "any") => format!("{action} from {source}{comment}"),
            (source, "any", protocol) => {
                format!("{action} from {source} proto {protocol}{comment}")
            }
            (source, port, "any") => format!("{action} from {source} to any port {port}{comment}"),
            (source, port, protocol) => {
                format!("{action} from {source} to any port {port} proto {protocol}{comment}")
            }
        }
    }

    /// A line of `user.rules`.
    fn tuple(&self) -> String {
        let source = if self.source == "any" { "0.0.0.0/0" } else { &self.source };
        let comment = match self.comment.as_str() {
            "" => String::new(),
            comment => format!(" comment={}", crate::lab::vsphere::hex(comment.as_bytes())),
        };
        let Self { action, protocol, port, .. } = self;
        format!("### tuple ### {action} {protocol} {port} 0.0.0.0/0 any {source} in{comment}")
    }

    fn from_tuple(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.strip_prefix("### tuple ### ")?.split(' ').collect();
        let [action, protocol, port, _, _, source, _, rest @ ..] = words.as_slice() else {
            return None;
        };
        let comment = rest.first().and_then(|word| word.strip_prefix("comment="));
        Some(Self {
            action: (*action).to_owned(),
            protocol: (*protocol).to_owned(),
            port: (*port).to_owned(),
            source: if *source == "0.0.0.0/0" { "any" } else { source }.to_owned(),
            comment: comment.and_then(from_hex).unwrap_or_default(),
        })
    }
}

/// An address as ufw keeps it: without the length of a whole address.
fn plain(source: &str) -> Option<String> {
    if source == "any" {
        return Some(source.to_owned());
    }
    let (address, length) = match source.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (source, None),
    };
    let parsed: IpAddr = address.parse().ok()?;
    let whole = if parsed.is_ipv4() { 32 } else { 128 };
    match length {
        Some(length) if length > whole => None,
        Some(length) if length < whole => Some(source.to_owned()),
        _ => Some(address.to_owned()),
    }
}

fn contains(network: &str, address: &str) -> bool {
    if network == "any" {
        return true;
    }
    let (base, length) = network.split_once('/').unwrap_or((network, "32"));
    let bits = |text: &str| text.parse::<std::net::Ipv4Addr>().ok().map(u32::from);
    let length = length.parse::<u32>().unwrap_or(32).min(32);
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    match (bits(base), bits(address)) {
        (Some(base), Some(address)) => base & mask == address & mask,
        _ => base == address,
    }
}

fn from_hex(text: &str) -> Option<String> {
    let bytes = text
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()
}
