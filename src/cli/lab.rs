//! `boma lab`, and the lab behind `--lab`.

mod cluster_names;
mod fault;
mod host_names;
mod hosts;
mod names;
mod setup;
mod status;
mod world;

use super::args::{LabCommand, LabDriftArgs, LabServeArgs, LabTarget};
use super::error::{CliError, Exit, chain};
use super::load::load;
use super::output::{Terminal, print, print_json, say};
use super::signal::Signals;
use super::{home, world as real};
use crate::lab::{LabError, Opened, Running, ServeOptions, reset as reset_world};
use crate::render::json::LabDriftJson;

pub use fault::parse as parse_fault;
pub use world::{LabWorld, open};

/// Runs one of the lab commands.
pub fn run(command: &LabCommand, terminal: Terminal) -> Result<Exit, CliError> {
    match command {
        LabCommand::Serve(args) => serve(args, terminal),
        LabCommand::Drift(args) => drift(args, terminal),
        LabCommand::Status(args) => status::run(args, terminal),
        LabCommand::Fault(args) => fault::run(args, terminal),
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
        let mut signals = Signals::listen();
        let options = ServeOptions {
            port: args.port,
            task_delay_ms: args.task_delay_ms,
            page_size: args.page_size,
            kubernetes: true,
            ..ServeOptions::default()
        };
        let running = lab.serve(options).await?;
        let served = &running.endpoints;
        let key = hosts::write_key(&dir, &served.ssh_user_key)?;
        print(&format!(
            "vCenter     {}\nusername    {}\npassword    {}\nCA          {}\nSSH key     {}\nthumbprint  {}\n{}{}",
            served.vcenter_url,
            served.username,
            served.password,
            dir.join("ca.pem").display(),
            key.display(),
            served.thumbprint,
            kubernetes(&running),
            hosts::ways_in(&running.hosts(), &loaded.spec.ssh.user, &key),
        ))?;
        say("serving until Ctrl-C; other commands with --lab use this world meanwhile");
        signals.next().await;
        running.shutdown().await?;
        Ok(Exit::Done)
    })
}

/// Where kubectl finds the clusters.
fn kubernetes(running: &Running) -> String {
    let Some((port, path)) = running.kubernetes() else { return String::new() };
    let path = path.display();
    format!("Kubernetes  https://127.0.0.1:{port}\nkubeconfig  {path} (once there is a cluster)\n")
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
