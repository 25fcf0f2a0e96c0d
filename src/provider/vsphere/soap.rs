//! One SOAP call over HTTPS: envelope, cookie, faults.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};

use super::config::VcenterConfig;
use super::failure::Failure;
use super::fault::Fault;
use super::tls;
use crate::xml::{Element, envelope, envelope_with};

/// The oldest version supported; a newer vCenter answers with the types of this one.
const SOAP_ACTION: &str = "urn:vim25/7.0";
const SESSION_COOKIE: &str = "vmware_soap_session";
/// PBM's namespace, in which its calls are.
pub const PBM: &str = "urn:pbm";

/// Who answers a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// vCenter itself, by vim25.
    Vim,
    /// Its storage policies. Takes the session from a header of the envelope.
    Pbm,
}

/// The wire to one vCenter. Knows neither login nor retries.
pub struct Soap {
    config: VcenterConfig,
    client: reqwest::Client,
    cookie: Mutex<Option<SecretString>>,
    requests: AtomicU64,
}

impl Soap {
    /// Prepares the wire; nothing is sent.
    ///
    /// # Errors
    /// `Refused` where the spec's CA or thumbprint cannot be used.
    pub fn new(config: VcenterConfig) -> Result<Self, Failure> {
        let client = tls::client(&config)?;
        Ok(Self { config, client, cookie: Mutex::default(), requests: AtomicU64::new(0) })
    }

    /// Where and as whom.
    pub fn config(&self) -> &VcenterConfig {
        &self.config
    }

    /// How many requests were sent.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Whether a session's cookie is held.
    pub fn has_session(&self) -> bool {
        self.lock().is_some()
    }

    /// Throws the session's cookie away.
    pub fn forget_session(&self) {
        *self.lock() = None;
    }

    /// Sends one method call and gives the content of its answer: the `…Response` element.
    ///
    /// # Errors
    /// Any [`Failure`] but `Refused` and `Told`.
    pub async fn call(&self, method: Element) -> Result<Element, Failure> {
        self.call_of(Service::Vim, method).await
    }

    /// The same of one of vCenter's services.
    ///
    /// # Errors
    /// The same.
    pub async fn call_of(&self, service: Service, method: Element) -> Result<Element, Failure> {
        let name = method.name.clone();
        let start = Instant::now();
        self.requests.fetch_add(1, Ordering::Relaxed);
        let body = match service {
            Service::Vim => envelope(method),
            Service::Pbm => envelope_with(self.session_header(), method),
        };
        let outcome = self.exchange(service, &name, body).await;
        let status = match &outcome {
            Ok((status, _)) => status.as_u16(),
            Err(_) => 0,
        };
        tracing::debug!(method = name, ms = start.elapsed().as_millis() as u64, status, "soap");
        let (status, text) = outcome?;
        answer(&name, status, &text)
    }

    /// What PBM knows the session by: the cookie without the quotes around it.
    fn session_header(&self) -> Element {
        let cookie = self.lock();
        let cookie = cookie.as_ref().map_or("", |cookie| cookie.expose_secret());
        Element::with_text("vcSessionCookie", cookie.trim_matches('"'))
    }

