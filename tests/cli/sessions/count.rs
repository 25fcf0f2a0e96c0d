//! How many sessions a lab has, asked without a command of the program.

use boma::lab::Control;

use super::super::env::TestEnv;
use super::super::served::control;

/// Counts the sessions of a lab that is served.
pub struct Sessions {
    control: Control,
    runtime: tokio::runtime::Runtime,
}

impl Sessions {
    pub fn of(env: &TestEnv) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self { control: control(env), runtime: runtime.expect("a runtime") }
    }

    /// Those that are open, and those that ever were.
    pub fn count(&self) -> (u64, u64) {
        let status = self.runtime.block_on(self.control.status()).expect("a status");
        (status.sessions.len() as u64, status.sessions_ever)
    }

    /// Those that are open.
    pub fn open(&self) -> u64 {
        self.count().0
    }
}
