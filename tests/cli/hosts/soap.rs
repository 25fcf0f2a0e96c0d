//! The few calls of an administrator with a client of their own.

use boma::lab::Endpoints;

/// Turns the machine at an inventory path off and deletes it.
pub async fn delete_vm(endpoints: &Endpoints, path: &str) {
    let session = Session::open(endpoints).await;
    let search = r#"<_this type="SearchIndex">SearchIndex</_this>"#;
    let body = format!("{search}<inventoryPath>{path}</inventoryPath>");
    let found = session.call("FindByInventoryPath", &body).await;
    let id = found.split("type=\"VirtualMachine\">").nth(1).and_then(|rest| rest.split('<').next());
    let this = format!(r#"<_this type="VirtualMachine">{}</_this>"#, id.expect("the machine"));
    session.call("PowerOffVM_Task", &this).await;
    session.call("Destroy_Task", &this).await;
    session.call("Logout", SESSIONS).await;
}

const SESSIONS: &str = r#"<_this type="SessionManager">SessionManager</_this>"#;

struct Session {
    client: reqwest::Client,
    url: String,
    cookie: String,
}

impl Session {
    async fn open(endpoints: &Endpoints) -> Self {
        let ca = reqwest::Certificate::from_pem(endpoints.ca_pem.as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
        let url = format!("{}/sdk", endpoints.vcenter_url);
        let mut session = Self { client, url, cookie: String::new() };
        let Endpoints { username, password, .. } = endpoints;
        let body =
            format!("{SESSIONS}<userName>{username}</userName><password>{password}</password>");
        let (_, cookie) = session.ask("Login", &body).await;
        session.cookie = cookie;
        session
    }

    async fn call(&self, method: &str, body: &str) -> String {
        self.ask(method, body).await.0
    }

    /// What came back, and the cookie that came with it.
    async fn ask(&self, method: &str, body: &str) -> (String, String) {
        let envelope = format!(
            r#"<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><{method} xmlns="urn:vim25">{body}</{method}></e:Body></e:Envelope>"#
        );
        let request = self.client.post(&self.url).header("Content-Type", "text/xml").body(envelope);
        let answer = request.header("Cookie", &self.cookie).send().await.unwrap();
        let cookie = answer.headers().get("Set-Cookie").and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|text| text.split(';').next()).unwrap_or_default().to_owned();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method}: {text}");
        (text, cookie)
    }
}
