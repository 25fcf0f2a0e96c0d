//! What the engine would hand to the provider.

use boma::plan::{Operation, Step, diff};
use boma::provider::kubernetes::Kubernetes;
use boma::provider::{Act, Inputs, Provider as _, ProviderError, Run, Wanted};
use boma::resource::{
    Address, Attributes, Condition, Endpoint, Kind, Locator, Mark, Object, Reading,
};
use serde_json::{Map, Value as Json};

use super::authority::text_of_base64;
use super::manifest::{path, place};

/// One resource as the engine would hand it to the provider.
#[derive(Clone)]
pub struct Subject {
    pub address: Address,
    pub kind: Kind,
    pub locator: Locator,
    pub mark: Mark,
    /// Everything desired of it.
    pub desired: Json,
    pub object: Option<Object>,
    /// Where in it values were made up.
    pub generated: Vec<String>,
}

impl Subject {
    /// The object of a manifest, which is in this namespace where it names none itself.
    pub fn of(manifest: &Json, namespace: &str) -> Self {
        let place = place(manifest, namespace);
        let text = |name: &str| place[name].as_str().unwrap();
        let name = format!("cluster/{namespace}/{}/{}", text("kind"), text("name"));
        let address = Address::from(name.as_str());
        let mark = Mark { lineage: "lineage-1".into(), address: address.clone() };
        let named = Kind::named(&format!("kubernetes/{}", text("kind")));
        Self {
            kind: named.unwrap_or_else(|| Kind::named("kubernetes/Object").unwrap()),
            locator: Locator {
                place: Attributes::new(&place),
                mark: Some(mark.clone()),
                ..Locator::default()
            },
            desired: attributes(manifest),
            object: None,
            generated: Vec::new(),
            address,
            mark,
        }
    }

    /// Where the API has it.
    pub fn path(&self) -> String {
        path(&self.locator.place.tree())
    }

    pub fn known(mut self, object: Object) -> Self {
        self.locator.id = Some(object.id.clone());
        self.object = Some(object);
        self
    }

    /// From now on something else is desired.
    pub fn edit(&mut self, change: impl FnOnce(&mut Json)) {
        change(&mut self.desired);
    }

    pub fn wanted(&self) -> Wanted {
        Wanted { address: self.address.clone(), kind: self.kind, locator: self.locator.clone() }
    }

    /// The paths at which the object as last read is not what is desired.
    pub fn differences(&self) -> Vec<String> {
        let live = self.object.as_ref().expect("it was read").attributes.tree();
        let differences = diff(self.kind, &self.desired, None, &live);
        differences.into_iter().map(|difference| difference.path).collect()
    }

    /// One step, with what the plan would have shown.
    pub async fn act(&self, provider: &Kubernetes, operation: Operation, fields: &[&str]) -> Act {
        let step = Step {
            address: self.address.clone(),
            kind: self.kind,
            endpoint: Endpoint::kubernetes(),
            operation,
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            guard: None,
            done: Condition::Exists,
            deadline_s: 30,
            guard_s: 0,
        };
        let inputs = Inputs {
            attributes: self.desired.clone(),
            generated: self.generated.clone(),
            object: self.object.clone(),
            locator: self.locator.clone(),
            mark: Some(self.mark.clone()),
        };
        provider.act(&step, &inputs, &Alone).await
    }

    pub async fn read(&self, provider: &Kubernetes) -> Reading {
        provider.read(&[self.wanted()]).await.remove(0).1
    }
}

/// A manifest as attributes, worked out apart from the program under test.
fn attributes(manifest: &Json) -> Json {
    let mut tree: Map<String, Json> = manifest.as_object().unwrap().clone();
    for key in ["apiVersion", "kind", "metadata", "status"] {
        tree.remove(key);
    }
    for key in ["labels", "annotations"] {
        if let Some(pairs) = manifest["metadata"].get(key).filter(|pairs| pairs.is_object()) {
            tree.insert(key.to_owned(), pairs.clone());
        }
    }
    if manifest["kind"] == "Secret" {
        let coded = tree.remove("data").unwrap_or_default();
        let plain = tree.remove("stringData").unwrap_or_default();
        let mut data = plain.as_object().cloned().unwrap_or_default();
        for (key, value) in coded.as_object().into_iter().flatten() {
            data.insert(key.clone(), text_of_base64(value.as_str().unwrap()).into());
        }
        tree.insert("data".to_owned(), data.into());
    }
    Json::Object(tree)
}

/// A run of one step.
struct Alone;

impl Run for Alone {
    fn note(&self, _data: Json) -> Result<(), ProviderError> {
        Ok(())
    }

    fn progress(&self, _text: &str) {}

    fn stopping(&self) -> bool {
        false
    }
}
