//! Why something was not done.

use jiff::Timestamp;
use kube::core::Status;
use thiserror::Error;

use super::status::{self, is_malformed, is_other_object, is_terminating};
use crate::provider::{ProviderError, Retry};

/// What went wrong. Becomes a [`ProviderError`] once it is known what it was for.
#[derive(Clone, Debug, Error)]
pub enum Failure {
    /// The way to the cluster, already said in full.
    #[error(transparent)]
    Told(#[from] ProviderError),
    /// The connection broke, or nothing came over it.
    #[error("the connection to the Kubernetes API broke: {0}")]
    Broken(String),
    /// The server's certificate is not signed by the kubeconfig's authority.
    #[error("the API server's certificate is refused: {0}")]
    Untrusted(String),
    /// The server refuses a client certificate, which has ended.
    #[error("the administrator's certificate in the cluster's kubeconfig ended at {0}")]
    Ended(Timestamp),
    /// The server refused.
    #[error("{}", status::told(.0))]
    Api(Box<Status>),
    /// boma itself refuses, or found something missing.
    #[error("{message}")]
    Refused {
        /// What is the matter.
        message: String,
        /// What to do next.
        help: String,
        /// Whether a retry can help.
        retry: Retry,
    },
}

impl Failure {
    /// Refuses with a reason that stays until somebody changes something.
    pub fn refused(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), help: help.into(), retry: Retry::Never }
    }

    /// Gives up for now.
    pub fn later(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), help: help.into(), retry: Retry::Later }
    }

    /// Gives up after patience that the provider had itself.
    pub fn spent(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), help: help.into(), retry: Retry::NextApply }
    }

    /// Whether every other request of the moment will meet the same.
    pub fn concerns_all(&self) -> bool {
        match self {
            Self::Told(_) | Self::Broken(_) | Self::Untrusted(_) | Self::Ended(_) => true,
            Self::Api(status) => status.code == 401,
            Self::Refused { .. } => false,
        }
    }

    /// The error for one operation: `apply cluster/StorageClass/vmware-sc`.
    pub fn explain(self, operation: &str) -> ProviderError {
        if let Self::Told(error) = self {
            return error;
        }
        ProviderError {
            operation: operation.to_owned(),
            message: self.to_string(),
            help: self.help(),
            retry: self.retry(),
        }
    }

    /// What happened and what to do, as the text of an
    /// [`Unread`](crate::resource::Reading::Unread).
    pub fn reason(&self) -> String {
        format!("{self}; {}", self.help())
    }

    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::Told(error) => error.help.clone(),
            Self::Broken(_) => "look at k3s on the servers (`systemctl status k3s`), then try \
                again; writes that were under way are looked up first"
                .into(),
            Self::Untrusted(_) => "compare the authority in /etc/rancher/k3s/k3s.yaml with the \
                one the server shows (`openssl s_client -connect SERVER:6443`): the cluster may \
                have been made anew"
                .into(),
            Self::Ended(_) => {
                "restart k3s on the servers, one after the other (`systemctl restart \
                k3s`): each then writes /etc/rancher/k3s/k3s.yaml with a new one; then try again"
                    .into()
            }
            Self::Api(status) => advice(status).into(),
            Self::Refused { help, .. } => help.clone(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Told(error) => error.retry,
            Self::Broken(_) => Retry::NextApply,
            Self::Untrusted(_) | Self::Ended(_) => Retry::Never,
            Self::Api(status) if is_terminating(status) => Retry::NextApply,
            Self::Api(status) if is_other_object(status) || is_malformed(status) => Retry::Never,
            Self::Api(status) => match status.code {
                404 | 409 | 429 | 500.. => Retry::NextApply,
                _ => Retry::Never,
            },
            Self::Refused { retry, .. } => *retry,
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Api(Box::new(status))
    }
}

fn advice(status: &Status) -> &'static str {
    match status.code {
        _ if is_other_object(status) => "another object stands in its place: plan again",
        _ if is_malformed(status) => "correct what it names in the spec, then plan again",
        401 => {
            "the kubeconfig was read anew and is refused too: see that \
             /etc/rancher/k3s/k3s.yaml on a server still works there (`k3s kubectl get nodes`); \
             `k3s certificate rotate` renews expired certificates"
        }
        403 if is_terminating(status) => {
            "its namespace is being deleted: wait until it is gone; `kubectl get namespace NAME \
             -o yaml` says what it waits for"
        }
        403 => "a quota, a policy or the cluster's roles forbid it: change that, or the spec",
        404 => "its namespace or its kind is not in the cluster (any more): plan again",
        409 => "somebody else writes the object at the same time: apply again",
        429 => "the API server has too much to do: apply again later",
        500.. => "look at k3s and the admission webhooks on the servers, then apply again",
        _ => "plan again",
    }
}
