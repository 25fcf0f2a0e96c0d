//! The provider behind the endpoint `kubernetes`.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::access::Access;
use super::apply::{Applied, Draft, apply, recreate};
use super::call::Call;
use super::client::{Client, Pace};
use super::delete::delete;
use super::dry_run::{Objection, Trial, dry_run};
use super::failure::Failure;
use super::manifest::manifest;
use super::node;
use super::place::Place;
use super::read::{observe, read_many, read_one, unplaced};
use super::ready::Around;
use crate::plan::{Operation, Step};
use crate::provider::{Act, BoxFuture, Inputs, Provider, ProviderError, Run, Wanted};
use crate::resource::{Address, Reading};

/// One cluster, through its API.
pub struct Kubernetes {
    client: Arc<Client>,
}

impl Kubernetes {
    /// Prepares it; nothing is opened until something is asked.
    pub fn new(access: Arc<dyn Access>) -> Self {
        Self::with_pace(access, Pace::default())
    }

    /// The same with other pauses between tries.
    pub fn with_pace(access: Arc<dyn Access>, pace: Pace) -> Self {
        Self { client: Arc::new(Client::new(access, pace)) }
    }

    /// How many requests were sent.
    pub fn requests(&self) -> u64 {
        self.client.requests()
    }

    /// Which cluster answers: the uid of its Namespace `kube-system`, which lives as long as the
    /// cluster's data do.
    ///
    /// # Errors
    /// It cannot be reached or refuses.
    pub async fn cluster_uid(&self) -> Result<String, ProviderError> {
        let namespace = self.client.ok(&Call::get("/api/v1/namespaces/kube-system")).await;
        let uid =
            namespace.map(|answer| answer.json()["metadata"]["uid"].as_str().map(str::to_owned));
        let operation = "read which cluster answers";
        uid.map_err(|failure| failure.explain(operation))?.ok_or_else(|| {
            Failure::later("the Namespace kube-system has no uid", "see what answers on port 6443")
                .explain(operation)
        })
    }

    /// Has the server check what a plan would write; nothing is changed.
    pub async fn server_dry_run(
        &self,
        trials: Vec<Trial>,
    ) -> Vec<(Address, Result<(), Objection>)> {
        let mut tasks = JoinSet::new();
        for trial in trials {
            let client = self.client.clone();
            tasks.spawn(async move {
                let outcome = dry_run(&client, &trial).await;
                (trial.address, outcome)
            });
        }
        let mut verdicts = tasks.join_all().await;
        verdicts.sort_by(|one, other| one.0.cmp(&other.0));
        verdicts
    }

    async fn carry_out(
        &self,
        step: &Step,
        inputs: &Inputs,
        run: &dyn Run,
    ) -> Result<Reading, Failure> {
        let client = &*self.client;
        let Some(place) = Place::of(&inputs.locator.place) else {
            return Err(Failure::refused("its place in the API is not recorded", "plan again"));
        };
        let uid = inputs.object.as_ref().map(|object| object.id.as_str());
        let applied = match step.operation {
            Operation::Create | Operation::Update if place.is_node() => {
                let (attributes, mark) = (&inputs.attributes, inputs.mark.as_ref());
                let wish = node::Wish { attributes, mark, fields: &step.fields };
                node::write(client, &place, &wish).await?
            }
            Operation::Create | Operation::Update => write(client, step, inputs, &place).await?,
            // Nodes and volumes are not boma's to delete.
            Operation::Delete if place.is_node() => {
                node::release(client, &place).await?;
                return Ok(Reading::Absent);
            }
            Operation::Delete if place.is("", "PersistentVolume") => return Ok(Reading::Absent),
            Operation::Delete => {
                let left = delete(client, &place, uid).await?;
                let left = left.map(|object| observe(&place, &object, Around::default()));
                return Ok(left.map_or(Reading::Absent, Reading::Present));
            }
            operation => {
                return Err(Failure::refused(
                    format!("Kubernetes has no {operation:?} of {}", step.kind.name),
                    "the plan was made by another version of boma: plan again",
                ));
            }
        };
        applied.warnings.iter().for_each(|warning| run.progress(&format!("warning: {warning}")));
        Ok(Reading::Present(observe(&place, &applied.object, Around::default())))
    }
}

impl Provider for Kubernetes {
    fn read<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Vec<(Address, Reading)>> {
        Box::pin(async move {
            let [only] = wanted else { return read_many(&self.client, wanted).await };
            let reading = match Place::of(&only.locator.place) {
                Some(place) => read_one(&self.client, &place).await,
                None => Ok(unplaced()),
            };
            let reading = reading.unwrap_or_else(|failure| Reading::Unread(failure.reason()));
            vec![(only.address.clone(), reading)]
        })
    }

    fn act<'a>(
        &'a self,
        step: &'a Step,
        inputs: &'a Inputs,
        run: &'a dyn Run,
    ) -> BoxFuture<'a, Act> {
        Box::pin(async move {
            let outcome = self.carry_out(step, inputs, run).await;
            let operation = format!("{} {}", step.operation.words(), step.address);
            outcome.map_err(|failure| failure.explain(&operation))
        })
    }
}

async fn write(
    client: &Client,
    step: &Step,
    inputs: &Inputs,
    place: &Place,
) -> Result<Applied, Failure> {
    let attributes = &inputs.attributes;
    let uid = inputs.object.as_ref().map(|object| object.id.as_str());
    if let (Some(object), Some(uid)) = (&inputs.object, uid) {
        let strategy = &object.attributes.tree()["spec"]["strategy"];
        let becomes = attributes["spec"]["strategy"]["type"] == "Recreate";
        if becomes && place.is("apps", "Deployment") && strategy["rollingUpdate"].is_object() {
            recreate(client, place, uid).await?;
        }
    }
    let manifest = manifest(place, attributes, inputs.mark.as_ref(), uid);
    apply(client, &Draft { place, manifest, fields: &step.fields, dry_run: false }).await
}
