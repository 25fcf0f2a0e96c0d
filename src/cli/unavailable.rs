//! Endpoints that nobody can speak to, and why.

use crate::plan::Step;
use crate::provider::{Act, BoxFuture, Inputs, Provider, ProviderError, Retry, Run, Wanted};
use crate::resource::{Address, Reading};

use super::error::CliError;

/// Stands in for a provider that could not be set up, so that the rest of the world can still be
/// planned.
pub struct Unavailable(pub CliError);

impl Provider for Unavailable {
    fn read<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Vec<(Address, Reading)>> {
        let CliError { message, help, .. } = &self.0;
        let help = help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        let reason = format!("{message}{help}");
        Box::pin(async move {
            let unread = |one: &Wanted| (one.address.clone(), Reading::Unread(reason.clone()));
            wanted.iter().map(unread).collect()
        })
    }

    fn act<'a>(&'a self, step: &'a Step, _: &'a Inputs, _: &'a dyn Run) -> BoxFuture<'a, Act> {
        Box::pin(async move {
            Err(ProviderError {
                operation: format!("{} {}", step.operation.words(), step.address),
                message: self.0.message.clone(),
                help: self.0.help.clone().unwrap_or_default(),
                retry: Retry::Never,
            })
        })
    }
}