    async fn exchange(
        &self,
        service: Service,
        method: &str,
        body: String,
    ) -> Result<(StatusCode, String), Failure> {
        let (url, action) = match service {
            Service::Vim => (self.config.url(), SOAP_ACTION),
            Service::Pbm => (self.config.pbm_url(), PBM),
        };
        let mut request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "text/xml; charset=utf-8")
            .header("SOAPAction", action)
            .body(body);
        if let Some(cookie) = self.lock().as_ref() {
            request =
                request.header(COOKIE, format!("{SESSION_COOKIE}={}", cookie.expose_secret()));
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(self.failure(method, &error).await),
        };
        self.keep_cookie(&response);
        let status = response.status();
        match response.text().await {
            Ok(text) => Ok((status, text)),
            Err(error) => Err(self.failure(method, &error).await),
        }
    }

    async fn failure(&self, method: &str, error: &reqwest::Error) -> Failure {
        if let Some(cause) = tls::certificate_error(error) {
            return tls::untrusted(&self.config, cause).await;
        }
        let cause = match error.is_timeout() {
            true if error.is_connect() => "no answer within 10 s".to_owned(),
            true => "no answer within 60 s".to_owned(),
            false => innermost(error),
        };
        if error.is_connect() {
            Failure::Unreachable { server: self.config.server(), cause }
        } else {
            Failure::Dropped { method: method.into(), cause }
        }
    }

    fn keep_cookie(&self, response: &Response) {
        let cookies = response.headers().get_all(SET_COOKIE);
        let value = cookies.iter().filter_map(|cookie| cookie.to_str().ok()).find_map(cookie_value);
        if let Some(value) = value {
            *self.lock() = Some(value.to_owned().into());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<SecretString>> {
        self.cookie.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The session id in a `Set-Cookie` value, with the quotes vCenter puts around it. `None` for
/// other cookies and for one that is being deleted.
fn cookie_value(cookie: &str) -> Option<&str> {
    let (name, value) = cookie.split(';').next()?.split_once('=')?;
    let value = value.trim();
    (name.trim() == SESSION_COOKIE && !value.trim_matches('"').is_empty()).then_some(value)
}

fn answer(method: &str, status: StatusCode, text: &str) -> Result<Element, Failure> {
    let unexpected = |cause: String| Failure::Unexpected { method: method.into(), cause };
    if status != StatusCode::OK && status != StatusCode::INTERNAL_SERVER_ERROR {
        return Err(match status {
            StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::BAD_GATEWAY
            | StatusCode::TOO_MANY_REQUESTS => Failure::later(
                format!("vCenter answered HTTP {status}: its services are starting or overloaded"),
                "try again in some minutes",
            ),
            _ => unexpected(format!("HTTP {status}")),
        });
    }
    let mut envelope =
        Element::parse(text).map_err(|error| unexpected(format!("HTTP {status}, {error}")))?;
    let body = envelope.children.iter_mut().find(|child| child.name == "Body");
    let content =
        body.and_then(|body| (!body.children.is_empty()).then(|| body.children.swap_remove(0)));
    match content {
        Some(fault) if fault.name == "Fault" => Err(Fault::of_soap(&fault).into()),
        Some(content) if content.name.strip_suffix("Response") == Some(method) => Ok(content),
        Some(content) => Err(unexpected(format!("it holds {}", content.name))),
        None => Err(unexpected("it is no SOAP envelope".into())),
    }
}

/// The last error of a chain: for connections, the operating system's words.
fn innermost(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, expected: Result<&str, &str>) {
        let text = format!(
            "<soapenv:Envelope xmlns:soapenv='http://schemas.xmlsoap.org/soap/envelope/'><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
        );
        let outcome = answer("Login", StatusCode::from_u16(status).unwrap(), &text);
        match (outcome, expected) {
            (Ok(content), Ok(name)) => assert_eq!(content.name, name),
            (Err(failure), Err(part)) => assert!(failure.to_string().contains(part), "{failure}"),
            (outcome, _) => panic!("{outcome:?}"),
        }
    }

    #[test]
    fn answers_and_faults_are_told_apart() {
        check(200, "<LoginResponse xmlns='urn:vim25'/>", Ok("LoginResponse"));
        check(200, "<v:LoginResponse xmlns:v='urn:vim25'/>", Ok("LoginResponse"));
        check(200, "<LogoutResponse xmlns='urn:vim25'/>", Err("it holds LogoutResponse"));
        check(200, "", Err("no SOAP envelope"));
        check(
            500,
            "<soapenv:Fault><faultstring>x</faultstring><detail><InvalidLoginFault/></detail></soapenv:Fault>",
            Err("refused the user name"),
        );
        check(404, "", Err("HTTP 404"));
        check(503, "", Err("starting or overloaded"));
        check(500, "<a>", Err("HTTP 500"));
    }

    #[test]
    fn only_the_session_cookie_is_kept() {
        assert_eq!(
            cookie_value("vmware_soap_session=\"52ab-1\"; Path=/; HttpOnly; Secure;"),
            Some("\"52ab-1\"")
        );
        assert_eq!(cookie_value("other=1; vmware_soap_session=2"), None);
        assert_eq!(cookie_value("vmware_soap_session=\"\"; Max-Age=0"), None);
    }
}
