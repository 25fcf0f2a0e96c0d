//! The provider behind the endpoint `kubernetes`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::Namespace;
use tokio::task::JoinSet;

use super::access::Access;
use super::attachments::Attachments;
use super::call::Call;
use super::client::{Client, Pace};
use super::delete::{delete, refuse_data};
use super::dry_run::{Objection, Trial, dry_run};
use super::failure::Failure;
use super::joining;
use super::node;
use super::place::Place;
use super::read::{observe, read_many, read_one, unplaced};
use super::ready::Around;
use super::upgrade::Upgrades;
use super::write::write;
use crate::plan::{Operation, Step};
use crate::provider::{Act, BoxFuture, Inputs, Provider, ProviderError, Run, Wanted};
use crate::resource::{Address, Object, Reading};

/// One cluster, through its API.
pub struct Kubernetes {
    client: Arc<Client>,
    attachments: Attachments,
    upgrades: Upgrades,
    /// What was written and was not seen ready since: such a node of CouchDB is asked whether it
    /// is a member of its cluster, which a reading for a plan does not do.
    written: Mutex<BTreeSet<Address>>,
}

impl Kubernetes {
    /// Prepares it; nothing is opened until something is asked.
    pub fn new(access: Arc<dyn Access>) -> Self {
        Self::with_pace(access, Pace::default())
    }

    /// The same with other pauses between tries.
    pub fn with_pace(access: Arc<dyn Access>, pace: Pace) -> Self {
        let client = Arc::new(Client::new(access, pace));
        Self {
            client,
            attachments: Attachments::default(),
            upgrades: Upgrades::default(),
            written: Mutex::default(),
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
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
        let place = Place::known::<Namespace>(None, "kube-system");
        let namespace = async { self.client.ok(&Call::get(&place)?).await }.await;
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
            Operation::Create | Operation::Update => {
                self.upgrades.refuse(client, &step.address, &place, run).await?;
                if let Some(note) = joining::note(&place, &inputs.attributes) {
                    run.note(note)?;
                }
                self.written().insert(step.address.clone());
                write(client, step, inputs, &place).await?
            }
            // Nodes are not boma's to delete.
            Operation::Delete if place.is_node() => {
                node::release(client, &place).await?;
                return Ok(Reading::Absent);
            }
            Operation::Delete | Operation::Abandon => {
                if step.operation == Operation::Delete {
                    self.upgrades.refuse(client, &step.address, &place, run).await?;
                    let seen = inputs.object.as_ref().map(|object| object.attributes.tree());
                    refuse_data(client, step.kind, &place, seen.as_ref()).await?;
                }
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

    async fn read_one(&self, wanted: &Wanted) -> Result<Reading, Failure> {
        let Some(place) = Place::of(&wanted.locator.place) else { return Ok(unplaced()) };
        let here = self.written().contains(&wanted.address);
        let written = here || joining::is_noted(&wanted.locator);
        let reading = read_one(&self.client, &self.attachments, &place, written).await?;
        if written && reading.object().is_some_and(is_ready) {
            self.written().remove(&wanted.address);
        }
        Ok(reading)
    }

    fn written(&self) -> MutexGuard<'_, BTreeSet<Address>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_ready(object: &Object) -> bool {
    object.attributes.tree()["ready"] == true
}

impl Provider for Kubernetes {
    fn read<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Vec<(Address, Reading)>> {
        Box::pin(async move {
            let [only] = wanted else { return read_many(&self.client, wanted).await };
            let reading = match Place::of(&only.locator.place) {
                Some(place) if place.is_many() => return read_many(&self.client, wanted).await,
                _ => self.read_one(only).await,
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
