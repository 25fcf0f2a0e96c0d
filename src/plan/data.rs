//! What holds data stays, where it is and as it was made.

use super::planner::Planner;
use super::{Action, BlockCause};
use crate::resource::{Address, Attributes, Edge, EdgeKind, Reading, Resource, generated};
use crate::state::Record;

impl Planner<'_> {
    /// Why something that holds data is not made. `None` where nothing was lost by it.
    pub(super) fn unrepeatable(&self, resource: &Resource, action: Action) -> Option<BlockCause> {
        if !resource.kind.holds_data {
            return None;
        }
        let record = self.prior.resources.get(&resource.address);
        let moved = record.filter(|record| record.place != resource.place);
        moved.map(|record| elsewhere(&record.place, &resource.place)).or_else(|| {
            let made_up = action == Action::Create && is_made_up(resource);
            let data = made_up.then(|| self.data_beside(resource)).flatten();
            data.map(Self::made_with_others)
        })
    }

    /// Secrets that nobody chose are made up once: data that was made with them opens to no others.
    fn made_with_others(data: &Address) -> BlockCause {
        let message =
            format!("it is gone, and {data} was made with its secrets: others would open nothing");
        let help = "restore the Secret, or put what `boma secrets export` saved into the spec's \
                    `credentials`; to begin with empty volumes, give the data up with \
                    `boma destroy SPEC --abandon-data PROJECT`";
        BlockCause::Refused { message, help: help.into() }
    }

    /// Why something that holds data is not left behind: what it lives in, or its project, stays
    /// and goes on without it.
    pub(super) fn left_behind(&self, address: &Address, record: &Record) -> Option<BlockCause> {
        let stays = |home: &&Address| self.desired.resources.contains_key(*home);
        let home = home(&record.edges).filter(stays).map(Address::to_string);
        let owner = home.or_else(|| self.staying_project(address))?;
        let message = format!("it holds data, and {owner} would go on without it");
        let help = "take back the edit of the spec: a project's namespace, the number of its CouchDB \
                    nodes and the names of its volumes stay as they were made; to change them, make \
                    another project and move the data (CHT's couchdb-migration)";
        Some(BlockCause::Refused { message, help: help.into() })
    }

    /// The project of an address, where the spec still has it: its namespace may be another one.
    fn staying_project(&self, address: &Address) -> Option<String> {
        let name = address.project()?;
        let mut desired = self.desired.resources.keys();
        desired.any(|one| one.project() == Some(name)).then(|| format!("project/{name}"))
    }

    /// Something that holds data, stands, and lives where a resource lives.
    fn data_beside(&self, resource: &Resource) -> Option<&Address> {
        let home = home(&resource.edges)?;
        let stands =
            |address: &Address| matches!(self.live.get(address), Some(Reading::Present(_)));
        let mut others = self.desired.resources.values().filter(|other| other.kind.holds_data);
        let beside = others.find(|other| {
            let is_other = other.address != resource.address;
            is_other && self::home(&other.edges) == Some(home) && stands(&other.address)
        });
        beside.map(|other| &other.address)
    }
}

fn is_made_up(resource: &Resource) -> bool {
    !generated(&resource.attributes.tree()).is_empty()
}

fn elsewhere(before: &Attributes, after: &Attributes) -> BlockCause {
    let (before, after) = (before.tree(), after.tree());
    let name = |place: &serde_json::Value| match (place["namespace"].as_str(), &place["name"]) {
        (Some(namespace), name) => format!("{namespace}/{}", name.as_str().unwrap_or_default()),
        (None, name) => name.as_str().unwrap_or_default().to_owned(),
    };
    let (before, after) = (name(&before), name(&after));
    let message = format!("it holds data at {before}, and the spec puts it at {after}");
    let help = "take back the edit: a project keeps its namespace for good; data moves to another \
                one only by a copy";
    BlockCause::Refused { message, help: help.into() }
}

fn home(edges: &[Edge]) -> Option<&Address> {
    edges.iter().find(|edge| edge.kind == EdgeKind::LivesIn).map(|edge| &edge.to)
}
