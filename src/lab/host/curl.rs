//! `curl`: releases of k3s, and what a k3s server tells over HTTPS.

use sha2::{Digest, Sha256};

use crate::lab::k3s::{https, put_token};
use crate::lab::vsphere::hex;

use super::cluster;
use super::session::{Output, Session};

/// What a command line asks for.
#[derive(Default)]
struct Request {
    url: String,
    output: Option<String>,
    fail: bool,
    silent: bool,
    insecure: bool,
    https_only: bool,
    user: Option<String>,
    write_out: Option<String>,
    method: String,
    data: String,
}

/// `curl`
pub(super) fn curl(session: &mut Session<'_>, words: &[String]) -> Output {
    let request = match Request::read(words, &String::from_utf8_lossy(&session.stdin)) {
        Ok(request) => request,
        Err(option) => {
            return Output::failed(2, format!("curl: option {option}: is unknown"));
        }
    };
    let (scheme, rest) = request.url.split_once("://").unwrap_or(("http", &request.url));
    if request.https_only && scheme != "https" {
        let message = format!("Protocol \"{scheme}\" not supported or disabled in libcurl");
        return request.failed(1, &message);
    }
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let answer = match host.rsplit_once(':') {
        Some((address, "6443")) => api(session, &request, address, &format!("/{path}")),
        _ => release(session, host, path),
    };
    match answer {
        Ok((status, body)) => finish(session, &request, status, body),
        Err((status, message)) => request.failed(status, &message),
    }
}

impl Request {
    fn read(words: &[String], stdin: &str) -> Result<Self, String> {
        let mut request = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().cloned().ok_or_else(|| word.clone());
            match word.as_str() {
                "--proto" => request.https_only = value()?.contains("=https"),
                "--retry" | "--connect-timeout" | "--max-time" | "-m" | "--retry-delay"
                | "--cacert" => {
                    value()?;
                }
                "--tlsv1.2" | "--retry-connrefused" => {}
                "-o" | "--output" => request.output = Some(value()?),
                "-u" | "--user" => request.user = Some(value()?),
                "-w" | "--write-out" => request.write_out = Some(value()?),
                "-K" | "--config" => {
                    value()?;
                    request.configure(stdin);
                }
                "--url" => request.url = value()?,
                "--" => request.url = value()?,
                flags if flags.starts_with('-') && !flags.starts_with("--") => {
                    for flag in flags.chars().skip(1) {
                        match flag {
                            'f' => request.fail = true,
                            's' => request.silent = true,
                            'S' => request.silent = false,
                            'k' => request.insecure = true,
                            'L' | '4' => {}
                            'o' => request.output = Some(value()?),
                            'K' => {
                                value()?;
                                request.configure(stdin);
                            }
                            _ => return Err(word.clone()),
                        }
                    }
                }
                "--fail" => request.fail = true,
                "--silent" => request.silent = true,
                "--show-error" => request.silent = false,
                "--insecure" => request.insecure = true,
                "--location" => {}
                word if word.starts_with('-') => return Err(word.to_owned()),
                url => request.url = url.to_owned(),
            }
        }
        Ok(request)
    }

    /// Takes the settings of a configuration file.
    fn configure(&mut self, text: &str) {
        for line in text.lines() {
            let Some((key, value)) = line.split_once(['=', ' ']) else { continue };
            let value = value.trim().trim_start_matches('=').trim();
            let value: String =
                serde_json::from_str(value).unwrap_or_else(|_| value.trim_matches('"').to_owned());
            match key.trim() {
                "user" => self.user = Some(value),
                "url" => self.url = value,
                "request" => self.method = value,
                "data" => self.data = value,
                _ => {}
            }
        }
    }

    fn failed(&self, status: u32, message: &str) -> Output {
        let message = format!("curl: ({status}) {message}");
        Output::failed(status, if self.silent { String::new() } else { message })
    }
}

type Answer = Result<(u16, Vec<u8>), (u32, String)>;

fn api(session: &mut Session<'_>, request: &Request, address: &str, path: &str) -> Answer {
    let peer = session.peers.at(address);
    let own = address == session.host.facts.address || address == "127.0.0.1";
    let peer = if own { Some(&session.host) } else { peer };
    if !cluster::reachable(session.peers, &session.host, address, 6443) {
        return Err((
            28,
            format!("Failed to connect to {address} port 6443: Connection timed out"),
        ));
    }
    let serves = |host: &&super::model::Host| {
        host.units.get("k3s.service").is_some_and(|unit| unit.running.is_some())
    };
    let cluster = peer.filter(serves).and_then(cluster::data).map(str::to_owned);
    let Some(cluster) = cluster else {
        let message = format!("Failed to connect to {address} port 6443: Connection refused");
        return Err((7, message));
    };
    if !request.insecure {
        return Err((60, "SSL certificate problem: unable to get local issuer certificate".into()));
    }
    let user = request.user.as_deref().and_then(|user| user.split_once(':'));
    if request.method == "PUT" && path == "/v1-k3s/token" {
        let now = session.now;
        let (status, body, effects) =
            put_token(&session.clusters, &cluster, user, &request.data, now);
        session.keep(effects);
        return Ok((status, body.into_bytes()));
    }
    let (status, body) = https(&session.clusters, &cluster, path, user, session.now);
    Ok((status, body.into_bytes()))
}

/// Any mirror has every release of k3s: `…/VERSION/k3s` and `…/VERSION/sha256sum-amd64.txt`.
fn release(session: &Session<'_>, host: &str, path: &str) -> Answer {
    if !session.host.state.default_route {
        return Err((6, format!("Could not resolve host: {host}")));
    }
    let mut parts = path.rsplit('/');
    let (file, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let version = version.replace("%2B", "+").replace("%2b", "+");
    let binary = format!("k3s {version}\n");
    Ok(match file {
        "gpg" => (200, b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n".to_vec()),
        _ if !is_release(&version) => (404, b"Not Found".to_vec()),
        "k3s" => (200, binary.into_bytes()),
        "sha256sum-amd64.txt" => {
            (200, format!("{}  k3s\n", hex(&Sha256::digest(binary.as_bytes()))).into_bytes())
        }
        _ => (404, b"Not Found".to_vec()),
    })
}

/// `v1.35.9+k3s1`
fn is_release(version: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((numbers, build)) = version.strip_prefix('v').and_then(|v| v.split_once("+k3s"))
    else {
        return false;
    };
    number(build) && numbers.split('.').count() == 3 && numbers.split('.').all(number)
}

fn finish(session: &mut Session<'_>, request: &Request, status: u16, body: Vec<u8>) -> Output {
    if request.fail && status >= 400 {
        return request.failed(22, &format!("The requested URL returned error: {status}"));
    }
    let mut output = Output::done();
    match &request.output {
        Some(path) => {
            if let Err(errno) = session.write(path, &body, 0o644) {
                let why = errno.message();
                let mut failed = request.failed(23, "Failure writing output to destination");
                failed.stderr = format!("curl: {path}: {why}\n{}", failed.stderr);
                return failed;
            }
        }
        None => output.stdout = body,
    }
    if let Some(format) = &request.write_out {
        let text = format.replace("%{http_code}", &format!("{status:03}"));
        output.stdout.extend(text.replace("\\n", "\n").into_bytes());
    }
    output
}
