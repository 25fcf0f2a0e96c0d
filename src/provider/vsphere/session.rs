//! One logged-in session, opened when first needed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::config::VcenterConfig;
use super::failure::Failure;
use super::fault::Fault;
use super::moref::MoRef;
use super::soap::{Service, Soap};
use crate::provider::ProviderError;
use crate::xml::Element;

/// The singletons of a vCenter, from `RetrieveServiceContent`.
#[derive(Clone, Debug)]
pub struct Content {
    /// The folder that holds everything.
    pub root_folder: MoRef,
    /// Reads properties.
    pub property_collector: MoRef,
    /// Makes views.
    pub view_manager: MoRef,
    /// Finds by path and UUID.
    pub search_index: MoRef,
    /// Roles and permissions.
    pub authorization_manager: MoRef,
    /// Login and logout.
    pub session_manager: MoRef,
    /// Which vCenter this is, for as long as it lives.
    pub instance_uuid: String,
    /// The session's own name, for asking what its account may do.
    pub session_key: String,
}

/// A session that logs in on its first call, and once more where vCenter ends it meanwhile.
pub struct Session {
    soap: Arc<Soap>,
    state: Arc<Mutex<State>>,
    /// The latest generation that answered a call.
    answered: AtomicU64,
}

/// So many logins in the place of ended sessions are made within [`WITHIN`]. A long run needs one
/// whenever its session was idle for 30 minutes; more in a row is somebody who ends them all.
const RENEWALS: usize = 3;
/// See [`RENEWALS`].
const WITHIN: Duration = Duration::from_secs(10 * 60);

#[derive(Default)]
struct State {
    content: Option<Arc<Content>>,
    /// Goes up with each login, so that many calls that find one session ended log in once.
    generation: u64,
    /// A login that vCenter refused is not tried again: accounts lock after few. Nor is one whose
    /// session does not last.
    refused: Option<ProviderError>,
    /// When a session that had ended was opened again, latest last.
    renewed: Vec<Instant>,
    /// Ended by us: a call still under way must not open another session that nobody ends.
    closed: bool,
}

/// What a call needs of the session it runs in.
#[derive(Clone)]
pub struct Open {
    /// The singletons.
    pub content: Arc<Content>,
    generation: u64,
}

impl Session {
    /// Prepares a session; nothing is sent.
    ///
    /// # Errors
    /// `Refused` where the spec's CA or thumbprint cannot be used.
    pub fn new(config: VcenterConfig) -> Result<Self, Failure> {
        let soap = Arc::new(Soap::new(config)?);
        Ok(Self { soap, state: Arc::default(), answered: AtomicU64::default() })
    }

    /// How many requests were sent.
    pub fn requests(&self) -> u64 {
        self.soap.requests()
    }

    /// The singletons, after a login where there is none yet.
    ///
    /// # Errors
    /// `Told` for a failed login, which is the same for every later call where vCenter refused it.
    pub async fn open(&self) -> Result<Open, Failure> {
        let state = self.state.clone().lock_owned().await;
        self.ensure(state).await
    }

    /// Sends a call. Where vCenter has ended the session, logs in once and sends it again: such a
    /// call was refused before it did anything.
    ///
    /// # Errors
    /// Any [`Failure`]. `Dropped` leaves open whether the call was carried out.
    pub async fn call(&self, method: Element) -> Result<Element, Failure> {
        self.call_of(Service::Vim, method).await
    }

    async fn call_of(&self, service: Service, method: Element) -> Result<Element, Failure> {
        let open = self.open().await?;
        match self.soap.call_of(service, method.clone()).await {
            Err(failure) if has_ended(&failure) => {
                let open = self.renew(&open).await?;
                self.heard(&open, self.soap.call_of(service, method).await)
            }
            outcome => self.heard(&open, outcome),
        }
    }

    /// Takes down that a session answers.
    fn heard(&self, open: &Open, outcome: Result<Element, Failure>) -> Result<Element, Failure> {
        let answer = match &outcome {
            Ok(_) => true,
            Err(failure) => failure.fault().is_some() && !has_ended(failure),
        };
        if answer {
            self.answered.fetch_max(open.generation, Ordering::Relaxed);
        }
        outcome
    }

