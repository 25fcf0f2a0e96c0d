//! A server for tests that answers SOAP calls over TLS as told, one connection per call.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::thumbprint::Thumbprint;
use super::{Trust, Vcenter, VcenterConfig};
use crate::xml::{Element, envelope};

/// What to answer.
pub enum Reply {
    /// The content of the body.
    Is(String),
    /// A fault of this type with this content.
    Fault(&'static str, &'static str),
    /// Nothing: the connection closes.
    Drop,
    /// This, once as many calls wait for it as the barrier is for.
    Together(Arc<Barrier>, Box<Reply>),
}

/// A running server; it ends when dropped.
pub struct Scripted {
    /// PEM of its certificate, which signs itself.
    pub ca_pem: String,
    /// Of its certificate.
    pub thumbprint: Thumbprint,
    port: u16,
    calls: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Scripted {
    /// Answers each call by a function of the method and of how often it came before.
    pub async fn start(answer: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let certificate = signed.cert.der().clone();
        let thumbprint = Thumbprint::of(&certificate);
        let key =
            rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (calls.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, seen, answer) = (acceptor.clone(), seen.clone(), answer.clone());
                open.spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let Some(method) = method_of(&mut stream).await else { return };
                    let before = note(&seen, &method);
                    if let Some(text) = respond(&method, settled(answer(&method, before)).await) {
                        let _ = stream.write_all(text.as_bytes()).await;
                        let _ = stream.shutdown().await;
                    }
                });
            }
        });
        Self { ca_pem: signed.cert.pem(), thumbprint, port, calls, task }
    }

    /// A provider that speaks to it.
    pub fn vcenter(&self, trust: Trust) -> Vcenter {
        Vcenter::new(config(self.port, trust)).unwrap()
    }

    /// The methods called so far.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    /// How often a method was called.
    pub fn count(&self, method: &str) -> usize {
        self.calls().iter().filter(|call| *call == method).count()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A configuration for a port of this machine.
pub fn config(port: u16, trust: Trust) -> VcenterConfig {
    VcenterConfig {
        host: "127.0.0.1".into(),
        port,
        username: "svc".into(),
        password: "hunter2".to_owned().into(),
        trust,
        user_agent: "boma/test".into(),
    }
}

/// Login and logout as vCenter answers them. `None` for any other call.
pub fn usual(method: &str) -> Option<Reply> {
    let content = r#"<returnval><rootFolder type="Folder">group-d1</rootFolder><propertyCollector type="PropertyCollector">pc</propertyCollector><viewManager type="ViewManager">vm</viewManager><about><apiType>VirtualCenter</apiType><apiVersion>7.0.3.0</apiVersion><instanceUuid>u-1</instanceUuid></about><authorizationManager type="AuthorizationManager">am</authorizationManager><sessionManager type="SessionManager">sm</sessionManager><searchIndex type="SearchIndex">si</searchIndex></returnval>"#;
    match method {
        "RetrieveServiceContent" => Some(Reply::Is(content.into())),
        "Login" => Some(Reply::Is("<returnval><key>k</key></returnval>".into())),
        "Logout" => Some(Reply::Is(String::new())),
        _ => None,
    }
}

/// Remembers a call; says how often its method came before.
fn note(seen: &Mutex<Vec<String>>, method: &str) -> usize {
    let mut seen = seen.lock().unwrap();
    let before = seen.iter().filter(|call| *call == method).count();
    seen.push(method.to_owned());
    before
}

async fn settled(reply: Reply) -> Reply {
    match reply {
        Reply::Together(barrier, reply) => {
            barrier.wait().await;
            *reply
        }
        reply => reply,
    }
}

async fn method_of(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<String> {
    let mut text = String::new();
    let mut buffer = vec![0; 64 * 1024];
    while !text.contains("</soapenv:Envelope>") {
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        text.push_str(std::str::from_utf8(buffer.get(..count)?).ok()?);
    }
    let body = text.split_once("\r\n\r\n")?.1;
    let envelope = Element::parse(body).ok()?;
    Some(envelope.child("Body")?.children.first()?.name.clone())
}

fn respond(method: &str, reply: Reply) -> Option<String> {
    let (status, body) = match reply {
        Reply::Is(content) => {
            let text = format!(
                "<{method}Response xmlns=\"urn:vim25\" xmlns:xsi=\"{}\">{content}</{method}Response>",
                crate::xml::XSI
            );
            ("200 OK", Element::parse(&text).unwrap())
        }
        Reply::Fault(name, content) => {
            let text = format!(
                "<soapenv:Fault xmlns:soapenv=\"{}\" xmlns:xsi=\"{}\"><faultstring>No.</faultstring><detail><{name}Fault xsi:type=\"{name}\">{content}</{name}Fault></detail></soapenv:Fault>",
                crate::xml::SOAP,
                crate::xml::XSI
            );
            ("500 Internal Server Error", Element::parse(&text).unwrap())
        }
        Reply::Drop | Reply::Together(..) => return None,
    };
    let body = envelope(body);
    Some(format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nSet-Cookie: vmware_soap_session=\"s-1\"; Path=/\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}
