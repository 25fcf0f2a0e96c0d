//! `[vcenter]`, `[ssh]`, `[network]`, `[images]`, `[backup]`, `[[waivers]]` and `[rules]`

use super::view::View;
use crate::diag::{Diagnostic, Level};
use crate::resource::Glob;
use crate::spec::scalar::{parse_cidr, parse_date, parse_duration, parse_thumbprint};
use crate::spec::source::Wrong;
use crate::spec::{
    Allow, AllowOn, Backup, BackupMode, EtcdBackup, Images, Jump, Network, ProjectBackup, Protocol,
    RegistryLogin, RuleLevel, S3, Seconds, Sp, Ssh, StorageAccount, Subnet, Trust, Vcenter, Waiver,
};

pub(super) fn vcenter(view: &View<'_>, found: &mut Vec<Diagnostic>) -> Vcenter {
    let account = view.section("storage_account");
    Vcenter {
        place: view.place(),
        server: view.text("server").map(|server| server.to_ascii_lowercase()),
        port: view.port("port"),
        username: view.secret("username"),
        password: view.secret("password"),
        trust: trust(view, found),
        datacenter: view.text("datacenter"),
        cluster: view.text("cluster"),
        datastore: view.text("datastore"),
        resource_pool: view.text_opt("resource_pool"),
        hosts: view.texts("hosts"),
        storage_account: StorageAccount {
            principal: account.text("principal"),
            password: account.secret("password"),
        },
    }
}

/// At most one of the three ways is written.
fn trust(view: &View<'_>, found: &mut Vec<Diagnostic>) -> Sp<Trust> {
    let insecure = view.bool("insecure");
    let ways = [
        view.text_opt("ca_file").map(|path| path.map(Trust::CaFile)),
        view.parsed_opt("thumbprint", parse_thumbprint, String::new())
            .map(|thumbprint| thumbprint.map(Trust::Thumbprint)),
        insecure.value.then(|| insecure.map(|_| Trust::Insecure)),
    ];
    let mut ways = ways.into_iter().flatten();
    let way = ways.next();
    for other in ways {
        let wrong = Wrong::new(
            "[vcenter] says in more than one way how the certificate is checked",
            "a second way",
            "keep one of ca_file, thumbprint and insecure",
        );
        found.push(wrong.error(&other.place));
    }
    way.unwrap_or_else(|| view.filler(Trust::System))
}

pub(super) fn ssh(view: &View<'_>) -> Ssh {
    Ssh {
        place: view.place(),
        user: view.text("user"),
        port: view.port("port"),
        key: view.secret_opt("key"),
        authorized_keys: view.texts("authorized_keys"),
        sudo_password: view.secret_opt("sudo_password"),
        from: view.list("from", parse_cidr),
        known_hosts: view.text_opt("known_hosts"),
        host_keys: view.text_map("host_keys"),
        jump: view.section_opt("jump").map(|jump| Jump {
            host: jump.text("host"),
            port: jump.port("port"),
            user: jump.text("user"),
            key: jump.secret_opt("key"),
            host_key: jump.text_opt("host_key"),
        }),
        connect_timeout: seconds(view, "connect_timeout"),
        command_timeout: seconds(view, "command_timeout"),
        idle_timeout: seconds(view, "idle_timeout"),
    }
}

pub(super) fn network(view: &View<'_>) -> Network {
    let allow = |view: View<'_>| Allow {
        place: view.place(),
        from: subnet(&view, "from"),
        port: view.port("port"),
        protocol: view.choice("protocol", |word| match word {
            "udp" => Protocol::Udp,
            _ => Protocol::Tcp,
        }),
        on: view.choice("on", |word| match word {
            "servers" => AllowOn::Servers,
            "agents" => AllowOn::Agents,
            _ => AllowOn::All,
        }),
    };
    Network {
        place: view.place(),
        firewall: view.bool("firewall"),
        ingress_from: view.list("ingress_from", parse_cidr),
        allow: view.sections("allow").into_iter().map(allow).collect(),
        default_deny: view.bool_opt("default_deny"),
    }
}

