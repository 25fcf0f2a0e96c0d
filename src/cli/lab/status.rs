//! `boma lab status`: what is in the world.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::args::{Format, LabStatusArgs};
use super::super::error::{CliError, Exit};
use super::super::load::load;
use super::super::output::{Terminal, print, print_json};
use super::super::{home, world as real};
use super::{fault, hosts, world};
use crate::lab::{FaultRule, Status, StatusDisk};
use crate::render::json::{LabDiskJson, LabFaultJson, LabHostJson, LabSessionsJson, LabStatusJson};

/// Prints what is in the world.
pub fn run(args: &LabStatusArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let loaded = load(&args.target.spec, terminal)?;
    let (served_at, status, listening) = real::runtime()?.block_on(async {
        let world = world::open(&loaded, &home::lab_dir(&loaded.spec)).await?;
        let status = world.status().await;
        let served_at = world.served_at();
        // Ports of this process are gone when anybody reads of them.
        let listening = match &served_at {
            Some(_) => world.hosts().await,
            None => Ok(Vec::new()),
        };
        world.close().await;
        Ok::<_, CliError>((served_at, status?, listening?))
    })?;
    let hosts = hosts::documents(&status, &listening);
    match args.output.format {
        Format::Json => print_json(&document(&loaded.spec.name, served_at, &status, hosts))?,
        Format::Text => print(&text(served_at.as_deref(), &status, &hosts))?,
    }
    Ok(Exit::Done)
}

/// Staged faults, a line each.
pub fn faults(rules: &[FaultRule]) -> String {
    let line = |rule: &FaultRule| {
        let method = rule.method.as_deref().unwrap_or("any call");
        let host = rule.host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
        let FaultRule { nth, times, .. } = rule;
        format!(
            "  {:<36}{method}{host}, from call {nth} on, {times} times\n",
            fault::name(&rule.fault)
        )
    };
    rules.iter().map(line).collect()
}

fn document(
    name: &str,
    served_at: Option<String>,
    status: &Status,
    hosts: Vec<LabHostJson>,
) -> LabStatusJson {
    let counts = |counts: &BTreeMap<String, usize>| {
        counts.iter().map(|(name, number)| (name.clone(), count(*number))).collect()
    };
    LabStatusJson {
        name: name.to_owned(),
        served_at,
        objects: counts(&status.objects),
        sessions: LabSessionsJson {
            open: count(status.sessions.len()),
            total: status.sessions_ever,
            by_user: counts(&status.sessions_by_user),
            by_agent: counts(&by_agent(status)),
        },
        requests: status.requests.clone(),
        running_tasks: count(status.running_tasks),
        foreign_disks: status.foreign_disks.iter().map(disk).collect(),
        lost_disks: status.lost_disks.iter().map(disk).collect(),
        faults: status.faults.iter().map(fault_json).collect(),
        hosts,
        clusters: hosts::clusters(status),
        digest: status.digest.clone(),
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn disk(disk: &StatusDisk) -> LabDiskJson {
    LabDiskJson { file: disk.file.clone(), machine: disk.machine.clone() }
}

fn fault_json(rule: &FaultRule) -> LabFaultJson {
    let FaultRule { method, host, nth, times, fault } = rule.clone();
    LabFaultJson { method, host, nth, times, fault: json!(fault) }
}

fn by_agent(status: &Status) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for session in &status.sessions {
        *counts.entry(session.agent.clone()).or_default() += 1;
    }
    counts
}

/// Numbers first, then whatever else there is, and after an empty line every object.
fn text(served_at: Option<&str>, status: &Status, hosts: &[LabHostJson]) -> String {
    let mut text = match served_at {
        Some(url) => format!("served at {url}\n"),
        None => "not served\n".to_owned(),
    };
    text += &format!(
        "sessions: {} open, {} ever · tasks running: {} · digest {}\n",
        status.sessions.len(),
        status.sessions_ever,
        status.running_tasks,
        status.digest
    );
    let lines = |counts: Vec<(&String, u64)>| -> String {
        counts.iter().map(|(name, number)| format!("  {name:<36}{number}\n")).collect()
    };
    let agents = by_agent(status);
    let agents = agents.iter().map(|(agent, number)| (agent, count(*number))).collect();
    let requests = status.requests.iter().map(|(method, number)| (method, *number)).collect();
    for (title, lines) in [
        ("hosts", hosts::text(hosts)),
        ("open sessions by client", lines(agents)),
        ("requests", lines(requests)),
        ("staged faults", faults(&status.faults)),
        ("disks that are no machine's own", disks(&status.foreign_disks)),
        ("lost disks", disks(&status.lost_disks)),
    ] {
        if !lines.is_empty() {
            text += &format!("{title}:\n{lines}");
        }
    }
    text += &hosts::cluster_text(&hosts::clusters(status));
    text.push('\n');
    for object in &status.inventory {
        text += &format!("{:<24}{}\n", object.object_type, object.path);
    }
    text
}

fn disks(disks: &[StatusDisk]) -> String {
    let line = |disk: &StatusDisk| {
        format!("  {:<36}{}\n", disk.file, disk.machine.as_deref().unwrap_or("on no machine"))
    };
    disks.iter().map(line).collect()
}
