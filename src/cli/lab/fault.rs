//! `boma lab fault`: faults on request.

use super::super::args::LabFaultArgs;
use super::super::error::{CliError, Exit};
use super::super::load::load;
use super::super::output::{Terminal, print};
use super::super::{home, world as real};
use super::{status, world};
use crate::lab::{FaultRule, StagedFault};

/// Stages a fault beside those that are staged, and prints them all.
pub fn run(args: &LabFaultArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let added = rules(args)?;
    let loaded = load(&args.target.spec, terminal)?;
    let staged = real::runtime()?.block_on(async {
        let world = world::open(&loaded, &home::lab_dir(&loaded.spec)).await?;
        let staged = stage(&world, args.clear, added).await;
        world.close().await;
        staged
    })?;
    print(&match staged.is_empty() {
        true => "no faults are staged\n".to_owned(),
        false => status::faults(&staged),
    })?;
    Ok(Exit::Done)
}

async fn stage(
    world: &world::LabWorld,
    clear: bool,
    added: Vec<FaultRule>,
) -> Result<Vec<FaultRule>, CliError> {
    if world.served_at().is_none() {
        return Err(CliError::new(
            "nobody serves this lab, and faults do not outlive the process that stages them",
            "start `boma lab serve` in another terminal first",
        ));
    }
    let mut rules = if clear { Vec::new() } else { world.status().await?.faults };
    rules.extend(added);
    world.stage(&rules).await?;
    Ok(rules)
}

fn rules(args: &LabFaultArgs) -> Result<Vec<FaultRule>, CliError> {
    let mut rules = Vec::new();
    if let Some(json) = &args.rules {
        let read: Result<Vec<FaultRule>, _> = serde_json::from_str(json);
        rules = read.map_err(|error| {
            CliError::new(
                format!("--rules is no list of faults: {error}"),
                r#"write it as `boma lab status --format json` shows them under "faults""#,
            )
        })?;
    }
    if let Some(fault) = &args.fault {
        let method = args.method.clone();
        let (host, fault) = (args.host.clone(), fault.clone());
        rules.push(FaultRule { method, host, nth: args.nth, times: args.times, fault });
    }
    Ok(rules)
}

/// Reads a fault as the command line has it: its name, and after `=` what it needs.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse(text: &str) -> Result<StagedFault, String> {
    let (name, value) =
        text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    let number = |unit: &str| {
        let number = value.and_then(|value| value.parse::<u64>().ok());
        number.ok_or_else(|| format!("{name} needs a number of {unit}: {name}=5"))
    };
    let plain = |fault: StagedFault| match value {
        None => Ok(fault),
        Some(_) => Err(format!("{name} takes no value")),
    };
    match name {
        "expire-session" => plain(StagedFault::ExpireSession),
        "concurrent-write" => plain(StagedFault::ConcurrentWrite),
        "drop-before" => plain(StagedFault::DropBefore),
        "drop-after" => plain(StagedFault::DropAfter),
        "unavailable" => plain(StagedFault::Unavailable),
        "question" => plain(StagedFault::Question),
        "hang" => plain(StagedFault::Hang),
        "disk-full" => plain(StagedFault::DiskFull),
        "reboot" => plain(StagedFault::Reboot),
        "dead" => plain(StagedFault::Dead),
        "sudo-refused" => plain(StagedFault::SudoRefused),
        "slow-task" => Ok(StagedFault::SlowTask { ms: number("milliseconds")? }),
        "small-pages" => {
            let size = usize::try_from(number("objects")?).unwrap_or(usize::MAX);
            Ok(StagedFault::SmallPages { size })
        }
        "refuse" => told(name, value).map(|(kind, message)| StagedFault::Refuse { kind, message }),
        "task-error" => {
            told(name, value).map(|(kind, message)| StagedFault::TaskError { kind, message })
        }
        _ => Err(format!("there is no fault {name}; see `boma lab fault --help`")),
    }
}

/// The fault as [`parse`] reads it.
pub fn name(fault: &StagedFault) -> String {
    match fault {
        StagedFault::ExpireSession => "expire-session".into(),
        StagedFault::ConcurrentWrite => "concurrent-write".into(),
        StagedFault::DropBefore => "drop-before".into(),
        StagedFault::DropAfter => "drop-after".into(),
        StagedFault::Unavailable => "unavailable".into(),
        StagedFault::Question => "question".into(),
        StagedFault::Hang => "hang".into(),
        StagedFault::DiskFull => "disk-full".into(),
        StagedFault::Reboot => "reboot".into(),
        StagedFault::Dead => "dead".into(),
        StagedFault::SudoRefused => "sudo-refused".into(),
        StagedFault::SlowTask { ms } => format!("slow-task={ms}"),
        StagedFault::SmallPages { size } => format!("small-pages={size}"),
        StagedFault::Refuse { kind, message } => format!("refuse={kind}:{message}"),
        StagedFault::TaskError { kind, message } => format!("task-error={kind}:{message}"),
    }
}

/// Type and message of `TYPE` or `TYPE:MESSAGE`.
fn told(name: &str, value: Option<&str>) -> Result<(String, String), String> {
    let value = value.filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| format!("{name} needs a vim25 fault: {name}=NoPermission"))?;
    let (kind, message) = value.split_once(':').unwrap_or((value, "staged"));
    Ok((kind.to_owned(), message.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        match (parse(text), expected) {
            (Ok(fault), Ok(expected)) => assert_eq!(name(&fault), expected),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn every_fault_has_a_name_that_is_read_again() {
        for text in [
            "expire-session",
            "concurrent-write",
            "drop-before",
            "drop-after",
            "unavailable",
            "question",
            "hang",
            "disk-full",
            "reboot",
            "dead",
            "sudo-refused",
            "slow-task=300",
            "small-pages=2",
            "refuse=HostNotConnected:the host: away",
        ] {
            check(text, Ok(text));
        }
        check("task-error=TaskInProgress", Ok("task-error=TaskInProgress:staged"));
    }

    #[test]
    fn what_is_not_a_fault_is_said() {
        check("nonsense", Err("no fault nonsense"));
        check("slow-task", Err("slow-task=5"));
        check("question=1", Err("takes no value"));
        check("refuse=", Err("needs a vim25 fault"));
    }
}