    /// Sends a call that changes nothing, a second time where its answer was lost.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub async fn ask(&self, method: Element) -> Result<Element, Failure> {
        self.ask_of(Service::Vim, method).await
    }

    /// The same of one of vCenter's services.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub async fn ask_of(&self, service: Service, method: Element) -> Result<Element, Failure> {
        match self.call_of(service, method.clone()).await {
            Err(Failure::Dropped { .. }) => self.call_of(service, method).await,
            outcome => outcome,
        }
    }

    /// Whether the session that `open` belongs to is still in use: views and page tokens end
    /// with theirs.
    pub async fn is_same(&self, open: &Open) -> bool {
        self.state.lock().await.generation == open.generation
    }

    /// Ends the session for good: later calls fail. Quiet where there is none or vCenter does not
    /// answer; the session then ends by vCenter's idle limit (30 minutes).
    pub async fn logout(&self) {
        let mut state = self.state.lock().await;
        state.closed = true;
        let Some(content) = state.content.take() else { return };
        if self.soap.has_session() {
            let call = self.soap.call(content.session_manager.call("Logout"));
            let _ = tokio::time::timeout(Duration::from_secs(5), call).await;
            self.soap.forget_session();
        }
    }

    /// Logs in again, unless sessions do not last.
    async fn renew(&self, stale: &Open) -> Result<Open, Failure> {
        let mut state = self.state.clone().lock_owned().await;
        if state.generation == stale.generation {
            state.content = None;
            self.soap.forget_session();
            let answered = self.answered.load(Ordering::Relaxed) >= stale.generation;
            if !state.may_renew(answered, Instant::now()) {
                let failure = Failure::refused(
                    "vCenter ends boma's sessions as soon as they are opened",
                    "look for who does it in vCenter's events and session list (a load balancer \
                     before several vCenters does, too), then run the command again",
                );
                state.refused.get_or_insert_with(|| failure.explain("log in to vCenter again"));
            }
        }
        self.ensure(state).await
    }

    /// Logs in unless that is done. Runs as a task of its own: a login whose caller is cancelled
    /// half-way would leave a session that nobody can end.
    async fn ensure(&self, mut state: OwnedMutexGuard<State>) -> Result<Open, Failure> {
        if let Some(content) = &state.content {
            return Ok(Open { content: content.clone(), generation: state.generation });
        }
        if let Some(error) = &state.refused {
            return Err(error.clone().into());
        }
        if state.closed {
            return Err(Failure::later("the session is closed", "run the command again"));
        }
        let soap = self.soap.clone();
        let login = tokio::spawn(async move {
            match login(&soap).await {
                Ok(content) => {
                    state.generation += 1;
                    state.content = Some(content.clone());
                    Ok(Open { content, generation: state.generation })
                }
                Err(failure) => {
                    soap.forget_session();
                    let refused = matches!(failure.fault(), Some(Fault::InvalidLogin));
                    let error = failure.explain("log in to vCenter");
                    state.refused = refused.then(|| error.clone());
                    Err(error.into())
                }
            }
        });
        login.await.unwrap_or_else(|error| Err(Failure::later(error.to_string(), "try again")))
    }
}

impl State {
    /// Whether one more login, after a session that answered calls or not, is no storm of them;
    /// counts it then.
    fn may_renew(&mut self, answered: bool, now: Instant) -> bool {
        self.renewed.retain(|then| now.saturating_duration_since(*then) < WITHIN);
        let may = self.renewed.len() < if answered { RENEWALS } else { 1 };
        if may {
            self.renewed.push(now);
        }
        may
    }
}

fn has_ended(failure: &Failure) -> bool {
    matches!(failure.fault(), Some(Fault::NotAuthenticated))
}

async fn login(soap: &Soap) -> Result<Arc<Content>, Failure> {
    let instance = MoRef::new("ServiceInstance", "ServiceInstance");
    let answer = soap.call(instance.call("RetrieveServiceContent")).await?;
    let mut content = content(&answer)?;
    let config = soap.config();
    let password = config.password.expose_secret();
    let call = login_call(&content.session_manager, &config.username, password);
    let answer = soap.call(call).await?;
    let session = answer.child("returnval");
    content.session_key =
        session.and_then(|session| session.child_text("key")).unwrap_or_default().to_owned();
    if !soap.has_session() {
        return Err(Failure::missing("Login", "session cookie"));
    }
    Ok(Arc::new(content))
}

