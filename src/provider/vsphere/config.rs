//! What is needed to speak to a vCenter.

use std::fmt;
use std::net::IpAddr;

use secrecy::SecretString;

/// How the server's certificate is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// By the authorities that this machine trusts.
    SystemRoots,
    /// By these authorities only: one or more certificates as PEM text.
    CaPem(String),
    /// By the SHA-256 of the server's own certificate, in hexadecimal with or without colons.
    /// Neither issuer, name nor dates are looked at then.
    Thumbprint(String),
    /// Not at all.
    Insecure,
}

/// Where a vCenter is and as whom to log in.
#[derive(Clone)]
pub struct VcenterConfig {
    /// Name or address, without scheme and port.
    pub host: String,
    /// 443 unless the spec says otherwise.
    pub port: u16,
    /// `user@domain` or `DOMAIN\user`.
    pub username: String,
    /// Sent in `Login` only.
    pub password: SecretString,
    /// How the certificate is checked.
    pub trust: Trust,
    /// Shown in vCenter's session list: `boma/0.1.0`.
    pub user_agent: String,
}

impl VcenterConfig {
    /// `host:port` as printed in messages.
    pub fn server(&self) -> String {
        format!("{}:{}", self.bracketed(), self.port)
    }

    /// The address of the SOAP endpoint.
    pub fn url(&self) -> String {
        format!("https://{}/sdk", self.server())
    }

    /// The address of PBM, which knows storage policies.
    pub fn pbm_url(&self) -> String {
        format!("https://{}/pbm", self.server())
    }

    /// Whether the server is on this machine: proxies are never asked then.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    fn bracketed(&self) -> String {
        match self.host.parse() {
            Ok(IpAddr::V6(_)) => format!("[{}]", self.host),
            _ => self.host.clone(),
        }
    }
}

/// Neither user name nor password: both may come from secrets.
impl fmt::Debug for VcenterConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VcenterConfig")
            .field("server", &self.server())
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(host: &str) -> VcenterConfig {
        VcenterConfig {
            host: host.into(),
            port: 443,
            username: "svc-user".into(),
            password: "hunter2".to_owned().into(),
            trust: Trust::SystemRoots,
            user_agent: "boma/test".into(),
        }
    }

    #[test]
    fn addresses_of_version_6_are_bracketed() {
        assert_eq!(config("vc.example.org").url(), "https://vc.example.org:443/sdk");
        assert_eq!(config("::1").url(), "https://[::1]:443/sdk");
        assert!(config("::1").is_loopback() && config("127.0.0.1").is_loopback());
        assert!(!config("vc.example.org").is_loopback());
    }

    #[test]
    fn debug_shows_no_credentials() {
        let text = format!("{:?}", config("vc"));
        assert!(!text.contains("hunter2") && !text.contains("svc-user"), "{text}");
    }
}
