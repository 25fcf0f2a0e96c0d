//! Sessions, and what a client learns before it has one.

use crate::xml::Element;

use super::fault::Fault;
use super::ids;
use super::permission::shown;
use super::property::time;
use super::world::{ROOT, Ref, Session, World};

/// Sessions that one account may hold at a time; vCenter's own limit.
pub(super) const SESSIONS_MAX: usize = 550;
/// What a login ends in beyond that limit: no fault, but HTTP status 503.
pub(super) const TOO_MANY: &str = "TooManySessions";
/// A session that nothing used for so long is closed: half an hour.
pub(super) const IDLE_MS: u64 = 30 * 60 * 1000;
/// Wrong passwords in a row that lock an account, and for how long.
pub(super) const FAILURES_MAX: u32 = 5;
pub(super) const LOCKED_MS: u64 = 5 * 60 * 1000;

/// Checks a name and a password.
///
/// # Errors
/// `InvalidLogin`, whatever was wrong.
pub(super) fn authenticate(world: &World, user: &str, password: &str) -> Result<String, Fault> {
    let principal = ids::principal(user);
    if world.principals.contains(&principal) && password == ids::password(world.seed, &principal) {
        return Ok(principal);
    }
    Err(invalid_login())
}

/// The fault for a login that fails.
pub(super) fn invalid_login() -> Fault {
    Fault::new("InvalidLogin", "Cannot complete login due to an incorrect user name or password.")
}

/// The fault for a call without a valid session.
pub(super) fn not_authenticated(object: &Ref) -> Fault {
    Fault::new("NotAuthenticated", "The session is not authenticated.")
        .object("object", object)
        .text("privilegeId", "System.View")
}

/// The session that a login opens.
pub(super) fn open(world: &World, principal: String, agent: &str, now: u64) -> Session {
    let serial = world.sessions_ever.to_string();
    Session {
        key: ids::uuid(world.seed, "52", &["session", &serial]),
        cookie: ids::hex(&ids::digest(world.seed, &["cookie", &serial])[..20]),
        principal,
        login_ms: now,
        agent: agent.chars().take(200).collect(),
    }
}

/// A `UserSession`.
pub(super) fn element(session: &Session, now: u64, name: &str) -> Element {
    let user = shown(&session.principal);
    let fields = [
        ("key", session.key.clone()),
        ("userName", user.to_owned()),
        ("fullName", user.to_owned()),
        ("loginTime", time(session.login_ms)),
        ("lastActiveTime", time(now)),
        ("locale", "en".to_owned()),
        ("messageLocale", "en".to_owned()),
        ("extensionSession", "false".to_owned()),
        ("ipAddress", "127.0.0.1".to_owned()),
        ("userAgent", session.agent.clone()),
        ("callCount", "0".to_owned()),
    ];
    let children = fields.into_iter().map(|(name, text)| Element::with_text(name, text));
    Element::new(name).extend(children)
}

/// The managed objects there is one of, with their ids.
pub(super) const SINGLETONS: &[(&str, &str)] = &[
    ("ServiceInstance", "ServiceInstance"),
    ("PropertyCollector", "propertyCollector"),
    ("ViewManager", "ViewManager"),
    ("SessionManager", "SessionManager"),
    ("AuthorizationManager", "AuthorizationManager"),
    ("TaskManager", "TaskManager"),
    ("SearchIndex", "SearchIndex"),
];

/// `ServiceContent`: where everything is.
pub(super) fn service_content(seed: u64, name: &str) -> Element {
    let about = [
        ("name", "VMware vCenter Server".to_owned()),
        ("fullName", "VMware vCenter Server 7.0.3 build-20150588 (lab)".to_owned()),
        ("vendor", "VMware, Inc.".to_owned()),
        ("version", "7.0.3".to_owned()),
        ("build", "20150588".to_owned()),
        ("localeVersion", "INTL".to_owned()),
        ("localeBuild", "000".to_owned()),
        ("osType", "linux-x64".to_owned()),
        ("productLineId", "vpx".to_owned()),
        ("apiType", "VirtualCenter".to_owned()),
        ("apiVersion", "7.0.3.0".to_owned()),
        ("instanceUuid", ids::uuid(seed, "", &["vcenter"])),
        ("licenseProductName", "VMware VirtualCenter Server".to_owned()),
        ("licenseProductVersion", "7.0".to_owned()),
    ];
    let about = about.into_iter().map(|(name, text)| Element::with_text(name, text));
    Element::new(name)
        .push(Ref::new("Folder", ROOT).element("rootFolder"))
        .push(Ref::new("PropertyCollector", "propertyCollector").element("propertyCollector"))
        .push(Ref::new("ViewManager", "ViewManager").element("viewManager"))
        .push(Element::new("about").extend(about))
        .push(Ref::new("SessionManager", "SessionManager").element("sessionManager"))
        .push(
            Ref::new("AuthorizationManager", "AuthorizationManager")
                .element("authorizationManager"),
        )
        .push(Ref::new("TaskManager", "TaskManager").element("taskManager"))
        .push(Ref::new("SearchIndex", "SearchIndex").element("searchIndex"))
}
