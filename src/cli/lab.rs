//! `boma lab`, and the lab behind `--lab`.

mod names;
mod setup;
mod world;

use super::args::{Format, LabCommand, LabDriftArgs, LabServeArgs, LabStatusArgs, LabTarget};
use super::error::{CliError, Exit, chain};
use super::load::load;
use super::output::{Terminal, print, print_json, say};
use super::{home, signal, world as real};
use crate::lab::{LabError, Opened, ServeOptions, Status, reset as reset_world};
use crate::render::json::{LabDriftJson, LabSessionsJson, LabStatusJson};

pub use world::{LabWorld, open};

/// Runs one of the lab commands.
pub fn run(command: &LabCommand, terminal: Terminal) -> Result<Exit, CliError> {
    match command {
        LabCommand::Serve(args) => serve(args, terminal),
        LabCommand::Drift(args) => drift(args, terminal),
        LabCommand::Status(args) => status(args, terminal),
        LabCommand::Reset(args) => reset(args, terminal),
    }
}

fn serve(args: &LabServeArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let loaded = load(&args.target.spec, terminal)?;
    let dir = home::lab_dir(&loaded.spec).join(world::WORLD);
    let lab = match world::open_world(&loaded, &dir)? {
        Opened::Owned(lab) => lab,
        Opened::Served(endpoints) => {
            let message = format!(
                "process {} serves this lab already, at {}",
                endpoints.pid, endpoints.vcenter_url
            );
            return Err(CliError::new(message, "use that one, or end that process first"));
        }
    };
    real::runtime()?.block_on(async {
        let options = ServeOptions {
            port: args.port,
            task_delay_ms: args.task_delay_ms,
            ..ServeOptions::default()
        };
        let running = lab.serve(options).await?;
        let served = &running.endpoints;
        print(&format!(
            "vCenter     {}\nusername    {}\npassword    {}\nCA          {}\nthumbprint  {}\n",
            served.vcenter_url,
            served.username,
            served.password,
            dir.join("ca.pem").display(),
            served.thumbprint,
        ))?;
        say("serving until Ctrl-C; other commands with --lab use this world meanwhile");
        signal::interrupted().await;
        running.shutdown().await?;
        Ok(Exit::Done)
    })
}

fn drift(args: &LabDriftArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let loaded = load(&args.target.spec, terminal)?;
    let drifted = real::runtime()?.block_on(async {
        let world = open(&loaded, &home::lab_dir(&loaded.spec)).await?;
        let drifted = world.drift(args.seed, args.count).await;
        world.close().await;
        drifted
    })?;
    let drifted = names::translate(&loaded.spec, &drifted)?;
    print_json(&LabDriftJson { drifted })?;
    Ok(Exit::Done)
}

fn status(args: &LabStatusArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let loaded = load(&args.target.spec, terminal)?;
    let (served_at, status) = real::runtime()?.block_on(async {
        let world = open(&loaded, &home::lab_dir(&loaded.spec)).await?;
        let status = world.status().await;
        let served_at = world.served_at();
        world.close().await;
        status.map(|status| (served_at, status))
    })?;
    let document = document(&loaded.spec.name, served_at, &status);
    match args.output.format {
        Format::Json => print_json(&document)?,
        Format::Text => print(&text(&document, &status))?,
    }
    Ok(Exit::Done)
}

fn document(name: &str, served_at: Option<String>, status: &Status) -> LabStatusJson {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    LabStatusJson {
        name: name.to_owned(),
        served_at,
        objects: status
            .objects
            .iter()
            .map(|(kind, number)| (kind.clone(), count(*number)))
            .collect(),
        sessions: LabSessionsJson {
            open: count(status.sessions.len()),
            total: status.sessions_ever,
        },
        requests: status.requests.clone(),
        running_tasks: count(status.running_tasks),
        digest: status.digest.clone(),
    }
}

fn text(document: &LabStatusJson, status: &Status) -> String {
    let mut text = match &document.served_at {
        Some(url) => format!("served at {url}\n"),
        None => "not served\n".to_owned(),
    };
    text += &format!(
        "sessions: {} open, {} ever · tasks running: {} · digest {}\n",
        document.sessions.open, document.sessions.total, document.running_tasks, document.digest
    );
    for object in &status.inventory {
        text += &format!("{:<24}{}\n", object.object_type, object.path);
    }
    text
}

fn reset(args: &LabTarget, terminal: Terminal) -> Result<Exit, CliError> {
    let loaded = load(&args.spec, terminal)?;
    let dir = home::lab_dir(&loaded.spec);
    reset_world(&dir.join(world::WORLD))?;
    match std::fs::remove_dir_all(&dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(CliError::new(
            format!("failed to remove {}: {error}", dir.display()),
            "remove it by hand",
        )),
        _ => Ok(Exit::Done),
    }
}

impl From<LabError> for CliError {
    fn from(error: LabError) -> Self {
        Self { exit: Exit::Error, message: format!("failed to {}", chain(&error)), help: None }
    }
}
