//! systemd units of k3s: boma's own, and reading those of others.

/// What a machine is to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Control plane and etcd.
    Server,
    /// A worker.
    Agent,
}

impl Role {
    /// The role that k3s's command line calls so.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "server" => Some(Self::Server),
            "agent" => Some(Self::Agent),
            _ => None,
        }
    }

    /// As on k3s's command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Agent => "agent",
        }
    }

    /// The name of its unit, without the ending.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Server => "k3s",
            Self::Agent => "k3s-agent",
        }
    }

    /// The kind of its resource.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Server => "k3s/server",
            Self::Agent => "k3s/agent",
        }
    }

    /// The role of a kind.
    pub fn of_kind(kind: &str) -> Option<Self> {
        Self::named(kind.strip_prefix("k3s/")?)
    }
}

/// The unit file of a role. Its only arguments are the role's: everything else is in config.yaml.
///
/// As the k3s installer's, and after Docker, which may run k3s's containers.
pub fn render(role: Role) -> String {
    let (name, word) = (role.unit(), role.word());
    format!(
        "[Unit]\n\
         Description=Lightweight Kubernetes\n\
         Documentation=https://k3s.io\n\
         Wants=network-online.target\n\
         After=network-online.target docker.service\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n\
         \n\
         [Service]\n\
         Type=notify\n\
         EnvironmentFile=-/etc/default/%N\n\
         EnvironmentFile=-/etc/sysconfig/%N\n\
         EnvironmentFile=-/etc/systemd/system/{name}.service.env\n\
         KillMode=process\n\
         Delegate=yes\n\
         LimitNOFILE=1048576\n\
         LimitNPROC=infinity\n\
         LimitCORE=infinity\n\
         TasksMax=infinity\n\
         TimeoutStartSec=0\n\
         Restart=always\n\
         RestartSec=5s\n\
         ExecStartPre=-/sbin/modprobe br_netfilter\n\
         ExecStartPre=-/sbin/modprobe overlay\n\
         ExecStart=/usr/local/bin/k3s {word}\n"
    )
}

/// The command line of a unit: program, role, arguments. Drop-ins come after the unit's own text;
/// the last `ExecStart` counts. `None` where there is none.
pub fn exec_start(text: &str) -> Option<Vec<String>> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let commands = joined.lines().filter_map(|line| line.trim_start().strip_prefix("ExecStart="));
    let mut commands = commands.map(str::trim).filter(|command| !command.is_empty());
    commands.next_back().map(words)
}

/// The variables of environment files and of a unit's own `Environment=` lines, in order.
pub fn environment(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    let pairs = lines.flat_map(|line| match line.strip_prefix("Environment=") {
        Some(several) => words(several),
        None => vec![unquoted(line)],
    });
    let pairs = pairs.filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        (!name.is_empty() && name.chars().all(plain)).then(|| (name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}

/// Splits as systemd does: quotes group words, a backslash keeps the next letter, `$$` is `$`.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), letter) if open == letter => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t') => words.extend(word.take()),
            (_, '\\') => word.get_or_insert_default().extend(letters.next()),
            (_, '$') if letters.peek() == Some(&'$') => {
                letters.next();
                word.get_or_insert_default().push('$');
            }
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// `NAME='value'` without the quotes.
fn unquoted(line: &str) -> String {
    let Some((name, value)) = line.split_once('=') else { return line.to_owned() };
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    format!("{name}={}", inner('\'').or_else(|| inner('"')).unwrap_or(value))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn boma_s_own_unit_has_no_arguments() {
        assert_eq!(exec_start(&render(Role::Agent)).unwrap(), ["/usr/local/bin/k3s", "agent"]);
    }

    #[test]
    fn the_installers_unit_is_read() {
        let text = "[Service]\nExecStartPre=/bin/sh -xc '! x'\nExecStart=/usr/local/bin/k3s \\\n    server \\\n\t'--docker' \\\n\t'--token' \\\n\t'a b$$c' \\\n\t\"--kubelet-arg=x=y\" \\\n\n";
        let expected =
            ["/usr/local/bin/k3s", "server", "--docker", "--token", "a b$c", "--kubelet-arg=x=y"];
        assert_eq!(exec_start(text).unwrap(), expected);
        let dropped =
            format!("{text}\n[Service]\nExecStart=\nExecStart=/usr/local/bin/k3s server\n");
        assert_eq!(exec_start(&dropped).unwrap().len(), 2);
        assert_eq!(exec_start("[Service]\n"), None);
    }

    #[test]
    fn environment_files_are_read() {
        let text = "# from the installer\nK3S_TOKEN='x=y'\nK3S_KUBECONFIG_MODE=\"644\"\nPLAIN=1\nnot a variable\n";
        let pairs = environment(text);
        let expected = [("K3S_TOKEN", "x=y"), ("K3S_KUBECONFIG_MODE", "644"), ("PLAIN", "1")];
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(pairs, expected);
        assert_eq!(environment("Environment=A=1 \"B=2 3\"")[1].1, "2 3");
    }
}
