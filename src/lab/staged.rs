//! Faults on request, as data.

use serde::{Deserialize, Serialize};

/// One fault to stage, and the calls that it hits.
///
/// Calls are counted from the moment the rule is set. A rule that has hit all its calls is gone;
/// rules do not outlive the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    /// The method whose calls count, such as `ReconfigVM_Task` or `GET /api/vcenter/vm`, or a
    /// program that hosts run, such as `install`, or a verb of a cluster's API with a resource,
    /// such as `Kubernetes:LIST deployments` (`*` for any verb, `CONTINUE` for further pages of
    /// lists). `None` for every SOAP call that needs a session, or for every command where a host
    /// is named or the fault is one of hosts.
    #[serde(default)]
    pub method: Option<String>,
    /// The machine whose commands count, by name or address. `None` for all.
    #[serde(default)]
    pub host: Option<String>,
    /// The first call that is hit: 1 for the next one.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many calls are hit, one after the other.
    #[serde(default = "one")]
    pub times: u64,
    /// What happens to them.
    pub fault: StagedFault,
}

/// What can be made to go wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StagedFault {
    /// The session ends just before the call, which ends in `NotAuthenticated`.
    ExpireSession,
    /// The call is refused at once, and does nothing.
    Refuse {
        /// A vim25 fault type, such as `HostNotConnected`.
        kind: String,
        /// What the server says to a person.
        message: String,
    },
    /// The call starts a task that ends in an error, and does nothing.
    TaskError {
        /// A vim25 fault type, such as `InsufficientMemoryFault`.
        kind: String,
        /// What the server says to a person.
        message: String,
    },
    /// The call starts a task that takes so long, whatever the server's delay is; on a host, the
    /// command's answer comes so much later.
    SlowTask {
        /// Milliseconds.
        ms: u64,
    },
    /// Somebody else writes the machine's configuration just before the call: a change version
    /// that was read before ends in `ConcurrentAccess`.
    ConcurrentWrite,
    /// The connection is cut, and the call does nothing.
    DropBefore,
    /// The call is carried out, and the connection is cut before the answer; on a host, in the
    /// middle of it.
    DropAfter,
    /// HTTP status 503, and the call does nothing.
    Unavailable,
    /// Pages hold fewer objects than the client asks for.
    SmallPages {
        /// The most objects in one page.
        size: usize,
    },
    /// The machine asks a question and waits for its answer (`AnswerVM`) before its task goes on.
    Question,
    /// The command never answers, and does nothing.
    Hang,
    /// The command finds no space left on the host's disk.
    DiskFull,
    /// The host goes down and comes up again instead of carrying out the command.
    Reboot,
    /// The host answers nobody any more.
    Dead,
    /// sudo asks for a password, and no password is right.
    SudoRefused,
}

impl FaultRule {
    /// Hits the next call of a method.
    pub fn next(method: &str, fault: StagedFault) -> Self {
        Self { method: Some(method.to_owned()), host: None, nth: 1, times: 1, fault }
    }

    /// Hits the next command of a host, by its machine's name or address.
    pub fn on(host: &str, fault: StagedFault) -> Self {
        Self { method: None, host: Some(host.to_owned()), nth: 1, times: 1, fault }
    }

    /// The same for the n-th call from now on.
    #[must_use]
    pub fn nth(self, nth: u64) -> Self {
        Self { nth, ..self }
    }

    /// The same for so many calls in a row.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times, ..self }
    }

    /// Whether calls of a cluster's API are meant: `Kubernetes:LIST deployments`.
    pub(super) fn is_for_kubernetes(&self) -> bool {
        self.method.as_ref().is_some_and(|method| method.starts_with(super::kubernetes::PREFIX))
    }

    /// Whether commands of hosts are meant, and not calls of the vCenter: its methods begin with a
    /// capital letter, as its REST paths do.
    pub(super) fn is_for_hosts(&self) -> bool {
        let program = |method: &String| method.starts_with(|c: char| !c.is_ascii_uppercase());
        let only_there = matches!(
            self.fault,
            StagedFault::Hang
                | StagedFault::DiskFull
                | StagedFault::Reboot
                | StagedFault::Dead
                | StagedFault::SudoRefused
        );
        self.host.is_some() || only_there || self.method.as_ref().is_some_and(program)
    }
}

fn one() -> u64 {
    1
}
