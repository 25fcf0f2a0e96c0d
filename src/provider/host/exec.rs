//! One command in one channel.

use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::time::timeout;

use super::connection::Connection;
use super::{HostError, Output};

/// How much of what a command prints is kept in memory: far more than any answer boma asks for.
const OUTPUT_MAX: usize = 64 << 20;

/// A command, ready to be sent.
pub(super) struct Job {
    /// As it is shown.
    pub(super) shown: String,
    /// As it is sent.
    pub(super) line: String,
    pub(super) input: Vec<u8>,
    pub(super) limit: Duration,
    /// How long a channel may take to open.
    pub(super) open_limit: Duration,
}

/// Why there is no output.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The connection was dead before the command was sent: it cannot have started.
    Gone(HostError),
    /// Anything else.
    Error(HostError),
}

impl Trouble {
    pub(super) fn into_error(self) -> HostError {
        match self {
            Self::Gone(error) | Self::Error(error) => error,
        }
    }
}

impl Connection {
    /// Runs a command to its end. What it prints is taken while it is still being fed, so that
    /// neither side waits for the other with full buffers.
    ///
    /// # Errors
    /// The connection is dead, the host refuses, or the command does not end by itself.
    pub(super) async fn exec(&self, job: Job) -> Result<Output, Trouble> {
        let Ok(_permit) = self.sessions.acquire().await else {
            return Err(Trouble::Gone(self.cut(&job.shown)));
        };
        let channel = self.session(&job).await?;
        if channel.exec(true, job.line.as_bytes()).await.is_err() {
            return Err(Trouble::Gone(self.cut(&job.shown)));
        }
        let (mut reader, writer) = channel.split();
        let mut heard = Heard::default();
        let ended = timeout(job.limit, heard.listen(&mut reader, &writer, job.input)).await;
        let result = match ended {
            Ok(Ok(())) => self.outcome(heard, &job.shown),
            Ok(Err(Flood)) => Err(HostError::Flood {
                machine: self.peer.machine.clone(),
                command: job.shown,
                limit: OUTPUT_MAX,
            }),
            Err(_) => Err(HostError::Timeout {
                machine: self.peer.machine.clone(),
                command: job.shown,
                after: job.limit,
            }),
        };
        if result.is_err() {
            give_up(&writer).await;
        }
        result.map_err(Trouble::Error)
    }

    async fn session(&self, job: &Job) -> Result<Channel<Msg>, Trouble> {
        match timeout(job.open_limit, self.handle.channel_open_session()).await {
            Ok(Ok(channel)) => Ok(channel),
            Ok(Err(russh::Error::ChannelOpenFailure(reason))) => {
                Err(Trouble::Error(HostError::Refused {
                    machine: self.peer.machine.clone(),
                    command: job.shown.clone(),
                    problem: format!("no channel for it ({reason:?})"),
                }))
            }
            Ok(Err(_)) => Err(Trouble::Gone(self.cut(&job.shown))),
            Err(_) => Err(Trouble::Gone(HostError::Idle {
                machine: self.peer.machine.clone(),
                command: job.shown.clone(),
                after: job.open_limit,
            })),
        }
    }

    fn outcome(&self, heard: Heard, command: &str) -> Result<Output, HostError> {
        let stderr = String::from_utf8_lossy(&heard.stderr).into_owned();
        let (machine, command) = (self.peer.machine.clone(), command.to_owned());
        if heard.refused {
            let problem = "sshd refuses the request to run a command".into();
            return Err(HostError::Refused { machine, command, problem });
        }
        if let Some(signal) = heard.signal {
            let stderr = super::error::tail(&stderr);
            return Err(HostError::Signal { machine, command, signal, stderr });
        }
        let Some(status) = heard.status else { return Err(self.cut(&command)) };
        let status = i32::try_from(status).unwrap_or(i32::MAX);
        Ok(Output { status, stdout: heard.stdout, stderr })
    }
}

/// What came over a channel.
#[derive(Default)]
struct Heard {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    status: Option<u32>,
    signal: Option<String>,
    refused: bool,
}

struct Flood;

impl Heard {
    /// Feeds the command and takes what it prints until the channel is closed: the status may
    /// come after the end of the output.
    async fn listen(
        &mut self,
        reader: &mut ChannelReadHalf,
        writer: &ChannelWriteHalf<Msg>,
        input: Vec<u8>,
    ) -> Result<(), Flood> {
        let feeding = async {
            // A command may end without reading all of its input; what it says then counts.
            let _ = writer.data_bytes(input).await;
            let _ = writer.eof().await;
        };
        tokio::pin!(feeding);
        let mut fed = false;
        loop {
            tokio::select! {
                () = &mut feeding, if !fed => fed = true,
                message = reader.wait() => match message {
                    Some(message) => self.take(message),
                    None => return Ok(()),
                },
            }
            if self.refused {
                return Ok(());
            }
            if self.stdout.len() + self.stderr.len() > OUTPUT_MAX {
                return Err(Flood);
            }
        }
    }

    fn take(&mut self, message: ChannelMsg) {
        match message {
            ChannelMsg::Data { data } => self.stdout.extend_from_slice(&data),
            // 1 is standard error, the only kind that RFC 4254 knows.
            ChannelMsg::ExtendedData { data, ext: 1 } => self.stderr.extend_from_slice(&data),
            ChannelMsg::ExitStatus { exit_status } => self.status = Some(exit_status),
            ChannelMsg::ExitSignal { signal_name, .. } => self.signal = Some(name(signal_name)),
            ChannelMsg::Failure => self.refused = true,
            _ => {}
        }
    }
}

/// Asks the host to end the command and closes the channel, as far as the connection still works.
async fn give_up(writer: &ChannelWriteHalf<Msg>) {
    let goodbye = async {
        let _ = writer.signal(Sig::TERM).await;
        let _ = writer.close().await;
    };
    let _ = timeout(Duration::from_secs(1), goodbye).await;
}

fn name(signal: Sig) -> String {
    match signal {
        Sig::Custom(name) => name,
        known => format!("{known:?}"),
    }
}
