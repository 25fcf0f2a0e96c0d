//! What programs do and refuse.

use crate::lab::HostAction;

use super::client::{Client, Rig};

#[tokio::test]
async fn only_known_keys_log_in() {
    let rig = Rig::new(1).await;
    let port = rig.running.host("10.20.0.11").unwrap();
    let own = rig.running.endpoints.ssh_user_key.clone();
    let client = Client::new(port, "ubuntu", &own).await.unwrap();
    assert_eq!(client.fingerprint, rig.running.hosts()[0].fingerprint);
    let other = crate::lab::host::client_key(99);
    assert!(Client::new(port, "ubuntu", &other).await.is_none());
    assert!(rig.running.host("10.20.0.12").is_none());
    let ended = client.run("hostname", b"").await;
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "node-1\n"));
    let hosts = rig.running.status().unwrap().hosts;
    assert_eq!((hosts[0].connections, hosts[0].commands, hosts[0].programs["hostname"]), (1, 1, 1));
    client.close().await;
}

#[tokio::test]
async fn a_file_is_installed_and_renamed() {
    let rig = Rig::new(1).await;
    let client = rig.connect(1).await;
    let line = "sudo -n -- install -D -o root -g root -m 0600 /dev/stdin /etc/a/.b.boma-new";
    let content = vec![b'x'; 300_000];
    assert_eq!(client.run(line, &content).await.status, Some(0));
    assert_eq!(
        client.run("sudo -n -- mv -fT /etc/a/.b.boma-new /etc/a/b", b"").await.status,
        Some(0)
    );
    let stat = client.run("sudo -n -- stat -c '%a %U %s' /etc/a/b", b"").await;
    assert_eq!(stat.stdout, "600 root 300000\n");
    let changed: Vec<bool> =
        rig.running.status().unwrap().history.iter().map(|command| command.changed).collect();
    assert_eq!(changed, [true, true, false]);
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_the_words_of_the_programs() {
    let rig = Rig::new(1).await;
    let client = rig.connect(1).await;
    for (line, status, message) in [
        (
            "install -m 0644 /dev/stdin /etc/x",
            1,
            "install: cannot create regular file '/etc/x': Permission denied\n",
        ),
        (
            "sudo -n -- install -m 0644 /dev/stdin /nowhere/x",
            1,
            "install: cannot create regular file '/nowhere/x': No such file or directory\n",
        ),
        ("sudo -n -- install -m 9 /dev/stdin /etc/x", 1, "install: invalid mode ‘9’\n"),
        (
            "sudo -n -- install -D /dev/stdin /etc/hostname/x",
            1,
            "install: cannot create directory '/etc/hostname': File exists\n",
        ),
        (
            "sudo -n -- install /dev/stdin /proc/x",
            1,
            "install: cannot create regular file '/proc/x': Read-only file system\n",
        ),
        ("sudo -n -- mv -fT /a /b", 1, "mv: cannot stat '/a': No such file or directory\n"),
        ("cat /etc/none", 1, "cat: /etc/none: No such file or directory\n"),
        ("nano", 127, "sh: 1: nano: not found\n"),
        ("cat /etc/hostname | sh", 2, "sh: 1: Syntax error: \"|\" unexpected\n"),
        (
            "sudo -n -- systemctl start k3s",
            5,
            "Failed to start k3s.service: Unit k3s.service not found.\n",
        ),
        ("systemctl restart ssh", 1, "Failed to restart: Interactive authentication required.\n"),
        ("ufw status", 1, "ERROR: You need to be root to run this script\n"),
        (
            "sudo -n -- curl -fsSL --proto =https -o /tmp/x http://a/v1.35.9%2Bk3s1/k3s",
            1,
            "curl: (1) Protocol \"http\" not supported or disabled in libcurl\n",
        ),
        (
            "curl -fsSL --proto =https https://a/v9/k3s",
            22,
            "curl: (22) The requested URL returned error: 404\n",
        ),
    ] {
        let ended = client.run(line, b"text").await;
        assert_eq!((ended.status, ended.stderr.as_str()), (Some(status), message), "{line}");
    }
}

#[tokio::test]
async fn sudo_asks_for_its_password() {
    let rig = Rig::new(1).await;
    let password = HostAction::SudoPassword(Some("secret".to_owned()));
    rig.running.at_host("node-1", &password).unwrap();
    let client = rig.connect(1).await;
    let refused = client.run("sudo -n -- id -u", b"").await;
    assert_eq!(
        (refused.status, refused.stderr.as_str()),
        (Some(1), "sudo: a password is required\n")
    );
    let wrong = client.run("sudo -S -p '' -- id -u", b"other\n").await;
    assert!(wrong.stderr.contains("1 incorrect password attempt"), "{wrong:?}");
    let line = "sudo -S -p '' -- install -m 0600 /dev/stdin /etc/x";
    assert_eq!(client.run(line, b"secret\ncontent").await.status, Some(0));
    assert_eq!(rig.console(1, "cat /etc/x", ""), "content");
}

#[tokio::test]
async fn a_release_matches_its_checksum() {
    let rig = Rig::new(1).await;
    let client = rig.connect(1).await;
    let base = "https://github.com/k3s-io/k3s/releases/download/v1.35.9%2Bk3s1";
    let list =
        client.run(&format!("curl -fsSL --proto =https {base}/sha256sum-amd64.txt"), b"").await;
    let path = "/usr/local/bin/.k3s.boma-new";
    let get = format!("sudo -n -- curl -fsSL --proto =https --retry 3 -o {path} {base}/k3s");
    assert_eq!(client.run(&get, b"").await.status, Some(0));
    let sum = client.run(&format!("sha256sum {path}"), b"").await;
    assert_eq!(sum.stdout.split(' ').next(), list.stdout.split(' ').next());
    assert!(list.stdout.ends_with("  k3s\n"));
    let version = format!("{path} --version");
    assert_eq!(client.run(&version, b"").await.status, Some(126));
    client.run(&format!("sudo -n -- chmod 0755 {path}"), b"").await;
    let told = client.run(&version, b"").await.stdout;
    assert!(told.starts_with("k3s version v1.35.9+k3s1 ("), "{told}");
}

#[tokio::test]
async fn ufw_keeps_marked_rules_in_its_own_words() {
    let rig = Rig::new(1).await;
    for line in [
        "ufw allow proto tcp from 10.20.0.5/32 to any port 22 comment boma",
        "ufw allow proto tcp from any to any port 80 comment boma",
        "ufw allow from 10.42.0.0/16 to any comment boma",
        "ufw allow 9100/tcp",
        "ufw allow proto udp from 10.20.0.12 to any port 8472 comment boma",
        "ufw delete allow proto udp from 10.20.0.12 to any port 8472",
        "ufw default deny incoming",
        "ufw --force enable",
    ] {
        rig.console(1, line, "");
    }
    let added = "Added user rules (see 'ufw status' for running firewall):
ufw allow from 10.20.0.5 to any port 22 proto tcp comment 'boma'
ufw allow 80/tcp comment 'boma'
ufw allow from 10.42.0.0/16 comment 'boma'
ufw allow 9100/tcp
";
    assert_eq!(rig.console(1, "ufw show added", ""), added);
    let status = rig.console(1, "ufw status verbose", "");
    assert!(status.starts_with("Status: active\nLogging: on (low)\nDefault: deny (incoming)"));
    assert!(
        status
            .contains("22/tcp                     ALLOW IN    10.20.0.5                  # boma\n"),
        "{status}"
    );
}

#[tokio::test]
async fn a_firewall_without_a_way_in_is_taken_back_by_its_timer() {
    let rig = Rig::new(1).await;
    rig.console(1, "mkdir -p /var/lib/boma/firewall-before", "");
    rig.console(1, "cp -aT /etc/ufw /var/lib/boma/firewall-before/etc", "");
    rig.console(1, "cp -aT /etc/default/ufw /var/lib/boma/firewall-before/default", "");
    let arm =
        "systemd-run --unit boma-firewall-revert --on-active 120 -- sh -c x boma-firewall-revert";
    rig.console(1, arm, "");
    let client = rig.connect(1).await;
    rig.console(1, "ufw --force enable", "");
    // Who is in stays in; nobody else gets in.
    assert_eq!(client.run("true", b"").await.status, Some(0));
    let port = rig.running.host("10.20.0.11").unwrap();
    let key = rig.running.endpoints.ssh_user_key.clone();
    let login = Client::new(port, "ubuntu", &key);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(200), login).await.is_err());
    assert_eq!(rig.console(1, "systemctl stop boma-firewall-revert.timer", ""), "");
    let arm = arm.replace("120", "0");
    rig.console(1, &arm, "");
    assert_eq!(rig.console(1, "ufw status", ""), "Status: inactive\n");
    rig.connect(1).await.close().await;
}

#[tokio::test]
async fn docker_comes_from_its_own_packages() {
    let rig = Rig::new(1).await;
    let client = rig.connect(1).await;
    let install = "sudo -n -- env DEBIAN_FRONTEND=noninteractive apt-get -y -q install 'docker-ce=5:24.0.9*' containerd.io";
    assert_eq!(client.run(install, b"").await.status, Some(100));
    let list = "install -D -m 0644 /dev/stdin /etc/apt/sources.list.d/boma-docker.list";
    rig.console(1, list, "deb https://download.docker.com/linux/ubuntu jammy stable\n");
    assert_eq!(client.run(install, b"").await.status, Some(0));
    let version = client.run("dockerd --version", b"").await.stdout;
    assert!(version.starts_with("Docker version 24.0.9, build "), "{version}");
    assert_eq!(client.run("systemctl is-active docker", b"").await.stdout, "active\n");
    rig.running.at_host("node-1", &HostAction::Reboot).unwrap();
    assert_eq!(rig.root(1, "systemctl is-active docker").await.stdout, "active\n");
}
