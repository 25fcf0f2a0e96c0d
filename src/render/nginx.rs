//! A configuration for the nginx that stands outside the cluster.

use super::json::{HostJson, InventoryJson};

/// The whole file, for nginx' `http` context. Equal inventories give equal bytes; addresses and
/// host names have the characters that the spec lets them have, so nothing needs quotes.
///
/// nginx has every project's certificate and passes requests on by their `Host`, which the
/// cluster's entry routes by: plainly, or over TLS where the cluster has the certificate too,
/// because the entry then answers on 443 only.
pub fn nginx_text(inventory: &InventoryJson) -> String {
    let projects = &inventory.projects;
    let mut text = HEAD.replace("NAME", &inventory.name);
    for (scheme, port) in [("http", 80), ("https", 443)] {
        if projects.iter().any(|project| scheme_of(project) == scheme) {
            text += &upstream(inventory, scheme, port);
        }
    }
    if !projects.is_empty() {
        text += &redirect(projects);
    }
    text.extend(projects.iter().map(|project| server(&inventory.name, project)));
    text
}

const HEAD: &str = "\
# The way into NAME. `boma inventory --format nginx` made it: make it anew when machines or projects
# change. It belongs in the http context, as /etc/nginx/conf.d/NAME.conf.
#
# Certificates and keys are expected where certbot keeps them. Where nginx cannot build its hash of
# server names, set `server_names_hash_bucket_size 128;` in the http context.
";

/// The figures are those of CHT's own nginx (cht-core, `nginx/nginx.conf`): an hour for slow
/// replication and long polls, 32 MB for uploads.
const PASS: &str = "        proxy_http_version 1.1;
        proxy_set_header Connection \"\";
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Host $host;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_connect_timeout 5s;
        proxy_send_timeout 3600s;
        proxy_read_timeout 3600s;
";

/// How the cluster is spoken to.
fn scheme_of(project: &HostJson) -> &'static str {
    if project.tls { "https" } else { "http" }
}

fn upstream(inventory: &InventoryJson, scheme: &str, port: u16) -> String {
    let mut text = format!("\nupstream {}-{scheme} {{\n", inventory.name);
    text.extend(inventory.entry.iter().map(|ip| format!("    server {ip}:{port};\n")));
    text + "    keepalive 32;\n}\n"
}

/// A location of its own, so that another one may answer the challenges of a certificate authority.
fn redirect(projects: &[HostJson]) -> String {
    let names: String =
        projects.iter().map(|project| format!("\n        {}", project.host)).collect();
    format!(
        "\nserver {{\n    listen 80;\n    server_name{names};\n    location / {{\n        \
         return 301 https://$host$request_uri;\n    }}\n}}\n"
    )
}

fn server(name: &str, project: &HostJson) -> String {
    let (host, scheme) = (&project.host, scheme_of(project));
    let mut text = format!(
        "\n# {}\nserver {{\n    listen 443 ssl;\n    server_name {host};\n    \
         ssl_certificate /etc/letsencrypt/live/{host}/fullchain.pem;\n    \
         ssl_certificate_key /etc/letsencrypt/live/{host}/privkey.pem;\n    \
         client_max_body_size 32m;\n    location / {{\n        proxy_pass {scheme}://{name}-{scheme};\n",
        project.name
    );
    text.push_str(PASS);
    if project.tls {
        text.push_str("        proxy_ssl_server_name on;\n        proxy_ssl_name $host;\n");
    }
    text + "    }\n}\n"
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::inventory::tests::small;
    use super::*;

    /// The directives and blocks of a file as nginx reads them: words up to `;`, `{` or `}`.
    fn directives(text: &str) -> Vec<(usize, Vec<String>)> {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let (mut depth, mut words, mut found) = (0_usize, Vec::new(), Vec::new());
        for word in lines.flat_map(str::split_whitespace) {
            let bare = word.trim_end_matches(['{', '}', ';']);
            words.extend((!bare.is_empty()).then(|| bare.to_owned()));
            match word.chars().last().unwrap() {
                ';' => {
                    assert!(!words.is_empty(), "an empty directive");
                    found.push((depth, std::mem::take(&mut words)));
                }
                '{' => {
                    found.push((depth, std::mem::take(&mut words)));
                    depth += 1;
                }
                '}' => {
                    assert!(words.is_empty(), "{words:?} has no semicolon");
                    depth = depth.checked_sub(1).unwrap();
                }
                _ => {}
            }
        }
        assert_eq!((depth, words.len()), (0, 0));
        found
    }

    fn check(inventory: &InventoryJson, name: &str, expected: &[&str]) {
        let all = directives(&nginx_text(inventory));
        let found: Vec<String> = all
            .iter()
            .filter(|(_, words)| words[0] == name)
            .map(|(_, words)| words[1..].join(" "))
            .collect();
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn every_host_is_passed_to_every_machine_of_the_entry() {
        let inventory = small();
        check(&inventory, "upstream", &["small-http", "small-https"]);
        let names = ["a.example.org b.example.org", "a.example.org", "b.example.org"];
        check(&inventory, "server_name", &names);
        check(&inventory, "proxy_pass", &["http://small-http", "https://small-https"]);
        check(&inventory, "proxy_ssl_server_name", &["on"]);
        check(&inventory, "client_max_body_size", &["32m", "32m"]);
        check(&inventory, "proxy_read_timeout", &["3600s", "3600s"]);
        let text = nginx_text(&inventory);
        for address in ["10.20.0.21:80", "10.20.0.22:80", "10.20.0.21:443", "10.20.0.22:443"] {
            assert!(text.contains(&format!("    server {address};\n")), "{text}");
        }
    }

    #[test]
    fn an_upstream_that_nobody_uses_is_left_out() {
        let mut inventory = small();
        inventory.projects.truncate(1);
        check(&inventory, "upstream", &["small-http"]);
        inventory.projects.clear();
        check(&inventory, "server", &[]);
    }
}
