//! A plain client of the API, for what tests do and look at behind the provider's back.

use std::time::Duration;

use kube::config::Kubeconfig;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value as Json, json};

use super::authority::{Signed, text_of_base64};

/// Speaks JSON as one user.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
}

/// Status and body of an answer.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub body: Json,
}

impl Answer {
    /// The body of an answer that must be a success.
    #[track_caller]
    pub fn ok(self) -> Json {
        assert!((200..300).contains(&self.code), "{} {}", self.code, self.body);
        self.body
    }
}

impl Client {
    pub fn new(url: &str, ca_pem: &str, signed: &Signed) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ca = reqwest::Certificate::from_pem(ca_pem.as_bytes()).unwrap();
        let pem = format!("{}{}", signed.certificate, signed.key);
        let identity = reqwest::Identity::from_pem(pem.as_bytes()).unwrap();
        let builder = reqwest::Client::builder().tls_certs_only([ca]).identity(identity);
        let builder = builder.no_proxy().timeout(Duration::from_secs(30));
        Self { http: builder.build().unwrap(), url: url.to_owned() }
    }

    /// Who a kubeconfig says, where it says.
    pub fn of_kubeconfig(text: &str) -> Self {
        let config = Kubeconfig::from_yaml(text).unwrap();
        let pem = |encoded: Option<&String>| text_of_base64(encoded.expect("inline PEM"));
        let cluster = config.clusters[0].cluster.as_ref().unwrap();
        let user = config.auth_infos[0].auth_info.as_ref().unwrap();
        let key = user.client_key_data.as_ref().map(|key| key.expose_secret().to_owned());
        let signed = Signed {
            certificate: pem(user.client_certificate_data.as_ref()),
            key: pem(key.as_ref()),
        };
        let ca = pem(cluster.certificate_authority_data.as_ref());
        Self::new(cluster.server.as_deref().unwrap(), &ca, &signed)
    }

    /// Any request. A body that is no JSON comes back as a text.
    ///
    /// # Errors
    /// No answer came.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Option<&Json>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.header("content-type", content_type).body(body.to_string());
        }
        let response = request.send().await?;
        let code = response.status().as_u16();
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Json::String(text));
        Ok(Answer { code, body })
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, "", None).await.unwrap()
    }

    /// The object, or `None` where the answer is 404.
    pub async fn find(&self, path: &str) -> Option<Json> {
        let answer = self.get(path).await;
        (answer.code != 404).then(|| answer.ok())
    }

    pub async fn items(&self, path: &str) -> Vec<Json> {
        let Json::Array(items) = self.get(path).await.ok()["items"].take() else {
            return Vec::new();
        };
        items
    }

    pub async fn post(&self, path: &str, body: &Json) -> Answer {
        self.request(Method::POST, path, "application/json", Some(body)).await.unwrap()
    }

    pub async fn merge(&self, path: &str, body: &Json) -> Answer {
        let kind = "application/merge-patch+json";
        self.request(Method::PATCH, path, kind, Some(body)).await.unwrap()
    }

    /// Lists by their keys, as kubectl edits.
    pub async fn strategic(&self, path: &str, body: &Json) -> Answer {
        let kind = "application/strategic-merge-patch+json";
        self.request(Method::PATCH, path, kind, Some(body)).await.unwrap()
    }

    /// A server-side apply.
    pub async fn apply(&self, path: &str, manager: &str, body: &Json) -> Answer {
        let and = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{and}fieldManager={manager}");
        let kind = "application/apply-patch+yaml";
        self.request(Method::PATCH, &path, kind, Some(body)).await.unwrap()
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path, "", None).await.unwrap()
    }

    /// Deletes a pod as a kubelet does once its containers have ended.
    pub async fn delete_now(&self, path: &str) -> Answer {
        let options = json!({"gracePeriodSeconds": 0});
        let kind = "application/json";
        self.request(Method::DELETE, path, kind, Some(&options)).await.unwrap()
    }
}