pub(super) fn images(view: &View<'_>) -> Images {
    let login = |(name, view): (Sp<String>, View<'_>)| {
        let login =
            RegistryLogin { username: view.secret("username"), password: view.secret("password") };
        (name.value, login)
    };
    Images {
        place: view.place(),
        mirrors: view.text_map("mirrors"),
        credentials: view.tables("credentials").into_iter().map(login).collect(),
        replace: view.text_map("replace"),
    }
}

pub(super) fn backup(view: &View<'_>, found: &mut Vec<Diagnostic>) -> Backup {
    let reason = view.text_opt("reason");
    let mode = view.text("mode").map(|mode| match mode.as_str() {
        "external" => {
            BackupMode::External(reason.clone().map(|reason| reason.value).unwrap_or_default())
        }
        _ => BackupMode::Managed,
    });
    if matches!(&mode.value, BackupMode::External(_)) && reason.is_none() {
        let wrong = Wrong::new(
            "backups by something else need `reason`",
            "no reason is given",
            "add: reason = \"what takes them, and how a restore is tested\"",
        );
        found.push(wrong.error(&mode.place));
    }
    for name in ["etcd", "projects"] {
        if matches!(&mode.value, BackupMode::External(_)) && view.has(name) {
            let wrong = Wrong::new(
                format!("[backup.{name}] has no effect: something else takes backups"),
                "without effect",
                "leave the table out, or write mode = \"managed\"",
            );
            found.push(wrong.warning(&view.place_of(name)));
        }
    }
    let etcd = view.section("etcd");
    Backup {
        place: view.place(),
        mode,
        age_max: seconds(view, "age_max"),
        etcd: EtcdBackup {
            schedule: etcd.text("schedule"),
            keep: etcd.number("keep"),
            s3: etcd.section_opt("s3").map(|view| s3(&view)),
        },
        projects: project_backup(&view.section("projects")),
    }
}

pub(super) fn project_backup(view: &View<'_>) -> ProjectBackup {
    ProjectBackup { schedule: view.text("schedule"), keep: view.number("keep") }
}

fn s3(view: &View<'_>) -> S3 {
    S3 {
        place: view.place(),
        endpoint: view.text("endpoint"),
        bucket: view.text("bucket"),
        region: view.text("region"),
        folder: view.text_opt("folder"),
        access_key: view.secret("access_key"),
        secret_key: view.secret("secret_key"),
    }
}

pub(super) fn review(root: &View<'_>) -> (Vec<Waiver>, Vec<RuleLevel>) {
    let waiver = |view: View<'_>| Waiver {
        place: view.place(),
        rule: view.text("rule"),
        reason: view.text("reason"),
        expires: view.parsed("expires", parse_date, jiff::civil::Date::MIN),
        address: view.parsed_opt("address", |text| Ok(Glob::new(text)), Glob::new("")),
    };
    let level = |(name, place, word): (String, _, Sp<String>)| RuleLevel {
        rule: Sp { value: name, place },
        level: word.map(|word| match word.as_str() {
            "allow" => Level::Allow,
            "warn" => Level::Warn,
            _ => Level::Deny,
        }),
    };
    let waivers = root.sections("waivers").into_iter().map(waiver).collect();
    let rules = root.named_texts("rules").into_iter().map(level).collect();
    (waivers, rules)
}

pub(super) fn seconds(view: &View<'_>, name: &str) -> Sp<Seconds> {
    view.parsed(name, |text| parse_duration(text).map(Seconds), Seconds(0))
}

/// The filler holds every address, so nothing is found to be outside of it.
pub(super) fn subnet(view: &View<'_>, name: &str) -> Sp<Subnet> {
    let all = Subnet { network: std::net::Ipv4Addr::UNSPECIFIED, prefix: 0 };
    view.parsed(name, parse_cidr, all)
}
