//! vCenter's faults, typed.

use thiserror::Error;

use super::moref::MoRef;
use crate::provider::Retry;
use crate::xml::Element;

/// What vCenter says when it does not do something: a SOAP fault, or a `LocalizedMethodFault`
/// inside a task or a property result.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// Wrong user name or password, or a locked account: vCenter does not say which.
    #[error("vCenter refused the user name or the password")]
    InvalidLogin,
    /// The session is gone.
    #[error("vCenter ended the session")]
    NotAuthenticated,
    /// The account lacks a privilege on an object.
    #[error("the account lacks the privilege {privilege} on {object}")]
    NoPermission {
        /// The object, by its path where that could be read.
        object: String,
        /// Its reference, to find the path. `None` once `object` is a path.
        reference: Option<MoRef>,
        /// The privilege's id.
        privilege: String,
    },
    /// A sibling has that name.
    #[error("the name {name} is taken")]
    DuplicateName {
        /// The name as vCenter keeps it.
        name: String,
    },
    /// The object is deleted.
    #[error("{object} does not exist any more")]
    ManagedObjectNotFound {
        /// Type and value of the reference.
        object: String,
    },
    /// Not in this power state.
    #[error("it is {existing}, and this needs it {requested}")]
    InvalidPowerState {
        /// The state it is in.
        existing: String,
        /// The state that was needed.
        requested: String,
    },
    /// Somebody else wrote in between.
    #[error("somebody else changed it at the same time")]
    ConcurrentAccess,
    /// A role of that name is there.
    #[error("{name} exists already")]
    AlreadyExists {
        /// The name.
        name: String,
    },
    /// A permission, role or file is not there.
    #[error("vCenter does not find it ({message})")]
    NotFound {
        /// vCenter's text.
        message: String,
    },
    /// A value is not accepted.
    #[error("vCenter does not accept {property} ({message})")]
    InvalidArgument {
        /// The field's path; `a value` where vCenter does not name it.
        property: String,
        /// vCenter's text.
        message: String,
    },
    /// Virtual hardware is at the version asked for.
    #[error("the virtual hardware is upgraded already")]
    AlreadyUpgraded,
    /// Any other type.
    #[error("{message} ({name})")]
    Other {
        /// The fault's type: `TaskInProgress`.
        name: String,
        /// vCenter's text.
        message: String,
    },
}

impl Fault {
    /// Reads a `soapenv:Fault` element. Real vCenters put the type into `xsi:type` of the
    /// detail's only child, whose element name is that type with `Fault` appended.
    pub fn of_soap(fault: &Element) -> Self {
        let message = fault.child_text("faultstring").unwrap_or("no text");
        let detail = fault.child("detail").and_then(|detail| detail.children.first());
        match detail {
            Some(detail) => Self::of(detail, message),
            None => Self::Other { name: "SOAP fault".into(), message: message.into() },
        }
    }

    /// Reads a `LocalizedMethodFault`: children `fault` and `localizedMessage`.
    pub fn of_localized(element: &Element) -> Self {
        let message = element.child_text("localizedMessage").unwrap_or("no text");
        match element.child("fault") {
            Some(fault) => Self::of(fault, message),
            None => Self::Other { name: "MethodFault".into(), message: message.into() },
        }
    }

    fn of(fault: &Element, message: &str) -> Self {
        let name = fault
            .xsi_type()
            .unwrap_or_else(|| fault.name.strip_suffix("Fault").unwrap_or(&fault.name));
        let text = |child: &str| fault.child_text(child).unwrap_or("?").to_owned();
        let message = message.trim().to_owned();
        match name {
            "InvalidLogin" => Self::InvalidLogin,
            "NotAuthenticated" => Self::NotAuthenticated,
            "NoPermission" => no_permission(fault),
            "DuplicateName" => Self::DuplicateName { name: text("name") },
            "ManagedObjectNotFound" => Self::ManagedObjectNotFound { object: object(fault, "obj") },
            "InvalidPowerState" => Self::InvalidPowerState {
                existing: power(&text("existingState")),
                requested: power(&text("requestedState")),
            },
            "ConcurrentAccess" => Self::ConcurrentAccess,
            "AlreadyExists" => Self::AlreadyExists { name: text("name") },
            "NotFound" => Self::NotFound { message },
            "InvalidArgument" => Self::InvalidArgument {
                property: fault.child_text("invalidProperty").unwrap_or("a value").to_owned(),
                message,
            },
            "AlreadyUpgraded" => Self::AlreadyUpgraded,
            other => Self::Other { name: other.to_owned(), message },
        }
    }

    /// Whether this vCenter has no such method.
    pub fn is_unknown_method(&self) -> bool {
        matches!(self, Self::Other { name, .. } if UNKNOWN_METHOD.contains(&name.as_str()))
    }

    /// Whether a property that could not be read may be there: not on an object that went, nor
    /// where the server knows no such property.
    pub fn hides(&self) -> bool {
        match self {
            Self::ManagedObjectNotFound { .. } => false,
            Self::Other { name, .. } => name != "InvalidProperty",
            _ => true,
        }
    }

    /// The same fault with an object's path in place of its reference.
    pub fn at(self, path: Option<String>) -> Self {
        match (self, path) {
            (Self::NoPermission { privilege, .. }, Some(object)) => {
                Self::NoPermission { object, reference: None, privilege }
            }
            (fault, _) => fault,
        }
    }