fn login_call(session_manager: &MoRef, username: &str, password: &str) -> Element {
    session_manager
        .call("Login")
        .push(Element::with_text("userName", username))
        .push(Element::with_text("password", password))
}

fn content(answer: &Element) -> Result<Content, Failure> {
    const METHOD: &str = "RetrieveServiceContent";
    let content = answer.child("returnval").ok_or_else(|| Failure::missing(METHOD, "content"))?;
    let about = content.child("about").ok_or_else(|| Failure::missing(METHOD, "about"))?;
    let text = |name: &str| about.child_text(name).unwrap_or_default();
    if text("apiType") != "VirtualCenter" {
        return Err(Failure::refused(
            format!(
                "it is {} and not a vCenter",
                if text("fullName").is_empty() { "something else" } else { text("fullName") }
            ),
            "set [vcenter] server to the vCenter that manages the hosts",
        ));
    }
    let version = text("apiVersion");
    if version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok())
        .is_none_or(|major| major < 7)
    {
        return Err(Failure::refused(
            format!("it speaks version {version} of the API"),
            "boma needs vCenter 7.0 or later",
        ));
    }
    let moref =
        |name: &str| MoRef::child(content, name).ok_or_else(|| Failure::missing(METHOD, name));
    Ok(Content {
        root_folder: moref("rootFolder")?,
        property_collector: moref("propertyCollector")?,
        view_manager: moref("viewManager")?,
        search_index: moref("searchIndex")?,
        authorization_manager: moref("authorizationManager")?,
        session_manager: moref("sessionManager")?,
        instance_uuid: text("instanceUuid").to_lowercase(),
        session_key: String::new(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn answer(api_type: &str, version: &str) -> Element {
        Element::parse(&format!(
            r#"<RetrieveServiceContentResponse xmlns="urn:vim25"><returnval>
            <rootFolder type="Folder">group-d1</rootFolder>
            <propertyCollector type="PropertyCollector">propertyCollector</propertyCollector>
            <viewManager type="ViewManager">ViewManager</viewManager>
            <about><name>VMware vCenter Server</name><fullName>VMware ESXi 7.0.3</fullName>
              <apiType>{api_type}</apiType><apiVersion>{version}</apiVersion>
              <instanceUuid>4DC2-UP</instanceUuid></about>
            <authorizationManager type="AuthorizationManager">AuthorizationManager</authorizationManager>
            <sessionManager type="SessionManager">SessionManager</sessionManager>
            <searchIndex type="SearchIndex">SearchIndex</searchIndex>
            </returnval></RetrieveServiceContentResponse>"#
        ))
        .unwrap()
    }

    #[test]
    fn the_singletons_are_read() {
        let content = content(&answer("VirtualCenter", "7.0.3.0")).unwrap();
        assert_eq!(content.root_folder, MoRef::new("Folder", "group-d1"));
        assert_eq!(content.instance_uuid, "4dc2-up");
    }

    #[test]
    fn a_host_and_an_old_vcenter_are_refused() {
        let refused = |kind, version| content(&answer(kind, version)).unwrap_err().to_string();
        assert_eq!(refused("HostAgent", "7.0.3.0"), "it is VMware ESXi 7.0.3 and not a vCenter");
        assert_eq!(refused("VirtualCenter", "6.7.3"), "it speaks version 6.7.3 of the API");
    }

    #[test]
    fn few_sessions_in_a_row_are_opened_again() {
        let begun = Instant::now();
        let mut state = State::default();
        let mut at = |minute: u64| state.may_renew(true, begun + Duration::from_secs(60 * minute));
        // One that is idle for 30 minutes, however long the run is.
        assert!([0, 30, 60, 90, 120, 150].into_iter().all(&mut at));
        assert!(at(151) && at(152));
        assert!(!at(153));
        assert!(at(161));
        // One that answers nothing is not opened a third time.
        let mut state = State::default();
        assert!(state.may_renew(false, begun) && !state.may_renew(false, begun));
    }

    #[test]
    fn login_names_user_then_password() {
        let call = login_call(&MoRef::new("SessionManager", "SessionManager"), "u", "p<");
        let names: Vec<&str> = call.children.iter().map(|child| child.name.as_str()).collect();
        assert_eq!(names, ["_this", "userName", "password"]);
        assert!(call.to_xml().contains("p&lt;"));
    }
}
