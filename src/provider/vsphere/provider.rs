//! The provider behind the endpoint `vcenter`.

use serde_json::Value as Json;
use tokio::sync::Mutex;

use super::config::VcenterConfig;
use super::failure::Failure;
use super::read::{self, FOLDER, PERMISSION, ROLE, RULE, VM};
use super::session::Session;
use super::{clone, folder, locate, permission, power, reconfigure, role, rule};
use crate::plan::{Operation, Step};
use crate::provider::{Act, BoxFuture, Inputs, Provider, ProviderError, Run, Wanted};
use crate::resource::{Address, Reading};

/// One vCenter, through one session.
pub struct Vcenter {
    session: Session,
    /// vCenter refuses a cluster's reconfiguration while another runs (Terraform's vSphere
    /// provider, issue 1362), so they go one after the other.
    cluster: Mutex<()>,
}

impl Vcenter {
    /// Prepares it; nothing is sent until something is asked.
    ///
    /// # Errors
    /// The CA or the thumbprint of the configuration cannot be used.
    pub fn new(config: VcenterConfig) -> Result<Self, ProviderError> {
        let server = config.server();
        let session = Session::new(config).map_err(|failure| {
            failure.explain(&format!("prepare the connection to vCenter {server}"))
        })?;
        Ok(Self { session, cluster: Mutex::new(()) })
    }

    /// Ends the session, where one was opened, for good: whatever is asked later fails. To be
    /// called on every way out, as vCenter keeps a session for 30 minutes and has few.
    pub async fn logout(&self) {
        self.session.logout().await;
    }

    /// How many requests were sent.
    pub fn requests(&self) -> u64 {
        self.session.requests()
    }

    /// Which vCenter answers: the same for as long as it lives, whatever its name or address.
    ///
    /// # Errors
    /// It cannot be reached or refuses the login.
    pub async fn instance_uuid(&self) -> Result<String, ProviderError> {
        match self.session.open().await {
            Ok(open) => Ok(open.content.instance_uuid.clone()),
            Err(failure) => Err(failure.explain("read which vCenter answers")),
        }
    }

    async fn carry_out(
        &self,
        step: &Step,
        inputs: &Inputs,
        run: &dyn Run,
    ) -> Result<Reading, Failure> {
        let session = &self.session;
        match (step.kind.name, step.operation) {
            (ROLE, Operation::Create) => role::create(session, inputs).await,
            (ROLE, Operation::Update) => role::update(session, inputs).await,
            (ROLE, Operation::Delete) => role::delete(session, inputs).await,
            (PERMISSION, Operation::Create | Operation::Update) => {
                permission::set(session, inputs).await
            }
            (PERMISSION, Operation::Delete) => permission::delete(session, inputs).await,
            (RULE, Operation::Create | Operation::Update) => {
                let _turn = self.cluster.lock().await;
                rule::write(session, inputs, run).await
            }
            (RULE, Operation::Delete) => {
                let _turn = self.cluster.lock().await;
                rule::delete(session, inputs, run).await
            }
            (FOLDER, Operation::Create) => folder::create(session, inputs).await,
            (FOLDER, Operation::Delete) => folder::delete(session, inputs, run).await,
            (VM, Operation::Create) => clone::create(session, step, inputs, run).await,
            (VM, Operation::Update) => reconfigure::update(session, inputs, run).await,
            (VM, Operation::UpgradeHardware) => reconfigure::upgrade(session, inputs, run).await,
            (VM, Operation::PowerOff) => power::off(session, inputs, run).await,
            (VM, Operation::PowerOn) => power::on(session, inputs, run).await,
            (VM, Operation::Delete) => power::destroy(session, inputs, run).await,
            (kind, operation) => Err(Failure::refused(
                format!("vCenter has no {operation:?} of {kind}"),
                "the plan was made by another version of boma: plan again",
            )),
        }
    }
}

impl Provider for Vcenter {
    fn read<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Vec<(Address, Reading)>> {
        Box::pin(async move {
            if wanted.is_empty() {
                return Vec::new();
            }
            let readings = read::read(&self.session, wanted).await;
            wanted.iter().map(|wanted| wanted.address.clone()).zip(readings).collect()
        })
    }

    fn act<'a>(
        &'a self,
        step: &'a Step,
        inputs: &'a Inputs,
        run: &'a dyn Run,
    ) -> BoxFuture<'a, Act> {
        Box::pin(async move {
            match self.carry_out(step, inputs, run).await {
                Ok(reading) => Ok(reading),
                Err(failure) => {
                    let failure = locate::name_object(&self.session, failure).await;
                    Err(failure.explain(&operation(step, &inputs.attributes)))
                }
            }
        })
    }
}

/// What a step does, in words.
fn operation(step: &Step, attributes: &Json) -> String {
    let address = &step.address;
    match (step.kind.name, step.operation) {
        (VM, Operation::Create) => format!(
            "clone {} to {}",
            attributes["template"].as_str().unwrap_or("the template"),
            clone::target(attributes).unwrap_or_else(|_| address.to_string())
        ),
        (_, operation) => format!("{} {address}", operation.words()),
    }
}