    /// Whether trying again can help.
    pub fn retry(&self) -> Retry {
        match self {
            Self::NotAuthenticated | Self::ConcurrentAccess => Retry::Later,
            Self::Other { name, .. } if PASSING.contains(&name.as_str()) => Retry::Later,
            _ => Retry::Never,
        }
    }

    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::InvalidLogin => {
                "check [vcenter] username and password, and that the account is not \
                locked; boma tries a login once, so as not to lock it"
                    .into()
            }
            Self::NoPermission { object, privilege, .. } => {
                format!("give boma's account a role with {privilege} on {object}")
            }
            Self::DuplicateName { name } => {
                format!("rename or remove the other {name}, or take it over with adopt")
            }
            Self::AlreadyExists { .. } => {
                "take it over with boma import, or choose another name".into()
            }
            Self::InvalidPowerState { .. } => "plan again: its power state has changed".into(),
            Self::NotAuthenticated
            | Self::ConcurrentAccess
            | Self::ManagedObjectNotFound { .. } => "plan again: boma reads it anew".into(),
            Self::Other { name, .. } if name == "UserNotFound" => {
                "create the account or group in vCenter's single sign-on first".into()
            }
            Self::NotFound { .. } | Self::InvalidArgument { .. } | Self::AlreadyUpgraded => {
                "compare the spec with what vCenter shows".into()
            }
            Self::Other { .. } if self.retry() == Retry::Later => "try again in a moment".into(),
            Self::Other { .. } => "see the task and the events of the object in vCenter".into(),
        }
    }
}

/// Fault types that pass by themselves.
const PASSING: &[&str] = &[
    "TaskInProgress",
    "Timedout",
    "HostNotConnected",
    "HostCommunication",
    "RequestCanceled",
    "ResourceInUse",
    "SystemError",
];

/// How servers say that they do not know a method.
const UNKNOWN_METHOD: &[&str] = &["MethodNotFound", "NotImplemented", "NotSupported"];

fn no_permission(fault: &Element) -> Fault {
    let reference = MoRef::child(fault, "object");
    Fault::NoPermission {
        object: reference.as_ref().map_or_else(|| "an object".into(), ToString::to_string),
        reference,
        privilege: fault.child_text("privilegeId").unwrap_or("(not named)").to_owned(),
    }
}

fn object(fault: &Element, child: &str) -> String {
    MoRef::child(fault, child).map_or_else(|| "the object".into(), |object| object.to_string())
}

fn power(state: &str) -> String {
    match state {
        "poweredOn" => "powered on",
        "poweredOff" => "powered off",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn soap(detail: &str) -> Fault {
        let text = format!(
            r#"<soapenv:Fault xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><faultcode>ServerFaultCode</faultcode><faultstring>Text of the fault.</faultstring><detail>{detail}</detail></soapenv:Fault>"#
        );
        Fault::of_soap(&Element::parse(&text).unwrap())
    }

    #[test]
    fn faults_keep_type_and_fields() {
        assert_eq!(
            soap(
                r#"<InvalidLoginFault xmlns="urn:vim25" xsi:type="InvalidLogin"></InvalidLoginFault>"#
            ),
            Fault::InvalidLogin
        );
        let denied = soap(
            r#"<NoPermissionFault xmlns="urn:vim25" xsi:type="NoPermission"><object type="Folder">group-v3</object><privilegeId>VirtualMachine.Inventory.Create</privilegeId></NoPermissionFault>"#,
        );
        assert_eq!(
            denied.to_string(),
            "the account lacks the privilege VirtualMachine.Inventory.Create on Folder:group-v3"
        );
        assert_eq!(
            soap(
                r#"<v:ManagedObjectNotFoundFault xmlns:v="urn:vim25" xsi:type="v:ManagedObjectNotFound"><v:obj type="Task">task-9</v:obj></v:ManagedObjectNotFoundFault>"#
            ),
            Fault::ManagedObjectNotFound { object: "Task:task-9".into() }
        );
        assert_eq!(
            soap("<OutOfBoundsFault/>"),
            Fault::Other { name: "OutOfBounds".into(), message: "Text of the fault.".into() }
        );
        assert_eq!(
            soap(""),
            Fault::Other { name: "SOAP fault".into(), message: "Text of the fault.".into() }
        );
    }

    #[test]
    fn a_tasks_fault_is_the_same_fault() {
        let text = r#"<error xmlns="urn:vim25" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><fault i:type="InvalidPowerState"><requestedState>poweredOff</requestedState><existingState>poweredOn</existingState></fault><localizedMessage>No.</localizedMessage></error>"#;
        let fault = Fault::of_localized(&Element::parse(text).unwrap());
        assert_eq!(fault.to_string(), "it is powered on, and this needs it powered off");
        assert_eq!(fault.retry(), Retry::Never);
    }

    #[test]
    fn what_passes_by_itself_may_be_retried() {
        assert_eq!(Fault::ConcurrentAccess.retry(), Retry::Later);
        let busy = Fault::Other { name: "TaskInProgress".into(), message: "busy".into() };
        assert_eq!(busy.retry(), Retry::Later);
        assert_eq!(Fault::InvalidLogin.retry(), Retry::Never);
    }
}
